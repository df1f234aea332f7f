"""Weights: not negative, and a sum of one within 1e-9."""

from collections.abc import Sequence
from decimal import Decimal

from dataexchange.valuation.arithmetic import ONE, plain, total
from dataexchange.valuation.refusal import INPUT_INCONSISTENT, INPUT_OUT_OF_RANGE, WEIGHTS_NOT_ONE

TOLERANCE = Decimal("1e-9")


def check_weights(weights: Sequence[Decimal], *, name: str) -> None:
    """Raise `valuation.weights_not_one`, or `valuation.input_out_of_range` on a negative one."""
    if any(weight < 0 for weight in weights):
        raise INPUT_OUT_OF_RANGE(input=name, given=plain(min(weights)), range="≥ 0")
    if abs(total(weights) - ONE) > TOLERANCE:
        raise WEIGHTS_NOT_ONE(input=name, sum=plain(total(weights)))


def all_or_none(weights: Sequence[Decimal | None], *, name: str) -> list[Decimal]:
    """Return the weights, equal ones where none is stated; refuse a mixture."""
    stated = [weight for weight in weights if weight is not None]
    if not stated:
        return [ONE / len(weights)] * len(weights)
    if len(stated) != len(weights):
        raise INPUT_INCONSISTENT(
            input=name, why="weights for some members only", why_zh="只有部分成员有权重"
        )
    check_weights(stated, name=name)
    return stated
