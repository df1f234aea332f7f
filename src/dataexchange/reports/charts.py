"""The charts of a report: tornado, distribution, and how far the methods lie apart."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeAlias

from dataexchange.reports.block import Language
from dataexchange.reports.canvas import BLUE, INK, ORANGE, PALE, QUIET, WIDTH, Anchor, Canvas
from dataexchange.reports.scale import Axis, axis_over
from dataexchange.reports.showing import shown, tick
from dataexchange.valuation.method import Kind
from dataexchange.valuation.sensitivity import Bar

LEFT, RIGHT = 110.0, WIDTH - 110.0
ROW, TOP = 46.0, 26.0
BINS = 24
QUANTILES = ("P10", "P50", "P90")
EXACT = {"zh": "评估值", "en": "Value"}
MARK_COLOURS = (QUIET, BLUE, QUIET, ORANGE)
START: Anchor = "start"
END: Anchor = "end"
Marked: TypeAlias = tuple[Decimal, str, str]


@dataclass(frozen=True, slots=True)
class Span:
    """A named value with its P10, P50 and P90 where they were drawn."""

    name: str
    value: Decimal
    quantiles: tuple[Decimal, Decimal, Decimal] | None = None
    concluding: bool = False


def tornado_chart(bars: Sequence[tuple[str, Bar]], kind: Kind, language: Language) -> str:
    """Return an SVG: how far each input (label, bar), varied alone, moves the figure."""
    ends = [value for _, bar in bars for value in (bar.value_low, bar.value_high, bar.base)]
    axis = axis_over(ends, LEFT, RIGHT)
    canvas = Canvas(height=TOP + ROW * len(bars) + 34)
    floor = TOP + ROW * len(bars)
    _draw_axis(canvas, axis, TOP - 4, floor, kind=kind, language=language)
    for place, (label, bar) in enumerate(bars):
        _draw_swing(canvas, axis, TOP + ROW * place, label=label, bar=bar, kind=kind)
    base = axis.at(bars[0][1].base)
    canvas.line((base, TOP - 6), (base, floor), colour=INK, width=1.5)
    canvas.text(base, TOP - 11, shown(bars[0][1].base, kind), anchor="middle", bold=True)
    return canvas.svg()


def _draw_swing(
    canvas: Canvas, axis: Axis, top: float, *, label: str, bar: Bar, kind: Kind
) -> None:
    base, y = axis.at(bar.base), top + 22
    canvas.text(LEFT - 100, top + 14, f"{label}  {bar.low} … {bar.high}", size=11.5)
    for value, colour in ((bar.value_low, BLUE), (bar.value_high, ORANGE)):
        end = axis.at(value)
        canvas.bar(min(base, end), y, abs(end - base), height=14, colour=colour)
    low, high = sorted((bar.value_low, bar.value_high))
    left, right = axis.at(min(low, bar.base)) - 5, axis.at(max(high, bar.base)) + 5
    canvas.text(left, y + 11, shown(low, kind), anchor="end", size=10.5)
    canvas.text(right, y + 11, shown(high, kind), size=10.5)


def distribution_chart(
    drawn: Sequence[Decimal],
    exact: Decimal,
    quantiles: Sequence[Decimal],
    *,
    kind: Kind,
    language: Language,
) -> str:
    """Return an SVG: drawn headlines by frequency, their P10, P50, P90, and the exact figure."""
    axis = axis_over((*drawn, exact), 40, WIDTH - 40)
    counts = binned(drawn, axis)
    canvas, floor, top = Canvas(height=248), 214.0, 76.0
    _draw_axis(canvas, axis, top, floor, kind=kind, language=language)
    width = (axis.right - axis.left) / BINS
    for place, count in enumerate(counts):
        tall = (floor - top) * count / max(counts)
        if count:
            canvas.bar(
                axis.left + width * place + 0.5, floor - tall, width - 1, height=tall, colour=PALE
            )
    named = zip((*QUANTILES, EXACT[language]), (*quantiles, exact), MARK_COLOURS, strict=True)
    marks = [(value, f"{name} {shown(value, kind)}", colour) for name, value, colour in named]
    _draw_marks(canvas, axis, floor, marks)
    return canvas.svg()


def _draw_marks(canvas: Canvas, axis: Axis, floor: float, marks: Sequence[Marked]) -> None:
    """Draw the marked values, each label on a line of its own, over all the lines."""
    for place, (value, _, colour) in enumerate(marks):
        x = axis.at(value)
        canvas.line((x, 18 + 16 * place), (x, floor), colour=colour, width=1.5, dashed=place < 3)
    for place, (value, words, colour) in enumerate(marks):
        x = axis.at(value)
        shift, anchor = (-5, END) if x > WIDTH / 2 else (5, START)
        y = 18.0 + 16 * place
        canvas.text(x + shift, y, words, anchor=anchor, size=11, colour=colour, bold=True)


def binned(drawn: Sequence[Decimal], axis: Axis) -> list[int]:
    """Return how many of `drawn` fall into each of `BINS` equal parts of the axis."""
    counts, width = [0] * BINS, (axis.high - axis.low) / BINS
    for value in drawn:
        counts[min(int((value - axis.low) / width), BINS - 1)] += 1
    return counts


def methods_chart(spans: Sequence[Span], language: Language) -> str:
    """Return an SVG: the figure of each method, its P10 to P90 where drawn, and the conclusion."""
    values = [one.value for one in spans] + [q for one in spans for q in one.quantiles or ()]
    axis = axis_over(values, LEFT, RIGHT)
    floor = 10 + ROW * len(spans)
    canvas = Canvas(height=floor + 34)
    _draw_axis(canvas, axis, 6, floor, kind=Kind.MONEY, language=language)
    for place, span in enumerate(spans):
        _draw_span(canvas, axis, 10 + ROW * place, span)
    return canvas.svg()


def _draw_span(canvas: Canvas, axis: Axis, top: float, span: Span) -> None:
    y, colour = top + 30, ORANGE if span.concluding else BLUE
    words = f"{span.name}  {shown(span.value, Kind.MONEY)}"
    canvas.text(LEFT - 100, top + 14, words, size=11.5, bold=span.concluding)
    if span.quantiles is not None:
        low, _, high = map(axis.at, span.quantiles)
        canvas.bar(low, y - 4, high - low, height=8, colour=PALE)
        middle = axis.at(span.quantiles[1])
        canvas.line((middle, y - 7), (middle, y + 7), colour=QUIET, width=1.5)
    canvas.dot(axis.at(span.value), y, colour=colour)


def _draw_axis(
    canvas: Canvas, axis: Axis, top: float, floor: float, *, kind: Kind, language: Language
) -> None:
    for value in axis.ticks():
        x = axis.at(value)
        canvas.line((x, top), (x, floor))
        canvas.text(
            x, floor + 16, tick(value, kind, language), anchor="middle", size=10.5, colour=QUIET
        )
    canvas.line((axis.left, floor), (axis.right, floor), colour=QUIET)
