"""The gates between the stages."""

from dataclasses import dataclass

import pytest

import steps_pipeline as steps
from dataexchange.asset.title import Asset, frozen
from dataexchange.asset.version import Version, version_key
from dataexchange.errors import RefusedError
from dataexchange.pipeline.gate import is_stale, require_listable
from dataexchange.rules import View
from world import World


@dataclass
class Listing:
    """What a listing looks at."""

    view: View
    product: Asset
    version: Version
    sources: list[Asset]

    def check(self) -> None:
        require_listable(self.view, self.product, self.version, self.sources)

    def refuses(self, code: str) -> None:
        with pytest.raises(RefusedError) as caught:
            self.check()
        assert caught.value.code == code
        assert "{" not in caught.value.zh + caught.value.en


def listing(world: World, ready: steps.Ready) -> Listing:
    return Listing(
        View(world.tail.held),
        world.state(Asset, ready.asset),
        world.state(Version, version_key(ready.asset, ready.version)),
        [world.state(Asset, ready.source)],
    )


def test_a_ready_product_passes_every_gate_up_to_listing() -> None:
    world = World()
    ready = steps.ready_product(world)
    held = listing(world, ready)
    held.check()
    assert not is_stale(held.product, held.sources)
    assert sorted(held.product.rights) == ["holding", "operating", "processing"]


def test_a_source_left_out_is_noticed() -> None:
    world = World()
    held = listing(world, steps.ready_product(world, registered=False))
    held.sources = []
    held.refuses("event.mismatch")


def test_a_product_of_a_frozen_source_is_not_listed() -> None:
    world = World()
    held = listing(world, steps.ready_product(world, registered=False))
    held.sources = [frozen(source, "order") for source in held.sources]
    held.refuses("asset.frozen")


def test_a_product_of_a_retired_source_is_still_listed() -> None:
    world = World()
    ready = steps.ready_product(world, registered=False)
    world.do(ready.source_provider, "resource.retired@1", asset=ready.source, reason="停止采集")
    listing(world, ready).check()


@pytest.mark.parametrize(
    ("code", "changes"),
    [
        ("asset.frozen", {"freezes": ("order",)}),
        ("asset.retired", {"status": "retired"}),
        ("asset.under_objection", {"objections_open": 1}),
        ("asset.incident_open", {"incidents": ("incident",)}),
        ("gate.core_data", {"grade": "core"}),
        ("gate.controls_missing", {"grade": "important"}),
        ("gate.not_classified", {"grade": None}),
        ("gate.not_classified", {"classified_fields": "0" * 64}),
        ("gate.personal_data", {"personal_data": True}),
        ("gate.not_for_delivery", {"opening": "refused"}),
    ],
)
def test_an_asset_that_stands_in_its_own_way_is_not_listed(
    code: str, changes: dict[str, object]
) -> None:
    world = World()
    held = listing(world, steps.ready_product(world, registered=False))
    held.product = held.product.but(**changes)
    held.refuses(code)


@pytest.mark.parametrize(
    ("code", "changes"),
    [
        ("gate.not_assessed", {"quality_score": None}),
        ("gate.score_too_low", {"quality_score": "0.599999"}),
        ("gate.not_compliant", {"compliance": None}),
        ("gate.not_compliant", {"compliance": "failed"}),
        ("event.mismatch", {"asset": "asset_other"}),
    ],
)
def test_a_version_that_did_not_pass_governance_is_not_listed(
    code: str, changes: dict[str, object]
) -> None:
    world = World()
    held = listing(world, steps.ready_product(world, registered=False))
    held.version = held.version.but(**changes)
    held.refuses(code)


@pytest.mark.parametrize(
    ("code", "changes"),
    [
        ("asset.incident_open", {"incidents": ("incident",)}),
        ("asset.under_objection", {"objections_open": 1}),
        ("gate.core_data", {"grade": "core"}),
    ],
)
def test_a_product_is_not_listed_while_a_source_stands_in_its_way(
    code: str, changes: dict[str, object]
) -> None:
    world = World()
    held = listing(world, steps.ready_product(world, registered=False))
    held.sources = [source.but(**changes) for source in held.sources]
    held.refuses(code)
