"""Resources enter the catalogue, get versions of content, and retire."""

from typing import Any

import pytest

import steps_pipeline as steps
from dataexchange.asset.title import Asset, Lien
from dataexchange.asset.version import Version, version_key
from dataexchange.client.typeid import new_id
from dataexchange.identity.party import PartyKind
from dataexchange.pipeline.elements import CatalogueEntry, catalogue_key
from dataexchange.rules import Held, Role
from world import World


def entered(**changes: Any) -> dict[str, Any]:
    return {
        "asset": new_id("asset"),
        "level": "government",
        "elements": steps.elements(),
        "sharing": "unconditional",
        **changes,
    }


def test_a_provider_registers_a_resource_that_it_then_holds() -> None:
    world = World()
    provider = steps.government(world)
    payload = entered(library="thematic")
    world.do(provider, "resource.registered@1", **payload)
    asset = world.state(Asset, payload["asset"])
    assert (asset.holder, asset.form, asset.latest_version) == (provider.party, "resource", 0)
    entry = world.state(CatalogueEntry, catalogue_key(asset.id))
    assert (entry.fields, entry.library, entry.title) == (3, "thematic", "路段车速数据")


def test_an_asset_id_is_used_once() -> None:
    world = World()
    resource = steps.registered_resource(world)
    payload = entered(asset=resource.asset)
    world.refuses("aggregate.exists", resource.provider, "resource.registered@1", **payload)


@pytest.mark.parametrize(
    ("kind", "level"),
    [
        (PartyKind.GOVERNMENT, "enterprise"),
        (PartyKind.PUBLIC_INSTITUTION, "government"),
        (PartyKind.PRIVATE, "government"),
        (PartyKind.STATE_OWNED, "public_institution"),
    ],
)
def test_the_catalogue_level_fits_what_the_body_is(kind: PartyKind, level: str) -> None:
    world = World()
    provider = world.join(Role.PROVIDER, kind=kind)
    world.refuses("resource.level_unfit", provider, "resource.registered@1", **entered(level=level))


@pytest.mark.parametrize("changes", [{"sharing": None}, {"sharing": "conditional"}])
def test_public_data_state_how_they_are_shared_and_on_what_basis(changes: dict[str, Any]) -> None:
    world = World()
    provider = steps.government(world)
    payload = {name: value for name, value in entered(**changes).items() if value is not None}
    world.refuses("resource.sharing_unstated", provider, "resource.registered@1", **payload)


def test_conditional_sharing_with_its_basis_is_accepted() -> None:
    world = World()
    payload = entered(sharing="conditional", sharing_basis="统计法 art. 9")
    world.do(steps.government(world), "resource.registered@1", **payload)
    assert world.state(CatalogueEntry, catalogue_key(payload["asset"])).sharing == "conditional"


def test_a_field_is_listed_once() -> None:
    world = World()
    twice = steps.elements(fields=[("road", "string"), ("road", "number")])
    world.refuses(
        "field.twice",
        steps.government(world),
        "resource.registered@1",
        **entered(elements=twice),
    )


def test_only_a_provider_registers_resources() -> None:
    world = World()
    buyer = world.join(Role.BUYER)
    world.refuses("role.missing", buyer, "resource.registered@1", **entered())


def test_a_version_commits_to_its_files() -> None:
    world = World()
    resource = steps.registered_resource(world)
    content = steps.content(2, files=3)
    world.do(
        resource.provider,
        "resource.version_added@1",
        asset=resource.asset,
        number=2,
        content=content,
    )
    version = world.state(Version, version_key(resource.asset, 2))
    assert (version.content_root, version.files, version.rows) == (content["root"], 3, 9)
    assert world.state(Asset, resource.asset).latest_version == 2


def test_a_long_list_of_files_is_named_by_the_hash_of_its_manifest() -> None:
    world = World()
    resource = steps.registered_resource(world)
    content = {**steps.content(2), "manifest": steps.digest("manifest"), "file_count": 5_000}
    del content["files"]
    world.do(
        resource.provider,
        "resource.version_added@1",
        asset=resource.asset,
        number=2,
        content=content,
    )
    assert world.state(Version, version_key(resource.asset, 2)).files == 5_000


@pytest.mark.parametrize(
    ("code", "number", "changes"),
    [
        ("version.root_wrong", 2, {"root": "0" * 64}),
        ("version.totals_wrong", 2, {"rows": 4}),
        ("version.totals_wrong", 2, {"size_bytes": 1}),
        ("version.totals_wrong", 2, {"file_count": 2}),
        ("version.files_or_manifest", 2, {"manifest": "0" * 64}),
        ("version.files_or_manifest", 2, {"files": []}),
        ("version.not_next", 1, {}),
        ("version.not_next", 3, {}),
        ("version.schema_wrong", 2, {"fields": [{"name": "road", "type": "string"}]}),
    ],
)
def test_a_commitment_that_does_not_add_up_is_refused(
    code: str, number: int, changes: dict[str, Any]
) -> None:
    world = World()
    resource = steps.registered_resource(world)
    world.refuses(
        code,
        resource.provider,
        "resource.version_added@1",
        asset=resource.asset,
        number=number,
        content={**steps.content(2), **changes},
    )


def test_only_the_holder_adds_a_version() -> None:
    world = World()
    resource = steps.registered_resource(world)
    world.refuses(
        "asset.not_holder",
        steps.government(world),
        "resource.version_added@1",
        asset=resource.asset,
        number=2,
        content=steps.content(2),
    )


def test_a_product_gets_its_versions_by_its_own_event() -> None:
    world = World()
    product, _ = steps.developed_product(world)
    world.refuses(
        "asset.form_wrong",
        product.provider,
        "resource.version_added@1",
        asset=product.asset,
        number=2,
        content=steps.content(2),
    )


def test_revised_fields_are_graded_anew_before_a_new_version_is_governed() -> None:
    world = World()
    resource = steps.governed_resource(world)
    fields = [*steps.FIELDS, ("lane", "integer")]
    revised = {"asset": resource.asset, "elements": steps.elements(fields=fields)}
    world.do(resource.provider, "resource.revised@1", **revised, sharing="unconditional")
    world.do(
        resource.provider,
        "resource.version_added@1",
        asset=resource.asset,
        number=2,
        content=steps.content(2, fields),
    )
    steps.assess(world, resource.asset, 2)
    opened = {"asset": resource.asset, "version": 2, "opening": "unconditional"}
    world.refuses("gate.not_classified", resource.provider, "opening.published@1", **opened)
    graded = steps.grading(steps.Resource(resource.asset, 2, resource.provider, "government"),
                           fields=fields)  # fmt: skip
    world.do(resource.provider, "classification.assigned@1", **graded)
    world.do(resource.provider, "opening.published@1", **opened)
    assert world.state(CatalogueEntry, catalogue_key(resource.asset)).revision == 2


def test_only_the_holder_revises_the_entry_and_says_how_it_is_shared() -> None:
    world = World()
    resource = steps.registered_resource(world)
    payload = {"asset": resource.asset, "elements": steps.elements()}
    world.refuses(
        "asset.not_holder",
        steps.government(world),
        "resource.revised@1",
        **payload,
        sharing="unconditional",
    )
    world.refuses("resource.sharing_unstated", resource.provider, "resource.revised@1", **payload)


def test_a_retired_resource_takes_no_version() -> None:
    world = World()
    resource = steps.registered_resource(world)
    world.do(resource.provider, "resource.retired@1", asset=resource.asset, reason="停止采集")
    assert world.state(Asset, resource.asset).status == "retired"
    world.refuses(
        "aggregate.wrong_status",
        resource.provider,
        "resource.version_added@1",
        asset=resource.asset,
        number=2,
        content=steps.content(2),
    )
    world.refuses(
        "asset.retired",
        resource.provider,
        "resource.retired@1",
        asset=resource.asset,
        reason="停止采集",
    )


def test_only_the_holder_retires_a_resource() -> None:
    world = World()
    resource = steps.registered_resource(world)
    world.refuses(
        "asset.not_holder",
        steps.government(world),
        "resource.retired@1",
        asset=resource.asset,
        reason="停止采集",
    )


def test_a_version_has_the_fields_of_the_catalogue() -> None:
    world = World()
    resource = steps.registered_resource(world)
    world.refuses(
        "field.names_differ",
        resource.provider,
        "resource.version_added@1",
        asset=resource.asset,
        number=2,
        content=steps.content(2, fields=steps.FIELDS[:2]),
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"licences_active": 1},
        {"liens": (Lien(by="pledge_1", holder="party_1", secured_fen=1, registered_index=1),)},
    ],
)
def test_an_asset_that_others_rely_on_is_not_retired(changes: dict[str, Any]) -> None:
    world = World()
    resource = steps.registered_resource(world)
    held = world.tail.held[resource.asset]
    bound = world.state(Asset, resource.asset).but(**changes)
    world.tail.held[resource.asset] = Held(held.seq, held.head, bound)
    retired = {"asset": resource.asset, "reason": "停止采集"}
    world.refuses("resource.still_bound", resource.provider, "resource.retired@1", **retired)
