"""Risk shared among guarantor, re-guarantor and bank: proposed, accepted, borne, recovered."""

import pytest

from dataexchange.client.signing import Actor
from dataexchange.guarantee.surety import Guarantee
from dataexchange.rules import Role
from steps_accounts import assert_books_balance, balance_fen, fund
from steps_guarantee import Guaranteed, accept, approved_guarantee, guarantor_house, signing
from world import World

AMOUNT_FEN = 1_000_000_00
SHARE, ACCEPT, PAY = (
    "guarantee.risk_shared@1",
    "guarantee.risk_accepted@1",
    "guarantee.share_paid@1",
)


@pytest.fixture
def world() -> World:
    return World()


def approved(world: World) -> tuple[Guaranteed, Actor]:
    """Return an approved guarantee of a debt due in March, and a re-guarantor."""
    house, obligor = guarantor_house(world), world.join(Role.PROVIDER)
    due = {"debt_due": "2026-03-31", "fee_fen": 0}
    return approved_guarantee(world, house, obligor, AMOUNT_FEN, **due), world.join(Role.GUARANTOR)


def shares(guaranteed: Guaranteed, second: Actor, *parts: str) -> dict[str, object]:
    parties = (guaranteed.house.party, second.party, guaranteed.creditor.party)
    sharers = [{"party": p, "share": s} for p, s in zip(parties, parts, strict=False)]
    return {"guarantee": guaranteed.guarantee, "sharers": sharers}


def shared(world: World) -> tuple[Guaranteed, Actor]:
    """Return a signed guarantee: 40 % the guarantor's, 40 % the re-guarantor's, 20 % the bank's."""
    guaranteed, second = approved(world)
    house = guaranteed.house
    world.do(house.analyst, SHARE, **shares(guaranteed, second, "0.4", "0.4", "0.2"))
    world.do(house.committee, "guarantee.signed@1", **signing(guaranteed))
    return guaranteed, second


def consent(world: World, guaranteed: Guaranteed) -> dict[str, object]:
    return {"guarantee": guaranteed.guarantee, "proposal": world.head(guaranteed.guarantee)}


def paid(world: World) -> tuple[Guaranteed, Actor]:
    guaranteed, second = shared(world)
    world.do(second, ACCEPT, **consent(world, guaranteed))
    accept(world, guaranteed)
    world.advance(days=90)
    named = {"guarantee": guaranteed.guarantee}
    world.do(guaranteed.creditor, "guarantee.called@1", **named, amount_fen=AMOUNT_FEN)
    for party in (guaranteed.house.analyst, second):
        fund(world, party, AMOUNT_FEN)
    parties = {"creditor": guaranteed.creditor.party, "obligor": guaranteed.obligor.party}
    world.do(guaranteed.house.analyst, "guarantee.paid@1", **named, **parties)
    return guaranteed, second


def pay_share(guaranteed: Guaranteed) -> dict[str, object]:
    return {"guarantee": guaranteed.guarantee, "guarantor": guaranteed.house.party}


def test_each_bears_and_recovers_its_share(world: World) -> None:
    guaranteed, second = paid(world)
    house, bank = guaranteed.house.party, guaranteed.creditor.party
    assert balance_fen(world, bank) == AMOUNT_FEN * 8 // 10
    world.do(second, PAY, **pay_share(guaranteed))
    assert balance_fen(world, house) == balance_fen(world, second.party) == AMOUNT_FEN * 6 // 10
    recovery = {**pay_share(guaranteed), "sharers": [second.party]}
    over, event = {**recovery, "amount_fen": AMOUNT_FEN}, "guarantee.recovered@1"
    world.refuses("guarantee.recourse_exceeded", guaranteed.obligor, event, **over)
    hidden = {**pay_share(guaranteed), "amount_fen": 100}
    world.refuses("event.mismatch", guaranteed.obligor, event, **hidden)
    world.do(guaranteed.obligor, event, **recovery, amount_fen=AMOUNT_FEN * 8 // 10)
    assert balance_fen(world, house) == balance_fen(world, second.party) == AMOUNT_FEN
    assert_books_balance(world)


def test_a_share_paid_late_is_a_share_of_what_is_still_open(world: World) -> None:
    guaranteed, second = paid(world)
    early = {**pay_share(guaranteed), "amount_fen": AMOUNT_FEN * 4 // 10}
    world.do(guaranteed.obligor, "guarantee.recovered@1", **early)
    world.do(second, PAY, **pay_share(guaranteed))
    assert world.state(Guarantee, guaranteed.guarantee).shares_paid_fen == {
        second.party: AMOUNT_FEN * 2 // 10
    }
    assert_books_balance(world)


def test_the_shares_sum_to_one_and_name_fit_parties(world: World) -> None:
    guaranteed, second = approved(world)
    analyst, lender = guaranteed.house.analyst, world.join(Role.LENDER)
    world.refuses(
        "guarantee.shares_not_one", analyst, SHARE, **shares(guaranteed, second, "0.4", "0.5")
    )
    world.refuses("guarantee.sharers_unfit", analyst, SHARE, **shares(guaranteed, second, "1", "0"))
    twice = shares(guaranteed, guaranteed.house.analyst, "0.5", "0.5")
    world.refuses("guarantee.sharers_unfit", analyst, SHARE, **twice)
    without = {"guarantee": guaranteed.guarantee}
    for parties in ((second, guaranteed.creditor), (analyst, guaranteed.obligor)):
        sharers = [{"party": one.party, "share": "0.5"} for one in parties]
        world.refuses("guarantee.sharers_unfit", analyst, SHARE, **without, sharers=sharers)
    unfit = shares(guaranteed, lender, "0.5", "0.5")
    world.refuses("guarantee.not_a_guarantor", analyst, SHARE, **unfit)
    stranger = shares(guaranteed, second, "0.5", "0.5")
    world.refuses("party.not_concerned", second, SHARE, **stranger)


def test_no_guarantee_takes_effect_before_its_re_guarantor_has_accepted(world: World) -> None:
    guaranteed, second = shared(world)
    said = {**guaranteed.named, "proposal": world.head(guaranteed.guarantee)}
    event = "guarantee.accepted@1"
    world.refuses("guarantee.risk_not_accepted", guaranteed.creditor, event, **said)
    stranger = world.join(Role.GUARANTOR)
    world.refuses("party.not_concerned", stranger, ACCEPT, **consent(world, guaranteed))
    wrong = {**consent(world, guaranteed), "proposal": "0" * 64}
    world.refuses("event.mismatch", second, ACCEPT, **wrong)
    world.do(second, ACCEPT, **consent(world, guaranteed))
    accept(world, guaranteed)


def test_shares_proposed_anew_are_accepted_anew(world: World) -> None:
    guaranteed, second = approved(world)
    analyst = guaranteed.house.analyst
    world.do(analyst, SHARE, **shares(guaranteed, second, "0.5", "0.5"))
    world.do(second, ACCEPT, **consent(world, guaranteed))
    world.do(analyst, SHARE, **shares(guaranteed, second, "0.1", "0.9"))
    assert world.state(Guarantee, guaranteed.guarantee).shares_accepted == ()
    world.do(guaranteed.house.committee, "guarantee.signed@1", **signing(guaranteed))
    said = shares(guaranteed, second, "0.5", "0.5")
    world.refuses("aggregate.wrong_status", analyst, SHARE, **said)


def test_a_share_is_paid_once_by_who_accepted_it(world: World) -> None:
    guaranteed, second = paid(world)
    said = pay_share(guaranteed)
    world.refuses("party.not_concerned", world.join(Role.GUARANTOR), PAY, **said)
    wrong = {**said, "guarantor": second.party}
    world.refuses("event.mismatch", second, PAY, **wrong)
    world.do(second, PAY, **said)
    world.refuses("guarantee.share_paid", second, PAY, **said)
