"""Government bodies share data, in time and on a legal basis."""

from datetime import timedelta
from typing import Any

import steps_pipeline as steps
from dataexchange.client.signing import Actor
from dataexchange.client.typeid import new_id
from dataexchange.identity.party import PartyKind
from dataexchange.ledger.statement import format_time
from dataexchange.pipeline.sharing import Share
from dataexchange.rules import Role
from world import World


def request(resource: steps.Resource, **changes: Any) -> dict[str, Any]:
    return {
        "share": new_id("share"),
        "asset": resource.asset,
        "government_level": "city",
        "legal_basis": "道路交通安全法 art. 5",
        "purpose": "事故处置",
        **changes,
    }


def asked(world: World, **changes: Any) -> tuple[steps.Resource, Actor, dict[str, Any]]:
    resource = steps.governed_resource(world)
    body = world.join(Role.BUYER, kind=PartyKind.PUBLIC_INSTITUTION)
    payload = request(resource, **changes)
    world.do(body, "share.requested@1", **payload)
    return resource, body, {"share": payload["share"], "asset": resource.asset}


def consent(world: World, named: dict[str, Any], **changes: Any) -> dict[str, Any]:
    until = format_time(world.now + timedelta(days=100))
    return {**named, "version": 1, "until": until, **changes}


def conditional_resource(world: World, sharing: str) -> steps.Resource:
    resource = steps.governed_resource(world)
    world.do(
        resource.provider,
        "resource.revised@1",
        asset=resource.asset,
        elements=steps.elements(),
        sharing=sharing,
        sharing_basis="统计法 art. 9",
    )
    return resource


def test_a_public_body_is_answered_and_uses_what_it_was_given() -> None:
    world = World()
    resource, body, named = asked(world)
    world.do(resource.provider, "share.approved@1", **consent(world, named))
    used = {"share": named["share"], "purpose": "事故处置", "receipt": steps.digest("receipt")}
    world.do(body, "share.used@1", **used)
    world.do(body, "share.used@1", **used)
    share = world.state(Share, named["share"])
    assert (share.status, share.uses, share.is_late) == ("approved", 2, False)
    world.refuses("party.not_concerned", resource.provider, "share.used@1", **used)


def test_an_answer_after_the_clock_is_late() -> None:
    world = World()
    resource, _, named = asked(world)
    world.advance(days=16)
    world.do(resource.provider, "share.approved@1", **consent(world, named))
    assert world.state(Share, named["share"]).is_late


def test_data_flow_back_to_the_body_that_they_came_from() -> None:
    world = World()
    _, _, named = asked(world, returning=True, government_level="county")
    assert world.state(Share, named["share"]).returning


def test_a_company_does_not_ask_for_sharing() -> None:
    world = World()
    resource = steps.governed_resource(world)
    company = world.join(Role.BUYER)
    world.refuses("share.not_public_body", company, "share.requested@1", **request(resource))


def test_what_is_not_shared_is_not_asked_for() -> None:
    world = World()
    resource = conditional_resource(world, "refused")
    body = steps.government(world)
    world.refuses("share.not_shared", body, "share.requested@1", **request(resource))


def test_what_is_shared_without_conditions_is_not_refused() -> None:
    world = World()
    resource, _, named = asked(world)
    refusal = {**named, "reason": "无"}
    world.refuses("share.must_share", resource.provider, "share.refused@1", **refusal)


def test_what_is_shared_on_conditions_may_be_refused() -> None:
    world = World()
    resource = conditional_resource(world, "conditional")
    body, payload = steps.government(world), request(resource)
    world.do(body, "share.requested@1", **payload)
    refusal = {"share": payload["share"], "asset": resource.asset, "reason": "超出履职需要"}
    world.refuses("asset.not_holder", body, "share.refused@1", **refusal)
    world.do(resource.provider, "share.refused@1", **refusal)
    assert world.state(Share, payload["share"]).status == "refused"
    world.refuses("aggregate.wrong_status", resource.provider, "share.refused@1", **refusal)


def test_only_the_holder_shares_a_governed_version_until_a_time_to_come() -> None:
    world = World()
    resource, body, named = asked(world)
    world.refuses(
        "asset.not_holder", steps.government(world), "share.approved@1", **consent(world, named)
    )
    past = consent(world, named, until=format_time(world.now - timedelta(days=1)))
    world.refuses("share.ended", resource.provider, "share.approved@1", **past)
    ungoverned = steps.registered_resource(world)
    payload = request(ungoverned)
    world.do(body, "share.requested@1", **payload)
    other = consent(world, {"share": payload["share"], "asset": ungoverned.asset})
    world.refuses("gate.not_assessed", ungoverned.provider, "share.approved@1", **other)
    mixed = consent(world, {"share": named["share"], "asset": ungoverned.asset})
    world.refuses("event.mismatch", ungoverned.provider, "share.approved@1", **mixed)


def test_a_share_ends_with_its_term() -> None:
    world = World()
    resource, body, named = asked(world)
    world.do(resource.provider, "share.approved@1", **consent(world, named))
    world.advance(days=101)
    used = {"share": named["share"], "purpose": "事故处置", "receipt": steps.digest("receipt")}
    world.refuses("share.ended", body, "share.used@1", **used)


def test_a_share_that_was_revoked_is_used_no_more() -> None:
    world = World()
    resource, body, named = asked(world)
    world.do(resource.provider, "share.approved@1", **consent(world, named))
    ended = {**named, "reason": "超范围使用"}
    stranger = steps.government(world)
    world.refuses("asset.not_holder", stranger, "share.revoked@1", **ended)
    world.do(world.regulator, "share.revoked@1", **ended)
    used = {"share": named["share"], "purpose": "事故处置", "receipt": steps.digest("receipt")}
    world.refuses("aggregate.wrong_status", body, "share.used@1", **used)


def test_a_request_is_answered_once_and_a_share_revoked_once() -> None:
    world = World()
    resource, _, named = asked(world)
    world.do(resource.provider, "share.approved@1", **consent(world, named))
    again = consent(world, named)
    world.refuses("aggregate.wrong_status", resource.provider, "share.approved@1", **again)
    ended = {**named, "reason": "超范围使用"}
    world.do(resource.provider, "share.revoked@1", **ended)
    world.refuses("aggregate.wrong_status", resource.provider, "share.revoked@1", **ended)


def test_a_retired_resource_is_not_asked_for() -> None:
    world = World()
    resource = steps.governed_resource(world)
    world.do(resource.provider, "resource.retired@1", asset=resource.asset, reason="停止采集")
    body = steps.government(world)
    world.refuses("asset.retired", body, "share.requested@1", **request(resource))
