"""A security incident stops opening and listing until it is closed."""

from datetime import timedelta
from typing import Any

import pytest

import steps_pipeline as steps
from dataexchange.asset.title import INCIDENTS_MAX, Asset
from dataexchange.ledger.statement import format_time
from dataexchange.pipeline.incident import Incident
from dataexchange.rules import Role
from world import World


def containment(incident: str, *assets: str) -> dict[str, Any]:
    return {
        "incident": incident,
        "assets": list(assets),
        "measures": "吊销密钥，封禁来源地址。",
        "notified": True,
        "report": steps.digest("containment"),
    }


def closing(incident: str, *assets: str) -> dict[str, Any]:
    return {"incident": incident, "assets": list(assets), "report": steps.digest("final")}


def test_an_incident_stops_opening_until_it_is_contained_and_closed() -> None:
    world = World()
    resource = steps.governed_resource(world)
    incident = steps.report_incident(world, resource.provider, resource.asset)
    opened = {"asset": resource.asset, "version": 1, "opening": "unconditional"}
    world.refuses("asset.incident_open", resource.provider, "opening.published@1", **opened)
    end = closing(incident, resource.asset)
    world.refuses("aggregate.wrong_status", world.regulator, "incident.closed@1", **end)
    world.do(resource.provider, "incident.contained@1", **containment(incident, resource.asset))
    world.refuses("asset.incident_open", resource.provider, "opening.published@1", **opened)
    world.refuses("role.missing", resource.provider, "incident.closed@1", **end)
    world.do(world.regulator, "incident.closed@1", **end)
    world.do(resource.provider, "opening.published@1", **opened)
    assert world.state(Incident, incident).status == "closed"
    assert world.state(Asset, resource.asset).incidents == ()


def test_a_regulators_report_takes_effect_at_once() -> None:
    world = World()
    resource = steps.registered_resource(world)
    incident = steps.report_incident(world, world.regulator, resource.asset)
    assert world.state(Asset, resource.asset).incidents == (incident,)


def test_a_strangers_report_is_an_allegation() -> None:
    world = World()
    resource = steps.registered_resource(world)
    incident = steps.report_incident(world, world.join(Role.BUYER), resource.asset)
    assert world.state(Incident, incident).status == "alleged"
    assert world.state(Asset, resource.asset).incidents == ()


def test_the_holder_confirms_an_allegation() -> None:
    world = World()
    resource, buyer = steps.registered_resource(world), world.join(Role.BUYER)
    incident = steps.report_incident(world, buyer, resource.asset)
    judged = {"incident": incident, "assets": [resource.asset], "reason": "核实"}
    world.refuses("party.not_concerned", buyer, "incident.confirmed@1", **judged)
    world.do(resource.provider, "incident.confirmed@1", **judged)
    assert world.state(Asset, resource.asset).incidents == (incident,)
    world.refuses("aggregate.wrong_status", world.operator, "incident.dismissed@1", **judged)


def test_an_authority_dismisses_an_allegation() -> None:
    world = World()
    resource = steps.registered_resource(world)
    incident = steps.report_incident(world, world.join(Role.BUYER), resource.asset)
    judged = {"incident": incident, "assets": [resource.asset], "reason": "查无此事"}
    world.refuses("role.missing", resource.provider, "incident.dismissed@1", **judged)
    world.do(world.operator, "incident.dismissed@1", **judged)
    assert world.state(Incident, incident).status == "dismissed"


def test_no_asset_of_an_incident_is_left_out() -> None:
    world = World()
    holder = steps.government(world)
    one, two = (steps.registered_resource(world, holder) for _ in range(2))
    incident = steps.report_incident(world, holder, one.asset, two.asset)
    world.refuses(
        "event.mismatch", holder, "incident.contained@1", **containment(incident, one.asset)
    )
    world.do(holder, "incident.contained@1", **containment(incident, two.asset, one.asset))
    world.refuses(
        "event.mismatch", world.regulator, "incident.closed@1", **closing(incident, one.asset)
    )
    world.do(world.regulator, "incident.closed@1", **closing(incident, one.asset, two.asset))
    assert world.state(Asset, two.asset).incidents == ()


def test_an_incident_of_two_holders_assets_is_an_allegation_by_either() -> None:
    world = World()
    one, two = (steps.registered_resource(world) for _ in range(2))
    incident = steps.report_incident(world, one.provider, one.asset, two.asset)
    assert world.state(Incident, incident).status == "alleged"


def test_a_stranger_does_not_contain_an_incident() -> None:
    world = World()
    resource = steps.registered_resource(world)
    incident = steps.report_incident(world, resource.provider, resource.asset)
    world.refuses(
        "party.not_concerned",
        world.join(Role.BUYER),
        "incident.contained@1",
        **containment(incident, resource.asset),
    )


@pytest.mark.parametrize(
    ("code", "twice", "hours"), [("event.mismatch", 2, -1), ("incident.not_yet", 1, 1)]
)
def test_a_report_that_cannot_be_true_is_refused(code: str, twice: int, hours: int) -> None:
    world = World()
    resource = steps.registered_resource(world)
    world.refuses(
        code,
        resource.provider,
        "incident.reported@1",
        incident="incident_00000000000000000000000000",
        assets=[resource.asset] * twice,
        cause="leak",
        severity="serious",
        happened_at=format_time(world.now + timedelta(hours=hours)),
        description="访问日志显示异常批量下载。",
    )


def test_an_asset_has_at_most_so_many_open_incidents() -> None:
    world = World()
    resource = steps.registered_resource(world)
    for _ in range(INCIDENTS_MAX):
        steps.report_incident(world, resource.provider, resource.asset)
    incident = steps.report_incident(world, world.join(Role.BUYER), resource.asset)
    judged = {"incident": incident, "assets": [resource.asset], "reason": "核实"}
    world.refuses("asset.too_many_incidents", resource.provider, "incident.confirmed@1", **judged)


def test_an_incident_is_contained_once() -> None:
    world = World()
    resource = steps.registered_resource(world)
    incident = steps.report_incident(world, resource.provider, resource.asset)
    contained = containment(incident, resource.asset)
    world.do(resource.provider, "incident.contained@1", **contained)
    world.refuses("aggregate.wrong_status", resource.provider, "incident.contained@1", **contained)
