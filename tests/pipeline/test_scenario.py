"""Scenarios say what data are used for, and what came of it."""

from typing import Any

import pytest

import steps_pipeline as steps
from dataexchange.pipeline.scenario import Scenario
from dataexchange.rules import Role
from world import World


def result(scenario: str, asset: str, **changes: Any) -> dict[str, Any]:
    return {
        "scenario": scenario,
        "asset": asset,
        "period_start": "2025-10-01",
        "period_end": "2025-12-31",
        "metrics": [{"name": "节省里程", "value": "12034.5", "unit": "km"}],
        "report": steps.digest("result"),
        **changes,
    }


def test_the_product_holder_reports_a_result() -> None:
    world = World()
    product, scenario = steps.developed_product(world)
    world.do(product.provider, "scenario.result_reported@1", **result(scenario, product.asset))
    assert world.state(Scenario, scenario).results == 1


def test_a_stranger_reports_nothing() -> None:
    world = World()
    product, scenario = steps.developed_product(world)
    payload = result(scenario, product.asset)
    world.refuses(
        "party.not_concerned", world.join(Role.BUYER), "scenario.result_reported@1", **payload
    )


def test_a_result_is_of_a_product_made_for_the_scenario() -> None:
    world = World()
    product, scenario = steps.developed_product(world)
    other = steps.registered_resource(world)
    payload = result(scenario, other.asset)
    world.refuses("event.mismatch", product.provider, "scenario.result_reported@1", **payload)


def test_a_period_ends_after_it_starts() -> None:
    world = World()
    product, scenario = steps.developed_product(world)
    payload = result(scenario, product.asset, period_end="2025-09-30")
    world.refuses(
        "scenario.period_wrong", product.provider, "scenario.result_reported@1", **payload
    )


def test_nothing_new_is_bound_to_a_closed_scenario() -> None:
    world = World()
    resource = steps.opened_resource(world)
    owner = world.join(Role.PROVIDER)
    scenario = steps.open_scenario(world, owner)
    ended = {"scenario": scenario, "reason": "项目结束"}
    world.refuses("party.not_concerned", world.join(Role.PROVIDER), "scenario.closed@1", **ended)
    world.do(owner, "scenario.closed@1", **ended)
    payload = steps.development([steps.source(resource)], scenario)
    world.refuses("aggregate.wrong_status", owner, "product.developed@1", **payload)


@pytest.mark.parametrize("role", [Role.INSURER, Role.WITNESS])
def test_a_scenario_is_registered_by_those_who_use_data(role: Role) -> None:
    world = World()
    other = world.join(role)
    world.refuses(
        "role.missing",
        other,
        "scenario.registered@1",
        scenario="scenario_00000000000000000000000000",
        title={"zh": "场景"},
        description="场景",
        sector="G54",
        purposes=["planning"],
        beneficiaries="企业",
    )


def test_a_closed_scenario_has_no_results_and_is_not_closed_again() -> None:
    world = World()
    product, scenario = steps.developed_product(world)
    ended = {"scenario": scenario, "reason": "项目结束"}
    world.do(product.provider, "scenario.closed@1", **ended)
    world.refuses("aggregate.wrong_status", product.provider, "scenario.closed@1", **ended)
    payload = result(scenario, product.asset)
    world.refuses(
        "aggregate.wrong_status", product.provider, "scenario.result_reported@1", **payload
    )
