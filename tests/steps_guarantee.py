"""Steps to pledges, for tests of the guarantee room and those above it."""

from dataclasses import dataclass
from typing import Any

from dataexchange.client.signing import Actor
from dataexchange.client.typeid import new_id
from dataexchange.rules import Role
from steps_accounts import fund
from steps_pipeline import Ready, Resource, ready_product, staff
from steps_valuation import VALUE_FEN, issued_valuation
from world import World

PRINCIPAL_FEN = VALUE_FEN * 4 // 10


@dataclass(frozen=True)
class Pledged:
    """A pledge and everyone who has to do with it."""

    pledge: str
    product: Ready
    valuation: str
    appraiser: Actor
    lender: Actor
    registrar: Actor

    @property
    def pledgor(self) -> Actor:
        """The holder of the asset."""
        return self.product.provider


def terms(product: Ready | Resource, lender: Actor, **changes: Any) -> dict[str, Any]:
    """Return the terms of a new pledge of `product`."""
    return {
        "pledge": new_id("pledge"),
        "asset": product.asset,
        "version": product.version,
        "lender": lender.party,
        "right": "operating",
        "principal_fen": PRINCIPAL_FEN,
        "secured_fen": PRINCIPAL_FEN,
        "interest_ratio": "0.0435",
        "term_days": 365,
        "loan_to_value_max": "0.5",
        **changes,
    }


def valued_pledge(world: World, product: Ready | None = None, **changes: Any) -> Pledged:
    """Return a pledge that an appraiser has valued."""
    product = product or ready_product(world)
    valuation, appraiser = issued_valuation(world, product)
    lender = world.join(Role.LENDER)
    said = terms(product, lender, **changes)
    world.do(product.provider, "pledge.drafted@1", **said)
    world.do(
        appraiser,
        "pledge.valued@1",
        pledge=said["pledge"],
        asset=product.asset,
        valuation=valuation,
    )
    registrar = staff(world, Role.REGISTRAR)
    return Pledged(said["pledge"], product, valuation, appraiser, lender, registrar)


def signed_pledge(world: World, product: Ready | None = None, **changes: Any) -> Pledged:
    """Return a pledge that both sides have signed."""
    pledged = valued_pledge(world, product, **changes)
    proposal = world.head(pledged.pledge)
    for party in (pledged.pledgor, pledged.lender):
        world.do(party, "pledge.signed@1", pledge=pledged.pledge, proposal=proposal)
    return pledged


def registration(pledged: Pledged) -> dict[str, Any]:
    """Return the registrar's entry."""
    return {
        "pledge": pledged.pledge,
        "asset": pledged.product.asset,
        "valuation": pledged.valuation,
        "receipt": "ZD-2026-0001",
    }


def drawing(pledged: Pledged) -> dict[str, Any]:
    """Return the lender's draw."""
    return {
        "pledge": pledged.pledge,
        "asset": pledged.product.asset,
        "valuation": pledged.valuation,
        "pledgor": pledged.pledgor.party,
    }


def registered_pledge(world: World, product: Ready | None = None, **changes: Any) -> Pledged:
    """Return a pledge in the register."""
    pledged = signed_pledge(world, product, **changes)
    world.do(pledged.registrar, "pledge.registered@1", **registration(pledged))
    return pledged


def active_pledge(world: World, product: Ready | None = None, **changes: Any) -> Pledged:
    """Return a pledge whose loan is paid out."""
    pledged = registered_pledge(world, product, **changes)
    fund(world, pledged.lender, PRINCIPAL_FEN * 2)
    world.do(pledged.lender, "pledge.drawn@1", **drawing(pledged))
    return pledged


def revalue(world: World, pledged: Pledged, value_fen: int) -> None:
    """Put a new valuation at `value_fen` under a live pledge."""
    valuation, appraiser = issued_valuation(world, pledged.product, value_fen)
    world.do(appraiser, "pledge.revalued@1", pledge=pledged.pledge, valuation=valuation)
