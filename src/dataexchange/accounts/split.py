"""Split an amount in 分 (fen) so that the parts always add up to it.

Largest remainder (Hamilton): every part is its exact share rounded down, then the fen left over go
one each to the largest remainders; equal remainders are served in the order given.
"""

import math
from collections.abc import Sequence
from fractions import Fraction

from dataexchange.accounts.rounding import Exact, exact


def split_fen(total_fen: int, weights: Sequence[Exact]) -> tuple[int, ...]:
    """Return one part per weight; their sum is `total_fen`, each within one fen of its share.

    A negative total (a reversal) splits as its positive would. Raises `ValueError` if there is no
    weight, a weight is negative or all are zero; `TypeError` for floats.
    """
    if isinstance(total_fen, bool) or not isinstance(total_fen, int):
        raise TypeError("the total is a whole number of fen")
    if total_fen < 0:
        return tuple(-part for part in split_fen(-total_fen, weights))
    return _largest_remainder(total_fen, _whole_weights(weights))


def _whole_weights(weights: Sequence[Exact]) -> list[int]:
    """Return integers in the same proportion as `weights`."""
    fractions = [exact(weight) for weight in weights]
    if any(weight < 0 for weight in fractions):
        raise ValueError("a weight must not be negative")
    if not any(fractions):
        raise ValueError("a split needs at least one weight above zero")
    scale = math.lcm(*(weight.denominator for weight in fractions))
    return [weight.numerator * (scale // weight.denominator) for weight in fractions]


def _largest_remainder(total_fen: int, weights: list[int]) -> tuple[int, ...]:
    whole = sum(weights)
    divided = [divmod(total_fen * weight, whole) for weight in weights]
    parts = [part for part, _ in divided]
    left_fen = total_fen - sum(parts)
    by_remainder = sorted(range(len(parts)), key=lambda index: -divided[index][1])
    for index in by_remainder[:left_fen]:
        parts[index] += 1
    return tuple(parts)


def shares(values: Sequence[Exact]) -> tuple[Fraction, ...]:
    """Return each value as a share of their sum; the shares add up to exactly 1."""
    weights = _whole_weights(values)
    return tuple(Fraction(weight, sum(weights)) for weight in weights)
