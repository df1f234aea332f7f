"""Statements: the form that an actor signs, and every form that is refused."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataexchange.client.signing import Actor, SigningKey
from dataexchange.client.typeid import new_id
from dataexchange.errors import RefusedError
from dataexchange.ledger import canonical, statement
from dataexchange.ledger.statement import STATEMENT_SIZE_MAX, Statement, format_time, parse_time

ACTOR = Actor(new_id("party"), SigningKey.from_seed(b"\x01" * 32), "example.test/log")
OTHER_ID = "evt_01k9m3e3xkf2v8n5q7r1s4t6w8"


def fields(**changes: Any) -> dict[str, Any]:
    """Return the members of a good statement with `changes`; `None` takes one out."""
    good: dict[str, Any] = canonical.decode(ACTOR.state("party.left@1", {"a": [1]}).body)
    return {name: value for name, value in {**good, **changes}.items() if value is not None}


def refused(body: bytes) -> str:
    with pytest.raises(RefusedError) as caught:
        Statement.parse(body)
    return caught.value.code


def test_a_statement_says_what_was_stated() -> None:
    at = datetime(2026, 11, 24, 8, 0, 0, 123456, tzinfo=UTC)
    stated = ACTOR.state(
        "party.left@1",
        {"party": ACTOR.party, "sum_fen": 1},
        at=at,
        life=timedelta(minutes=5),
        expects={"account/x": 3},
        sealed={"name": "0" * 64},
    )
    assert stated.payload == b'{"party":"%b","sum_fen":1}' % ACTOR.party.encode()
    assert (stated.occurred_at, stated.not_after) == (at, at + timedelta(minutes=5))
    assert (stated.fields.v, stated.fields.actor) == (1, ACTOR.party)
    assert stated.fields.expects == {"account/x": 3}
    assert Statement.parse(stated.body) == stated


def test_empty_optional_members_are_left_out() -> None:
    body = ACTOR.state("party.left@1", {}).body
    assert not {b"expects", b"linked", b"sealed"} & set(body.split(b'"'))


@pytest.mark.parametrize(
    "changes",
    [
        {name: None}
        for name in (
            "actor",
            "event",
            "id",
            "key",
            "log",
            "not_after",
            "occurred_at",
            "payload",
            "v",
        )
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_a_member_that_is_missing_is_refused(changes: dict[str, None]) -> None:
    assert refused(canonical.encode(fields(**changes))) == "statement.malformed"


@pytest.mark.parametrize(
    "changes",
    [
        {"v": 2},
        {"v": 0},
        {"v": "1"},
        {"v": True},
        {"actor": "alice"},
        {"actor": "asset_01k9m3e3xkf2v8n5q7r1s4t6w8"},
        {"actor": "party_01k9m3e3xkf2v8n5q7r1s4t6w8\n"},
        {"actor": "party_81k9m3e3xkf2v8n5q7r1s4t6w8"},
        {"actor": ["party_01k9m3e3xkf2v8n5q7r1s4t6w8"]},
        {"event": "party.left"},
        {"event": "party.left@0"},
        {"event": "party.left@01"},
        {"event": "party.left@1 "},
        {"event": "Party.left@1"},
        {"event": "party@1"},
        {"event": "party.left.now@1"},
        {"event": "party.left@１"},
        {"id": "evt_1"},
        {"id": "party_01k9m3e3xkf2v8n5q7r1s4t6w8"},
        {"id": "evt_01K9M3E3XKF2V8N5Q7R1S4T6W8"},
        {"id": "evt_01k9m3e3xkf2v8n5q7r1s4t6wi"},
        {"id": "evt_81k9m3e3xkf2v8n5q7r1s4t6w8"},
        {"expects": {"account/x": "1"}},
        {"expects": [1]},
        {"linked": [OTHER_ID]},
        {"linked": [OTHER_ID, "evt_01k9m3e3xkf2v8n5q7r1s4t6w9"]},
        {"linked": "all"},
        {"sealed": {"name": "0" * 63}},
        {"sealed": {"name": "A" * 64}},
        {"sealed": {"name": "0" * 64 + "\n"}},
        {"sealed": {"name": None, "other": 1}},
        {"signature": "none"},
    ],
    ids=str,
)
def test_a_member_of_another_form_is_refused(changes: dict[str, Any]) -> None:
    assert refused(canonical.encode(fields(**changes))) == "statement.malformed"


def test_linked_must_name_this_statement_among_at_least_two_each_once() -> None:
    good = fields()
    own = good["id"]
    assert Statement.parse(canonical.encode({**good, "linked": [own, OTHER_ID]})).fields.linked
    for linked in ([own], [own, own], [OTHER_ID, own, OTHER_ID], [own, OTHER_ID, own]):
        assert refused(canonical.encode({**good, "linked": linked})) == "statement.malformed"


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-24T08:00:00Z",
        "2026-11-24T08:00:00.000Z",
        "2026-11-24T08:00:00.0000000Z",
        "2026-11-24T08:00:00.000000+00:00",
        "2026-11-24T08:00:00.000000z",
        "2026-11-24 08:00:00.000000Z",
        "2026-11-24t08:00:00.000000Z",
        "2026-11-24T08:00:00,000000Z",
        "2026-W48-2T08:00:00.000000Z",
        "20261124T080000.000000Z",
        "2026-11-24T24:00:00.000000Z",
        "2026-11-24T23:59:60.000000Z",
        "2026-11-24T23:60:00.000000Z",
        "2026-13-01T08:00:00.000000Z",
        "2026-02-30T08:00:00.000000Z",
        "0000-01-01T00:00:00.000000Z",
        "２０２６-11-24T08:00:00.000000Z",
        "2026-11-24T08:00:00.000000Z\n",
        "",
    ],
)
def test_a_time_of_any_other_form_is_refused(text: str) -> None:
    for member in ("occurred_at", "not_after"):
        assert refused(canonical.encode(fields(**{member: text}))) == "statement.malformed"


@given(st.datetimes(timezones=st.just(UTC)))
def test_times_survive_being_written_and_read(moment: datetime) -> None:
    assert parse_time(format_time(moment)) == moment
    assert len(format_time(moment)) == 27


def test_a_time_of_another_zone_is_written_in_utc() -> None:
    moment = datetime(2026, 11, 24, 16, 0, tzinfo=timezone(timedelta(hours=8)))
    assert format_time(moment) == "2026-11-24T08:00:00.000000Z"


def test_a_statement_that_is_not_canonical_is_refused() -> None:
    body = ACTOR.state("party.left@1", {"a": 1}).body
    for other in (body + b"\n", body.replace(b'"a":1', b'"a":1.0'), body.replace(b":", b": ", 1)):
        assert refused(other) == "json.not_canonical"


def test_a_statement_of_any_other_kind_of_value_is_refused() -> None:
    for body in (b"[]", b"null", b"1", b'"text"'):
        assert refused(body) == "statement.malformed"


def test_a_statement_has_a_greatest_size() -> None:
    empty = len(ACTOR.state("party.left@1", {"a": ""}).body)
    full = ACTOR.state("party.left@1", {"a": "x" * (STATEMENT_SIZE_MAX - empty)})
    assert len(full.body) == STATEMENT_SIZE_MAX
    with pytest.raises(RefusedError) as caught:
        ACTOR.state("party.left@1", {"a": "x" * (STATEMENT_SIZE_MAX - empty + 1)})
    assert caught.value.code == "statement.malformed"


def test_what_a_refusal_repeats_of_the_statement_is_short() -> None:
    for member in ("actor", "event", "id", "occurred_at"):
        body = canonical.encode(fields(**{member: "x" * 50_000}))
        with pytest.raises(RefusedError) as caught:
            Statement.parse(body)
        assert len(caught.value.en) < 300


@given(st.data())
def test_a_signature_fits_no_other_statement(data: st.DataObject) -> None:
    stated = ACTOR.state("party.left@1", {"a": "text", "b": [1, 2]})
    signature = ACTOR.sign(stated)
    stated.verify(signature)
    bit = data.draw(st.integers(0, len(stated.body) * 8 - 1))
    changed = bytearray(stated.body)
    changed[bit // 8] ^= 1 << bit % 8
    with pytest.raises(RefusedError):
        Statement.parse(bytes(changed)).verify(signature)


@given(st.binary(max_size=200))
def test_any_bytes_are_refused_and_never_crash(body: bytes) -> None:
    assert refused(body) in {"json.not_canonical", "statement.malformed"}


def test_build_leaves_out_only_what_is_optional() -> None:
    assert statement.build({"payload": {}, "linked": []}) == b'{"payload":{},"v":1}'
