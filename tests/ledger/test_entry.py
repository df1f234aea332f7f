"""Entries: the bytes that are hashed, and every form that is refused."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataexchange.client.signing import Actor, SigningKey
from dataexchange.client.typeid import new_id
from dataexchange.errors import RefusedError
from dataexchange.ledger import canonical, entry, merkle
from dataexchange.ledger.entry import ENTRY_SIZE_MAX, NO_PREVIOUS, Entry, EntryError
from dataexchange.ledger.signature import BatchPosition, Signature
from dataexchange.registry.vectors import vectors

ACTOR = Actor(new_id("party"), SigningKey.from_seed(b"\x01" * 32), "example.test/log")
AT = datetime(2026, 11, 24, 8, 0, 0, 1, tzinfo=UTC)
HASH = "ab" * 32


def built(payload: dict[str, Any] | None = None, **changes: Any) -> bytes:
    stated = ACTOR.state("party.left@1", payload or {}, at=AT)
    members: dict[str, Any] = {
        "index": 7,
        "prev": HASH,
        "recorded_at": AT,
        "signature": entry.encode_signature(ACTOR.sign(stated)),
        "statement": stated.body,
        "subjects": {"policy/exchange": (3, HASH), ACTOR.party: (1, NO_PREVIOUS)},
    }
    return entry.build(**{**members, **changes})


def edited(**changes: Any) -> bytes:
    """Return a good entry with some members replaced, `None` taken out."""
    said = {**canonical.decode(built()), **changes}
    return canonical.encode({name: value for name, value in said.items() if value is not None})


def test_an_entry_is_canonical_and_says_what_it_was_built_of() -> None:
    body = built()
    read = Entry.parse(body)
    assert canonical.encode(canonical.decode(body)) == body == read.body
    assert (read.index, read.recorded_at, read.fields.prev) == (7, AT, HASH)
    assert list(read.fields.subjects) == [ACTOR.party, "policy/exchange"]
    assert read.fields.subjects["policy/exchange"].seq == 3
    assert read.leaf == merkle.leaf_hash(body)
    read.statement.verify(read.fields.signature)


def test_subjects_are_written_in_the_order_of_rfc_8785_whatever_order_they_are_given_in() -> None:
    keys = [ACTOR.party, "account/z", "account/a", "Z", "a", "_", "a/1", "a/10", "a/2"]
    orders = (keys, keys[::-1], sorted(keys))
    statement = ACTOR.state("party.left@1", {}, at=AT).body
    bodies = {
        built(statement=statement, signature=b'{"suite":"ed25519","value":""}', subjects=subjects)
        for subjects in (dict.fromkeys(order, (1, HASH)) for order in orders)
    }
    assert len(bodies) == 1
    canonical.decode(*bodies)


@pytest.mark.parametrize(
    "changes",
    [
        {"v": 2},
        {"v": None},
        {"index": -1},
        {"index": "7"},
        {"index": True},
        {"index": None},
        {"prev": "0" * 63},
        {"prev": "AB" * 32},
        {"prev": "0" * 64 + "\n"},
        {"prev": None},
        {"recorded_at": "2026-11-24T08:00:00Z"},
        {"recorded_at": 1},
        {"recorded_at": None},
        {"signature": None},
        {"signature": "none"},
        {"signature": {"suite": "rsa", "value": ""}},
        {"signature": {"suite": "ed25519", "value": "", "more": 1}},
        {"signature": {"suite": "ed25519", "value": "", "batch": {"size": 1}}},
        {"statement": None},
        {"statement": {}},
        {"statement": []},
        {"statement": "text"},
        {"subjects": None},
        {"subjects": {}},
        {"subjects": {"policy/exchange": {"prev": HASH, "seq": 1}}},
        {"subjects": {ACTOR.party: {"prev": HASH, "seq": 0}}},
        {"subjects": {ACTOR.party: {"prev": HASH}}},
        {"subjects": {ACTOR.party: {"prev": "x", "seq": 1}}},
        {"subjects": {ACTOR.party: {"prev": HASH, "seq": 1, "more": 1}}},
        {"extra": 1},
    ],
    ids=str,
)
def test_an_entry_of_another_form_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(EntryError):
        Entry.parse(edited(**changes))


def test_an_entry_that_is_not_canonical_is_refused() -> None:
    body = built()
    for other in (body + b"\n", body.replace(b'"index":7', b'"index":7.0'), body[:-1], b"", b"[]"):
        with pytest.raises(EntryError):
            Entry.parse(other)


def test_an_entry_has_a_greatest_size() -> None:
    path = ("A" * 43 + "=",) * 200
    signed = Signature("ed25519", "", BatchPosition(path, 0, 1))
    padding = ENTRY_SIZE_MAX - len(built(signature=entry.encode_signature(signed)))
    full = built({"a": "x" * (padding - 6)}, signature=entry.encode_signature(signed))
    assert len(full) == ENTRY_SIZE_MAX
    assert Entry.parse(full).body == full
    with pytest.raises(EntryError, match="65535 at most"):
        Entry.parse(full + b" ")


def test_a_signature_is_encoded_canonically_alone_and_in_a_batch() -> None:
    statements = [ACTOR.state("party.left@1", {"n": n}) for n in range(3)]
    for signed in (ACTOR.sign(statements[0]), *ACTOR.sign_batch(statements)):
        encoded = entry.encode_signature(signed)
        said = canonical.decode(encoded)
        assert ("batch" in said) == (signed.batch is not None)
        assert canonical.encode(said) == encoded


@given(st.data())
def test_no_changed_bit_leaves_the_leaf_hash_or_passes_for_the_same_entry(
    data: st.DataObject,
) -> None:
    body = built()
    bit = data.draw(st.integers(0, len(body) * 8 - 1))
    changed = bytearray(body)
    changed[bit // 8] ^= 1 << bit % 8
    assert merkle.leaf_hash(bytes(changed)) != merkle.leaf_hash(body)
    try:
        read = Entry.parse(bytes(changed))
        read.statement.verify(read.fields.signature)
    except (EntryError, RefusedError):
        return
    # What still stands by itself was changed outside of what the actor signed.
    assert read.statement == Entry.parse(body).statement
    assert read.fields != Entry.parse(body).fields


@given(st.binary(max_size=200))
def test_any_bytes_are_refused_and_never_crash(body: bytes) -> None:
    with pytest.raises(EntryError):
        Entry.parse(body)


def test_the_published_entries_chain_and_their_statements_verify() -> None:
    prev = NO_PREVIOUS
    for index, vector in enumerate(vectors()["entries"]["entries"]):
        read = Entry.parse(vector["entry"].encode())
        assert (read.index, read.fields.prev, read.leaf.hex()) == (index, prev, vector["leaf"])
        read.statement.verify(read.fields.signature)
        prev = vector["leaf"]
