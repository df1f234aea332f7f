"""An open dispute holds the escrow; a decision divides it."""

from typing import Any

import pytest

from dataexchange.asset.title import Asset
from dataexchange.client.signing import Actor
from dataexchange.client.typeid import new_id
from dataexchange.market.dispute import Dispute
from dataexchange.market.licence import Licence
from dataexchange.rules import Role
from steps_accounts import assert_books_balance, balance_fen, fund
from steps_market import (
    FEE_FEN,
    Deal,
    accepted_licence,
    agreed_licence,
    completed_delivery,
    finalised_licence,
    opened_deal,
    refund,
    release,
    step,
)
from steps_pipeline import digest
from world import World


@pytest.fixture
def world() -> World:
    return World()


def opening(deal: Deal) -> dict[str, Any]:
    return {
        "dispute": new_id("dispute"),
        "licence": deal.licence,
        "grounds": "字段缺失，与目录不符。",
        "evidence": digest("evidence"),
    }


def disputed(world: World, deal: Deal, by: Actor | None = None) -> str:
    payload = opening(deal)
    world.do(by or deal.buyer, "dispute.opened@1", **payload)
    dispute: str = payload["dispute"]
    return dispute


def decision(deal: Deal, dispute: str, refund_fen: int, **changes: Any) -> dict[str, Any]:
    return {
        "dispute": dispute,
        "licence": deal.licence,
        "asset": deal.product.asset,
        "buyer": deal.buyer.party,
        "refund_fen": refund_fen,
        "performed": True,
        "terminates": False,
        "opinion": digest("opinion"),
        **changes,
    }


def test_an_open_dispute_holds_the_escrow(world: World) -> None:
    deal = accepted_licence(world)
    disputed(world, deal)
    world.refuses("escrow.in_dispute", deal.provider, "escrow.released@1", **release(deal))
    world.refuses("escrow.in_dispute", deal.provider, "escrow.refunded@1", **refund(deal))


def test_one_dispute_is_open_at_a_time(world: World) -> None:
    deal = accepted_licence(world)
    disputed(world, deal)
    world.refuses("escrow.in_dispute", deal.provider, "dispute.opened@1", **opening(deal))


def test_only_the_parties_dispute_a_concluded_licence(world: World) -> None:
    deal = accepted_licence(world)
    stranger = world.join(Role.BUYER)
    world.refuses("party.not_concerned", stranger, "dispute.opened@1", **opening(deal))


def test_a_negotiation_is_not_disputed(world: World) -> None:
    deal = agreed_licence(world)
    world.refuses("aggregate.wrong_status", deal.buyer, "dispute.opened@1", **opening(deal))


def test_the_other_party_answers_once(world: World) -> None:
    deal = accepted_licence(world)
    dispute = disputed(world, deal)
    payload = {"dispute": dispute, "answer": "已按约交付。", "evidence": digest("answer")}
    world.refuses("party.not_concerned", deal.buyer, "dispute.answered@1", **payload)
    world.do(deal.provider, "dispute.answered@1", **payload)
    assert world.state(Dispute, dispute).status == "answered"
    world.refuses("aggregate.wrong_status", deal.provider, "dispute.answered@1", **payload)


def test_the_claimant_may_withdraw(world: World) -> None:
    deal = accepted_licence(world)
    dispute = disputed(world, deal)
    payload = {"dispute": dispute, "licence": deal.licence, "reason": "和解"}
    world.refuses("party.not_concerned", deal.provider, "dispute.withdrawn@1", **payload)
    world.do(deal.buyer, "dispute.withdrawn@1", **payload)
    world.do(deal.provider, "escrow.released@1", **release(deal))


def test_a_decision_returns_a_part_and_frees_the_rest(world: World) -> None:
    deal = completed_delivery(world)
    dispute = disputed(world, deal)
    world.do(world.operator, "dispute.decided@1", **decision(deal, dispute, 40_000))
    assert balance_fen(world, deal.buyer.party) == 9 * FEE_FEN + 40_000
    world.do(deal.provider, "escrow.released@1", **release(deal))
    assert balance_fen(world, deal.licence) == 0
    assert balance_fen(world, "fees") == 1_200
    assert_books_balance(world)


def test_a_decision_may_end_the_licence_and_return_all(world: World) -> None:
    deal = completed_delivery(world)
    dispute = disputed(world, deal)
    changes = {"performed": False, "terminates": True}
    world.do(world.regulator, "dispute.decided@1", **decision(deal, dispute, FEE_FEN, **changes))
    assert balance_fen(world, deal.buyer.party) == 10 * FEE_FEN
    assert world.state(Licence, deal.licence).status == "terminated"
    assert world.state(Asset, deal.product.asset).licences_active == 0
    world.refuses("escrow.nothing_due", deal.provider, "escrow.released@1", **release(deal))


def test_a_decision_may_set_an_acceptance_aside(world: World) -> None:
    deal = accepted_licence(world)
    dispute = disputed(world, deal)
    world.do(world.operator, "dispute.decided@1", **decision(deal, dispute, 0, performed=False))
    world.refuses("escrow.nothing_due", deal.provider, "escrow.released@1", **release(deal))


def test_no_decision_returns_more_than_the_escrow_holds(world: World) -> None:
    deal = accepted_licence(world)
    dispute = disputed(world, deal)
    payload = decision(deal, dispute, FEE_FEN + 1)
    world.refuses("dispute.award_too_high", world.operator, "dispute.decided@1", **payload)


def test_parties_do_not_decide(world: World) -> None:
    deal = accepted_licence(world)
    payload = decision(deal, disputed(world, deal), 0)
    for actor in (deal.buyer, deal.provider):
        world.refuses("role.missing", actor, "dispute.decided@1", **payload)


def test_a_regulator_that_is_the_buyer_does_not_decide_its_own_cause(world: World) -> None:
    buyer = world.actor()
    roles = ["buyer", "regulator"]
    world.do(buyer, "party.applied@1", **world.profile(buyer, *map(Role, roles)))
    world.do(world.regulator, "party.admitted@1", party=buyer.party, roles=roles)
    fund(world, buyer, FEE_FEN)
    deal = accepted_licence(world, finalised_licence(world, opened_deal(world, buyer=buyer)))
    payload = decision(deal, disputed(world, deal), FEE_FEN)
    world.refuses("dispute.own_cause", buyer, "dispute.decided@1", **payload)


def test_a_closed_dispute_is_not_withdrawn(world: World) -> None:
    deal = accepted_licence(world)
    dispute = disputed(world, deal)
    world.do(world.operator, "dispute.decided@1", **decision(deal, dispute, 0))
    payload = {"dispute": dispute, "licence": deal.licence, "reason": "和解"}
    world.refuses("aggregate.wrong_status", deal.buyer, "dispute.withdrawn@1", **payload)


def test_a_decided_dispute_is_final(world: World) -> None:
    deal = accepted_licence(world)
    dispute = disputed(world, deal)
    world.do(world.operator, "dispute.decided@1", **decision(deal, dispute, 0))
    world.refuses(
        "aggregate.wrong_status", world.operator, "dispute.decided@1", **decision(deal, dispute, 0)
    )


def test_a_rejection_may_be_disputed_by_the_provider(world: World) -> None:
    deal = completed_delivery(world)
    world.do(deal.buyer, "delivery.rejected@1", **step(deal, content_root="0" * 64, reason="不符"))
    dispute = disputed(world, deal, by=deal.provider)
    world.advance(days=30)
    world.refuses("escrow.in_dispute", deal.buyer, "escrow.refunded@1", **refund(deal))
    world.do(world.operator, "dispute.decided@1", **decision(deal, dispute, 0))
    world.do(deal.provider, "escrow.released@1", **release(deal))


def test_a_decision_names_its_licence_and_its_buyer(world: World) -> None:
    deal, other = accepted_licence(world), accepted_licence(world)
    dispute = disputed(world, deal)
    for changes in ({"licence": other.licence}, {"buyer": other.buyer.party}):
        payload = decision(deal, dispute, 0, **changes)
        world.refuses("event.mismatch", world.operator, "dispute.decided@1", **payload)
