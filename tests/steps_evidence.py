"""A market that has traded: licences of two kinds, a title, a product with a history of prices."""

from dataclasses import dataclass

from dataexchange.client.signing import Actor
from dataexchange.rules import Role
from steps_accounts import fund
from steps_market import (
    Deal,
    another,
    finalised_licence,
    opened_deal,
    proposed_transfer,
    settled_licence,
    terms,
)
from steps_pipeline import Ready, ready_product
from steps_valuation import VALUE_FEN, issued_valuation
from world import World

TITLE_FEN = 500_00


@dataclass(frozen=True)
class Market:
    """Two licences of one listing, an exclusive one, a title that was sold; and who looks on.

    `valued` was listed, repriced, licensed without being paid yet, valued and agreed upon.
    """

    world: World
    first: Deal
    second: Deal
    exclusive: Deal
    sold: Ready
    taker: Actor
    valued: Ready
    appraiser: Actor
    stranger: Actor


def traded(world: World) -> Market:
    """Return the market after its deals; the first of them was closed three days before."""
    first = settled_licence(world)
    world.advance(days=3)
    second = settled_licence(world, finalised_licence(world, another(world, first)))
    chosen = terms(exclusive=True)
    asked = opened_deal(world, terms=chosen, forms=["api"])
    exclusive = settled_licence(world, finalised_licence(world, asked, terms=chosen, form="api"))
    sold, taker = ready_product(world), world.join(Role.PROVIDER)
    take_title(world, sold, taker, TITLE_FEN)
    onlookers = world.join(Role.APPRAISER), world.join(Role.BUYER)
    return Market(world, first, second, exclusive, sold, taker, priced(world), *onlookers)


def priced(world: World) -> Ready:
    """Return a product with a history of prices."""
    deal = opened_deal(world)
    price = {"model": "fixed", "fee_fen": 70_000}
    world.do(
        deal.provider,
        "listing.repriced@1",
        listing=deal.listing,
        asset=deal.product.asset,
        price=price,
        reason="降价",
    )
    finalised_licence(world, deal, charge={"kind": "lump_sum", "fee_fen": 70_000})
    valuation, _ = issued_valuation(world, deal.product)
    world.do(deal.provider, "valuation.agreed@1", valuation=valuation, figure_fen=VALUE_FEN)
    return deal.product


def take_title(world: World, product: Ready, taker: Actor, price_fen: int) -> None:
    """Sell the title of `product` to `taker`."""
    fund(world, taker, price_fen)
    transfer = proposed_transfer(world, product, taker, price_fen)
    world.do(
        taker,
        "title.transferred@1",
        transfer=transfer,
        asset=product.asset,
        holder=product.provider.party,
        proposal=world.head(transfer),
    )
