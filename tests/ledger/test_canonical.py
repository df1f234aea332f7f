"""Canonical JSON: RFC 8785's vectors, agreement with its reference, and every refusal."""

import contextlib
import json
from pathlib import Path
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from dataexchange.errors import RefusedError
from dataexchange.ledger import canonical

VECTORS = Path(__file__).parents[3] / "shared" / "vectors" / "jcs"
NAMES = ("arrays", "french", "structures", "unicode", "values", "weird")
BEYOND = 2**53

# Plain text: any character that UTF-8 can say, except NUL.
TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"))
LEAVES = st.none() | st.booleans() | st.integers(1 - BEYOND, BEYOND - 1) | TEXT
KEYS = st.text(st.characters(codec="ascii", exclude_characters="\0"))
DOCUMENTS = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=5) | st.dictionaries(KEYS, inner, max_size=5)
)


def refused(data: bytes) -> str:
    with pytest.raises(RefusedError) as caught:
        canonical.decode(data)
    assert caught.value.code == "json.not_canonical"
    return str(caught.value.facts["reason"])


@pytest.mark.parametrize("name", NAMES)
def test_the_vectors_of_rfc_8785_come_out_byte_for_byte(name: str) -> None:
    if not VECTORS.is_dir():
        pytest.skip("../shared/vectors/jcs is not here")
    value = json.loads((VECTORS / "input" / f"{name}.json").read_bytes())
    expected = (VECTORS / "output" / f"{name}.json").read_bytes()
    hexadecimal = "".join((VECTORS / "outhex" / f"{name}.txt").read_text().split())
    assert canonical.jcs(value) == expected == bytes.fromhex(hexadecimal)


@given(DOCUMENTS)
def test_within_the_profile_the_bytes_are_those_of_rfc_8785(value: Any) -> None:
    data = canonical.encode(value)
    assert data == rfc8785.dumps(value)
    assert canonical.decode(data) == value == json.loads(data)


@given(DOCUMENTS, st.data())
def test_any_other_spelling_of_a_document_is_refused(value: Any, data: st.DataObject) -> None:
    spelt = canonical.encode(value)
    options = [
        json.dumps(value, indent=1).encode(),
        json.dumps(value, ensure_ascii=True, sort_keys=True, separators=(",", ":")).encode(),
        json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode(),
        spelt + b" ",
        b"\n" + spelt,
    ]
    other = data.draw(st.sampled_from(options))
    if other != spelt:
        refused(other)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b'{"a":1,"a":1}', id="a key twice"),
        pytest.param(b'{"a":1,"\\u0061":1}', id="a key twice, once escaped"),
        pytest.param(b'{"b":1,"a":1}', id="keys out of order"),
        pytest.param(b"1.5", id="a float"),
        pytest.param(b"1.0", id="a float that is whole"),
        pytest.param(b"-0", id="minus zero"),
        pytest.param(b"-0.0", id="minus zero as a float"),
        pytest.param(b"1e3", id="an exponent"),
        pytest.param(b"1E400", id="a number out of range"),
        pytest.param(b"01", id="a leading zero"),
        pytest.param(b"+1", id="a plus"),
        pytest.param(b"0x10", id="hexadecimal"),
        pytest.param(b"NaN", id="NaN"),
        pytest.param(b"Infinity", id="Infinity"),
        pytest.param(b"-Infinity", id="-Infinity"),
        pytest.param(b"9007199254740992", id="an integer beyond 2^53-1"),
        pytest.param(b"-9007199254740992", id="an integer below -(2^53-1)"),
        pytest.param(b"18446744073709551616", id="an integer beyond 64 bits"),
        pytest.param(b"1" * 400, id="an integer of 400 digits"),
        pytest.param(b"1" * 5_000, id="an integer of 5000 digits"),
        pytest.param(b'"\\ud800"', id="a high surrogate alone"),
        pytest.param(b'"before \\ud800 after, and more"', id="a high surrogate in the middle"),
        pytest.param(b'"before \\udfff after, and more"', id="a low surrogate in the middle"),
        pytest.param(b'"\\udc00\\ud800"', id="surrogates in the wrong order"),
        pytest.param(b'"\\ud800\\u0041"', id="a high surrogate and a letter"),
        pytest.param(b'"\\ud83d\\ude00"', id="a pair that should be UTF-8"),
        pytest.param(b'"\xed\xa0\x80"', id="a surrogate in UTF-8"),
        pytest.param(b'"\xff"', id="no UTF-8"),
        pytest.param(b'"\xc0\xaf"', id="overlong UTF-8"),
        pytest.param(b'"\xf4\x90\x80\x80"', id="beyond U+10FFFF"),
        pytest.param(b'"\\u0000"', id="NUL"),
        pytest.param(b'{"\\u0000":1}', id="NUL in a key"),
        pytest.param(b'"\x00"', id="NUL, not escaped"),
        pytest.param(b'"\n"', id="a control character, not escaped"),
        pytest.param(b'"\\u000A"', id="a long escape for a short one"),
        pytest.param(b'"\\u001F"', id="an escape in capitals"),
        pytest.param(b'"\\/"', id="a slash escaped"),
        pytest.param('{"é":1}'.encode(), id="a key that is not ASCII"),
        pytest.param('{"a":"é","é:b":1}'.encode(), id="a key that holds a colon"),
        pytest.param('{"a":"钥","钥a":1}'.encode(), id="a key that ends in ASCII"),
        pytest.param('{"a😀":1}'.encode(), id="a key that begins in ASCII"),
        pytest.param(b'{"\\u00e9":1}', id="a key that is not ASCII, escaped"),
        pytest.param(b"\xef\xbb\xbf1", id="a byte order mark"),
        pytest.param("1".encode("utf-16"), id="UTF-16"),
        pytest.param(b"1 2", id="two values"),
        pytest.param(b"1,", id="trailing bytes"),
        pytest.param(b"[1,]", id="a trailing comma"),
        pytest.param(b"[1] ", id="a trailing space"),
        pytest.param(b'{"a": 1}', id="white space"),
        pytest.param(b"'a'", id="single quotes"),
        pytest.param(b"{a:1}", id="a bare key"),
        pytest.param(b"[1]//", id="a comment"),
        pytest.param(b"", id="nothing"),
        pytest.param(b"[" * 65 + b"]" * 65, id="65 levels"),
        pytest.param(b"[" * 100_000 + b"]" * 100_000, id="100000 levels"),
        pytest.param(b"[" * 100_000, id="100000 levels, not closed"),
        pytest.param(b'{"a":' * 5_000 + b"1" + b"}" * 5_000, id="5000 objects deep"),
    ],
)
def test_what_is_not_canonical_is_refused_with_a_reason(data: bytes) -> None:
    assert 0 < len(refused(data)) < 300


@pytest.mark.parametrize(
    "value",
    [
        1.0,
        float("nan"),
        {"a": 0.1},
        [BEYOND],
        [-BEYOND],
        "\ud800",
        ["a", {"b": "x\ud800y"}],
        "a\0b",
        {"a\0": 1},
        [["\0"]],
        {"é": 1},
        {1: 2},
        {"a": {3}},
        b"bytes",
        [b"bytes"],
    ],
)
def test_what_the_profile_does_not_hold_is_not_encoded(value: Any) -> None:
    with pytest.raises(RefusedError) as caught:
        canonical.encode(value)
    assert caught.value.code == "json.not_canonical"


def test_a_document_may_be_64_levels_deep_and_no_deeper() -> None:
    deep: Any = 1
    for _ in range(64):
        deep = [deep]
    assert canonical.decode(canonical.encode(deep)) == deep
    with pytest.raises(RefusedError):
        canonical.encode([deep])


def test_the_letters_of_an_escaped_nul_are_no_nul() -> None:
    value = {"note": "\\u0000 is how JSON writes NUL", "path": "C:\\u0000"}
    assert canonical.decode(canonical.encode(value)) == value


def test_a_nul_beside_its_letters_is_still_found() -> None:
    refused(b'["\\\\u0000","\\u0000"]')


@given(st.binary(max_size=60))
def test_any_bytes_are_either_canonical_or_refused(data: bytes) -> None:
    try:
        value = canonical.decode(data)
    except RefusedError:
        return
    assert canonical.encode(value) == data


@given(DOCUMENTS, st.data())
def test_a_flipped_bit_gives_another_value_or_a_refusal(value: Any, data: st.DataObject) -> None:
    spelt = bytearray(canonical.encode(value))
    bit = data.draw(st.integers(0, len(spelt) * 8 - 1))
    spelt[bit // 8] ^= 1 << bit % 8
    with contextlib.suppress(RefusedError):
        assert repr(canonical.decode(bytes(spelt))) != repr(value)


@pytest.mark.parametrize("value", ["\ud800", float("inf"), {"a": float("nan")}, BEYOND])
def test_the_wide_form_refuses_what_rfc_8785_cannot_say(value: Any) -> None:
    with pytest.raises(RefusedError):
        canonical.jcs(value)
