"""The interval of a value (P10, P50, P90): the card applied to drawn inputs.

A disclosure, never the figure that counts. The same seed gives the same interval on every
machine: streams of `stream`, quantiles as the least value that a share of all do not exceed.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any

from annotated_types import Le, Len

from dataexchange.valuation.arithmetic import exact, total
from dataexchange.valuation.distribution import Triangular
from dataexchange.valuation.quantity import Count, Elapsed, Inputs, Quantity, Text
from dataexchange.valuation.refusal import INPUT_INCONSISTENT
from dataexchange.valuation.sensitivity import Evaluate
from dataexchange.valuation.stream import bits
from dataexchange.valuation.variation import scaled, with_value


class Uncertain(Inputs):
    """An uncertain input: least, likeliest, greatest; `relative` multiplies what is written."""

    input: Text
    low: Quantity
    mode: Quantity
    high: Quantity
    relative: bool = False


class Drawing(Inputs):
    """How the interval is drawn."""

    seed: Elapsed
    draws: Annotated[Count, Le(20_000)] = 2_000
    inputs: Annotated[tuple[Uncertain, ...], Len(1, 50)]


@dataclass(frozen=True, slots=True)
class Interval:
    """Quantiles and mean of the headline, in its unit, with what is needed to draw them again."""

    p10: Decimal
    p50: Decimal
    p90: Decimal
    mean: Decimal
    standard_error: Decimal
    seed: int
    draws: int


@exact
def draw_interval(evaluate: Evaluate, inputs: Mapping[str, Any], drawing: Drawing) -> Interval:
    """Return the interval of the headline when the inputs of `drawing` vary independently."""
    values = draw_values(evaluate, inputs, drawing)
    mean = total(values) / len(values)
    variance = total((value - mean) ** 2 for value in values) / (len(values) - 1)
    return Interval(
        p10=_quantile(values, 10),
        p50=_quantile(values, 50),
        p90=_quantile(values, 90),
        mean=mean,
        standard_error=(variance / len(values)).sqrt(),
        seed=drawing.seed,
        draws=drawing.draws,
    )


@exact
def draw_values(evaluate: Evaluate, inputs: Mapping[str, Any], drawing: Drawing) -> list[Decimal]:
    """Return every drawn headline, least first: what the interval and its picture rest on."""
    if drawing.draws < 2:
        raise INPUT_INCONSISTENT(
            input="interval.draws", why="expects at least 2 draws", why_zh="至少抽样两次"
        )
    drawn = [_draws(one, drawing, place) for place, one in enumerate(drawing.inputs)]
    return sorted(
        evaluate(_varied(inputs, drawing, together)) for together in zip(*drawn, strict=True)
    )


def _draws(one: Uncertain, drawing: Drawing, place: int) -> list[Decimal]:
    try:
        shape = Triangular(one.low, one.mode, one.high)
    except ValueError as error:
        raise INPUT_INCONSISTENT(
            input=one.input, why=str(error), why_zh="应为 low ≤ mode ≤ high 且 low < high"
        ) from error
    drawn = shape.draw(bits(drawing.seed, place, 0), drawing.draws)
    return [Decimal(repr(value)) for value in drawn.tolist()]


def _varied(
    inputs: Mapping[str, Any], drawing: Drawing, together: tuple[Decimal, ...]
) -> Mapping[str, Any]:
    for one, value in zip(drawing.inputs, together, strict=True):
        change = scaled if one.relative else with_value
        inputs = change(inputs, one.input, value)
    return inputs


def _quantile(ordered: list[Decimal], percent: int) -> Decimal:
    return ordered[max(0, math.ceil(percent * len(ordered) / 100) - 1)]
