"""Parties apply, are admitted, suspended and reinstated, and leave."""

from typing import Any

import pytest

from dataexchange.client.signing import Actor
from dataexchange.client.typeid import new_id
from dataexchange.identity.party import Party, PartyKind
from dataexchange.rules import Role
from world import World, credit_code


def applied(world: World, *roles: Role) -> Actor:
    actor = world.actor()
    world.do(actor, "party.applied@1", **world.profile(actor, *roles))
    return actor


def admission(actor: Actor, *roles: Role) -> dict[str, Any]:
    return {"party": actor.party, "roles": [role.value for role in roles]}


def suspension(actor: Actor) -> dict[str, Any]:
    return {"party": actor.party, "order_number": "FJ-1", "reason": "整改"}


def test_an_applicant_is_admitted_to_the_roles_applied_for() -> None:
    world = World()
    actor = applied(world, Role.PROVIDER, Role.BUYER)
    assert world.state(Party, actor.party).status == "applied"
    world.do(world.operator, "party.admitted@1", **admission(actor, Role.BUYER))
    party = world.state(Party, actor.party)
    assert (party.status, party.roles) == ("active", (Role.BUYER,))


def test_an_applicant_acts_only_once_admitted() -> None:
    world = World()
    actor = applied(world, Role.PROVIDER)
    world.refuses("party.not_active", actor, "party.left@1", party=actor.party)


def test_roles_that_were_not_applied_for_are_not_given() -> None:
    world = World()
    actor = applied(world, Role.BUYER)
    world.refuses(
        "party.role_not_applied_for",
        world.operator,
        "party.admitted@1",
        **admission(actor, Role.BUYER, Role.LENDER),
    )


def test_nobody_admits_itself_or_anyone_but_an_authority() -> None:
    world = World()
    actor, member = applied(world, Role.BUYER), world.join(Role.BUYER)
    world.refuses("party.not_active", actor, "party.admitted@1", **admission(actor, Role.BUYER))
    world.refuses("role.missing", member, "party.admitted@1", **admission(actor, Role.BUYER))


def test_a_party_is_admitted_once() -> None:
    world = World()
    actor = world.join(Role.BUYER)
    world.refuses(
        "aggregate.wrong_status", world.operator, "party.admitted@1", **admission(actor, Role.BUYER)
    )
    profile = world.profile(actor, Role.BUYER)
    world.refuses("aggregate.exists", actor, "party.applied@1", **profile)


def test_nobody_applies_to_be_the_operator() -> None:
    world = World()
    actor = world.actor()
    profile = world.profile(actor, Role.OPERATOR)
    world.refuses("party.role_reserved", actor, "party.applied@1", **profile)


def test_only_a_regulator_admits_a_regulator() -> None:
    world = World()
    actor = applied(world, Role.REGULATOR)
    payload = admission(actor, Role.REGULATOR)
    world.refuses("party.role_reserved", world.operator, "party.admitted@1", **payload)
    world.do(world.regulator, "party.admitted@1", **payload)
    assert world.state(Party, actor.party).roles == (Role.REGULATOR,)


@pytest.mark.parametrize(
    ("code", "changes"),
    [
        ("party.credit_code_wrong", {"credit_code": "91350100M000100Y44"}),
        ("party.name_unfit", {"name": None}),
        ("party.name_unfit", {"credit_code": None}),
        ("party.name_unfit", {"party_kind": "natural_person"}),
        ("event.mismatch", {"key": None}),
    ],
)
def test_a_profile_that_does_not_fit_is_refused(code: str, changes: dict[str, Any]) -> None:
    world = World()
    actor = world.actor()
    other_key = {"key": world.actor().key.id} if "key" in changes else changes
    payload = world.profile(actor, Role.BUYER) | other_key
    given = {name: value for name, value in payload.items() if value is not None}
    world.refuses(code, actor, "party.applied@1", **given)


def test_a_natural_person_applies_without_a_name_or_number() -> None:
    world = World()
    person = world.actor()
    profile = world.profile(person, Role.BUYER, kind=PartyKind.NATURAL_PERSON)
    for plain in ("name", "credit_code"):
        del profile[plain]
    world.do(person, "party.applied@1", **profile)
    assert world.state(Party, person.party).name is None


def test_nobody_applies_in_anothers_name() -> None:
    world = World()
    actor, other = world.actor(), world.actor()
    payload = world.profile(actor, Role.BUYER) | {"party": other.party}
    world.refuses("party.not_concerned", actor, "party.applied@1", **payload)


def test_a_suspended_party_signs_nothing_until_it_is_reinstated() -> None:
    world = World()
    actor = world.join(Role.BUYER)
    world.do(world.regulator, "party.suspended@1", **suspension(actor))
    world.refuses("party.not_active", actor, "party.left@1", party=actor.party)
    again = {"party": actor.party, "reason": "整改完成"}
    world.do(world.regulator, "party.reinstated@1", **again)
    world.refuses("aggregate.wrong_status", world.regulator, "party.reinstated@1", **again)
    world.do(actor, "party.left@1", party=actor.party)


def test_the_operator_does_not_suspend_a_regulator() -> None:
    world = World()
    world.refuses(
        "party.role_reserved", world.operator, "party.suspended@1", **suspension(world.regulator)
    )


def test_what_a_regulator_suspended_the_operator_does_not_reinstate() -> None:
    world = World()
    actor = world.join(Role.BUYER)
    again = {"party": actor.party, "reason": "整改完成"}
    world.do(world.regulator, "party.suspended@1", **suspension(actor))
    world.refuses("party.suspended_by_regulator", world.operator, "party.reinstated@1", **again)
    world.do(world.regulator, "party.reinstated@1", **again)
    world.do(world.operator, "party.suspended@1", **suspension(actor))
    world.do(world.operator, "party.reinstated@1", **again)
    assert world.state(Party, actor.party).suspended_by is None


def test_the_operator_does_not_leave() -> None:
    world = World()
    operator = world.operator
    world.refuses("party.operator_stays", operator, "party.left@1", party=operator.party)


def test_a_member_suspends_nobody() -> None:
    world = World()
    actor, other = world.join(Role.BUYER), world.join(Role.BUYER)
    world.refuses("role.missing", actor, "party.suspended@1", **suspension(other))


def test_a_party_leaves_by_itself_and_is_gone() -> None:
    world = World()
    actor, other = world.join(Role.BUYER), world.join(Role.BUYER)
    world.refuses("party.not_concerned", other, "party.left@1", party=actor.party)
    world.do(actor, "party.left@1", party=actor.party)
    assert world.state(Party, actor.party).status == "left"
    world.refuses("party.not_active", actor, "party.left@1", party=actor.party)


def test_affiliation_is_recorded_once() -> None:
    world = World()
    actor = world.join(Role.BUYER)
    grouped = {"party": actor.party, "group": new_id("group"), "evidence": "equity-2025"}
    world.refuses("role.missing", actor, "party.grouped@1", **grouped)
    world.do(world.operator, "party.grouped@1", **grouped)
    assert world.state(Party, actor.party).group == grouped["group"]
    world.refuses("party.group_unchanged", world.operator, "party.grouped@1", **grouped)


@pytest.mark.parametrize(
    ("kind", "public"),
    [
        (PartyKind.GOVERNMENT, True),
        (PartyKind.PUBLIC_INSTITUTION, True),
        (PartyKind.PUBLIC_UTILITY, False),
        (PartyKind.STATE_OWNED, False),
        (PartyKind.PRIVATE, False),
    ],
)
def test_administrative_bodies_and_public_institutions_are_public_bodies(
    kind: PartyKind, public: bool
) -> None:
    world = World()
    assert world.state(Party, world.join(Role.PROVIDER, kind=kind).party).is_public_body is public


def test_the_codes_of_the_tests_are_valid() -> None:
    assert len({credit_code(number) for number in range(50)}) == 50
