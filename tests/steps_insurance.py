"""Steps to policies and claims, for tests of the insurance room and those above it."""

from dataclasses import dataclass
from typing import Any

from dataexchange.client.signing import Actor
from dataexchange.client.typeid import new_id
from dataexchange.ledger.statement import format_time
from dataexchange.rules import Role
from steps_accounts import fund
from steps_guarantee import PRINCIPAL_FEN, Pledged, active_pledge, second_key
from steps_pipeline import Ready, digest, ready_product
from steps_valuation import VALUE_FEN, issued_valuation
from world import World

SUM_FEN = VALUE_FEN * 6 // 10
PREMIUM_FEN = 730_000
DEDUCTIBLE_FEN = 100_000


@dataclass(frozen=True)
class Insurer:
    """An insurer with two officers: the first quotes and assesses, the second signs and pays."""

    first: Actor
    second: Actor

    @property
    def party(self) -> str:
        """The insurer's party id."""
        return self.first.party


@dataclass(frozen=True)
class Covered:
    """A policy and everyone who has to do with it."""

    cover: str
    product: Ready
    insurer: Insurer
    policyholder: Actor
    pledge: str | None = None

    @property
    def inception(self) -> dict[str, Any]:
        """The policyholder's inception."""
        return {
            "cover": self.cover,
            "insurer": self.insurer.party,
            "asset": self.product.asset,
            "pledge": self.pledge,
        }

    @property
    def cancellation(self) -> dict[str, Any]:
        """The policyholder's cancellation."""
        return {
            "cover": self.cover,
            "insurer": self.insurer.party,
            "asset": self.product.asset,
            "reason": "不再需要",
        }


@dataclass(frozen=True)
class Claimed:
    """A claim under a policy."""

    claim: str
    covered: Covered

    @property
    def named(self) -> dict[str, Any]:
        """The claim and its policy."""
        return {"claim": self.claim, "cover": self.covered.cover}

    @property
    def payment(self) -> dict[str, Any]:
        """The insurer's payment."""
        return {
            **self.named,
            "claimant": self.covered.policyholder.party,
            "pledge": self.covered.pledge,
        }

    def assessment(self, loss_fen: int, **changes: Any) -> dict[str, Any]:
        """Return the insurer's assessment of a loss of `loss_fen`."""
        return {
            **self.payment,
            "asset": self.covered.product.asset,
            "loss_fen": loss_fen,
            "report_sha256": digest("adjuster's report"),
            **changes,
        }


def insurer(world: World) -> Insurer:
    """Return an insurer with money and two officers."""
    first = world.join(Role.INSURER)
    fund(world, first, VALUE_FEN * 5)
    return Insurer(first, second_key(world, first))


def quotation(
    product: Ready, policyholder: Actor, *, kind: str = "security", **changes: Any
) -> dict[str, Any]:
    """Return a quote for the security of `product`: 60 % of its value, a deductible of 1,000 元."""
    return {
        "cover": new_id("cover"),
        "asset": product.asset,
        "policyholder": policyholder.party,
        "product": kind,
        "sum_insured_fen": SUM_FEN,
        "insured_value_fen": VALUE_FEN,
        "deductible_fen": DEDUCTIBLE_FEN,
        "premium_fen": PREMIUM_FEN,
        "period_days": 365,
        "terms_sha256": digest("wording"),
        **changes,
    }


def accepted_cover(
    world: World,
    product: Ready | None = None,
    *,
    house: Insurer | None = None,
    policyholder: Actor | None = None,
    **changes: Any,
) -> Covered:
    """Return a policy that the underwriter has accepted; the policyholder can pay for it."""
    product, house = product or ready_product(world), house or insurer(world)
    holder = policyholder or product.provider
    quote = quotation(product, holder, **changes)
    world.do(house.first, "cover.quoted@1", **quote)
    cover = quote["cover"]
    for actor, act in ((holder, "applied"), (house.second, "accepted")):
        world.do(actor, f"cover.{act}@1", cover=cover, proposal=world.head(cover))
    fund(world, holder, quote["premium_fen"])
    return Covered(cover, product, house, holder, quote.get("pledge"))


def cover_in_force(world: World, product: Ready | None = None, **changes: Any) -> Covered:
    """Return a policy in force; `product` is the asset, `changes` the quote's."""
    covered = accepted_cover(world, product, **changes)
    world.do(covered.policyholder, "cover.incepted@1", **covered.inception)
    return covered


def asset_loss_cover(world: World, product: Ready | None = None, **changes: Any) -> Covered:
    """Return a policy against the loss of an asset, on an issued valuation."""
    product = product or ready_product(world)
    valuation, _ = issued_valuation(world, product)
    return cover_in_force(world, product, kind="asset_loss", valuation=valuation, **changes)


def outage_cover(world: World, **changes: Any) -> Covered:
    """Return a parametric policy: from 12 hours of outage, in full at 48."""
    trigger = {"attach": "12", "exit": "48"}
    return cover_in_force(world, kind="outage", trigger=trigger, deductible_fen=0, **changes)


def loan_cover(world: World, pledged: Pledged | None = None, **changes: Any) -> Covered:
    """Return loan insurance in favour of the lender of an active pledge."""
    pledged = pledged or active_pledge(world)
    sums = {"sum_insured_fen": PRINCIPAL_FEN, "insured_value_fen": PRINCIPAL_FEN}
    terms = {"deductible_fen": 0, "period_days": 400, "pledge": pledged.pledge}
    return cover_in_force(
        world,
        pledged.product,
        policyholder=pledged.lender,
        kind="loan",
        **{**sums, **terms, **changes},
    )


def notice(world: World, covered: Covered, claimed_fen: int, **changes: Any) -> dict[str, Any]:
    """Return the notice of a loss that happened now."""
    claim = new_id("claim")
    return {
        "claim": claim,
        "cover": covered.cover,
        "asset": covered.product.asset,
        "occurred_at": format_time(world.now),
        "claimed_fen": claimed_fen,
        "loss_reference": digest(f"incident {claim}"),
        "pledge": covered.pledge,
        **changes,
    }


def documented_claim(
    world: World, covered: Covered, claimed_fen: int = VALUE_FEN // 2, **changes: Any
) -> Claimed:
    """Return a claim whose proofs are in."""
    said = notice(world, covered, claimed_fen, **changes)
    world.do(covered.policyholder, "claim.notified@1", **said)
    proofs = {"claim": said["claim"], "evidence_sha256": digest("proofs")}
    world.do(covered.policyholder, "claim.documented@1", **proofs)
    return Claimed(said["claim"], covered)


def reserved_claim(
    world: World, covered: Covered, claimed_fen: int = VALUE_FEN // 2, **changes: Any
) -> Claimed:
    """Return a claim that the insurer has reserved for."""
    reserve_fen = changes.pop("reserve_fen", VALUE_FEN * 2)
    claimed = documented_claim(world, covered, claimed_fen, **changes)
    said = {"claim": claimed.claim, "reserve_fen": reserve_fen}
    world.do(covered.insurer.first, "claim.reserved@1", **said)
    return claimed


def assessed_claim(
    world: World, covered: Covered, loss_fen: int = VALUE_FEN // 2, **changes: Any
) -> Claimed:
    """Return a claim whose loss is assessed; `changes` are the assessment's."""
    claimed = reserved_claim(world, covered, loss_fen)
    said = claimed.assessment(loss_fen, **changes)
    world.do(covered.insurer.first, "claim.assessed@1", **said)
    return claimed


def agree_and_pay(world: World, claimed: Claimed) -> None:
    """Have the claimant agree and the insurer's second officer pay."""
    said = {"claim": claimed.claim, "proposal": world.head(claimed.claim)}
    world.do(claimed.covered.policyholder, "claim.agreed@1", **said)
    world.do(claimed.covered.insurer.second, "claim.paid@1", **claimed.payment)


def paid_claim(
    world: World, covered: Covered | None = None, loss_fen: int = VALUE_FEN // 2, **changes: Any
) -> Claimed:
    """Return a claim that is paid."""
    claimed = assessed_claim(world, covered or cover_in_force(world), loss_fen, **changes)
    agree_and_pay(world, claimed)
    return claimed
