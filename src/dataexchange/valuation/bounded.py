"""Read one figure and hold it to a range: what a formula asks of every argument.

The functions of the methods are called from notebooks without a card in front of them, so that
they refuse for themselves.
"""

from collections.abc import Iterable
from decimal import Decimal

from dataexchange.valuation.arithmetic import ONE, ZERO, Number, number, plain
from dataexchange.valuation.refusal import INPUT_MALFORMED, INPUT_OUT_OF_RANGE


def figure(given: Number, name: str) -> Decimal:
    """Return a finite `Decimal`; raises `valuation.input_malformed` on a float, NaN or a word."""
    try:
        return number(given)
    except (TypeError, ValueError, ZeroDivisionError) as error:
        raise INPUT_MALFORMED(input=name, why=str(error), why_zh="应为有限小数") from error


def at_least(given: Number, low: Decimal, name: str) -> Decimal:
    """Return `given`, not below `low`; raises `valuation.input_out_of_range`."""
    value = figure(given, name)
    if value < low:
        raise INPUT_OUT_OF_RANGE(input=name, given=plain(value), range=f"≥ {low}")
    return value


def above(given: Number, low: Decimal, name: str) -> Decimal:
    """Return `given`, greater than `low`; raises `valuation.input_out_of_range`."""
    value = figure(given, name)
    if value <= low:
        raise INPUT_OUT_OF_RANGE(input=name, given=plain(value), range=f"> {low}")
    return value


def not_negative(given: Number, name: str) -> Decimal:
    """Return `given`, 0 or more."""
    return at_least(given, ZERO, name)


def positive(given: Number, name: str) -> Decimal:
    """Return `given`, more than 0."""
    return above(given, ZERO, name)


def rate(given: Number, name: str) -> Decimal:
    """Return a rate per year, more than −1."""
    return above(given, -ONE, name)


def share(given: Number, name: str) -> Decimal:
    """Return `given`, from 0 to 1."""
    value = not_negative(given, name)
    if value > ONE:
        raise INPUT_OUT_OF_RANGE(input=name, given=plain(value), range="≤ 1")
    return value


def figures(given: Iterable[Number], name: str) -> list[Decimal]:
    """Return every member as a finite `Decimal`."""
    return [figure(one, name) for one in given]
