"""The type of a text cell is told the same way by the engine and by the rules' own check."""

import duckdb
import pytest

from dataexchange.content.datatype import (
    PLACEHOLDERS,
    DataType,
    cast_sql,
    conforms_sql,
    fits,
    formatted_sql,
    is_placeholder_sql,
    of_physical,
)


def _ask(sql: str, text: str | None, **more: str) -> object:
    parameters = {"cell": text, **more}
    used = {name: value for name, value in parameters.items() if f"${name}" in sql}
    with duckdb.connect(config={"autoload_known_extensions": False}) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        return connection.execute(f"SELECT {sql}", used).fetchall()[0][0]


@pytest.mark.parametrize(
    ("text", "datatype", "expected"),
    [
        ("12", "integer", True),
        ("-0", "integer", True),
        ("0591", "integer", False),
        ("1.6", "integer", False),
        ("0x1F", "integer", False),
        ("1_000", "integer", False),
        ("9" * 38, "integer", True),
        ("9" * 39, "integer", False),
        (" 12", "integer", False),
        ("１２", "integer", False),
        ("1.5", "number", True),
        (".5", "number", True),
        ("1e3", "number", True),
        ("1e30", "number", True),
        ("1e400", "number", False),
        ("nan", "number", False),
        ("inf", "number", False),
        ("1,000", "number", False),
        ("2026-02-28", "date", True),
        ("2026-02-30", "date", False),
        ("2026-2-8", "date", False),
        ("infinity", "date", False),
        ("2026-02-28T10:00:00Z", "datetime", True),
        ("2026-02-28 10:00", "datetime", True),
        ("2026-02-28T25:00:00", "datetime", False),
        ("2026-02-28", "datetime", False),
        ("TRUE", "boolean", True),
        ("yes", "boolean", False),
        ("", "string", True),
    ],
)
def test_a_cell_is_of_a_type_or_is_not(text: str, datatype: DataType, expected: bool) -> None:
    assert _ask(conforms_sql("$cell", datatype), text) is expected


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2026-01-02T10:00:00+08:00", "2026-01-02 02:00:00"),
        ("2026-01-02T10:00:00+0800", "2026-01-02 02:00:00"),
        ("2026-01-02T10:00:00Z", "2026-01-02 10:00:00"),
        ("2026-01-02 10:00", "2026-01-02 10:00:00"),
    ],
)
def test_an_offset_is_turned_into_utc(text: str, utc: str) -> None:
    assert _ask(f"CAST({cast_sql('$cell', 'datetime')} AS VARCHAR)", text) == utc


def test_decimals_are_compared_exactly() -> None:
    total = f"{cast_sql('$cell', 'number')} + {cast_sql('$other', 'number')}"
    assert _ask(f"{total} = {cast_sql('$sum', 'number')}", "0.1", other="0.2", sum="0.3") is True


def test_a_declared_format_is_read() -> None:
    assert str(_ask(formatted_sql("$cell", "date", "$f"), "20260102", f="%Y%m%d")) == "2026-01-02"
    assert _ask(formatted_sql("$cell", "date", "$f"), "20261302", f="%Y%m%d") is None


@pytest.mark.parametrize("text", ["NA", " n/a ", "无", "\\N", "-"])
def test_placeholders_are_known(text: str) -> None:
    assert _ask(is_placeholder_sql("$cell"), text) is True
    assert _ask(is_placeholder_sql("$cell"), "Namibia") is False
    assert all(word == word.lower().strip() for word in PLACEHOLDERS)


@pytest.mark.parametrize(
    ("text", "datatype", "expected"),
    [
        ("1.5", "integer", False),
        ("1.5", "number", True),
        ("NaN", "number", False),
        ("2026-02-30", "date", False),
        ("2026-01-02", "datetime", False),
        ("2026-01-02T00:00:00", "datetime", True),
        ("anything", "string", True),
    ],
)
def test_a_rules_value_is_held_to_the_same_forms(
    text: str, datatype: DataType, expected: bool
) -> None:
    assert fits(text, datatype) is expected
    assert (_ask(cast_sql("$cell", datatype), text) is not None) is expected


@pytest.mark.parametrize(
    ("physical", "datatype"),
    [
        ("BIGINT", "integer"),
        ("UTINYINT", "integer"),
        ("DECIMAL(10,2)", "number"),
        ("FLOAT", "number"),
        ("TIMESTAMP WITH TIME ZONE", "datetime"),
        ("TIMESTAMP_NS", "datetime"),
        ("DATE", "date"),
        ("BOOLEAN", "boolean"),
        ("VARCHAR", "string"),
        ("STRUCT(a INTEGER)", "string"),
    ],
)
def test_parquet_types_have_their_names(physical: str, datatype: DataType) -> None:
    assert of_physical(physical) == datatype
