"""Checks of the file's form against its declared standard: names, types, encoding, dictionary.

Rules that were inferred from the file itself are no standard: then nothing is assessed here.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from dataexchange.content.cells import Cell, Cells
from dataexchange.content.indicator import Count

_FORM: Final = frozenset({"type", "pattern", "length"})


def standard_checks(cells: Cells, row_counts: Sequence[Count]) -> Iterator[Count]:
    """Return 0101 data standard, 0102 data model and 0103 metadata, counted by column."""
    if cells.rules.origin == "inferred":
        return
    yield from _standard(cells, row_counts)
    yield _model(cells)
    yield _names(cells)
    yield _metadata(cells)


def _standard(cells: Cells, row_counts: Sequence[Count]) -> Iterator[Count]:
    """Count the columns that are there and whose every cell has the declared form."""
    faulty = {count.columns[0] for count in row_counts if count.check in _FORM and count.defects}
    right = [name for name, cell in cells.declared.items() if cell.present and name not in faulty]
    wrong = tuple(name for name in cells.declared if name not in right)
    yield Count("columns-as-declared", "data_standard", wrong, len(right), len(cells.declared))
    encoding = cells.table.facts.encoding
    if encoding is not None and encoding.as_declared is not None:
        met = int(encoding.as_declared)
        yield Count("encoding-as-declared", "data_standard", (), met, 1)


def _model(cells: Cells) -> Count:
    """Count the columns on which the file and the declaration agree, of all that either has."""
    missing = tuple(name for name, cell in cells.declared.items() if not cell.present)
    found = len(cells.declared) - len(missing)
    either = found + len(missing) + len(cells.undeclared)
    return Count("same-columns", "data_model", (*missing, *cells.undeclared), found, either)


def _names(cells: Cells) -> Count:
    """Count the header's names that could be used as they stand: not empty, not twice."""
    width = len(cells.table.names)
    mended = cells.table.facts.mended_names
    return Count("plain-names", "data_model", (), width - mended, width)


def _metadata(cells: Cells) -> Count:
    """Count the file's columns that the declaration describes in words."""
    undescribed = tuple(
        name for name in cells.table.names if not _is_described(cells.declared.get(name))
    )
    width = len(cells.table.names)
    return Count("described-columns", "metadata", undescribed, width - len(undescribed), width)


def _is_described(cell: Cell | None) -> bool:
    return cell is not None and cell.rule.title is not None
