"""Guarantees from the application to the creditor's acceptance."""

import pytest

from dataexchange.guarantee.commitments import GuarantorBook, book_key
from dataexchange.guarantee.surety import Guarantee
from dataexchange.rules import Role
from steps_accounts import assert_books_balance, balance_fen, fund
from steps_guarantee import (
    Guaranteed,
    active_pledge,
    application,
    approved_guarantee,
    guarantee_in_force,
    guarantor_house,
    signed_guarantee,
    signing,
)
from steps_pipeline import digest
from world import World

AMOUNT_FEN = 1_000_000_00


@pytest.fixture
def world() -> World:
    return World()


def applied(world: World, **changes: object) -> Guaranteed:
    house, obligor = guarantor_house(world), world.join(Role.PROVIDER)
    creditor = world.join(Role.LENDER)
    said = application(world, house, creditor, AMOUNT_FEN, **changes)
    world.do(obligor, "guarantee.applied@1", **said)
    return Guaranteed(said["guarantee"], obligor, creditor, house)


def status(world: World, guaranteed: Guaranteed) -> str:
    return world.state(Guarantee, guaranteed.guarantee).status


def test_a_guarantee_in_force_has_cost_its_fee_and_names_its_period(world: World) -> None:
    guaranteed = guarantee_in_force(world, amount_fen=AMOUNT_FEN, debt_due="2026-08-31")
    guarantee = world.state(Guarantee, guaranteed.guarantee)
    assert (guarantee.status, guarantee.fee_fen) == ("IN_FORCE", AMOUNT_FEN // 100)
    # Six months from the debt's due day; February has no 31st, and 24:00 in China is 16:00 UTC.
    assert guarantee.until == "2027-02-28T16:00:00.000000Z"
    assert balance_fen(world, guaranteed.house.party) == guarantee.fee_fen
    assert_books_balance(world)


def test_an_agreed_period_runs_from_the_day_the_debt_is_due(world: World) -> None:
    guaranteed = guarantee_in_force(world, debt_due="2026-12-31", period_days=31)
    until = world.state(Guarantee, guaranteed.guarantee).until
    assert until == "2027-01-31T16:00:00.000000Z"


def test_an_application_names_a_guarantor_and_three_different_parties(world: World) -> None:
    house, creditor = guarantor_house(world), world.join(Role.LENDER)
    obligor, event = world.join(Role.PROVIDER), "guarantee.applied@1"
    said = application(world, house, creditor, AMOUNT_FEN)
    no_guarantor = {**said, "guarantor": world.join(Role.LENDER).party}
    world.refuses("guarantee.not_a_guarantor", obligor, event, **no_guarantor)
    for same in ({"creditor": obligor.party}, {"creditor": house.party}):
        world.refuses("guarantee.parties_same", obligor, event, **{**said, **same})
    world.refuses("guarantee.day_unreal", obligor, event, **{**said, "debt_due": "2026-02-30"})
    world.refuses("role.missing", creditor, event, **said)
    world.do(obligor, event, **said)
    world.refuses("aggregate.exists", obligor, event, **said)


def test_a_suspended_guarantor_takes_no_application(world: World) -> None:
    house, obligor = guarantor_house(world), world.join(Role.PROVIDER)
    said = application(world, house, world.join(Role.LENDER), AMOUNT_FEN)
    order = {"party": house.party, "reason": "检查", "order_number": "JR-1"}
    world.do(world.regulator, "party.suspended@1", **order)
    world.refuses("guarantee.not_a_guarantor", obligor, "guarantee.applied@1", **said)


def test_only_who_is_recorded_as_small_gets_the_favoured_weight(world: World) -> None:
    house, creditor = guarantor_house(world), world.join(Role.LENDER)
    said = application(world, house, creditor, AMOUNT_FEN, kind="small_firm")
    large, small = world.join(Role.PROVIDER), world.join(Role.PROVIDER, small_or_farm=True)
    world.refuses("guarantee.kind_unfounded", large, "guarantee.applied@1", **said)
    farmer = {**said, "kind": "farmer"}
    world.refuses("guarantee.kind_unfounded", large, "guarantee.applied@1", **farmer)
    world.do(small, "guarantee.applied@1", **said)


def test_a_bond_is_recommended_only_on_a_rating(world: World) -> None:
    guaranteed = applied(world, kind="bond")
    said = {"guarantee": guaranteed.guarantee, "report_sha256": digest("x"), "recommended": True}
    analyst, event = guaranteed.house.analyst, "guarantee.reviewed@1"
    world.refuses("guarantee.rating_needed", analyst, event, **said)
    world.do(analyst, event, **said, rating_sha256=digest("AA+"))
    world.do(guaranteed.house.committee, "guarantee.approved@1", guarantee=guaranteed.guarantee)
    world.do(guaranteed.house.committee, "guarantee.signed@1", **signing(guaranteed))
    book = world.state(GuarantorBook, book_key(guaranteed.house.party))
    assert book.balance_fen == AMOUNT_FEN * 8 // 10


def test_a_guarantee_of_a_loan_names_its_own_lender_and_pledgor(world: World) -> None:
    pledged, house = active_pledge(world), guarantor_house(world)
    event, stranger = "guarantee.applied@1", world.join(Role.PROVIDER)
    said = application(world, house, pledged.lender, AMOUNT_FEN, pledge=pledged.pledge)
    world.refuses("event.mismatch", stranger, event, **said)
    other = {**said, "creditor": world.join(Role.LENDER).party}
    world.refuses("event.mismatch", pledged.pledgor, event, **other)
    world.do(pledged.pledgor, event, **said)


def test_what_the_analyst_does_not_recommend_ends_there(world: World) -> None:
    guaranteed = applied(world)
    said = {"guarantee": guaranteed.guarantee, "report_sha256": digest("x"), "recommended": False}
    stranger = world.join(Role.GUARANTOR)
    world.refuses("party.not_concerned", stranger, "guarantee.reviewed@1", **said)
    world.do(guaranteed.house.analyst, "guarantee.reviewed@1", **said)
    assert status(world, guaranteed) == "REJECTED"
    again = {**said, "recommended": True}
    world.refuses(
        "aggregate.wrong_status", guaranteed.house.analyst, "guarantee.reviewed@1", **again
    )
    named = {"guarantee": guaranteed.guarantee}
    committee = guaranteed.house.committee
    world.refuses("aggregate.wrong_status", committee, "guarantee.approved@1", **named)


def test_the_analyst_does_not_approve_what_it_reviewed(world: World) -> None:
    guaranteed, event = applied(world), "guarantee.approved@1"
    named, house = {"guarantee": guaranteed.guarantee}, guaranteed.house
    world.refuses("aggregate.wrong_status", house.committee, event, **named)
    report = {"report_sha256": digest("x"), "recommended": True}
    world.do(house.analyst, "guarantee.reviewed@1", **named, **report)
    world.refuses("guarantee.reviewer_approves", house.analyst, event, **named)
    world.refuses("party.not_concerned", world.join(Role.GUARANTOR), event, **named)
    world.do(house.committee, event, **named)
    assert status(world, guaranteed) == "APPROVED"


def test_the_guarantor_signs_what_was_approved_for_the_obligor_named(world: World) -> None:
    guaranteed, event = applied(world), "guarantee.signed@1"
    committee = guaranteed.house.committee
    world.refuses("aggregate.wrong_status", committee, event, **signing(guaranteed))
    approved = approved_guarantee(
        world, guaranteed.house, guaranteed.obligor, AMOUNT_FEN, fee_fen=0
    )
    other = {**signing(approved), "obligor": world.join(Role.PROVIDER).party}
    world.refuses("event.mismatch", committee, event, **other)
    stranger = world.join(Role.GUARANTOR)
    world.refuses("party.not_concerned", stranger, event, **signing(approved))
    world.do(committee, event, **signing(approved))


def test_only_the_creditor_takes_exactly_what_was_signed(world: World) -> None:
    house, obligor = guarantor_house(world), world.join(Role.PROVIDER)
    guaranteed, event = signed_guarantee(world, house, obligor, AMOUNT_FEN), "guarantee.accepted@1"
    said = {**guaranteed.named, "proposal": world.head(guaranteed.guarantee)}
    creditor = guaranteed.creditor
    world.refuses("party.not_concerned", world.join(Role.LENDER), event, **said)
    world.refuses("event.mismatch", creditor, event, **{**said, "proposal": "0" * 64})
    world.refuses("event.mismatch", creditor, event, **{**said, "guarantor": creditor.party})
    world.refuses("event.mismatch", creditor, event, **{**said, "obligor": creditor.party})
    world.refuses("account.insufficient", creditor, event, **said)
    fund(world, obligor, AMOUNT_FEN)
    world.do(creditor, event, **said)
    world.refuses("aggregate.wrong_status", creditor, event, **said)


def test_obligor_or_guarantor_steps_back_until_the_creditor_accepts(world: World) -> None:
    guaranteed, event = applied(world), "guarantee.withdrawn@1"
    said = {**guaranteed.named, "reason": "另行融资"}
    world.refuses("party.not_concerned", world.join(Role.PROVIDER), event, **said)
    world.do(guaranteed.obligor, event, **said)
    assert status(world, guaranteed) == "WITHDRAWN"
    signed = signed_guarantee(world, guaranteed.house, guaranteed.obligor, AMOUNT_FEN)
    wrong = {**signed.named, "obligor": signed.creditor.party, "reason": "x"}
    world.refuses("event.mismatch", signed.house.analyst, event, **wrong)
    world.do(signed.house.analyst, event, **signed.named, reason="客户违约风险上升")
    assert world.state(GuarantorBook, book_key(signed.house.party)).balance_fen == 0
    in_force = guarantee_in_force(world, house=guaranteed.house)
    late = {**in_force.named, "reason": "x"}
    world.refuses("aggregate.wrong_status", in_force.obligor, event, **late)
