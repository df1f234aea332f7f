"""An operation is authorised by the holder, accepted by the operator, and runs for a term."""

from datetime import timedelta
from typing import Any

import pytest

import steps_pipeline as steps
from dataexchange.client.signing import Actor
from dataexchange.client.typeid import new_id
from dataexchange.ledger.statement import format_time
from dataexchange.pipeline.authorisation import Operation
from dataexchange.rules import Role
from world import World


def offer(world: World, resource: steps.Resource, party: Actor, **changes: Any) -> dict[str, Any]:
    return {
        "operation": new_id("operation"),
        "party": party.party,
        "assets": [{"asset": resource.asset, "version": resource.version}],
        "mode": "delivered",
        "scope": "开发交通类数据产品",
        "until": format_time(world.now + timedelta(days=300)),
        "agreement": steps.digest("agreement"),
        **changes,
    }


def test_an_operation_runs_once_it_is_accepted() -> None:
    world = World()
    resource, operator = steps.governed_resource(world), world.join(Role.PROVIDER)
    operation = steps.authorise(world, resource, operator)
    held = world.state(Operation, operation)
    assert (held.grantor, held.party, held.status) == (
        resource.provider.party,
        operator.party,
        "active",
    )
    assert held.is_in_force(world.now)
    assert not held.is_in_force(world.now + timedelta(days=301))


def test_only_the_operating_party_accepts_exactly_what_was_offered() -> None:
    world = World()
    resource, operator = steps.governed_resource(world), world.join(Role.PROVIDER)
    offered = offer(world, resource, operator)
    world.do(resource.provider, "operation.authorised@1", **offered)
    named = {"operation": offered["operation"]}
    proposal = world.head(offered["operation"])
    world.refuses(
        "party.not_concerned",
        resource.provider,
        "operation.accepted@1",
        **named,
        proposal=proposal,
    )
    world.refuses("event.mismatch", operator, "operation.accepted@1", **named, proposal="0" * 64)
    world.do(operator, "operation.accepted@1", **named, proposal=proposal)
    world.refuses(
        "aggregate.wrong_status", operator, "operation.accepted@1", **named, proposal=proposal
    )


@pytest.mark.parametrize(
    ("code", "changes"),
    [
        ("operation.term_wrong", {"until": "2026-01-05T00:00:00.000000Z"}),
        ("aggregate.not_found", {"scenario": "scenario_00000000000000000000000000"}),
        ("aggregate.not_found", {"parent": "operation_00000000000000000000000000"}),
    ],
)
def test_an_offer_that_cannot_run_is_refused(code: str, changes: dict[str, Any]) -> None:
    world = World()
    resource, operator = steps.governed_resource(world), world.join(Role.PROVIDER)
    payload = offer(world, resource, operator, **changes)
    world.refuses(code, resource.provider, "operation.authorised@1", **payload)


def test_ungoverned_data_are_not_operated() -> None:
    world = World()
    resource, operator = steps.registered_resource(world), world.join(Role.PROVIDER)
    payload = offer(world, resource, operator)
    world.refuses("gate.not_assessed", resource.provider, "operation.authorised@1", **payload)


def test_only_the_holder_authorises() -> None:
    world = World()
    resource, operator = steps.governed_resource(world), world.join(Role.PROVIDER)
    payload = offer(world, resource, operator)
    world.refuses("asset.not_holder", operator, "operation.authorised@1", **payload)


def test_an_asset_is_named_once() -> None:
    world = World()
    resource, operator = steps.governed_resource(world), world.join(Role.PROVIDER)
    payload = offer(world, resource, operator)
    payload["assets"] *= 2
    world.refuses("event.mismatch", resource.provider, "operation.authorised@1", **payload)


def test_data_refused_to_the_public_are_used_in_place_only() -> None:
    world = World()
    resource, operator = steps.governed_resource(world), world.join(Role.PROVIDER)
    steps.open_resource(world, resource, "refused")
    payload = offer(world, resource, operator)
    world.refuses("operation.in_place_only", resource.provider, "operation.authorised@1", **payload)
    world.do(resource.provider, "operation.authorised@1", **payload | {"mode": "in_place"})


def delegable(world: World, **changes: Any) -> tuple[steps.Resource, Actor, str]:
    resource, operator = steps.governed_resource(world), world.join(Role.PROVIDER)
    operation = steps.authorise(world, resource, operator, may_delegate=True, **changes)
    return resource, operator, operation


def test_an_operator_delegates_what_it_may() -> None:
    world = World()
    resource, operator, operation = delegable(world)
    developer = world.join(Role.DATA_SERVICE)
    payload = offer(world, resource, developer, parent=operation)
    payload["until"] = format_time(world.now + timedelta(days=30))
    world.do(operator, "operation.authorised@1", **payload)
    assert world.state(Operation, payload["operation"]).parent == operation


def test_a_delegation_does_not_outlast_the_operation_above_it() -> None:
    world = World()
    resource, operator, operation = delegable(world)
    payload = offer(world, resource, world.join(Role.DATA_SERVICE), parent=operation)
    payload["until"] = format_time(world.now + timedelta(days=301))
    world.refuses("operation.term_wrong", operator, "operation.authorised@1", **payload)


def test_a_delegation_needs_leave_and_the_same_mode() -> None:
    world = World()
    resource, operator = steps.governed_resource(world), world.join(Role.PROVIDER)
    plain = steps.authorise(world, resource, operator)
    until = format_time(world.now + timedelta(days=30))
    payload = offer(world, resource, operator, parent=plain, until=until)
    world.refuses("operation.no_delegation", operator, "operation.authorised@1", **payload)
    other, second, in_place = delegable(world, mode="in_place")
    payload = offer(world, other, operator, parent=in_place, until=until)
    world.refuses("operation.no_delegation", second, "operation.authorised@1", **payload)


def test_a_delegation_covers_no_more_than_the_operation_above_it() -> None:
    world = World()
    _, operator, operation = delegable(world)
    other = steps.governed_resource(world)
    until = format_time(world.now + timedelta(days=30))
    payload = offer(world, other, operator, parent=operation, until=until)
    world.refuses("operation.not_covered", operator, "operation.authorised@1", **payload)


def test_either_side_or_a_regulator_ends_an_operation() -> None:
    world = World()
    resource, operator = steps.governed_resource(world), world.join(Role.PROVIDER)
    first = steps.authorise(world, resource, operator)
    second = steps.authorise(world, resource, operator)
    stranger = world.join(Role.BUYER)
    ended = {"operation": first, "reason": "协议解除"}
    world.refuses("party.not_concerned", stranger, "operation.ended@1", **ended)
    world.do(operator, "operation.ended@1", **ended)
    assert world.state(Operation, first).status == "ended"
    world.do(world.regulator, "operation.ended@1", operation=second, reason="责令停止")
    world.refuses("aggregate.wrong_status", operator, "operation.ended@1", **ended)


def test_data_in_an_open_incident_are_not_given_to_operate() -> None:
    world = World()
    resource, operator = steps.governed_resource(world), world.join(Role.PROVIDER)
    steps.report_incident(world, resource.provider, resource.asset)
    payload = offer(world, resource, operator)
    world.refuses("asset.incident_open", resource.provider, "operation.authorised@1", **payload)
