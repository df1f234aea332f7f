"""The gates between the stages."""

import steps_pipeline
from dataexchange.asset.title import Asset
from dataexchange.asset.version import Version, version_key
from dataexchange.pipeline.gate import is_stale, require_listable
from dataexchange.rules import View
from world import World


def view_of(world: World) -> View:
    return View(world.tail.held)


def test_a_ready_product_passes_every_gate_up_to_listing() -> None:
    world = World()
    ready = steps_pipeline.ready_product(world)
    product, source = world.state(Asset, ready.asset), world.state(Asset, ready.source)
    version = world.state(Version, version_key(ready.asset, ready.version))
    require_listable(view_of(world), product, version, [source])
    assert not is_stale(product, [source])
    assert sorted(product.rights) == ["holding", "operating", "processing"]
