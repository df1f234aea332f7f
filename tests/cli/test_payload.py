"""Payloads as they are written: what YAML would quietly change stays what it was."""

from pathlib import Path
from typing import Any

import pytest

from dataexchange.cli import payload
from dataexchange.cli.payload import PayloadError


def read(folder: Path, text: str) -> dict[str, Any]:
    (folder / "payload.yaml").write_text(text, "utf-8")
    return payload.read(str(folder / "payload.yaml"))


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("0.50", "0.50"),
        ("1e3", "1e3"),
        ("1_000", "1_000"),
        ("010", "010"),
        ("0x10", "0x10"),
        ("12:30", "12:30"),
        ("12:30:45", "12:30:45"),
        ("2026-11-24", "2026-11-24"),
        ("2026-11-24T08:00:00.000000Z", "2026-11-24T08:00:00.000000Z"),
        ("no", "no"),
        ("on", "on"),
        ("Yes", "Yes"),
        (".inf", ".inf"),
        ("=", "="),
        ("<<", "<<"),
        ("9007199254740991", 9007199254740991),
        ("-1", -1),
        ("0", 0),
        ("true", True),
        ("false", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("数据", "数据"),
        ("'1'", "1"),
        ('"\\u4e00"', "一"),
        ("[1, a]", [1, "a"]),
    ],
)
def test_a_value_is_read_as_it_is_written(tmp_path: Path, written: str, meant: object) -> None:
    found = read(tmp_path, f"a: {written}")["a"]
    assert (found, type(found)) == (meant, type(meant))


def test_json_is_read_as_json(tmp_path: Path) -> None:
    text = '{"a": [1, true, null, "x\\ny", 0.50], "b": {"c": "\\ud83d\\ude00"}}'
    assert read(tmp_path, text) == {"a": [1, True, None, "x\ny", "0.50"], "b": {"c": "😀"}}


@pytest.mark.parametrize(
    "text",
    [
        "a: 1\na: 2",
        '{"a": 1, "a": 2}',
        "b: {c: 1, c: 2}",
        "a: &x 1\nb: *x",
        "a: !!python/object/apply:os.system [ls]",
        "a: !!binary aGVsbG8=\n---\nb: 1",
        "- 1",
        "1",
        "",
        "a: [",
        "a: \t- b: \x01",
        "[" * 5_000,
        '{"a": NaN}',
        '{"a": -Infinity}',
    ],
)
def test_what_can_be_read_in_two_ways_or_in_none_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(PayloadError):
        read(tmp_path, text)


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    (tmp_path / "payload").write_bytes(b"a: \xff")
    with pytest.raises(PayloadError):
        payload.read(str(tmp_path / "payload"))
