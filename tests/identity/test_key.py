"""A party's keys are added, rotated and ended; what an ended key signed stays."""

from dataclasses import replace
from typing import Any

import pytest

from dataexchange.client.signing import Actor, SigningKey
from dataexchange.identity.party import KEYS_MAX, Party
from dataexchange.rules import Role
from world import World


def with_key(actor: Actor) -> Actor:
    """Return `actor` as it signs with a new key."""
    return replace(actor, key=SigningKey.generate())


def added(world: World) -> tuple[Actor, Actor]:
    """Return a party with its first and its second key, both valid."""
    first = world.join(Role.BUYER)
    second = with_key(first)
    world.do(first, "key.added@1", party=first.party, key=second.key.id)
    return first, second


def end(actor: Actor, **more: Any) -> dict[str, Any]:
    return {"party": actor.party, "key": actor.key.id, "reason": "人员离职", **more}


def test_a_party_signs_with_each_of_its_keys() -> None:
    world = World()
    first, second = added(world)
    third = with_key(first)
    world.do(second, "key.added@1", party=first.party, key=third.key.id)
    assert len(world.state(Party, first.party).keys) == 3


def test_a_key_that_was_not_added_signs_nothing() -> None:
    world = World()
    stranger = with_key(world.join(Role.BUYER))
    world.refuses("key.not_valid", stranger, "party.left@1", party=stranger.party)


def test_nobody_adds_a_key_to_another() -> None:
    world = World()
    actor, other = world.join(Role.BUYER), world.join(Role.BUYER)
    payload = {"party": other.party, "key": SigningKey.generate().id}
    world.refuses("party.not_concerned", actor, "key.added@1", **payload)
    world.refuses("party.not_concerned", world.operator, "key.added@1", **payload)


@pytest.mark.parametrize("key", ["z6Mk", "not-a-key", "z" + "1" * 48])
def test_what_is_no_key_is_not_added(key: str) -> None:
    world = World()
    actor = world.join(Role.BUYER)
    world.refuses("signature.bad_key", actor, "key.added@1", party=actor.party, key=key)


def test_a_rotated_key_gives_way_in_one_act() -> None:
    world = World()
    old = world.join(Role.BUYER)
    new = with_key(old)
    world.do(old, "key.rotated@1", party=old.party, old_key=old.key.id, new_key=new.key.id)
    world.refuses("key.not_valid", old, "party.left@1", party=old.party)
    world.do(new, "party.left@1", party=old.party)
    held = world.state(Party, old.party).keys[old.key.id]
    assert (held.reason, held.ended_index) == ("rotated", len(world.entries) - 2)


def test_a_key_is_recorded_once_for_ever() -> None:
    world = World()
    first, second = added(world)
    world.do(first, "key.revoked@1", **end(second))
    world.refuses("key.known", first, "key.added@1", party=first.party, key=second.key.id)
    world.refuses(
        "key.known",
        first,
        "key.rotated@1",
        party=first.party,
        old_key=first.key.id,
        new_key=first.key.id,
    )


def test_the_last_valid_key_is_not_revoked() -> None:
    world = World()
    first, second = added(world)
    world.do(second, "key.revoked@1", **end(first))
    world.refuses("key.last", second, "key.revoked@1", **end(second))


def test_a_revoked_key_is_not_revoked_again() -> None:
    world = World()
    first, second = added(world)
    world.do(first, "key.revoked@1", **end(second))
    world.refuses("key.unknown", first, "key.revoked@1", **end(second))


@pytest.mark.parametrize("authority", ["operator", "regulator"])
def test_an_authority_revokes_a_key_for_its_party(authority: str) -> None:
    world = World()
    first, second = added(world)
    world.do(getattr(world, authority), "key.revoked@1", **end(first))
    assert not world.state(Party, first.party).holds_valid(first.key.id)
    assert world.state(Party, first.party).holds_valid(second.key.id)


def test_another_member_revokes_nothing() -> None:
    world = World()
    _, second = added(world)
    other = world.join(Role.BUYER)
    world.refuses("party.not_concerned", other, "key.revoked@1", **end(second))


def test_a_compromise_flags_since_when_and_unmakes_nothing() -> None:
    world = World()
    first, second = added(world)
    third = with_key(first)
    world.do(second, "key.added@1", party=first.party, key=third.key.id)
    since = "2026-01-05T00:30:00.000000Z"
    world.do(first, "key.compromised@1", **end(second, since=since))
    party = world.state(Party, first.party)
    assert party.keys[second.key.id].compromised_from == since
    assert party.holds_valid(third.key.id)
    world.refuses("key.not_valid", second, "party.left@1", party=first.party)


def test_another_member_reports_no_compromise() -> None:
    world = World()
    _, second = added(world)
    payload = end(second, since="2026-01-05T00:30:00.000000Z")
    other = world.join(Role.BUYER)
    world.refuses("party.not_concerned", other, "key.compromised@1", **payload)


def test_a_party_has_at_most_so_many_keys() -> None:
    world = World()
    actor = world.join(Role.BUYER)
    for _ in range(KEYS_MAX - 1):
        world.do(actor, "key.added@1", party=actor.party, key=SigningKey.generate().id)
    payload = {"party": actor.party, "key": SigningKey.generate().id}
    world.refuses("key.too_many", actor, "key.added@1", **payload)
