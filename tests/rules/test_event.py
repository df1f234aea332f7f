"""An event type knows its payload, its signers, and which aggregates it touches."""

from typing import Annotated

import pytest
from pydantic import Field

from dataexchange.client.typeid import new_id
from dataexchange.errors import RefusedError
from dataexchange.rules import Changes, Event, Payload, Role, State, View, event
from dataexchange.rules.payload import Fen, Ratio, Text
from dataexchange.rules.reference import AssetId, LicenceId, PartyId

ASSETS = [new_id("asset") for _ in range(4)]
LICENCE, PARTY, ACTOR = new_id("licence"), new_id("party"), new_id("party")


class Deal(State, frozen=True, kw_only=True):
    KIND = "deal"


class Part(Payload):
    asset: AssetId
    weight: Ratio
    licence: LicenceId | None = None


class Terms(Payload):
    price_fen: Fen
    title: Text


class DealMade(Payload):
    asset: AssetId
    buyer: PartyId | None = None
    parts: Annotated[tuple[Part, ...], Field(max_length=4)] = ()
    others: tuple[AssetId, ...] = ()
    main: Part | None = None
    terms: Terms | None = None
    note: str = "asset_00000000000000000000000000"


@event(
    "deal.made@1",
    by={Role.PROVIDER},
    zh="成交",
    en="Make a deal",
    clause="民法典 art. 483",
    also=lambda payload, actor: (f"deal/{payload.asset}", actor, f"account/{actor}"),
)
def make(view: View, event: Event[DealMade]) -> Changes:
    """Make a deal."""
    return Deal(id=f"deal/{event.payload.asset}")


@event("deal.closed@1", by=(), zh="结束", en="Close a deal", clause="民法典 art. 557")
def close(view: View, event: Event[Terms]) -> Changes:
    """Close a deal."""
    return ()


def touched(payload: DealMade) -> set[str]:
    keys = make.touched(payload, ACTOR)
    assert len(set(keys)) == len(keys)
    assert keys[0] == ACTOR
    return set(keys) - {ACTOR, f"account/{ACTOR}", f"deal/{payload.asset}"}


def test_the_decorated_rule_is_the_event_type() -> None:
    assert (make.name, make.by) == ("deal.made@1", frozenset({Role.PROVIDER}))
    assert make.payload is DealMade
    assert close.by == frozenset()


def test_a_plain_reference_is_touched_and_a_text_that_looks_like_one_is_not() -> None:
    assert touched(DealMade(asset=ASSETS[0])) == {ASSETS[0]}


def test_an_optional_reference_is_touched_where_it_is_given() -> None:
    assert touched(DealMade(asset=ASSETS[0], buyer=PARTY)) == {ASSETS[0], PARTY}


def test_references_in_tuples_and_in_parts_are_touched() -> None:
    parts = (
        Part(asset=ASSETS[1], weight="0.5"),
        Part(asset=ASSETS[2], weight="0.5", licence=LICENCE),
    )
    payload = DealMade(asset=ASSETS[0], parts=parts, others=(ASSETS[3], ASSETS[0]))
    assert touched(payload) == {*ASSETS, LICENCE}


def test_references_in_an_optional_part_are_touched() -> None:
    payload = DealMade(asset=ASSETS[0], main=Part(asset=ASSETS[1], weight="1", licence=LICENCE))
    assert touched(payload) == {ASSETS[0], ASSETS[1], LICENCE}


def test_what_follows_from_the_payload_is_touched_once() -> None:
    keys = make.touched(DealMade(asset=ASSETS[0], buyer=ACTOR), ACTOR)
    assert keys == (ACTOR, ASSETS[0], f"deal/{ASSETS[0]}", f"account/{ACTOR}")


def test_an_event_that_names_nothing_touches_its_actor() -> None:
    terms = Terms(price_fen=1, title=Text(zh="标题"))
    assert close.touched(terms, ACTOR) == (ACTOR,)


def test_a_field_that_may_name_two_kinds_is_a_fault_of_the_declaration() -> None:
    class Either(Payload):
        subject: AssetId | LicenceId

    def rule(view: View, event: Event[Either]) -> Changes:
        return ()

    rule.__annotations__["event"] = Event[Either]
    with pytest.raises(TypeError, match="union that names"):
        event("either.named@1", by=(), zh="", en="", clause="")(rule)


def test_a_union_of_parts_of_which_one_names_aggregates_is_a_fault_of_the_declaration() -> None:
    class PartOrTerms(Payload):
        either: Part | Terms

    def rule(view: View, event: Event[PartOrTerms]) -> Changes:
        return ()

    rule.__annotations__["event"] = Event[PartOrTerms]
    with pytest.raises(TypeError, match="union that names"):
        event("either.part@1", by=(), zh="", en="", clause="")(rule)


@pytest.mark.parametrize(
    "payload",
    [
        b"{}",
        b'{"asset":"asset_1"}',
        b'{"asset":"licence_00000000000000000000000000"}',
        b'{"asset":"asset_00000000000000000000000000","unknown":1}',
        b'{"asset":"asset_00000000000000000000000000","note":1}',
        b'{"asset":"asset_00000000000000000000000000\\n"}',
        b"[]",
        b"{",
    ],
)
def test_a_payload_that_does_not_fit_is_refused_with_the_place(payload: bytes) -> None:
    with pytest.raises(RefusedError) as caught:
        make.parse(payload)
    assert caught.value.code == "event.payload_invalid"
    assert "deal.made@1" in caught.value.en


def test_a_payload_that_fits_is_read() -> None:
    read = make.parse(b'{"asset":"asset_00000000000000000000000000","others":[],"parts":[]}')
    assert read == DealMade(asset="asset_00000000000000000000000000")
