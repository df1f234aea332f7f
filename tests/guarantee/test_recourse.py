"""Guarantees in force: called, paid, recovered, closed; or released, or lapsed."""

import pytest

from dataexchange.guarantee.commitments import GuarantorBook, book_key
from dataexchange.guarantee.enforcement import owed_fen
from dataexchange.guarantee.pledge import Pledge
from dataexchange.guarantee.recourse import IN_DEFAULT
from dataexchange.guarantee.surety import Guarantee
from dataexchange.rules import Role
from steps_accounts import assert_books_balance, balance_fen, fund
from steps_guarantee import (
    PRINCIPAL_FEN,
    Guaranteed,
    Pledged,
    active_pledge,
    guarantee_in_force,
    guarantor_house,
    signed_guarantee,
)
from world import World

AMOUNT_FEN = PRINCIPAL_FEN // 2
CALL, PAY, RECOVER = "guarantee.called@1", "guarantee.paid@1", "guarantee.recovered@1"


@pytest.fixture
def world() -> World:
    return World()


def paying(guaranteed: Guaranteed) -> dict[str, object]:
    return {
        "guarantee": guaranteed.guarantee,
        "creditor": guaranteed.creditor.party,
        "obligor": guaranteed.obligor.party,
        "pledge": guaranteed.pledge,
    }


def of_defaulted_loan(
    world: World, amount_fen: int = AMOUNT_FEN, **changes: object
) -> tuple[Guaranteed, Pledged]:
    """Return a guarantee in force of a loan that is in default now."""
    pledged = active_pledge(world)
    guaranteed = guarantee_in_force(world, pledged, amount_fen=amount_fen, **changes)
    world.advance(days=367)
    world.do(pledged.lender, "pledge.defaulted@1", pledge=pledged.pledge)
    return guaranteed, pledged


def called(world: World, amount_fen: int = AMOUNT_FEN) -> tuple[Guaranteed, Pledged]:
    guaranteed, pledged = of_defaulted_loan(world)
    said = {"guarantee": guaranteed.guarantee, "pledge": pledged.pledge}
    world.do(guaranteed.creditor, CALL, **said, amount_fen=amount_fen)
    fund(world, guaranteed.house.analyst, PRINCIPAL_FEN)
    return guaranteed, pledged


def paid(world: World) -> Guaranteed:
    guaranteed, _ = called(world)
    world.do(guaranteed.house.committee, PAY, **paying(guaranteed))
    return guaranteed


def recovery(guaranteed: Guaranteed, amount_fen: int) -> dict[str, object]:
    return {
        "guarantee": guaranteed.guarantee,
        "guarantor": guaranteed.house.party,
        "amount_fen": amount_fen,
    }


def state(world: World, guaranteed: Guaranteed) -> Guarantee:
    return world.state(Guarantee, guaranteed.guarantee)


def test_what_the_guarantor_pays_lessens_the_debt_behind_the_pledge(world: World) -> None:
    guaranteed, pledged = called(world)
    before = balance_fen(world, guaranteed.creditor.party)
    world.do(guaranteed.house.committee, PAY, **paying(guaranteed))
    assert balance_fen(world, guaranteed.creditor.party) - before == AMOUNT_FEN
    debt = world.state(Pledge, pledged.pledge).debt_fen
    interest = PRINCIPAL_FEN * 435 // 10_000 * 367 // 365
    assert debt == pytest.approx(PRINCIPAL_FEN + interest - AMOUNT_FEN, abs=100)
    assert world.state(GuarantorBook, book_key(guaranteed.house.party)).balance_fen == 0
    assert (state(world, guaranteed).status, state(world, guaranteed).paid_fen) == (
        "PAID",
        AMOUNT_FEN,
    )
    assert_books_balance(world)


def test_a_loan_is_called_only_in_default_by_its_creditor_naming_its_pledge(world: World) -> None:
    pledged = active_pledge(world)
    guaranteed = guarantee_in_force(world, pledged)
    said = {"guarantee": guaranteed.guarantee, "amount_fen": 1}
    named = {**said, "pledge": pledged.pledge}
    world.refuses("aggregate.wrong_status", pledged.lender, CALL, **named)
    world.advance(days=367)
    world.do(pledged.lender, "pledge.defaulted@1", pledge=pledged.pledge)
    world.refuses("event.mismatch", pledged.lender, CALL, **said)
    world.refuses("party.not_concerned", world.join(Role.LENDER), CALL, **named)
    over = {**named, "amount_fen": state(world, guaranteed).amount_fen + 1}
    world.refuses("guarantee.beyond_amount", pledged.lender, CALL, **over)
    world.do(pledged.lender, CALL, **named)
    world.refuses("aggregate.wrong_status", pledged.lender, CALL, **named)


def test_no_more_is_called_than_the_debt_that_is_left(world: World) -> None:
    guaranteed, pledged = of_defaulted_loan(world)
    fund(world, pledged.pledgor, PRINCIPAL_FEN * 2)
    repaid = {"pledge": pledged.pledge, "asset": pledged.product.asset}
    amount_fen = PRINCIPAL_FEN * 9 // 10
    lender = {"lender": pledged.lender.party}
    world.do(pledged.pledgor, "pledge.repaid@1", **repaid, **lender, amount_fen=amount_fen)
    left_fen = world.state(Pledge, pledged.pledge).debt_fen
    said = {"guarantee": guaranteed.guarantee, "pledge": pledged.pledge}
    over = {**said, "amount_fen": left_fen + 1_000}
    world.refuses("guarantee.beyond_amount", pledged.lender, CALL, **over)
    world.do(pledged.lender, CALL, **said, amount_fen=left_fen)
    fund(world, guaranteed.house.analyst, PRINCIPAL_FEN)
    # The debtor pays between the call and the payment; nothing is left to pay.
    rest_fen = left_fen + 30 * left_fen
    refused = world.refuses(
        "pledge.overpaid",
        pledged.pledgor,
        "pledge.repaid@1",
        **repaid,
        **lender,
        amount_fen=rest_fen,
    )
    due = refused.facts["due_fen"]
    world.do(pledged.pledgor, "pledge.repaid@1", **repaid, **lender, amount_fen=due)
    world.refuses("guarantee.nothing_owed", guaranteed.house.committee, PAY, **paying(guaranteed))
    world.do(guaranteed.creditor, "guarantee.released@1", **guaranteed.named, reason="债务已清偿")


@pytest.mark.parametrize("status", IN_DEFAULT)
def test_a_debt_stays_callable_while_the_pledge_is_being_realised(status: str) -> None:
    world = World()
    guaranteed, pledged = of_defaulted_loan(world)
    if status != "DEFAULTED":
        said = {"pledge": pledged.pledge, "mode": "auction", "reference": "PM-1"}
        world.do(pledged.lender, "pledge.realisation_begun@1", **said, reserve_fen=100)
    if status == "REALISED":
        buyer = world.join(Role.BUYER)
        fund(world, buyer, PRINCIPAL_FEN)
        sale = {"asset": pledged.product.asset, "pledgor": pledged.pledgor.party}
        liens = [{"pledge": pledged.pledge, "lender": pledged.lender.party}]
        price = {"proceeds_fen": PRINCIPAL_FEN, "liens": liens}
        world.do(buyer, "pledge.realised@1", pledge=pledged.pledge, **sale, **price)
    owed = world.state(Pledge, pledged.pledge)
    assert owed.status == status
    amount_fen = min(AMOUNT_FEN, owed.debt_fen)
    named = {"guarantee": guaranteed.guarantee, "pledge": pledged.pledge}
    world.do(pledged.lender, CALL, **named, amount_fen=amount_fen)
    fund(world, guaranteed.house.analyst, PRINCIPAL_FEN)
    world.do(guaranteed.house.analyst, PAY, **paying(guaranteed))
    left_fen = world.state(Pledge, pledged.pledge).debt_fen
    assert left_fen == pytest.approx(owed_fen(owed, world.now) - amount_fen, abs=100)
    assert_books_balance(world)


def test_a_general_guarantee_is_called_only_after_execution(world: World) -> None:
    guaranteed = guarantee_in_force(world, liability="general")
    world.advance(days=366)
    said = {"guarantee": guaranteed.guarantee, "amount_fen": 100}
    world.refuses("guarantee.not_executed", guaranteed.creditor, CALL, **said)
    world.do(guaranteed.creditor, CALL, **said, execution_reference="ZX-2027-1")


def test_a_debt_without_a_pledge_is_called_once_it_is_due(world: World) -> None:
    guaranteed = guarantee_in_force(world, debt_due="2026-03-31")
    said = {"guarantee": guaranteed.guarantee, "amount_fen": 100}
    world.refuses("guarantee.debt_not_due", guaranteed.creditor, CALL, **said)
    world.advance(days=90)
    world.do(guaranteed.creditor, CALL, **said)


def test_nothing_is_called_after_the_period_and_it_lapses_only_then(world: World) -> None:
    guaranteed = guarantee_in_force(world, debt_due="2026-03-31", period_days=30)
    said = {"guarantee": guaranteed.guarantee, "amount_fen": 100}
    lapse, ending = "guarantee.lapsed@1", {**guaranteed.named, "reason": "期满"}
    world.advance(days=100)
    world.refuses("guarantee.period_runs", guaranteed.house.analyst, lapse, **ending)
    world.advance(days=20)
    world.refuses("guarantee.period_over", guaranteed.creditor, CALL, **said)
    world.refuses("party.not_concerned", world.join(Role.GUARANTOR), lapse, **ending)
    world.do(world.operator, lapse, **ending)
    world.refuses("aggregate.wrong_status", world.operator, lapse, **ending)
    assert state(world, guaranteed).status == "LAPSED"
    assert world.state(GuarantorBook, book_key(guaranteed.house.party)).balance_fen == 0


def test_the_guarantor_alone_pays_the_creditor_and_debt_that_were_called(world: World) -> None:
    guaranteed, _ = called(world)
    said, other = paying(guaranteed), world.join(Role.GUARANTOR)
    world.refuses("party.not_concerned", other, PAY, **said)
    payer = guaranteed.house.analyst
    for wrong in ("creditor", "obligor"):
        world.refuses("event.mismatch", payer, PAY, **{**said, wrong: other.party})
    world.refuses("event.mismatch", payer, PAY, **{**said, "pledge": None})
    world.do(payer, PAY, **said)
    world.refuses("aggregate.wrong_status", payer, PAY, **said)


def test_a_guarantor_without_money_has_not_paid(world: World) -> None:
    guaranteed, pledged = of_defaulted_loan(world, fee_fen=0)
    named = {"guarantee": guaranteed.guarantee, "pledge": pledged.pledge}
    world.do(pledged.lender, CALL, **named, amount_fen=100)
    world.refuses("account.insufficient", guaranteed.house.analyst, PAY, **paying(guaranteed))


def test_recourse_reaches_what_was_paid_and_closes_there(world: World) -> None:
    guaranteed = paid(world)
    fund(world, guaranteed.obligor, AMOUNT_FEN)
    obligor = guaranteed.obligor
    world.refuses(
        "guarantee.recourse_exceeded", obligor, RECOVER, **recovery(guaranteed, AMOUNT_FEN + 1)
    )
    stranger = world.join(Role.PROVIDER)
    world.refuses("party.not_concerned", stranger, RECOVER, **recovery(guaranteed, 1))
    wrong = {**recovery(guaranteed, 1), "guarantor": stranger.party}
    world.refuses("event.mismatch", obligor, RECOVER, **wrong)
    stray = {**recovery(guaranteed, 1), "sharers": [stranger.party]}
    world.refuses("event.mismatch", obligor, RECOVER, **stray)
    world.do(obligor, RECOVER, **recovery(guaranteed, AMOUNT_FEN - 1))
    assert state(world, guaranteed).status == "PAID"
    world.refuses("guarantee.recourse_exceeded", obligor, RECOVER, **recovery(guaranteed, 2))
    world.do(obligor, RECOVER, **recovery(guaranteed, 1))
    assert state(world, guaranteed).status == "CLOSED"
    assert_books_balance(world)


def test_a_guarantor_may_give_up_what_is_left_of_its_recourse(world: World) -> None:
    guaranteed, event = paid(world), "guarantee.closed@1"
    said = {"guarantee": guaranteed.guarantee, "reason": "核销"}
    world.refuses("party.not_concerned", world.join(Role.GUARANTOR), event, **said)
    world.do(guaranteed.house.analyst, event, **said)
    world.refuses("aggregate.wrong_status", guaranteed.house.analyst, event, **said)
    world.refuses("aggregate.wrong_status", guaranteed.obligor, RECOVER, **recovery(guaranteed, 1))


def test_only_the_creditor_releases_and_names_who_is_released(world: World) -> None:
    guaranteed, event = guarantee_in_force(world), "guarantee.released@1"
    said = {**guaranteed.named, "reason": "债务已清偿"}
    world.refuses("party.not_concerned", guaranteed.obligor, event, **said)
    other = world.join(Role.LENDER).party
    for wrong in ("obligor", "guarantor"):
        world.refuses("event.mismatch", guaranteed.creditor, event, **{**said, wrong: other})
    world.do(guaranteed.creditor, event, **said)
    world.refuses("aggregate.wrong_status", guaranteed.creditor, event, **said)
    house = guarantor_house(world)
    signed = signed_guarantee(world, house, guaranteed.obligor, 100)
    world.do(signed.creditor, event, **signed.named, reason="未提款")
