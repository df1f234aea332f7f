"""A product is made of sources that its developer may use, in parts that sum to one."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import steps_pipeline as steps
from dataexchange.asset.grant import ended, granted
from dataexchange.asset.title import Asset, frozen
from dataexchange.asset.version import Version, version_key
from dataexchange.client.typeid import new_id
from dataexchange.pipeline.elements import CatalogueEntry, catalogue_key
from dataexchange.pipeline.gate import is_stale
from dataexchange.rules import Held, Role, State
from world import World


def put(world: World, state: State) -> None:
    """Let the log hold a state that only an upper room makes."""
    held = world.tail.held.get(state.id)
    seq, head = (held.seq, held.head) if held else (1, "0" * 64)
    world.tail.held[state.id] = Held(seq, head, state)


def test_a_product_is_developed_of_open_resources() -> None:
    world = World()
    resources = [steps.opened_resource(world) for _ in range(3)]
    product, scenario = steps.developed_product(world, resources)
    asset = world.state(Asset, product.asset)
    assert (asset.form, asset.scenario, asset.latest_version) == ("product", scenario, 1)
    assert [source.weight for source in asset.sources] == ["0.34", "0.33", "0.33"]
    assert world.state(Version, version_key(product.asset, 1)).rows == 3
    entry = world.state(CatalogueEntry, catalogue_key(product.asset))
    assert entry.product_type == "dataset"


def attempt(world: World, developer: Any, sources: list[dict[str, Any]]) -> dict[str, Any]:
    return steps.development(sources, steps.open_scenario(world, developer))


@pytest.mark.parametrize("weights", [["0.5", "0.4"], ["0.6", "0.5"], ["1", "0"], ["0.3", "0.3"]])
def test_weights_sum_to_exactly_one_and_none_is_zero(weights: list[str]) -> None:
    world = World()
    developer = world.join(Role.PROVIDER)
    resources = [steps.opened_resource(world) for _ in weights]
    named = [steps.source(one, weight) for one, weight in zip(resources, weights, strict=True)]
    payload = attempt(world, developer, named)
    world.refuses("product.weights_wrong", developer, "product.developed@1", **payload)


@settings(max_examples=20, deadline=None)
@given(st.integers(2, 10**18 - 2), st.sampled_from([-1, 0, 1]))
def test_weights_are_compared_exactly(part: int, excess: int) -> None:
    world = World()
    developer = world.join(Role.PROVIDER)
    weights = [f"0.{parts:018d}" for parts in (part, 10**18 - part + excess)]
    named = [steps.source(steps.opened_resource(world), weight) for weight in weights]
    payload = attempt(world, developer, named)
    if excess:
        world.refuses("product.weights_wrong", developer, "product.developed@1", **payload)
    else:
        world.do(developer, "product.developed@1", **payload)


def test_a_source_is_named_once() -> None:
    world = World()
    developer, resource = world.join(Role.PROVIDER), steps.opened_resource(world)
    payload = attempt(world, developer, [steps.source(resource, "0.5")] * 2)
    world.refuses("product.source_twice", developer, "product.developed@1", **payload)


def test_a_holder_makes_products_of_its_own_data() -> None:
    world = World()
    holder = world.join(Role.PROVIDER)
    resource = steps.governed_resource(world, holder, level="enterprise")
    product, _ = steps.developed_product(world, [resource], holder)
    assert world.state(Asset, product.asset).holder == holder.party


@pytest.mark.parametrize("opening", [None, "conditional", "refused"])
def test_data_that_are_not_open_need_a_grant(opening: str | None) -> None:
    world = World()
    resource, developer = steps.governed_resource(world), world.join(Role.PROVIDER)
    if opening:
        steps.open_resource(world, resource, opening)
    payload = attempt(world, developer, [steps.source(resource)])
    world.refuses("product.no_grant", developer, "product.developed@1", **payload)


def test_an_operator_makes_products_of_what_it_operates() -> None:
    world = World()
    resource, operator = steps.governed_resource(world), world.join(Role.PROVIDER)
    operation = steps.authorise(world, resource, operator)
    product = steps.operated_product(world, resource, operator, operation)
    assert world.state(Asset, product.asset).sources[0].asset == resource.asset


def test_data_refused_to_the_public_serve_in_place_under_an_operation() -> None:
    world = World()
    resource, operator = steps.governed_resource(world), world.join(Role.PROVIDER)
    steps.open_resource(world, resource, "refused")
    operation = steps.authorise(world, resource, operator, mode="in_place")
    steps.operated_product(world, resource, operator, operation)


def test_an_expired_operation_covers_nothing() -> None:
    world = World()
    resource, operator = steps.governed_resource(world), world.join(Role.PROVIDER)
    operation = steps.authorise(world, resource, operator)
    world.advance(days=301)
    payload = attempt(world, operator, [steps.source(resource, operation=operation)])
    world.refuses("operation.expired", operator, "product.developed@1", **payload)


def test_an_operation_that_was_not_accepted_covers_nothing() -> None:
    world = World()
    resource, operator = steps.governed_resource(world), world.join(Role.PROVIDER)
    operation = steps.authorise(world, resource, operator)
    world.do(resource.provider, "operation.ended@1", operation=operation, reason="协议解除")
    payload = attempt(world, operator, [steps.source(resource, operation=operation)])
    world.refuses("operation.expired", operator, "product.developed@1", **payload)


def test_an_operation_of_others_data_covers_nothing() -> None:
    world = World()
    resource, other = steps.governed_resource(world), steps.governed_resource(world)
    operator = world.join(Role.PROVIDER)
    operation = steps.authorise(world, other, operator)
    payload = attempt(world, operator, [steps.source(resource, operation=operation)])
    world.refuses("operation.not_covered", operator, "product.developed@1", **payload)
    stranger = world.join(Role.PROVIDER)
    payload = attempt(world, stranger, [steps.source(other, operation=operation)])
    world.refuses("operation.not_covered", stranger, "product.developed@1", **payload)


def test_an_operation_for_one_scenario_serves_no_other() -> None:
    world = World()
    resource, operator = steps.governed_resource(world), world.join(Role.PROVIDER)
    scenario = steps.open_scenario(world, operator)
    operation = steps.authorise(world, resource, operator, scenario=scenario)
    named = [steps.source(resource, operation=operation)]
    world.refuses(
        "event.mismatch", operator, "product.developed@1", **attempt(world, operator, named)
    )
    world.do(operator, "product.developed@1", **steps.development(named, scenario))


def test_a_licence_to_derive_is_a_grant_while_it_runs() -> None:
    world = World()
    resource, developer = steps.governed_resource(world), world.join(Role.PROVIDER)
    licence = new_id("licence")
    payload = attempt(world, developer, [steps.source(resource, licence=licence)])
    world.refuses("grant.ended", developer, "product.developed@1", **payload)
    grant = granted(resource.asset, licence, party=developer.party, derivation=True, until=None)
    for unfit in (grant.but(derivation=False), grant.but(party=new_id("party")), ended(grant)):
        put(world, unfit)
        world.refuses("grant.ended", developer, "product.developed@1", **payload)
    put(world, grant)
    world.do(developer, "product.developed@1", **payload)


def test_a_source_has_passed_governance_at_the_version_pinned() -> None:
    world = World()
    resource, developer = steps.opened_resource(world), world.join(Role.PROVIDER)
    world.do(
        resource.provider,
        "resource.version_added@1",
        asset=resource.asset,
        number=2,
        content=steps.content(2),
    )
    payload = attempt(world, developer, [steps.source(resource) | {"version": 2}])
    world.refuses("gate.not_assessed", developer, "product.developed@1", **payload)


def test_a_frozen_source_is_not_used() -> None:
    world = World()
    resource, developer = steps.opened_resource(world), world.join(Role.PROVIDER)
    put(world, frozen(world.state(Asset, resource.asset), new_id("order")))
    payload = attempt(world, developer, [steps.source(resource)])
    world.refuses("asset.frozen", developer, "product.developed@1", **payload)


def test_core_data_are_not_used() -> None:
    world = World()
    holder = steps.government(world)
    resource = steps.governed_resource(world, holder)
    steps.classify(world, resource, "core")
    payload = attempt(world, holder, [steps.source(resource)]) | {"level": "government"}
    world.refuses("gate.core_data", holder, "product.developed@1", **payload)


def test_a_source_in_an_open_incident_is_not_used() -> None:
    world = World()
    resource, developer = steps.opened_resource(world), world.join(Role.PROVIDER)
    steps.report_incident(world, resource.provider, resource.asset)
    payload = attempt(world, developer, [steps.source(resource)])
    world.refuses("asset.incident_open", developer, "product.developed@1", **payload)


def test_the_products_level_fits_its_developer() -> None:
    world = World()
    resource, developer = steps.opened_resource(world), world.join(Role.PROVIDER)
    payload = attempt(world, developer, [steps.source(resource)]) | {"level": "government"}
    world.refuses("resource.level_unfit", developer, "product.developed@1", **payload)


def newer(world: World, product: steps.Resource, sources: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "asset": product.asset,
        "number": 2,
        "sources": sources,
        "content": steps.content(2),
    }


def test_a_new_version_of_a_source_makes_the_product_stale_until_it_is_made_anew() -> None:
    world = World()
    resource = steps.opened_resource(world)
    product, _ = steps.developed_product(world, [resource])
    assert not is_stale(world.state(Asset, product.asset), [world.state(Asset, resource.asset)])
    world.do(
        resource.provider,
        "resource.version_added@1",
        asset=resource.asset,
        number=2,
        content=steps.content(2),
    )
    assert is_stale(world.state(Asset, product.asset), [world.state(Asset, resource.asset)])
    steps.assess(world, resource.asset, 2)
    payload = newer(world, product, [steps.source(resource) | {"version": 2}])
    world.do(product.provider, "product.version_added@1", **payload)
    assert not is_stale(world.state(Asset, product.asset), [world.state(Asset, resource.asset)])
    assert world.state(Asset, product.asset).latest_version == 2


def test_only_the_holder_adds_a_version_to_a_product() -> None:
    world = World()
    resource = steps.opened_resource(world)
    product, _ = steps.developed_product(world, [resource])
    payload = newer(world, product, [steps.source(resource)])
    world.refuses(
        "asset.not_holder", world.join(Role.PROVIDER), "product.version_added@1", **payload
    )


def test_a_product_is_no_source_of_itself() -> None:
    world = World()
    resource = steps.opened_resource(world)
    product, _ = steps.developed_product(world, [resource])
    payload = newer(world, product, [steps.source(product)])
    world.refuses("product.source_twice", product.provider, "product.version_added@1", **payload)


def test_a_resource_gets_no_version_by_the_products_event() -> None:
    world = World()
    resource = steps.opened_resource(world)
    payload = newer(world, resource, [steps.source(resource)])
    world.refuses("asset.form_wrong", resource.provider, "product.version_added@1", **payload)


def test_a_frozen_product_gets_no_version() -> None:
    world = World()
    resource = steps.opened_resource(world)
    product, _ = steps.developed_product(world, [resource])
    put(world, frozen(world.state(Asset, product.asset), new_id("order")))
    payload = newer(world, product, [steps.source(resource)])
    world.refuses("asset.frozen", product.provider, "product.version_added@1", **payload)
