"""Exact decimal arithmetic for money: one context, one rounding, at the output only.

Every public function of a method runs in `CONTEXT` (50 significant digits, half-even inside),
so that a figure is the same on every machine. Rounding half-up to 0.01 元 happens once, when a
figure is shown.
"""

from collections.abc import Callable, Iterable
from decimal import (
    ROUND_HALF_EVEN,
    ROUND_HALF_UP,
    Context,
    Decimal,
    DivisionByZero,
    InvalidOperation,
    Overflow,
    localcontext,
)
from fractions import Fraction
from functools import wraps
from typing import ParamSpec, TypeAlias, TypeVar

P = ParamSpec("P")
R = TypeVar("R")

Number: TypeAlias = Decimal | int | str | Fraction

CONTEXT = Context(
    prec=50, rounding=ROUND_HALF_EVEN, traps=[InvalidOperation, DivisionByZero, Overflow]
)
ZERO, ONE = Decimal(0), Decimal(1)
CENT, MILLIONTH = Decimal("0.01"), Decimal("0.000001")


def exact(function: Callable[P, R]) -> Callable[P, R]:
    """Run `function` in `CONTEXT`, whatever context the caller has set."""

    @wraps(function)
    def inside(*args: P.args, **kwargs: P.kwargs) -> R:
        with localcontext(CONTEXT):
            return function(*args, **kwargs)

    return inside


def number(given: Number) -> Decimal:
    """Return `given` as a finite `Decimal`; text may be a fraction such as "1/3".

    Raises `TypeError` on a float (it has already lost the figure that was meant) or a bool, and
    `ValueError` on text that is no number, on NaN and on infinity.
    """
    if isinstance(given, bool | float):
        raise TypeError("give decimals as text, int or Decimal, never as float or bool")
    value = _fraction(Fraction(given)) if _is_fraction(given) else _decimal(given)
    if not value.is_finite():
        raise ValueError("not a finite number")
    return value


def _is_fraction(given: Number) -> bool:
    return isinstance(given, Fraction) or (isinstance(given, str) and "/" in given)


def _fraction(given: Fraction) -> Decimal:
    return CONTEXT.divide(Decimal(given.numerator), Decimal(given.denominator))


def _decimal(given: Number) -> Decimal:
    try:
        return Decimal(given)  # type: ignore[arg-type]  # fractions went the other way
    except InvalidOperation as error:
        raise ValueError(f"not a number: {given!r}") from error


def numbers(given: Iterable[Number]) -> list[Decimal]:
    """Return every member as a finite `Decimal`; see `number`."""
    return [number(one) for one in given]


def total(amounts: Iterable[Decimal]) -> Decimal:
    """Return the sum, a `Decimal` even of nothing."""
    return sum(amounts, ZERO)


def round_yuan(amount_yuan: Decimal) -> Decimal:
    """Return 元 rounded half-up to the 分."""
    return _quantize(amount_yuan, CENT)


def round_ratio(ratio: Decimal) -> Decimal:
    """Return a ratio rounded half-up to six decimals, as reports show it."""
    return _quantize(ratio, MILLIONTH)


def fen(amount_yuan: Decimal) -> int:
    """Return 元 as an integer of 分, rounded half-up once."""
    return int(round_yuan(amount_yuan).scaleb(2))


def plain(value: Decimal) -> str:
    """Return `value` as text without an exponent and without padding zeros."""
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _quantize(value: Decimal, step: Decimal) -> Decimal:
    rounded = value.quantize(step, rounding=ROUND_HALF_UP, context=CONTEXT)
    return rounded or abs(rounded)  # no “-0.00”
