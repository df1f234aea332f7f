"""One method's section: basis, formula, parameters and sources, working, result, sensitivity."""

from collections.abc import Iterator
from decimal import Decimal

from dataexchange.reports.block import Block, Facts, Grid, Heading, Language, Paragraph, Picture
from dataexchange.reports.charts import distribution_chart, tornado_chart
from dataexchange.reports.parameters import parameter_blocks
from dataexchange.reports.part import Part
from dataexchange.reports.showing import shown, shown_figure, trimmed
from dataexchange.reports.words import STANDINGS, of_pair, translated, word
from dataexchange.valuation.sensitivity import Bar, Table

EXACT_PLACES = 12


def method_blocks(part: Part, language: Language) -> Iterator[Block]:
    """The whole section of `part`."""
    yield from _rule(part, language)
    yield from parameter_blocks(part, language)
    yield from _working(part, language)
    yield from _sensitivity(part, language)
    yield from _table(part, language)
    yield from _distribution(part, language)


def _rule(part: Part, language: Language) -> Iterator[Block]:
    sheet = part.card.sheet
    yield Heading(word("basis", language), 2)
    rows = [
        (one.norm, one.clause, translated(STANDINGS, one.status, language)) for one in sheet.basis
    ]
    names = ("norm", "clause", "standing")
    yield Grid(tuple(word(name, language) for name in names), tuple(rows), shares=(45, 35, 20))
    yield Heading(word("formula", language), 2)
    yield Paragraph(of_pair((sheet.formula.words.zh, sheet.formula.words.en), language))
    yield Paragraph(sheet.formula.symbols)


def _working(part: Part, language: Language) -> Iterator[Block]:
    valuation = part.result.valuation
    if valuation.steps:
        yield Heading(word("working", language), 2)
        names = ("symbol", "exact_value", "meaning")
        steps = [
            (step.symbol, exact(step.exact), of_pair((step.zh, step.en), language))
            for step in valuation.steps
        ]
        header = tuple(word(name, language) for name in names)
        yield Grid(header, tuple(steps), shares=(15, 35, 50), figures=(1,))
    yield Heading(word("result", language), 2)
    yield Facts(
        tuple(
            (of_pair((f.zh, f.en), language), shown_figure(f, language)) for f in valuation.figures
        )
    )


def exact(text: str) -> str:
    """Return an exact figure with separators, to at most twelve decimals."""
    return trimmed(round(Decimal(text), EXACT_PLACES))


def _sensitivity(part: Part, language: Language) -> Iterator[Block]:
    bars = part.result.tornado
    if not bars:
        return
    kind = part.result.valuation.headline.kind
    labelled = [(_name(part, bar.input, language), bar) for bar in bars]
    rows = tuple(_swing_row(label, bar, part) for label, bar in labelled)
    yield Heading(word("tornado", language), 2)
    yield Picture(
        tornado_chart(labelled, kind, language),
        words="; ".join(" ".join(row) for row in rows),
        caption=word("tornado_caption", language),
    )
    names = ("input", "varied", "tornado_low", "tornado_high", "swing")
    header = tuple(word(name, language) for name in names)
    yield Grid(header, rows, shares=(28, 18, 18, 18, 18), figures=(2, 3, 4))


def _swing_row(label: str, bar: Bar, part: Part) -> tuple[str, ...]:
    kind = part.result.valuation.headline.kind
    values = (bar.value_low, bar.value_high, bar.swing)
    return (label, f"{bar.low} … {bar.high}", *(shown(value, kind) for value in values))


def _name(part: Part, path: str, language: Language) -> str:
    """Return the label of a varied input; its path too where the label says less."""
    declared = part.label(path)
    if declared is None:
        return path
    label = of_pair((declared.label.zh, declared.label.en), language)
    return label if declared.name == path else f"{label} {path}"


def _table(part: Part, language: Language) -> Iterator[Block]:
    table = part.result.table
    if table is None:
        return
    kind = part.result.valuation.headline.kind
    across, down = (_name(part, p, language) for p in (table.column_input, table.row_input))
    rows = [
        (value, *(shown(cell, kind) for cell in row))
        for value, row in zip(table.row_values, table.cells, strict=True)
    ]
    columns = len(table.column_values)
    yield Heading(word("table", language), 2)
    yield Grid(
        header=(f"↓ {down}　→ {across}", *table.column_values),
        rows=tuple(rows),
        shares=(3, *(2,) * columns),
        figures=tuple(range(1, columns + 1)),
        caption=word("table_caption", language) if _base_cell(part, table) else "",
        marked=_base_cell(part, table),
    )


def _base_cell(part: Part, table: Table) -> tuple[int, int] | None:
    """Return the cell whose figure is the report's own, if the table has it."""
    own = Decimal(part.result.valuation.headline.exact[0])
    for row, cells in enumerate(table.cells):
        for column, cell in enumerate(cells):
            if cell == own:
                return row, column + 1
    return None


def _distribution(part: Part, language: Language) -> Iterator[Block]:
    found, headline = part.result.interval, part.result.valuation.headline
    if found is None or not part.drawn:
        return
    own, kind = Decimal(headline.exact[0]), headline.kind
    quantiles = (found.p10, found.p50, found.p90)
    named = tuple(zip(("P10", "P50", "P90"), (shown(q, kind) for q in quantiles), strict=True))
    said = word("distribution_caption", language, draws=found.draws, seed=found.seed)
    yield Heading(word("distribution", language), 2)
    yield Picture(
        distribution_chart(part.drawn, own, quantiles, kind=kind, language=language),
        words="; ".join(" ".join(pair) for pair in named),
        caption=said,
    )
    yield Facts(
        (
            *named,
            (word("mean", language), shown(found.mean, kind)),
            (word("standard_error", language), shown(found.standard_error, kind)),
        )
    )
