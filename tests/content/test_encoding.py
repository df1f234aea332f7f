"""The encoding of a file is found from all of its bytes, and damage is counted."""

import io
from typing import BinaryIO

import pytest

from dataexchange.content.encoding import (
    EncodingName,
    OpenStream,
    TextEncoding,
    find_encoding,
    open_text,
)

TEXT = "区县,数值\n鼓楼,1\n台江,2\n" * 50


def _opener(data: bytes) -> OpenStream:
    def open_stream() -> BinaryIO:
        return io.BytesIO(data)

    return open_stream


def _decoded(data: bytes, declared: EncodingName | None = None) -> tuple[TextEncoding, str]:
    found = find_encoding(_opener(data), declared)
    with open_text(io.BytesIO(data), found) as text:
        return found, text.read()


@pytest.mark.parametrize(
    ("codec", "name", "mark"),
    [
        ("utf-8", "utf-8", False),
        ("utf-8-sig", "utf-8", True),
        ("gbk", "gb18030", False),
        ("gb18030", "gb18030", False),
        ("utf-16", "utf-16", True),
    ],
)
def test_an_undeclared_encoding_is_found(codec: str, name: str, mark: bool) -> None:
    found, text = _decoded(TEXT.encode(codec))
    assert found == TextEncoding(name, mark, 0, None)  # type: ignore[arg-type]
    assert text == TEXT


def test_a_declared_encoding_that_decodes_is_taken() -> None:
    found, text = _decoded(TEXT.encode("big5", "replace"), "big5")
    assert found.name == "big5"
    assert found.as_declared is True
    assert text.startswith("区" if "区" in text else "?")


def test_ascii_is_whatever_was_declared() -> None:
    assert find_encoding(_opener(b"a,b\n"), "gbk").as_declared is True
    assert find_encoding(_opener(b"a,b\n"), "utf-8").as_declared is True


def test_a_file_in_gbk_does_not_pass_for_the_declared_utf_8() -> None:
    found, text = _decoded(TEXT.encode("gbk"), "utf-8")
    assert found == TextEncoding("gb18030", False, 0, False)
    assert text == TEXT


def test_a_byte_order_mark_outweighs_the_declaration() -> None:
    found, text = _decoded(TEXT.encode("utf-8-sig"), "gbk")
    assert found == TextEncoding("utf-8", True, 0, False)
    assert text == TEXT


def test_one_broken_byte_does_not_turn_utf_8_into_another_encoding() -> None:
    data = TEXT.encode()
    found, text = _decoded(data[:200] + b"\xff" + data[200:])
    assert found.name == "utf-8"
    assert found.undecodable_count >= 1
    assert text.count("鼓楼") >= 49


def test_broken_utf_8_that_gb_18030_would_accept_is_still_utf_8() -> None:
    data = ("区县,n\n" + "鼓楼,1\n台江,2\n" * 50).encode() + b"\x81A,3\n"
    assert "鼓楼" not in data.decode("gb18030")  # accepted, and nonsense
    found, text = _decoded(data)
    assert (found.name, found.undecodable_count) == ("utf-8", 1)
    assert text.count("鼓楼") == 50


def test_bytes_of_no_known_encoding_are_read_with_marks_of_damage() -> None:
    found, text = _decoded(b"a,b\n\xff\xff,1\n" + TEXT.encode("gbk"))
    assert found.name == "utf-8"
    assert found.undecodable_count == text.count("\ufffd") > 0


def test_an_encoding_is_judged_by_the_last_byte_too() -> None:
    found, _ = _decoded(b"a,b\n" + b"x,y\n" * 600_000 + "鼓楼".encode("gbk"))
    assert found.name == "gb18030"
