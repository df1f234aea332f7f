"""The whole exchange under arbitrary orders of business, held against its invariants.

A scenario is any sequence of the steps below; each may be refused, and then nothing may change.
"""

from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import hypothesis.strategies as st
from checked_world import CheckedWorld
from hypothesis import HealthCheck, settings
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, multiple, rule

import steps_guarantee
import steps_insurance
import steps_market
from dataexchange.errors import RefusedError
from dataexchange.rules import Role
from steps_accounts import fund
from steps_guarantee import Pledged, drawing, registration
from steps_insurance import Covered
from steps_market import Deal
from steps_pipeline import Ready, ready_product
from steps_valuation import VALUE_FEN

SEEN: Counter[str] = Counter()
AMOUNTS = st.sampled_from([1, VALUE_FEN // 10, VALUE_FEN // 4, VALUE_FEN * 4 // 10, VALUE_FEN])
NOTHING = multiple()


class Exchange(RuleBasedStateMachine):
    """Products, deals, pledges and sales, in any order."""

    products: Bundle[Any] = Bundle("products")
    deals: Bundle[Any] = Bundle("deals")
    pledges: Bundle[Any] = Bundle("pledges")
    covers: Bundle[Any] = Bundle("covers")

    def __init__(self) -> None:
        super().__init__()
        self.world = CheckedWorld()

    def attempt(self, step: Callable[[], Any]) -> Any:
        """Return what `step` gives, or nothing where a rule refuses it."""
        try:
            return step()
        except RefusedError:
            return NOTHING

    @rule(target=products, score=st.sampled_from(["0.9", "0.61", "0.3"]))
    def develop(self, score: str) -> Any:
        return self.attempt(lambda: ready_product(self.world, score=score))

    @rule(target=deals, product=products, exclusive=st.booleans())
    def negotiate(self, product: Ready, exclusive: bool) -> Any:
        terms = steps_market.terms(exclusive=exclusive)

        def deal() -> Deal:
            opened = steps_market.opened_deal(self.world, product, terms=terms)
            return steps_market.finalised_licence(self.world, opened, terms=terms)

        return self.attempt(deal)

    @rule(deal=deals)
    def settle(self, deal: Deal) -> None:
        self.attempt(lambda: steps_market.settled_licence(self.world, deal))

    @rule(deal=deals)
    def pay_twice(self, deal: Deal) -> None:
        self.attempt(
            lambda: self.world.do(deal.provider, "escrow.released@1", **steps_market.release(deal))
        )

    @rule(target=pledges, product=products, secured=AMOUNTS, at_once=st.booleans())
    def pledge(self, product: Ready, secured: int, at_once: bool) -> Any:
        sums = {"principal_fen": secured, "secured_fen": secured}
        pledged = self.attempt(lambda: steps_guarantee.signed_pledge(self.world, product, **sums))
        if at_once and pledged is not NOTHING:
            self.register(pledged)
        return pledged

    @rule(pledged=pledges)
    def register(self, pledged: Pledged) -> None:
        said = registration(pledged)
        self.attempt(lambda: self.world.do(pledged.registrar, "pledge.registered@1", **said))

    @rule(pledged=pledges, funded=st.booleans())
    def draw(self, pledged: Pledged, funded: bool) -> None:
        if funded:
            fund(self.world, pledged.lender, VALUE_FEN)
        said = drawing(pledged)
        self.attempt(lambda: self.world.do(pledged.lender, "pledge.drawn@1", **said))

    @rule(pledged=pledges, amount=AMOUNTS)
    def repay(self, pledged: Pledged, amount: int) -> None:
        said = {
            "pledge": pledged.pledge,
            "asset": pledged.product.asset,
            "lender": pledged.lender.party,
            "amount_fen": amount,
        }
        self.attempt(lambda: self.world.do(pledged.pledgor, "pledge.repaid@1", **said))

    @rule(pledged=pledges)
    def release(self, pledged: Pledged) -> None:
        said = {"pledge": pledged.pledge, "asset": pledged.product.asset}
        self.attempt(lambda: self.world.do(pledged.lender, "pledge.released@1", **said))

    @rule(product=products)
    def sell(self, product: Ready) -> None:
        def sale() -> None:
            purchaser = self.world.join(Role.PROVIDER)
            transfer = steps_market.proposed_transfer(self.world, product, purchaser)
            self.world.do(
                purchaser,
                "title.transferred@1",
                transfer=transfer,
                asset=product.asset,
                holder=product.provider.party,
                proposal=self.world.head(transfer),
            )

        self.attempt(sale)

    @rule(target=covers, product=products)
    def insure(self, product: Ready) -> Any:
        return self.attempt(lambda: steps_insurance.asset_loss_cover(self.world, product))

    @rule(covered=covers, amount=AMOUNTS)
    def claim(self, covered: Covered, amount: int) -> None:
        self.attempt(lambda: steps_insurance.paid_claim(self.world, covered, amount))

    @rule(count=st.integers(1, 3))
    def guarantee(self, count: int) -> None:
        for _ in range(count):
            self.attempt(lambda: steps_guarantee.guarantee_in_force(self.world))

    @initialize(target=products)
    def begin(self) -> Any:
        return self.attempt(lambda: ready_product(self.world))

    @rule(product=products, lift=st.booleans())
    def freeze(self, product: Ready, lift: bool) -> None:
        order = {"asset": product.asset, "order_number": "JG-1", "reason": "核查"}
        event = "asset.unfrozen@1" if lift else "asset.frozen@1"
        with suppress(RefusedError):
            self.world.do(self.world.regulator, event, **order)

    @rule(days=st.sampled_from([1, 10, 200, 400]))
    def wait(self, days: int) -> None:
        self.world.advance(days=days)

    def teardown(self) -> None:
        self.world.check_replay()
        SEEN.update(self.world.seen)


Exchange.TestCase.settings = settings(
    max_examples=25,
    stateful_step_count=20,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
TestExchange = Exchange.TestCase


def test_the_scenarios_reach_far_enough() -> None:
    """Runs after the machine: what it never reached, it never checked."""
    for name in ("listing.published@1", "pledge.registered@1", "licence.finalised@1"):
        assert SEEN[name], sorted(SEEN)
    assert any(name.startswith("✗") for name in SEEN)
