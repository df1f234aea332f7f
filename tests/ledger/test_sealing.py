"""Sealed fields: commitments that open to one value only, and openings that do not hold."""

import hashlib
import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataexchange.errors import RefusedError
from dataexchange.ledger import canonical
from dataexchange.ledger.sealing import Opening, require_openings, seal

SALT = bytes(range(32))
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(1 - 2**53, 2**53 - 1)
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(min_codepoint=1, max_codepoint=127)), inner)
    ),
    max_leaves=12,
)


def refused(code: str, *arguments: Any) -> None:
    with pytest.raises(RefusedError) as caught:
        require_openings(*arguments)
    assert caught.value.code == code


def test_a_commitment_is_sha256_over_salt_and_canonical_value() -> None:
    opening = seal("name", {"b": 1, "a": "张三"}, SALT)
    expected = hashlib.sha256(SALT + '{"a":"张三","b":1}'.encode()).hexdigest()
    assert opening.commitment == expected
    assert opening.salt == SALT.hex()


@given(VALUES, st.binary(min_size=32, max_size=32))
def test_an_opening_opens_its_own_commitment_and_survives_the_wire(value: Any, salt: bytes) -> None:
    opening = seal("details", value, salt)
    read = msgspec.json.decode(opening.encode(), type=Opening)
    assert (read.field, read.preimage) == ("details", opening.preimage)
    assert Opening.of("details", opening.preimage).commitment == opening.commitment
    assert canonical.decode(bytes(read.value)) == value
    require_openings({"details": opening.commitment}, [read], ())


@given(VALUES, VALUES)
def test_another_value_or_salt_gives_another_commitment(one: Any, other: Any) -> None:
    first = seal("details", one, SALT)
    assert seal("details", one, SALT[::-1]).commitment != first.commitment
    same = canonical.encode(one) == canonical.encode(other)
    assert (seal("details", other, SALT).commitment == first.commitment) == same


def test_every_sealed_field_is_opened_or_kept() -> None:
    name, terms = seal("name", "x", SALT), seal("terms", "y", SALT)
    sealed = {"name": name.commitment, "terms": terms.commitment}
    require_openings(sealed, [terms, name], ())
    require_openings(sealed, [terms], ["name"])
    require_openings(sealed, [], ["name", "terms"])
    require_openings({}, [], ())
    for openings, keeps in (
        ([], []),
        ([name], []),
        ([name], ["name"]),
        ([name, terms], ["name"]),
        ([name, name], []),
        ([name, terms, terms], []),
        ([name, terms, seal("other", 1, SALT)], []),
        ([name], ["terms", "other"]),
        ([name], ["terms", "terms"]),
    ):
        refused("opening.missing", sealed, openings, keeps)
    refused("opening.missing", {}, [name], ())
    refused("opening.missing", {}, [], ["name"])


@pytest.mark.parametrize(
    "changes",
    [
        {"salt": "00" * 32},
        {"salt": SALT.hex().upper()},
        {"salt": SALT.hex()[:-2]},
        {"salt": SALT.hex() + "00"},
        {"salt": "０" * 64},
        {"salt": ""},
        {"value": '"y"'},
        {"value": ' "x"'},
        {"value": "1.0"},
        {"value": '{"a":1,"a":1}'},
        {"value": '"' + "x" * 57_344 + '"'},
    ],
    ids=lambda changes: json.dumps(changes)[:40],
)
def test_an_opening_that_does_not_hold_is_refused(changes: dict[str, str]) -> None:
    good = seal("name", "x", SALT)
    given = {"salt": good.salt, "value": '"x"', **changes}
    bad = Opening("name", given["salt"], msgspec.Raw(given["value"].encode()))
    refused("opening.wrong", {"name": good.commitment}, [bad], ())


def test_an_opening_never_shows_its_value_in_a_message() -> None:
    opening = seal("name", "secret", SALT)
    assert "secret" not in f"{opening!r} {opening} {[opening]}"
    assert opening.salt not in repr(opening)
    with pytest.raises(RefusedError) as caught:
        opening.require_opens("0" * 64)
    assert "secret" not in str(caught.value)
