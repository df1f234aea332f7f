"""YAML read exactly."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataexchange.valuation.document import canonical, read_document
from dataexchange.valuation.refusal import ValuationRefusedError


def test_a_decimal_stays_the_decimal_that_was_written() -> None:
    assert read_document(b"a: 0.10\nb: 1e3\nc: -7") == {
        "a": Decimal("0.10"),
        "b": Decimal(1000),
        "c": -7,
    }


def test_the_traps_of_yaml_1_1_are_closed() -> None:
    found = read_document(b"a: 010\nb: 1:30\nc: yes\nd: 0x1F\ne: 1_000")
    assert found == {"a": Decimal(10), "b": "1:30", "c": "yes", "d": "0x1F", "e": "1_000"}


def test_days_texts_truths_and_nothing_are_read_as_usual() -> None:
    found = read_document("a: 2026-06-30\nb: 数据\nc: true\nd: null\ne:".encode())
    assert found == {"a": date(2026, 6, 30), "b": "数据", "c": True, "d": None, "e": None}


@pytest.mark.parametrize(
    "content",
    [
        b"a: 1\na: 2",
        b"a: &x [1]\nb: *x",
        b"a: !!python/object:os.system x",
        b"- 1",
        b"7: 1",
        b"a: [1",
        b"\xff\xfe",
        b"a: " + b"[" * 100 + b"]" * 100,
        b"a: 2026-02-31",
        b"a: " + b"x" * (1 << 20),
    ],
    ids=[
        "a key twice", "an alias", "a tag", "a list", "a numeric key", "a syntax error",
        "not UTF-8", "nested too deep", "no such day", "too large",
    ],
)  # fmt: skip
def test_what_cannot_be_read_exactly_is_refused(content: bytes) -> None:
    with pytest.raises(ValuationRefusedError) as refused:
        read_document(content)
    assert refused.value.code == "valuation.document_malformed"


def test_json_is_yaml() -> None:
    assert read_document(b'{"a": 0.1, "b": ["x", 2]}') == {"a": Decimal("0.1"), "b": ["x", 2]}


@given(st.decimals(allow_nan=False, allow_infinity=False, places=6, min_value=-1, max_value=10**9))
def test_equal_numbers_have_equal_canonical_bytes_however_they_are_padded(x: Decimal) -> None:
    assert canonical(read_document(f"a: {x:f}".encode())) == canonical({"a": x.normalize()})


def test_the_order_of_the_keys_does_not_change_the_canonical_bytes() -> None:
    assert canonical(read_document(b"{a: 1, b: 2.0}")) == canonical(read_document(b"b: 2\na: 1"))
