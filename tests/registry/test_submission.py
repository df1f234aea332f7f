"""Which statements are submissions: known events, fitting payloads, sealable fields."""

from typing import Any

import pytest

from dataexchange.client.typeid import new_id
from dataexchange.errors import RefusedError
from dataexchange.identity.party import PartyKind
from dataexchange.registry import submission
from dataexchange.registry.catalogue import catalogue
from dataexchange.rules import Role
from dataexchange.rules.sealable import SEALABLE, declared
from world import World

COMMITMENT = "ab" * 32


def refused(code: str, event: str, payload: dict[str, Any], *fields: str) -> None:
    actor = World().actor()
    stated = actor.state(event, payload, sealed=dict.fromkeys(fields, COMMITMENT))
    with pytest.raises(RefusedError) as caught:
        submission.read(stated, actor.sign(stated))
    assert caught.value.code == code


def test_a_name_that_the_event_does_not_take_sealed_is_refused() -> None:
    party = {"party": new_id("party")}
    refused("statement.not_sealable", "party.left@1", party, "name")
    refused("statement.not_sealable", "party.left@1", party, "x" * 5_000)
    given = {"party": new_id("party"), "reason": "r"}
    refused("statement.not_sealable", "party.reinstated@1", given, "reason")
    refused("statement.not_sealable", "party.reinstated@1", given, "details", "terms")


def test_what_is_sealed_is_not_given_plain_too() -> None:
    world = World()
    profile = world.profile(world.actor(), Role.PROVIDER) | {"contact": "0591"}
    refused("statement.sealed_and_plain", "party.applied@1", profile, "contact")


def test_a_natural_person_joins_with_its_name_sealed() -> None:
    world = World()
    actor = world.actor()
    profile = world.profile(actor, Role.PROVIDER, kind=PartyKind.NATURAL_PERSON)
    del profile["name"], profile["credit_code"]
    sealed = {"name": COMMITMENT, "identity_number": COMMITMENT}
    stated = actor.state("party.applied@1", profile, at=world.now, sealed=sealed)
    entry = world.tail.append(submission.read(stated, actor.sign(stated)), world.now)
    assert COMMITMENT.encode() in entry.body
    assert COMMITMENT.encode() not in b"".join(entry.encoded.values())


def test_a_sealable_name_is_known_and_no_required_field() -> None:
    for event in catalogue().events.values():
        assert set(event.sealable) <= set(SEALABLE)
    payload = catalogue().event("resource.retired@1").payload
    for name in ("unknown", "reason"):
        with pytest.raises(TypeError):
            declared([name], payload, "resource.retired@1")
