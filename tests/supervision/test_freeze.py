"""Freeze orders: they stop every deal, one by one they are lifted."""

import pytest

from dataexchange.asset.title import Asset
from dataexchange.rules import Role
from steps_accounts import fund
from steps_guarantee import PRINCIPAL_FEN, drawing, registration, signed_pledge, terms
from steps_market import (
    agreement,
    listing,
    opened_deal,
    proposed_transfer,
    request,
    requested_licence,
)
from steps_pipeline import Ready, ready_product
from world import World


@pytest.fixture
def world() -> World:
    return World()


def order(product: Ready, number: str = "JG-2026-1") -> dict[str, str]:
    return {"asset": product.asset, "order_number": number, "reason": "核查数据来源"}


def test_a_frozen_asset_is_neither_listed_nor_pledged(world: World) -> None:
    product = ready_product(world)
    world.do(world.regulator, "asset.frozen@1", **order(product))
    said = listing(world, product)
    world.refuses("asset.frozen", product.provider, "listing.published@1", **said)
    pledge = terms(product, world.join(Role.LENDER))
    world.refuses("asset.frozen", product.provider, "pledge.drafted@1", **pledge)


def test_no_licence_of_a_frozen_asset_is_asked_for_until_it_is_lifted(world: World) -> None:
    deal = opened_deal(world)
    world.do(world.regulator, "asset.frozen@1", **order(deal.product))
    world.refuses("asset.frozen", deal.buyer, "licence.requested@1", **request(deal))
    world.do(world.regulator, "asset.unfrozen@1", **order(deal.product))
    world.do(deal.buyer, "licence.requested@1", **request(deal))


def test_a_freeze_stops_a_licence_that_was_asked_for_before(world: World) -> None:
    deal = requested_licence(world)
    world.do(world.regulator, "asset.frozen@1", **order(deal.product))
    said = agreement(world, deal)
    world.refuses("asset.frozen", deal.provider, "licence.agreed@1", **said)
    world.do(world.regulator, "asset.unfrozen@1", **order(deal.product))
    world.do(deal.provider, "licence.agreed@1", **said)


def test_a_freeze_stops_a_transfer_that_was_proposed_before(world: World) -> None:
    product, heir = ready_product(world), world.join(Role.PROVIDER)
    transfer = proposed_transfer(world, product, heir)
    taking = {
        "transfer": transfer,
        "asset": product.asset,
        "holder": product.provider.party,
        "proposal": world.head(transfer),
    }
    world.do(world.regulator, "asset.frozen@1", **order(product))
    world.refuses("asset.frozen", heir, "title.transferred@1", **taking)
    world.do(world.regulator, "asset.unfrozen@1", **order(product))
    world.do(heir, "title.transferred@1", **taking)
    assert world.state(Asset, product.asset).holder == heir.party


def test_a_freeze_stops_a_pledge_that_was_signed_before_at_every_step(world: World) -> None:
    pledged = signed_pledge(world)
    fund(world, pledged.lender, PRINCIPAL_FEN)
    steps = (
        (pledged.registrar, "pledge.registered@1", registration(pledged)),
        (pledged.lender, "pledge.drawn@1", drawing(pledged)),
    )
    for actor, act, said in steps:
        world.do(world.regulator, "asset.frozen@1", **order(pledged.product))
        world.refuses("asset.frozen", actor, act, **said)
        world.do(world.regulator, "asset.unfrozen@1", **order(pledged.product))
        world.do(actor, act, **said)


def test_every_order_has_to_be_lifted(world: World) -> None:
    product = ready_product(world)
    for number in ("JG-1", "JG-2"):
        world.do(world.regulator, "asset.frozen@1", **order(product, number))
    world.do(world.regulator, "asset.unfrozen@1", **order(product, "JG-1"))
    assert world.state(Asset, product.asset).freezes == ("JG-2",)
    world.do(world.regulator, "asset.unfrozen@1", **order(product, "JG-2"))
    world.do(product.provider, "listing.published@1", **listing(world, product))


def test_only_a_regulator_freezes_and_only_what_is_frozen_is_lifted(world: World) -> None:
    product = ready_product(world)
    world.refuses("role.missing", world.operator, "asset.frozen@1", **order(product))
    event = "asset.unfrozen@1"
    world.refuses("asset.not_frozen_by", world.regulator, event, **order(product))
    world.do(world.regulator, "asset.frozen@1", **order(product))
    again = order(product)
    world.refuses("asset.frozen_by_already", world.regulator, "asset.frozen@1", **again)
