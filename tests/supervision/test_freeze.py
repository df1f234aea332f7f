"""Freeze orders: they stop every deal, one by one they are lifted."""

import pytest

from dataexchange.asset.title import Asset
from dataexchange.rules import Role
from steps_guarantee import terms
from steps_market import listing
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
