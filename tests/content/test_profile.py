"""The profile counts what is in the file, and is the same bytes every time."""

from pathlib import Path

import duckdb
import pytest

from dataexchange.content.profile import ColumnProfile, Profile, profile_table
from dataexchange.content.table import open_table
from dataexchange.ledger.canonical import decode

TEXT = """id,code,price,day,moment,open,name,empty
1,0591,1.5,2026-01-02,2026-01-02T10:00:00+08:00,true,张三,
2,0592,2,2026-01-03,2026-01-02T03:00:00Z,FALSE,Li 4,
3,NA,.5,2026-01-01,2026-01-02 03:30,true,Wang 5,
3,0593,n/a,2026-01-03,2026-01-02T03:00:00Z,true,,
"""


def _profile(path: Path) -> Profile:
    with open_table(path) as table:
        return profile_table(table)


@pytest.fixture
def profile(tmp_path: Path) -> Profile:
    path = tmp_path / "data.csv"
    path.write_text(TEXT, encoding="utf-8")
    return _profile(path)


def _column(profile: Profile, name: str) -> ColumnProfile:
    return next(column for column in profile.columns if column.name == name)


def test_each_column_has_the_narrowest_type_that_all_its_cells_have(profile: Profile) -> None:
    assert {column.name: column.type for column in profile.columns} == {
        "id": "integer",
        "code": "string",
        "price": "number",
        "day": "date",
        "moment": "datetime",
        "open": "boolean",
        "name": "string",
        "empty": "string",
    }


def test_empty_and_distinct_cells_are_counted(profile: Profile) -> None:
    assert profile.rows == 4
    assert (_column(profile, "id").nulls, _column(profile, "id").distinct) == (0, 3)
    assert (_column(profile, "name").nulls, _column(profile, "name").distinct) == (1, 3)
    assert (_column(profile, "empty").nulls, _column(profile, "empty").distinct) == (4, 0)


def test_extremes_are_by_value_and_in_utc(profile: Profile) -> None:
    extremes = {c.name: (c.minimum, c.maximum) for c in profile.columns}
    assert extremes["id"] == ("1", "3")
    assert extremes["price"] == ("0.5", "2.0")
    assert extremes["day"] == ("2026-01-01", "2026-01-03")
    assert extremes["moment"] == ("2026-01-02 02:00:00", "2026-01-02 03:30:00")


def test_the_extremes_of_names_are_lengths_only(profile: Profile) -> None:
    name = _column(profile, "name")
    assert (name.minimum, name.maximum) == (None, None)
    assert (name.length_min, name.length_max) == (2, 6)
    assert "张三".encode() not in profile.to_bytes()


def test_placeholders_and_shapes_are_shown(profile: Profile) -> None:
    assert _column(profile, "code").placeholders == (("NA", 1),)
    assert _column(profile, "price").placeholders == (("n/a", 1),)
    assert _column(profile, "code").patterns == (("9999", 3), ("AA", 1))
    assert ("汉汉", 1) in _column(profile, "name").patterns


def test_the_profile_is_canonical_json_and_always_the_same(
    profile: Profile, tmp_path: Path
) -> None:
    again = _profile(tmp_path / "data.csv")
    assert again.to_bytes() == profile.to_bytes()
    read = decode(profile.to_bytes())
    assert read["sha256"] == profile.sha256
    assert [column["name"] for column in read["columns"]][:2] == ["id", "code"]


def test_a_table_without_rows_has_a_profile(tmp_path: Path) -> None:
    path = tmp_path / "empty.csv"
    path.write_text("a,b\n")
    profile = _profile(path)
    assert profile.rows == 0
    assert [column.type for column in profile.columns] == ["string", "string"]
    decode(profile.to_bytes())


def test_parquet_columns_keep_their_stored_type(tmp_path: Path) -> None:
    path = tmp_path / "data.parquet"
    duckdb.sql(f"COPY (SELECT '1' AS text, 1.0::DOUBLE AS x, chr(0) AS z) TO '{path}'")
    profile = _profile(path)
    assert [column.type for column in profile.columns] == ["string", "number", "string"]
    decode(profile.to_bytes())
