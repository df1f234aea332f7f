"""Describe a file by counting: for each column its type, empty and distinct values, extremes.

The profile is canonical JSON and depends on nothing but the file's bytes. The extremes of text
columns are given by length only: the first and last name of a register are personal data.
"""

# ruff: noqa: S608 - SQL is put together from parts of ours; values from outside are bound.

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from dataexchange.content.datatype import (
    INFERRED_TYPES,
    DataType,
    cast_sql,
    conforms_sql,
    is_placeholder_sql,
    of_physical,
)
from dataexchange.content.table import Table
from dataexchange.ledger.canonical import encode

_PATTERNS_MAX: Final = 5
_PLACEHOLDERS_MAX: Final = 5


@dataclass(frozen=True, slots=True)
class ColumnProfile:
    """What one column holds. `conforming` counts the cells of each type; a cell may have two.

    `type` is the narrowest that every cell has, save empty ones and placeholders (`NA`, `无`).
    """

    name: str
    type: DataType
    physical_type: str
    nulls: int
    distinct: int
    conforming: Mapping[DataType, int]
    minimum: str | None
    maximum: str | None
    length_min: int
    length_max: int
    placeholders: tuple[tuple[str, int], ...]
    patterns: tuple[tuple[str, int], ...]

    @property
    def placeholder_count(self) -> int:
        """How many cells hold one of the listed placeholders."""
        return sum(count for _, count in self.placeholders)

    def payload(self) -> dict[str, Any]:
        """Return the column in canonical JSON's terms; the types are keys, the name is not."""
        return {
            "conforming": dict(self.conforming),
            "distinct": self.distinct,
            "length_max": self.length_max,
            "length_min": self.length_min,
            "max": self.maximum,
            "min": self.minimum,
            "name": self.name,
            "nulls": self.nulls,
            "patterns": [{"count": n, "pattern": text} for text, n in self.patterns],
            "physical_type": self.physical_type,
            "placeholders": [{"count": n, "value": text} for text, n in self.placeholders],
            "type": self.type,
        }


@dataclass(frozen=True, slots=True)
class Profile:
    """What a file holds, with the SHA-256 of the file it was taken from."""

    sha256: str
    rows: int
    reading: Mapping[str, object]
    columns: tuple[ColumnProfile, ...]

    def to_bytes(self) -> bytes:
        """Return the canonical JSON, whose SHA-256 goes into the log."""
        return encode(
            {
                "columns": [column.payload() for column in self.columns],
                "reading": dict(self.reading),
                "rows": self.rows,
                "sha256": self.sha256,
                "v": 1,
            }
        )


def profile_table(table: Table) -> Profile:
    """Return the profile of a loaded file."""
    columns = tuple(_column(table, position) for position in range(len(table.names)))
    return Profile(table.digest.sha256, table.rows, table.facts.payload(), columns)


def _column(table: Table, position: int) -> ColumnProfile:
    """Profile one column over its distinct values, each with how often it occurs."""
    table.fetch(
        f"CREATE OR REPLACE TEMP TABLE kinds AS SELECT c{position} AS v, count(*) AS n"
        " FROM raw GROUP BY v"
    )
    counts = _counts(table)
    physical = table.physical_types[position]
    datatype = _type(counts) if table.facts.format != "parquet" else of_physical(physical)
    minimum, maximum = _extremes(table, datatype)
    return ColumnProfile(
        table.names[position],
        datatype,
        physical,
        table.rows - counts.filled,
        counts.distinct,
        counts.conforming,
        minimum,
        maximum,
        counts.length_min,
        counts.length_max,
        _placeholders(table) if counts.placeholders else (),
        _patterns(table) if datatype == "string" else (),
    )


@dataclass(frozen=True, slots=True)
class _Counts:
    filled: int
    distinct: int
    length_min: int
    length_max: int
    placeholders: int
    conforming: Mapping[DataType, int]


def _counts(table: Table) -> _Counts:
    occurring = [is_placeholder_sql("v"), *(conforms_sql("v", kind) for kind in INFERRED_TYPES)]
    wanted = ", ".join(
        [
            "coalesce(sum(n) FILTER (v IS NOT NULL), 0)",
            "count(v)",
            "coalesce(min(length(v)), 0)",
            "coalesce(max(length(v)), 0)",
            *(f"coalesce(sum(n) FILTER ({condition}), 0)" for condition in occurring),
        ]
    )
    (row,) = table.fetch(f"SELECT {wanted} FROM kinds")
    filled, distinct, length_min, length_max, placeholders, *conforming = (int(n) for n in row)
    by_type = dict(zip(INFERRED_TYPES, conforming, strict=True))
    return _Counts(filled, distinct, length_min, length_max, placeholders, by_type)


def _type(counts: _Counts) -> DataType:
    telling = counts.filled - counts.placeholders
    fitting = (kind for kind in INFERRED_TYPES if counts.conforming[kind] == telling)
    return next(fitting, "string") if telling else "string"


def _extremes(table: Table, datatype: DataType) -> tuple[str | None, str | None]:
    if datatype == "string":
        return None, None
    # Numbers beyond the exact range still have extremes.
    value = "TRY_CAST(v AS DOUBLE)" if datatype == "number" else cast_sql("v", datatype)
    kept = f"CASE WHEN {conforms_sql('v', datatype)} THEN {value} END"
    sql = f"SELECT CAST(min({kept}) AS VARCHAR), CAST(max({kept}) AS VARCHAR) FROM kinds"
    ((minimum, maximum),) = table.fetch(sql)
    return minimum, maximum


def _placeholders(table: Table) -> tuple[tuple[str, int], ...]:
    return _most_frequent(table, "v", where=is_placeholder_sql("v"), count_max=_PLACEHOLDERS_MAX)


def _patterns(table: Table) -> tuple[tuple[str, int], ...]:
    """Return the commonest shapes: `N14228` and `N9EQ` become `A99999` and `A9AA`."""
    shape = "left(v, 40)"
    for found, shown in (("[A-Z]", "A"), ("[a-z]", "a"), ("[0-9]", "9"), (r"\p{Han}", "汉")):
        shape = f"regexp_replace({shape}, '{found}', '{shown}', 'g')"
    return _most_frequent(table, shape, where="v IS NOT NULL", count_max=_PATTERNS_MAX)


def _most_frequent(
    table: Table, value: str, *, where: str, count_max: int
) -> tuple[tuple[str, int], ...]:
    sql = (
        f"SELECT {value} AS kind, sum(n) AS often FROM kinds WHERE {where}"
        " GROUP BY kind ORDER BY often DESC, kind LIMIT $count_max"
    )
    found = table.fetch(sql, {"count_max": count_max})
    return tuple((str(text), int(often)) for text, often in found)
