"""Only whom the holder commissions assesses, reviews or de-identifies its asset."""

from datetime import timedelta
from typing import Any

import pytest

import steps_pipeline as steps
from dataexchange.client.signing import Actor
from dataexchange.ledger.statement import format_time
from dataexchange.rules import Role
from world import World


def commission(world: World, asset: str, party: Actor, **changes: Any) -> dict[str, Any]:
    return {
        "asset": asset,
        "party": party.party,
        "services": ["quality"],
        "until": format_time(world.now + timedelta(days=30)),
        **changes,
    }


def act(world: World, resource: steps.Resource, event: str) -> dict[str, Any]:
    if event == "quality.assessed@1":
        return steps.assessment(world, resource.asset)
    named = {"asset": resource.asset, "version": 1, "report": steps.digest("report")}
    if event == "compliance.reviewed@1":
        return named | {"outcome": "failed"}
    return named | {"methods": ["aggregation"]}


EVENTS = ["quality.assessed@1", "compliance.reviewed@1", "deidentification.recorded@1"]


@pytest.mark.parametrize("event", EVENTS)
def test_a_service_without_a_commission_does_nothing_to_an_asset(event: str) -> None:
    world = World()
    resource, rival = steps.registered_resource(world), world.join(Role.DATA_SERVICE)
    payload = act(world, resource, event)
    world.refuses("service.not_commissioned", rival, event, **payload)
    services = [event.split(".", maxsplit=1)[0]]
    given = commission(world, resource.asset, rival, services=services)
    world.do(resource.provider, "service.commissioned@1", **given)
    world.do(rival, event, **payload)


@pytest.mark.parametrize("event", EVENTS[1:])
def test_a_commission_for_one_service_covers_no_other(event: str) -> None:
    world = World()
    resource, service = steps.registered_resource(world), world.join(Role.DATA_SERVICE)
    given = commission(world, resource.asset, service)
    world.do(resource.provider, "service.commissioned@1", **given)
    payload = act(world, resource, event)
    world.refuses("service.not_commissioned", service, event, **payload)


def test_a_commission_ends_with_its_time_or_before_it() -> None:
    world = World()
    resource, service = steps.registered_resource(world), world.join(Role.DATA_SERVICE)
    given = commission(world, resource.asset, service)
    world.do(resource.provider, "service.commissioned@1", **given)
    world.advance(days=31)
    payload = act(world, resource, "quality.assessed@1")
    world.refuses("service.not_commissioned", service, "quality.assessed@1", **payload)
    again = commission(world, resource.asset, service)
    world.do(resource.provider, "service.commissioned@1", **again)
    ended = {"asset": resource.asset, "party": service.party, "reason": "合同到期"}
    world.refuses("asset.not_holder", service, "service.ended@1", **ended)
    world.do(resource.provider, "service.ended@1", **ended)
    world.refuses("service.not_commissioned", service, "quality.assessed@1", **payload)


@pytest.mark.parametrize(
    ("code", "days", "role"),
    [
        ("service.commission_past", -1, Role.DATA_SERVICE),
        ("service.not_a_service", 30, Role.APPRAISER),
    ],
)
def test_a_commission_goes_to_a_data_service_for_a_time_to_come(
    code: str, days: int, role: Role
) -> None:
    world = World()
    resource, party = steps.registered_resource(world), world.join(role)
    until = format_time(world.now + timedelta(days=days))
    given = commission(world, resource.asset, party, until=until)
    world.refuses(code, resource.provider, "service.commissioned@1", **given)


def test_only_the_holder_commissions() -> None:
    world = World()
    resource, service = steps.registered_resource(world), world.join(Role.DATA_SERVICE)
    given = commission(world, resource.asset, service)
    world.refuses("asset.not_holder", service, "service.commissioned@1", **given)


def test_a_suspended_service_gets_no_commission() -> None:
    world = World()
    resource, service = steps.registered_resource(world), world.join(Role.DATA_SERVICE)
    given = commission(world, resource.asset, service)
    world.do(
        world.regulator,
        "party.suspended@1",
        party=service.party,
        order_number="FJ-1",
        reason="整改",
    )
    world.refuses("aggregate.wrong_status", resource.provider, "service.commissioned@1", **given)
