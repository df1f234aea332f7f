"""A record comes through whole or is counted; nothing is guessed."""

import csv
import io
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataexchange.content.delimited import (
    COLUMNS_MAX,
    FIELD_CHARS_MAX,
    RECORD_CHARS_MAX,
    DelimitedText,
    Tally,
    read_delimited,
    write_plain,
)


def _read(text: str, delimiter: str | None = None) -> tuple[DelimitedText, list[list[str]]]:
    found = read_delimited(io.StringIO(text, newline=""), delimiter)
    assert found is not None
    return found, list(found.records())


def test_a_plain_file_comes_through() -> None:
    found, records = _read('a,b\n1,"x, ""y"""\n2,"two\nlines"\n')
    assert found.header.names == ("a", "b")
    assert records == [["1", 'x, "y"'], ["2", "two\nlines"]]
    assert found.tally == Tally(rows=2)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_any_line_end_is_understood(end: str) -> None:
    _, records = _read(end.join(["a,b", "1,2", "3,4"]))
    assert records == [["1", "2"], ["3", "4"]]


def test_ragged_records_are_counted_and_left_out() -> None:
    found, records = _read("a,b,c\n1,2,3\n1,2\n1,2,3,4\n\n5,6,7\n")
    assert records == [["1", "2", "3"], ["5", "6", "7"]]
    assert found.tally == Tally(rows=2, ragged_records=2, blank_lines=1)


def test_text_after_a_closing_quote_spoils_its_record_only() -> None:
    found, records = _read('a,b\n"x" y,1\n2,3\n')
    assert records == [["2", "3"]]
    assert found.tally.unreadable_lines == 1


def test_a_quote_that_never_closes_costs_the_lines_it_swallows() -> None:
    found, records = _read('a,b\n1,2\n3,"open\n4,5\n6,7\n')
    assert records == [["1", "2"]]
    assert found.tally.unreadable_lines == 3


def test_a_quote_inside_an_unquoted_field_is_a_character() -> None:
    _, records = _read('size,n\n5" disk,1\n')
    assert records == [['5" disk', "1"]]


def test_a_field_beyond_the_limit_is_unreadable_and_reading_goes_on() -> None:
    found, records = _read("a,b\n" + "x" * (FIELD_CHARS_MAX + 1) + ",1\n2,3\n")
    assert records == [["2", "3"]]
    assert found.tally.unreadable_lines == 1


def test_a_line_without_an_end_is_skipped_in_bounded_pieces() -> None:
    found, records = _read("a,b\n" + "x," * RECORD_CHARS_MAX + "\n2,3\n")
    assert records == [["2", "3"]]
    assert found.tally.unreadable_lines == 1


def test_a_record_of_many_long_fields_is_unreadable() -> None:
    names = ",".join(f"c{n}" for n in range(6))
    long_fields = ",".join('"' + "x\n" * 450_000 + '"' for _ in range(6))
    found, records = _read(f"{names}\n1,2,3,4,5,6\n{long_fields}\n")
    assert records == [["1", "2", "3", "4", "5", "6"]]
    assert found.tally.unreadable_lines > 0


@pytest.mark.parametrize(
    ("header", "delimiter"), [("a\tb\tc", "\t"), ("a;b", ";"), ("a|b,c|d", "|"), ("a", ",")]
)
def test_the_delimiter_is_found_in_the_header(header: str, delimiter: str) -> None:
    assert _read(header + "\n")[0].delimiter == delimiter


def test_a_declared_delimiter_is_used() -> None:
    assert _read("a;b,c\n", ",")[0].header.names == ("a;b", "c")


def test_blank_lines_before_the_header_are_passed_over() -> None:
    assert _read("\n\na,b\n1,2\n")[0].header.names == ("a", "b")


def test_names_are_made_usable_and_counted() -> None:
    found, _ = _read("a,,a, b ,a_2\n")
    assert found.header.names == ("a", "column_2", "a_2", "b", "a_2_2")
    assert found.header.mended_count == 4


@pytest.mark.parametrize("text", ["", "\n \n", '"never closed\n', ",".join("c" * 2001) + "\n"])
def test_a_text_without_a_usable_header_is_none(text: str) -> None:
    assert COLUMNS_MAX == 2_000
    assert read_delimited(io.StringIO(text, newline="")) is None


def test_nul_becomes_the_sign_of_damage() -> None:
    _, records = _read("a,b\n1,x\0y\n")
    assert records == [["1", "x\ufffdy"]]


_CELL = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12
) | st.sampled_from(["", '"', ",", "\n", "\r", "\r\n", ' "q" ', "a\rb"])


@settings(deadline=None)
@given(st.lists(st.tuples(_CELL, _CELL), max_size=15))
def test_what_a_csv_writer_writes_is_read_back_and_written_again(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str]]
) -> None:
    given_text = io.StringIO(newline="")
    csv.writer(given_text).writerows([("first", "second"), *rows])
    found = read_delimited(io.StringIO(given_text.getvalue(), newline=""))
    assert found is not None
    target: Path = tmp_path_factory.mktemp("plain") / "plain.csv"
    write_plain(found, target)
    with target.open(encoding="utf-8", newline="") as stream:
        assert [tuple(row) for row in csv.reader(stream)] == rows
    assert found.tally == Tally(rows=len(rows))
