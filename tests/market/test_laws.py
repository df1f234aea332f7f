"""Whatever parties try, in any order: money is kept, and no two exclusive rights coexist.

A machine lets a provider, buyers and the operator try every step of a deal at random. Most tries
are refused; the laws must hold after each, and a refusal must change nothing.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeAlias

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

import steps_market
from dataexchange.asset.title import Asset
from dataexchange.client.signing import Actor
from dataexchange.client.typeid import new_id
from dataexchange.errors import RefusedError
from dataexchange.market.change import change_key
from dataexchange.market.licence import Licence
from steps_accounts import assert_books_balance, balance_fen
from steps_market import FEE_FEN, Deal, ended, refund, release, step, terms
from steps_pipeline import digest
from world import World

Payload: TypeAlias = Callable[[World, Deal], dict[str, Any]]
RESERVING = ("agreed", "verified", "finalised", "breached", "suspended")


def _over(_: World, deal: Deal) -> dict[str, Any]:
    return {"licence": deal.licence, "asset": deal.product.asset}


def _ended(_: World, deal: Deal) -> dict[str, Any]:
    return ended(deal)


def _step(_: World, deal: Deal) -> dict[str, Any]:
    return step(deal)


def _received(world: World, deal: Deal) -> dict[str, Any]:
    return step(deal, content_root=steps_market.content_root(world, deal))


def _breach(_: World, deal: Deal) -> dict[str, Any]:
    evidence = digest("evidence")
    return {"licence": deal.licence, "term": "用途", "evidence": evidence, "cure_days": 5}


def _dispute(world: World, deal: Deal) -> dict[str, Any]:
    dispute = world.state(Licence, deal.licence).dispute or f"dispute_{deal.licence[8:]}"
    return {"dispute": dispute, "licence": deal.licence}


def _decision(world: World, deal: Deal) -> dict[str, Any]:
    return {
        **_dispute(world, deal),
        "asset": deal.product.asset,
        "buyer": deal.buyer.party,
        "refund_fen": FEE_FEN // 3,
        "performed": len(world.entries) % 2 == 0,
        "terminates": len(world.entries) % 3 == 0,
        "opinion": digest("opinion"),
    }


def _consent(world: World, deal: Deal) -> dict[str, Any]:
    key = change_key(deal.licence)
    return {
        "licence": deal.licence,
        "asset": deal.product.asset,
        "buyer": deal.buyer.party,
        "proposal": world.head(key) if key in world.tail.held else "0" * 64,
    }


STEPS: dict[str, Payload] = {
    "licence.agreed": steps_market.agreement,
    "escrow.locked": lambda _, deal: {"licence": deal.licence, "amount_fen": FEE_FEN},
    "licence.verified": steps_market.answer,
    "licence.finalised": steps_market.answer,
    "licence.terminated": _ended,
    "licence.lapsed": _ended,
    "delivery.requested": _step,
    "delivery.started": _step,
    "delivery.completed": lambda world, deal: {**_received(world, deal), "version": 1},
    "delivery.accepted": _received,
    "delivery.rejected": lambda world, deal: {**_received(world, deal), "reason": "不符"},
    "escrow.released": lambda _, deal: release(deal),
    "escrow.refunded": lambda _, deal: refund(deal),
    "licence.breached": _breach,
    "licence.cured": _ended,
    "licence.suspended": lambda _, deal: {**ended(deal), "order_number": "2026-7"},
    "licence.resumed": _ended,
    "licence.rescinded": _ended,
    "licence.expired": _over,
    "dispute.opened": lambda world, deal: {
        **_dispute(world, deal),
        "grounds": "不符",
        "evidence": digest("evidence"),
    },
    "dispute.withdrawn": lambda world, deal: {**_dispute(world, deal), "reason": "和解"},
    "dispute.decided": _decision,
    "licence.renewal_proposed": lambda _, deal: {
        "licence": deal.licence,
        "days": 30,
        "fee_fen": 10_001,
    },
    "licence.renewed": _consent,
    "licence.dissolution_proposed": lambda _, deal: {
        "licence": deal.licence,
        "refund_fen": 33_333,
    },
    "licence.dissolved": _consent,
}
DEALS_MAX = 5
STORY = (
    "licence.agreed",
    "escrow.locked",
    "licence.verified",
    "licence.finalised",
    "delivery.requested",
    "delivery.started",
    "delivery.completed",
    "delivery.accepted",
    "escrow.released",
)


CHAPTERS = (
    ("dispute.opened", "escrow.released", "dispute.decided", "escrow.released"),
    ("dispute.opened", "dispute.withdrawn"),
    ("licence.renewal_proposed", "licence.renewed", "escrow.released"),
    ("licence.dissolution_proposed", "licence.dissolved", "escrow.released"),
    ("licence.suspended", "licence.resumed"),
    ("licence.breached", "licence.suspended", "licence.resumed", "licence.cured"),
    ("licence.breached", "licence.rescinded", "escrow.refunded"),
    ("delivery.rejected", "escrow.refunded"),
    ("licence.terminated", "licence.lapsed", "escrow.refunded"),
    ("licence.expired", "escrow.refunded", "escrow.released"),
)
tries = st.one_of(
    st.sampled_from(CHAPTERS),
    st.lists(st.sampled_from(sorted(STEPS)), min_size=1, max_size=4).map(tuple),
)


class Market(RuleBasedStateMachine):
    """One product, a listing that is shared and one that is exclusive, and the deals from both."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World()
        self.deals: list[Deal] = []

    @initialize()
    def open_market(self) -> None:
        shared = steps_market.opened_deal(self.world)
        exclusive = steps_market.opened_deal(
            self.world, shared.product, terms=terms(exclusive=True, term_days=20)
        )
        self.listings = (shared, exclusive)

    @precondition(lambda self: len(self.deals) < DEALS_MAX)
    @rule(exclusive=st.booleans())
    def ask(self, exclusive: bool) -> None:
        deal = replace(
            self.listings[exclusive],
            licence=new_id("licence"),
            delivery=new_id("delivery"),
        )
        asked = terms(exclusive=True, term_days=20) if exclusive else terms()
        payload = steps_market.request(deal, terms=asked)
        if self.attempt(deal.buyer, "licence.requested", payload):
            self.deals.append(deal)

    @rule(pick=st.integers(0, 100), names=tries)
    def try_anything(self, pick: int, names: tuple[str, ...]) -> None:
        """Try steps in any order, each by all who might take it."""
        if self.deals:
            deal = self.deals[pick % len(self.deals)]
            for name in names:
                for actor in (deal.buyer, deal.provider, self.world.operator):
                    self.attempt(actor, name, STEPS[name](self.world, deal))

    @rule(pick=st.integers(0, 100), length=st.integers(1, len(STORY)))
    def follow_the_story(self, pick: int, length: int) -> None:
        """Try the first steps of an honest deal, so that tries start from everywhere."""
        if self.deals:
            deal = self.deals[pick % len(self.deals)]
            for name in STORY[:length]:
                for actor in (deal.buyer, deal.provider):
                    self.attempt(actor, name, STEPS[name](self.world, deal))

    @rule(days=st.integers(1, 6))
    def wait(self, days: int) -> None:
        self.world.advance(days=days)

    def attempt(self, actor: Actor, name: str, payload: dict[str, Any]) -> bool:
        before = (self.world.tail.size, self.world.held_states())
        try:
            self.world.do(actor, f"{name}@1", **payload)
        except RefusedError:
            assert (self.world.tail.size, self.world.held_states()) == before
            return False
        return True

    @invariant()
    def the_books_balance(self) -> None:
        assert_books_balance(self.world)

    @invariant()
    def every_escrow_holds_what_its_licence_says(self) -> None:
        for deal in self.deals:
            licence = self.world.state(Licence, deal.licence)
            assert balance_fen(self.world, deal.licence) == licence.escrow_fen >= 0

    @invariant()
    def the_asset_knows_its_licences(self) -> None:
        if not self.deals:
            return
        asset = self.world.state(Asset, self.deals[0].product.asset)
        licences = [self.world.state(Licence, deal.licence) for deal in self.deals]
        held = [licence for licence in licences if licence.status in RESERVING]
        exclusive = [one.id for one in held if one.agreed_offer.terms.exclusive]
        assert asset.licences_active == len(held)
        assert exclusive == ([asset.exclusive_licence] if asset.exclusive_licence else [])
        assert not exclusive or len(held) == 1


TestMarket = Market.TestCase
TestMarket.settings = settings(
    max_examples=60,
    stateful_step_count=50,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
