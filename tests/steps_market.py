"""Steps of a deal, for the tests of the market and of every room above it.

    deal = steps_market.finalised_licence(world)
    deal.licence, deal.product.asset, deal.provider, deal.buyer

Every stage builds on the one before: `listed` → `requested_licence` → `agreed_licence` (money
locked) → `finalised_licence` → `completed_delivery` → `accepted_licence` → `settled_licence`.
"""

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from dataexchange.asset.version import Version, version_key
from dataexchange.client.signing import Actor
from dataexchange.client.typeid import new_id
from dataexchange.ledger.statement import format_time
from dataexchange.market.licence import Licence
from dataexchange.rules import Role
from steps_accounts import fund
from steps_pipeline import Ready, ready_product
from world import World

FEE_FEN = 100_000
FIXED = {"model": "fixed", "fee_fen": FEE_FEN}
LUMP = {"kind": "lump_sum", "fee_fen": FEE_FEN}


@dataclass(frozen=True)
class Deal:
    """One licence of one listing, its parties, and its delivery once there is one."""

    product: Ready
    listing: str
    provider: Actor
    buyer: Actor
    licence: str
    delivery: str = ""


def terms(**changes: Any) -> dict[str, Any]:
    """Return terms of one year in China, deletion after 30 days."""
    return {"term_days": 365, "territory": ["CN"], "deletion_days": 30, **changes}


def listing(world: World, product: Ready, **changes: Any) -> dict[str, Any]:
    """Return the payload of a listing of `product`, at a fixed price, valid for 90 days."""
    return {
        "listing": new_id("listing"),
        "asset": product.asset,
        "version": product.version,
        "sources": [product.source],
        "price": FIXED,
        "terms": terms(),
        "forms": ["file"],
        "valid_until": format_time(world.now + timedelta(days=90)),
        **changes,
    }


def listed(world: World, product: Ready | None = None, **changes: Any) -> tuple[Ready, str]:
    """List a product that is ready; return it and the listing."""
    ready = product or ready_product(world)
    payload = listing(world, ready, **changes)
    world.do(ready.provider, "listing.published@1", **payload)
    return ready, payload["listing"]


def funded_buyer(world: World, amount_fen: int = 10 * FEE_FEN) -> Actor:
    """Return a buyer with money in its account."""
    buyer = world.join(Role.BUYER)
    fund(world, buyer, amount_fen)
    return buyer


def offer(**changes: Any) -> dict[str, Any]:
    """Return the offer that accepts a `listing` of the defaults as it stands."""
    return {"version": 1, "form": "file", "charge": LUMP, "terms": terms(), **changes}


def request(deal: Deal, **changes: Any) -> dict[str, Any]:
    """Return the payload of a request; `changes` are to its offer."""
    return {
        "licence": deal.licence,
        "listing": deal.listing,
        "asset": deal.product.asset,
        "offer": offer(**changes),
    }


def welfare_scenario(world: World, owner: Actor) -> str:
    """Register a scenario of public interest."""
    scenario = new_id("scenario")
    world.do(
        owner,
        "scenario.registered@1",
        scenario=scenario,
        title={"zh": "公交线网规划", "en": "Planning bus lines"},
        description="规划公交线网。",
        sector="G54",
        purposes=["planning"],
        beneficiaries="市民",
        public_interest=True,
    )
    return scenario


def opened_deal(
    world: World, product: Ready | None = None, buyer: Actor | None = None, **listing: Any
) -> Deal:
    """Return a deal that nobody has asked for yet, its listing published."""
    ready, key = listed(world, product, **listing)
    return Deal(ready, key, ready.provider, buyer or funded_buyer(world), new_id("licence"))


def another(world: World, deal: Deal, buyer: Actor | None = None) -> Deal:
    """Return a deal from the same listing with another buyer."""
    return replace(deal, buyer=buyer or funded_buyer(world), licence=new_id("licence"), delivery="")


def requested_licence(world: World, deal: Deal | None = None, **changes: Any) -> Deal:
    """Return a deal whose licence is requested."""
    asked = deal or opened_deal(world)
    world.do(asked.buyer, "licence.requested@1", **request(asked, **changes))
    return asked


def answer(world: World, deal: Deal, proposal: str | None = None) -> dict[str, Any]:
    """Return the payload of a step that answers the offer on the table."""
    held = world.state(Licence, deal.licence)
    return {
        "licence": deal.licence,
        "asset": deal.product.asset,
        "proposal": proposal or held.proposal or world.head(deal.licence),
    }


def agreement(world: World, deal: Deal, **changes: Any) -> dict[str, Any]:
    """Return the payload of the provider's agreement."""
    held = world.state(Licence, deal.licence)
    return {
        **answer(world, deal),
        "buyer": deal.buyer.party,
        "version": held.agreed_offer.version,
        "sources": [deal.product.source],
        **changes,
    }


def agree(world: World, deal: Deal) -> None:
    """Have the provider agree to what is on the table."""
    world.do(deal.provider, "licence.agreed@1", **agreement(world, deal))


def lock(world: World, deal: Deal) -> None:
    """Have the buyer lock what the agreement asks for."""
    needed_fen = world.state(Licence, deal.licence).due_at_agreement_fen
    if needed_fen:
        world.do(deal.buyer, "escrow.locked@1", licence=deal.licence, amount_fen=needed_fen)


def agreed_licence(world: World, deal: Deal | None = None, **changes: Any) -> Deal:
    """Return a deal whose licence is agreed, the money locked."""
    asked = requested_licence(world, deal, **changes)
    agree(world, asked)
    lock(world, asked)
    return asked


def finalised_licence(world: World, deal: Deal | None = None, **changes: Any) -> Deal:
    """Return a deal whose licence is in force."""
    agreed = agreed_licence(world, deal, **changes)
    world.do(agreed.buyer, "licence.verified@1", **answer(world, agreed))
    world.do(agreed.provider, "licence.finalised@1", **answer(world, agreed))
    return agreed


def content_root(world: World, deal: Deal) -> str:
    """Return the content root of the licensed version."""
    number = world.state(Licence, deal.licence).agreed_offer.version
    return world.state(Version, version_key(deal.product.asset, number)).content_root


def step(deal: Deal, **more: Any) -> dict[str, Any]:
    """Return the payload of a step of the delivery."""
    return {
        "delivery": deal.delivery,
        "licence": deal.licence,
        "asset": deal.product.asset,
        **more,
    }


def started_delivery(world: World, deal: Deal | None = None) -> Deal:
    """Return a deal whose delivery was requested and started."""
    running = replace(deal or finalised_licence(world), delivery=new_id("delivery"))
    world.do(running.buyer, "delivery.requested@1", **step(running))
    world.do(running.provider, "delivery.started@1", **step(running))
    return running


def completed_delivery(world: World, deal: Deal | None = None) -> Deal:
    """Return a deal whose delivery is complete and waits for its acceptance."""
    started = started_delivery(world, deal)
    number = world.state(Licence, started.licence).agreed_offer.version
    root = content_root(world, started)
    world.do(
        started.provider,
        "delivery.completed@1",
        **step(started, version=number, content_root=root),
    )
    return started


def accepted_licence(world: World, deal: Deal | None = None) -> Deal:
    """Return a deal in force whose delivery the buyer accepted; its money is due."""
    completed = completed_delivery(world, deal)
    root = content_root(world, completed)
    world.do(completed.buyer, "delivery.accepted@1", **step(completed, content_root=root))
    return completed


def release(deal: Deal, **changes: Any) -> dict[str, Any]:
    """Return the payload of a release of the deal's escrow."""
    return {
        "licence": deal.licence,
        "asset": deal.product.asset,
        "provider": deal.provider.party,
        "sources": [{"asset": deal.product.source, "holder": deal.product.source_provider.party}],
        **changes,
    }


def refund(deal: Deal, **changes: Any) -> dict[str, Any]:
    """Return the payload of a refund of the deal's escrow."""
    return {
        "licence": deal.licence,
        "asset": deal.product.asset,
        "buyer": deal.buyer.party,
        **changes,
    }


def settled_licence(world: World, deal: Deal | None = None) -> Deal:
    """Return a deal in force whose money was paid out."""
    accepted = accepted_licence(world, deal)
    world.do(accepted.provider, "escrow.released@1", **release(accepted))
    return accepted


def ended(deal: Deal, reason: str = "事由") -> dict[str, Any]:
    """Return the payload of a step that names a licence, its asset and a reason."""
    return {"licence": deal.licence, "asset": deal.product.asset, "reason": reason}


def proposed_transfer(
    world: World, product: Ready, to: Actor, price_fen: int = 0, **changes: Any
) -> str:
    """Have the product's holder propose a transfer of title; return it."""
    transfer = new_id("transfer")
    world.do(
        product.provider,
        "title.transfer_proposed@1",
        transfer=transfer,
        asset=product.asset,
        to=to.party,
        price_fen=price_fen,
        valid_until=format_time(world.now + timedelta(days=30)),
        **changes,
    )
    return transfer
