"""Tell the type of a text cell, in the engine's terms, without guessing.

Six types, as a data dictionary names them. A whole number with a leading zero (`0591`) is a code,
hence a string. Numbers are compared exactly, to nine decimal places below 10²⁹. A moment without
an offset is UTC; one with an offset is turned into UTC.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Final, Literal, TypeAlias

DataType: TypeAlias = Literal["integer", "number", "date", "datetime", "boolean", "string"]

# The narrowest first: what is an integer is also a number.
INFERRED_TYPES: Final[tuple[DataType, ...]] = ("integer", "number", "date", "datetime", "boolean")

# What people write where they have nothing to say (compared in lower case, without spaces around).
PLACEHOLDERS: Final = (
    "na", "n/a", "#n/a", "nan", "null", "none", "nil", "-", "--", "---", "?", "\\n", "unknown",
    "missing", "无", "空", "未知", "缺失", "暂无", "待定", "不详",
)  # fmt: skip

_INTEGER: Final = r"[+-]?(0|[1-9][0-9]{0,37})"
_NUMBER: Final = r"[+-]?((0|[1-9][0-9]{0,37})(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,3})?"
_DATE: Final = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
_DATETIME: Final = (
    _DATE + r"[T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,9})?)?(Z|[+-][0-9]{2}(:?[0-9]{2})?)?"
)

_PATTERNS: Final[Mapping[DataType, str]] = {
    "integer": _INTEGER,
    "number": _NUMBER,
    "date": _DATE,
    "datetime": _DATETIME,
    "boolean": "true|false",
}

# `{0}` stands for the cell. The plain TIMESTAMP would drop an offset, hence TIMESTAMPTZ.
_CAST: Final[Mapping[DataType, str]] = {
    "integer": "CASE WHEN regexp_full_match({0}, '"
    + _INTEGER
    + "') THEN TRY_CAST({0} AS HUGEINT) END",
    "number": "CASE WHEN regexp_full_match({0}, '"
    + _NUMBER
    + "') THEN TRY_CAST({0} AS DECIMAL(38,9)) END",
    "date": "CASE WHEN regexp_full_match({0}, '" + _DATE + "') THEN TRY_CAST({0} AS DATE) END",
    "datetime": "CASE WHEN regexp_full_match({0}, '"
    + _DATETIME
    + "') THEN make_timestamp(epoch_us(TRY_CAST({0} AS TIMESTAMPTZ))) END",
    "boolean": "CASE WHEN lower({0}) IN ('true', 'false') THEN TRY_CAST({0} AS BOOLEAN) END",
    "string": "{0}",
}


def cast_sql(cell: str, datatype: DataType) -> str:
    """Return the SQL for the value of `cell` (SQL of ours); NULL where it is not of the type."""
    return _CAST[datatype].replace("{0}", cell)


def formatted_sql(cell: str, datatype: DataType, parameter: str) -> str:
    """Return the SQL for a date or a moment written in the format that `parameter` holds."""
    moment = f"TRY_STRPTIME({cell}, {parameter})"
    return f"CAST({moment} AS DATE)" if datatype == "date" else moment


def conforms_sql(cell: str, datatype: DataType) -> str:
    """Return the SQL that tells whether a cell is of the type; an empty cell is of none."""
    if datatype == "number":
        # Wider than what is compared exactly: any finite number is a number.
        matches = f"regexp_full_match({cell}, '{_NUMBER}')"
        number = f"CASE WHEN {matches} THEN TRY_CAST({cell} AS DOUBLE) END"
        return f"coalesce(isfinite({number}), false)"
    return f"{cast_sql(cell, datatype)} IS NOT NULL"


def is_placeholder_sql(cell: str) -> str:
    """Return the SQL that tells whether a cell only says that there is nothing."""
    listed = ", ".join(f"'{word}'" for word in PLACEHOLDERS)
    return f"lower(trim({cell})) IN ({listed})"


def fits(text: str, datatype: DataType) -> bool:
    """Tell whether `text`, which a rule gives, is a value of the type, as `cast_sql` reads it."""
    pattern = _PATTERNS.get(datatype)
    if pattern is not None and re.fullmatch(pattern, text, re.ASCII) is None:
        return False
    return datatype not in {"date", "datetime"} or _is_moment(text)


def of_physical(physical_type: str) -> DataType:
    """Return the type that a Parquet column of the engine's type `physical_type` has."""
    name = physical_type.upper().partition("(")[0].strip()
    if name in {"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT"} | {
        "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "UHUGEINT",
    }:  # fmt: skip
        return "integer"
    if name in {"FLOAT", "DOUBLE", "DECIMAL"}:
        return "number"
    if name.startswith("TIMESTAMP"):
        return "datetime"
    return {"DATE": "date", "BOOLEAN": "boolean"}.get(name, "string")  # type: ignore[return-value]


def _is_moment(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True
