"""Round exact amounts to whole 分 (fen), each direction under its own name.

Amounts come in as `Fraction`, so nothing is lost before the one rounding that is stated.
"""

import math
from decimal import Decimal
from fractions import Fraction

Exact = int | Decimal | Fraction
"""A number without binary rounding; `float` is not one."""


def exact(number: Exact) -> Fraction:
    """Return `number` as a fraction; `TypeError` for floats and booleans, `ValueError` for NaN."""
    if isinstance(number, bool) or not isinstance(number, int | Decimal | Fraction):
        raise TypeError(f"an exact number is wanted, not {type(number).__name__}")
    if isinstance(number, Decimal) and not number.is_finite():
        raise ValueError("an amount or ratio must be finite")
    return Fraction(number)


def floor_fen(amount: Fraction) -> int:
    """Round down: what may be lent, secured or paid at most."""
    return math.floor(amount)


def ceil_fen(amount: Fraction) -> int:
    """Round up: what must be put in at least."""
    return math.ceil(amount)


def half_up_fen(amount: Fraction) -> int:
    """Round half away from zero, as invoices do (四舍五入)."""
    magnitude = math.floor(abs(amount) + Fraction(1, 2))
    return magnitude if amount >= 0 else -magnitude
