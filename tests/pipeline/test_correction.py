"""Errors in data are reported, assigned and mended, with a clock."""

from typing import Any

import steps_pipeline as steps
from dataexchange.asset.title import Asset
from dataexchange.client.typeid import new_id
from dataexchange.pipeline.correction import Correction
from dataexchange.rules import Role
from world import World


def reported(world: World) -> tuple[steps.Resource, dict[str, Any]]:
    resource = steps.registered_resource(world)
    named = {"correction": new_id("correction"), "asset": resource.asset}
    world.do(
        world.join(Role.BUYER),
        "data.error_reported@1",
        **named,
        version=1,
        fields=["speed"],
        description="部分车速为负值。",
    )
    return resource, named


def next_version(world: World, resource: steps.Resource) -> None:
    world.do(
        resource.provider,
        "resource.version_added@1",
        asset=resource.asset,
        number=2,
        content=steps.content(2),
    )


def test_an_error_is_mended_in_a_later_version() -> None:
    world = World()
    resource, named = reported(world)
    assert world.state(Asset, resource.asset).errors_open == 1
    mender = world.join(Role.DATA_SERVICE)
    world.do(resource.provider, "error.assigned@1", **named, assignee=mender.party)
    mended = {**named, "explanation": "已按原始记录更正"}
    world.refuses("error.version_not_later", mender, "error.corrected@1", **mended, version=1)
    world.refuses("aggregate.not_found", mender, "error.corrected@1", **mended, version=2)
    next_version(world, resource)
    world.do(mender, "error.corrected@1", **mended, version=2)
    correction = world.state(Correction, named["correction"])
    assert (correction.status, correction.corrected_version, correction.is_late) == (
        "corrected",
        2,
        False,
    )
    assert world.state(Asset, resource.asset).errors_open == 0


def test_a_correction_after_the_clock_is_late() -> None:
    world = World()
    resource, named = reported(world)
    holder = resource.provider
    world.do(world.operator, "error.assigned@1", **named, assignee=holder.party)
    world.advance(days=16)
    next_version(world, resource)
    world.do(holder, "error.corrected@1", **named, version=2, explanation="已更正")
    assert world.state(Correction, named["correction"]).is_late


def test_a_report_may_be_found_to_be_mistaken() -> None:
    world = World()
    resource, named = reported(world)
    finding = {**named, "reason": "倒车时速度为负", "finding": steps.digest("finding")}
    world.refuses("aggregate.wrong_status", resource.provider, "error.rejected@1", **finding)
    world.do(resource.provider, "error.assigned@1", **named, assignee=resource.provider.party)
    stranger = world.join(Role.BUYER)
    world.refuses("party.not_concerned", stranger, "error.rejected@1", **finding)
    world.do(resource.provider, "error.rejected@1", **finding)
    assert world.state(Correction, named["correction"]).status == "rejected"
    assert world.state(Asset, resource.asset).errors_open == 0


def test_only_the_holder_or_an_authority_assigns_and_to_an_active_party() -> None:
    world = World()
    resource, named = reported(world)
    stranger = world.join(Role.PROVIDER)
    world.refuses(
        "party.not_concerned", stranger, "error.assigned@1", **named, assignee=stranger.party
    )
    world.do(
        world.regulator,
        "party.suspended@1",
        party=stranger.party,
        order_number="FJ-1",
        reason="整改",
    )
    world.refuses(
        "aggregate.wrong_status",
        resource.provider,
        "error.assigned@1",
        **named,
        assignee=stranger.party,
    )
    world.do(world.regulator, "error.assigned@1", **named, assignee=resource.provider.party)


def test_an_error_is_of_a_version_that_exists() -> None:
    world = World()
    resource = steps.registered_resource(world)
    world.refuses(
        "aggregate.not_found",
        world.join(Role.BUYER),
        "data.error_reported@1",
        correction=new_id("correction"),
        asset=resource.asset,
        version=9,
        description="部分车速为负值。",
    )


def test_a_correction_is_not_named_with_another_asset() -> None:
    world = World()
    _, named = reported(world)
    other = steps.registered_resource(world)
    world.refuses(
        "event.mismatch",
        other.provider,
        "error.assigned@1",
        correction=named["correction"],
        asset=other.asset,
        assignee=other.provider.party,
    )


def test_what_was_answered_is_not_assigned_again() -> None:
    world = World()
    resource, named = reported(world)
    assigned = {**named, "assignee": resource.provider.party}
    world.do(resource.provider, "error.assigned@1", **assigned)
    next_version(world, resource)
    mended = {**named, "version": 2, "explanation": "已更正"}
    world.do(resource.provider, "error.corrected@1", **mended)
    world.refuses("aggregate.wrong_status", resource.provider, "error.assigned@1", **assigned)
    world.refuses("aggregate.wrong_status", resource.provider, "error.corrected@1", **mended)
