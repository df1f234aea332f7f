"""Sensitivity (敏感性分析): how far the headline moves when one or two inputs do.

Every cell is the card itself, applied again to varied inputs; nothing is interpolated.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, TypeAlias

from dataexchange.valuation.arithmetic import Number, exact, number, plain
from dataexchange.valuation.quantity import Inputs, NonNegative, Quantity, Text
from dataexchange.valuation.refusal import INPUT_INCONSISTENT
from dataexchange.valuation.variation import figure_at, scaled, with_value

Evaluate: TypeAlias = Callable[[Mapping[str, Any]], Decimal]
"""From an input document to its exact headline."""


class Swing(Inputs):
    """How one input is varied: between two values, or by a share of itself (`change: 0.1`)."""

    input: Text
    low: Quantity | None = None
    high: Quantity | None = None
    change: NonNegative | None = None


class Axis(Inputs):
    """One side of a two-way table: the values that an input takes."""

    input: Text
    values: tuple[Quantity, ...]


class Grid(Inputs):
    """A two-way sensitivity table."""

    rows: Axis
    columns: Axis


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar of a tornado: the headline with the input low and high, in the headline's unit."""

    input: str
    low: str
    high: str
    value_low: Decimal
    value_high: Decimal
    base: Decimal

    @property
    @exact
    def swing(self) -> Decimal:
        """How far apart the two values are."""
        return abs(self.value_high - self.value_low)


@dataclass(frozen=True, slots=True)
class Table:
    """A two-way table of headlines, row by row."""

    row_input: str
    column_input: str
    row_values: tuple[str, ...]
    column_values: tuple[str, ...]
    cells: tuple[tuple[Decimal, ...], ...]


@exact
def tornado(evaluate: Evaluate, inputs: Mapping[str, Any], swings: Sequence[Swing]) -> list[Bar]:
    """Return one bar for each swing, the longest first."""
    base = evaluate(inputs)
    bars = [_bar(evaluate, inputs, swing, base) for swing in swings]
    return sorted(bars, key=lambda bar: (-bar.swing, bar.input))


def _bar(evaluate: Evaluate, inputs: Mapping[str, Any], swing: Swing, base: Decimal) -> Bar:
    if swing.change is not None and swing.low is None and swing.high is None:
        ends = (1 - swing.change, 1 + swing.change)
        low, high = (evaluate(scaled(inputs, swing.input, end)) for end in ends)
        return Bar(swing.input, f"×{plain(ends[0])}", f"×{plain(ends[1])}", low, high, base)
    if swing.low is None or swing.high is None or swing.change is not None:
        raise INPUT_INCONSISTENT(
            input=swing.input,
            why="give either low and high, or change",
            why_zh="low、high 与 change 只填其一",
        )
    low, high = (evaluate(with_value(inputs, swing.input, end)) for end in (swing.low, swing.high))
    return Bar(swing.input, plain(swing.low), plain(swing.high), low, high, base)


@exact
def two_way(evaluate: Evaluate, inputs: Mapping[str, Any], grid: Grid) -> Table:
    """Return the headline for every pair of values of two inputs."""
    cells = tuple(
        tuple(
            evaluate(
                with_value(with_value(inputs, grid.rows.input, row), grid.columns.input, column)
            )
            for column in grid.columns.values
        )
        for row in grid.rows.values
    )
    return Table(
        grid.rows.input,
        grid.columns.input,
        tuple(map(plain, grid.rows.values)),
        tuple(map(plain, grid.columns.values)),
        cells,
    )


@exact
def elasticity(evaluate: Evaluate, inputs: Mapping[str, Any], path: str, *, by: Number) -> Decimal:
    """Return the share by which the headline moves per share by which the figure at `path` does.

    `ValueError` where the headline or the figure is 0.
    """
    base = evaluate(inputs)
    if not base or not figure_at(inputs, path) or not number(by):
        raise ValueError("an elasticity needs a headline, a figure and a change that are not 0")
    moved = evaluate(scaled(inputs, path, 1 + number(by)))
    return (moved - base) / base / number(by)
