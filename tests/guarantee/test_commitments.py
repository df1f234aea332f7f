"""A guarantor's limits hold through every guarantee that it signs, frees, or moves."""

import pytest

from dataexchange.client.signing import Actor
from dataexchange.client.typeid import new_id
from dataexchange.guarantee.commitments import Carried, GuarantorBook, book_key, carried_key
from dataexchange.rules import Role
from steps_guarantee import (
    NET_ASSETS_FEN,
    House,
    approved_guarantee,
    guarantor_house,
    second_key,
    signed_guarantee,
    signing,
)
from steps_pipeline import digest
from world import World

TENTH_FEN = NET_ASSETS_FEN // 10


@pytest.fixture
def world() -> World:
    return World()


def grouped(world: World, group: str, party: Actor | None = None) -> Actor:
    party = party or world.join(Role.PROVIDER)
    said = {"party": party.party, "group": group, "evidence": "GQ-1"}
    world.do(world.operator, "party.grouped@1", **said)
    return party


def carried_fen(world: World, house: House, name: str) -> int:
    return world.state(Carried, carried_key(house.party, name)).balance_fen


def balance_fen(world: World, house: House) -> int:
    return world.state(GuarantorBook, book_key(house.party)).balance_fen


def refuses_to_sign(
    world: World,
    code: str,
    house: House,
    obligor: Actor,
    *,
    amount_fen: int,
    group: str | None = None,
) -> None:
    said = signing(approved_guarantee(world, house, obligor, amount_fen), group)
    world.refuses(code, house.committee, "guarantee.signed@1", **said)


def test_one_obligor_may_reach_a_tenth_of_net_assets_and_not_a_fen_more(world: World) -> None:
    house, obligor = guarantor_house(world), world.join(Role.PROVIDER)
    signed_guarantee(world, house, obligor, TENTH_FEN)
    refuses_to_sign(world, "guarantee.obligor_exceeded", house, obligor, amount_fen=1)
    assert carried_fen(world, house, obligor.party) == balance_fen(world, house) == TENTH_FEN


def test_stakes_in_other_guarantors_lessen_the_net_assets_that_count(world: World) -> None:
    house = guarantor_house(world, stakes_in_guarantors_fen=NET_ASSETS_FEN // 2)
    obligor = world.join(Role.PROVIDER)
    refuses_to_sign(
        world, "guarantee.obligor_exceeded", house, obligor, amount_fen=TENTH_FEN // 2 + 1
    )
    signed_guarantee(world, house, obligor, TENTH_FEN // 2)


def test_affiliates_together_may_reach_fifteen_hundredths(world: World) -> None:
    house, group = guarantor_house(world), new_id("group")
    first, second = grouped(world, group), grouped(world, group)
    signed_guarantee(world, house, first, TENTH_FEN, group=group)
    code = "guarantee.group_exceeded"
    refuses_to_sign(world, code, house, second, amount_fen=TENTH_FEN // 2 + 1, group=group)
    signed_guarantee(world, house, second, TENTH_FEN // 2, group=group)
    assert carried_fen(world, house, group) == TENTH_FEN * 3 // 2


def test_the_group_that_is_named_is_the_one_on_record(world: World) -> None:
    house, group = guarantor_house(world), new_id("group")
    obligor = grouped(world, group)
    refuses_to_sign(world, "event.mismatch", house, obligor, amount_fen=100)
    refuses_to_sign(world, "event.mismatch", house, obligor, amount_fen=100, group=new_id("group"))


def test_an_obligor_that_joins_a_group_brings_along_what_is_carried_for_it(world: World) -> None:
    house, group, obligor = guarantor_house(world), new_id("group"), world.join(Role.PROVIDER)
    signed_guarantee(world, house, obligor, TENTH_FEN * 6 // 10)
    grouped(world, group, obligor)
    refuses_to_sign(world, "guarantee.group_changed", house, obligor, amount_fen=100, group=group)
    move = {"guarantor": house.party, "obligor": obligor.party, "group": group}
    other = world.join(Role.GUARANTOR)
    world.refuses("party.not_concerned", other, "exposure.regrouped@1", **move)
    for wrong in ("group_before", "group"):
        stray = {**move, wrong: new_id("group")}
        world.refuses("event.mismatch", house.analyst, "exposure.regrouped@1", **stray)
    world.do(house.analyst, "exposure.regrouped@1", **move)
    again = {**move, "group_before": group}
    world.refuses("exposure.nothing_to_move", world.operator, "exposure.regrouped@1", **again)
    affiliate = grouped(world, group)
    refuses_to_sign(
        world, "guarantee.group_exceeded", house, affiliate, amount_fen=TENTH_FEN, group=group
    )
    signed_guarantee(world, house, affiliate, TENTH_FEN * 9 // 10, group=group)
    assert carried_fen(world, house, group) == balance_fen(world, house) == TENTH_FEN * 3 // 2


def test_what_is_moved_between_groups_leaves_the_first(world: World) -> None:
    house, old, new = guarantor_house(world), new_id("group"), new_id("group")
    obligor = grouped(world, old)
    guaranteed = signed_guarantee(world, house, obligor, TENTH_FEN, group=old)
    grouped(world, new, obligor)
    move = {"guarantor": house.party, "obligor": obligor.party, "group_before": old, "group": new}
    world.do(world.operator, "exposure.regrouped@1", **move)
    assert (carried_fen(world, house, old), carried_fen(world, house, new)) == (0, TENTH_FEN)
    ending = {**guaranteed.named, "reason": "另行融资"}
    stale = {**ending, "group": old}
    world.refuses("guarantee.group_changed", house.analyst, "guarantee.withdrawn@1", **stale)
    world.do(house.analyst, "guarantee.withdrawn@1", **ending, group=new)
    assert carried_fen(world, house, new) == balance_fen(world, house) == 0


@pytest.mark.parametrize(("focused", "multiple"), [(False, 10), (True, 15)])
def test_all_commitments_stay_within_the_multiple(focused: bool, multiple: int) -> None:
    world = World({"guarantee_single_ratio_max": "1", "guarantee_affiliated_ratio_max": "1"})
    house = guarantor_house(world, 1_000_00, focused=focused)
    for _ in range(multiple):
        signed_guarantee(world, house, world.join(Role.PROVIDER), 1_000_00)
    last = world.join(Role.PROVIDER)
    refuses_to_sign(world, "guarantee.balance_exceeded", house, last, amount_fen=1)
    assert balance_fen(world, house) == multiple * 1_000_00


def test_the_limit_is_the_policys(world: World) -> None:
    world = World({"guarantee_single_ratio_max": "0.05"})
    house, obligor = guarantor_house(world), world.join(Role.PROVIDER)
    refuses_to_sign(
        world, "guarantee.obligor_exceeded", house, obligor, amount_fen=TENTH_FEN // 2 + 1
    )


def test_crossing_five_million_reweights_the_whole_household(world: World) -> None:
    house, firm = guarantor_house(world), world.join(Role.PROVIDER, small_or_farm=True)
    first = signed_guarantee(world, house, firm, 5_000_000_00, kind="small_firm")
    assert carried_fen(world, house, firm.party) == 3_750_000_00
    second = signed_guarantee(world, house, firm, 1_00, kind="small_firm")
    assert carried_fen(world, house, firm.party) == 5_000_001_00
    assert balance_fen(world, house) == 5_000_001_00
    said = {**second.named, "reason": "未提款"}
    world.do(second.creditor, "guarantee.released@1", **said)
    assert carried_fen(world, house, firm.party) == 3_750_000_00
    world.do(first.creditor, "guarantee.released@1", **{**said, **first.named})
    assert balance_fen(world, house) == 0


def test_a_release_gives_the_room_back(world: World) -> None:
    house, obligor = guarantor_house(world), world.join(Role.PROVIDER)
    first = signed_guarantee(world, house, obligor, TENTH_FEN)
    refuses_to_sign(world, "guarantee.obligor_exceeded", house, obligor, amount_fen=TENTH_FEN)
    world.do(first.creditor, "guarantee.released@1", **first.named, reason="债务已清偿")
    signed_guarantee(world, house, obligor, TENTH_FEN)
    assert balance_fen(world, house) == TENTH_FEN


def test_the_controlling_shareholder_is_never_guaranteed(world: World) -> None:
    owner = world.join(Role.PROVIDER)
    house = guarantor_house(world, controlling_shareholders=[owner.party])
    refuses_to_sign(world, "guarantee.controlling_shareholder", house, owner, amount_fen=1)
    signed_guarantee(world, house, world.join(Role.PROVIDER), 1)


def test_nothing_is_signed_before_capital_is_reported(world: World) -> None:
    analyst = world.join(Role.GUARANTOR)
    house = House(analyst, second_key(world, analyst))
    obligor = world.join(Role.PROVIDER)
    refuses_to_sign(world, "guarantee.no_capital_reported", house, obligor, amount_fen=1)


def test_less_capital_stops_new_guarantees_and_frees_old_ones_still(world: World) -> None:
    house, obligor = guarantor_house(world), world.join(Role.PROVIDER)
    first = signed_guarantee(world, house, obligor, TENTH_FEN)
    report = {"net_assets_fen": NET_ASSETS_FEN // 2, "report_sha256": digest("later audit")}
    world.do(house.analyst, "guarantor.capital_reported@1", **report)
    assert balance_fen(world, house) == TENTH_FEN
    refuses_to_sign(world, "guarantee.obligor_exceeded", house, obligor, amount_fen=1)
    world.do(first.creditor, "guarantee.released@1", **first.named, reason="债务已清偿")
    assert balance_fen(world, house) == 0
    stakes = {**report, "stakes_in_guarantors_fen": NET_ASSETS_FEN // 2}
    world.do(house.analyst, "guarantor.capital_reported@1", **stakes)
    refuses_to_sign(world, "guarantee.net_assets_spent", house, obligor, amount_fen=1)


def test_only_a_guarantor_reports_capital(world: World) -> None:
    said = {"net_assets_fen": 1, "report_sha256": digest("audit")}
    lender = world.join(Role.LENDER)
    world.refuses("role.missing", lender, "guarantor.capital_reported@1", **said)
