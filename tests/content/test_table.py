"""A file is loaded as it is, or refused in two languages; it never reaches anything else."""

import csv
import gzip
import io
import zipfile
from contextlib import suppress
from pathlib import Path

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataexchange.content import table as table_module
from dataexchange.content.chunks import digest_file
from dataexchange.content.reading import (
    EMPTY_FILE,
    NO_HEADER,
    TOO_LARGE,
    UNKNOWN_FORMAT,
    UNREADABLE,
    Declared,
)
from dataexchange.content.table import EngineError, open_table
from dataexchange.errors import RefusalCode, RefusedError


def _write(folder: Path, data: bytes, name: str = "data.csv") -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


def _rows(path: Path, declared: Declared | None = None) -> list[tuple[str | None, ...]]:
    with open_table(path, declared) as table:
        return table.fetch("SELECT * FROM raw")


def _parquet(folder: Path, select: str) -> Path:
    path = folder / "data.parquet"
    duckdb.sql(f"COPY ({select}) TO '{path}' (FORMAT parquet)")
    return path


def test_csv_gzip_and_parquet_hold_the_same_cells(tmp_path: Path) -> None:
    text = "name,n\n鼓楼,1\n,2\n".encode()
    parquet = _parquet(tmp_path, "SELECT * FROM (VALUES ('鼓楼', 1), (NULL, 2)) t(name, n)")
    expected = [("鼓楼", "1"), (None, "2")]
    assert _rows(_write(tmp_path, text)) == expected
    assert _rows(_write(tmp_path, gzip.compress(text), "data.csv.gz")) == expected
    assert _rows(parquet) == expected


def test_the_digest_is_that_of_the_delivered_bytes(tmp_path: Path) -> None:
    path = _write(tmp_path, gzip.compress(b"a,b\n1,2\n"))
    with open_table(path) as table:
        assert table.digest == digest_file(path)
        assert table.facts.format == "csv.gz"


def test_chinese_in_gbk_is_read(tmp_path: Path) -> None:
    path = _write(tmp_path, "区县,数值\n鼓楼区,1\n".encode("gbk"))
    with open_table(path) as table:
        assert table.names == ("区县", "数值")
        assert table.fetch("SELECT c0 FROM raw") == [("鼓楼区",)]


def test_a_byte_order_mark_is_not_part_of_the_first_name(tmp_path: Path) -> None:
    with open_table(_write(tmp_path, "a,b\n1,2\n".encode("utf-8-sig"))) as table:
        assert table.names == ("a", "b")


def test_a_header_without_rows_is_an_empty_table(tmp_path: Path) -> None:
    with open_table(_write(tmp_path, b"a,b\n")) as table:
        assert (table.names, table.rows) == (("a", "b"), 0)


def test_lost_records_are_counted(tmp_path: Path) -> None:
    with open_table(_write(tmp_path, b'a,b\n1,2\n3\n4,"5\n')) as table:
        assert table.rows == 1
        assert table.facts.lost_records == 2


def test_parquet_keeps_its_physical_types(tmp_path: Path) -> None:
    path = _parquet(tmp_path, "SELECT 1::BIGINT AS n, 1.5::DOUBLE AS x, DATE '2026-01-02' AS d")
    with open_table(path) as table:
        assert table.physical_types == ("BIGINT", "DOUBLE", "DATE")
        assert table.fetch("SELECT * FROM raw") == [("1", "1.5", "2026-01-02")]


def test_names_are_never_sql(tmp_path: Path) -> None:
    hostile = 'x"); DROP TABLE raw; --'
    text = io.StringIO()
    csv.writer(text).writerows([[hostile, "' OR 1=1 --"], ["1", "$path"]])
    with open_table(_write(tmp_path, text.getvalue().encode())) as table:
        assert table.names == (hostile, "' OR 1=1 --")
        assert table.fetch("SELECT * FROM raw") == [("1", "$path")]
    quoted = hostile.replace('"', '""')
    with open_table(_parquet(tmp_path, f'SELECT 1 AS "{quoted}"')) as table:
        assert table.names == (hostile,)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM read_text('/etc/hostname')",
        "SELECT * FROM read_csv('{other}')",
        "SELECT * FROM '{other}'",
        "SELECT * FROM glob('/etc/*')",
        "COPY raw TO '{other}.copy'",
        "ATTACH '{other}.db'",
        "SELECT * FROM read_csv('https://example.com/a.csv')",
        "INSTALL httpfs",
        "LOAD httpfs",
        "SET enable_external_access = true",
        "SET allowed_paths = ['/etc/hostname']",
        "SET memory_limit = '100GB'",
        "SET threads = 64",
    ],
)
def test_the_engine_reaches_no_other_file_and_no_network(tmp_path: Path, sql: str) -> None:
    other = _write(tmp_path, b"secret\n1\n", "other.csv")
    with open_table(_write(tmp_path, b"a\n1\n")) as table, pytest.raises(duckdb.Error):
        table.fetch(sql.format(other=other))


def _gzip_cut() -> bytes:
    return gzip.compress(b"a,b\n" + b"1,2\n" * 5_000)[:-20]


def _zipped() -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("a.csv", "a,b\n1,2\n")
    return target.getvalue()


@pytest.mark.parametrize(
    ("data", "refusal"),
    [
        (b"", EMPTY_FILE),
        (gzip.compress(b""), EMPTY_FILE),
        (b"\n\n", NO_HEADER),
        (b'"a,b\n', NO_HEADER),
        (_zipped(), UNKNOWN_FORMAT),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", UNKNOWN_FORMAT),
        (gzip.compress(b"PAR1\0\0"), UNKNOWN_FORMAT),
        (_gzip_cut(), UNREADABLE),
        (b"\x1f\x8bnot gzip", UNREADABLE),
        (b"PAR1 and then nothing of the kind", UNREADABLE),
    ],
)
def test_what_cannot_be_read_is_refused_in_two_languages(
    tmp_path: Path, data: bytes, refusal: RefusalCode
) -> None:
    with pytest.raises(RefusedError) as caught, open_table(_write(tmp_path, data)):
        pass
    assert caught.value.refusal is refusal
    assert any("\u4e00" <= character <= "\u9fff" for character in caught.value.zh)
    assert caught.value.en.isascii()
    assert str(tmp_path) not in caught.value.en


def test_an_archive_that_unpacks_to_too_much_is_refused(tmp_path: Path) -> None:
    path = _write(tmp_path, gzip.compress(b"a,b\n" + b"1,2\n" * 1_000_000))
    with pytest.raises(RefusedError) as caught, open_table(path, text_bytes_max=1 << 20):
        pass
    assert caught.value.refusal is TOO_LARGE


def test_an_engine_without_memory_says_so_and_blames_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(table_module._CONFIGURATION, "memory_limit", "16MB")
    with open_table(_write(tmp_path, b"a\n1\n")) as table, pytest.raises(EngineError):
        table.fetch("SELECT list(range) FROM range(10000000)")


def test_nothing_is_left_in_the_temporary_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    with open_table(_write(tmp_path, b"a\n1\n")):
        assert list(temporary.iterdir())
    assert not list(temporary.iterdir())


_CELL = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)
_ODD = st.sampled_from(
    ["", '"', '""', ",", "\r", "\n", "\r\n", "NULL", "\\N", " ", "'", "\\", '\\"']
)


@settings(deadline=None)
@given(st.lists(st.tuples(_CELL | _ODD, _CELL | _ODD), max_size=8))
def test_the_engine_sees_every_cell_as_it_was_written(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str]]
) -> None:
    text = io.StringIO(newline="")
    csv.writer(text).writerows([("a", "b"), *rows])
    path = _write(tmp_path_factory.mktemp("cells"), text.getvalue().encode())
    assert _rows(path, Declared("utf-8", ",")) == [(a or None, b or None) for a, b in rows]


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_no_bytes_whatever_do_more_than_be_refused(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    path = _write(tmp_path_factory.mktemp("bytes"), data)
    with suppress(RefusedError), open_table(path) as table:
        assert table.rows == len(table.fetch("SELECT * FROM raw"))
