"""Alerts on the ledger: raised once, with the entries that show them, and closed with a word."""

import pytest

from dataexchange.client.signing import Actor
from dataexchange.client.typeid import new_id
from dataexchange.rules import Role
from dataexchange.supervision.alert import Alert, AlertKind
from steps_pipeline import digest
from steps_supervision import alert
from world import World


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def party(world: World) -> Actor:
    return world.join(Role.PROVIDER)


def closing(key: str, resolution: str = "unfounded") -> dict[str, str]:
    return {"alert": key, "resolution": resolution, "note": digest("closing")}


def test_an_alert_names_the_entries_that_raised_it(world: World, party: Actor) -> None:
    said = alert(world, party.party, 1, 2)
    world.do(world.operator, "alert.raised@1", **said)
    held = world.state(Alert, said["alert"])
    assert (held.status, held.entries, held.by_regulator) == ("OPEN", (1, 2), False)


def test_one_finding_is_raised_once_even_after_it_was_closed(world: World, party: Actor) -> None:
    said = alert(world, party.party, 1)
    world.do(world.operator, "alert.raised@1", **said)
    again = {**said, "alert": new_id("alert")}
    world.refuses("alert.raised_already", world.regulator, "alert.raised@1", **again)
    world.do(world.operator, "alert.closed@1", **closing(said["alert"]))
    world.refuses("alert.raised_already", world.regulator, "alert.raised@1", **again)
    world.do(world.operator, "alert.raised@1", **{**again, "kind": AlertKind.WASH_TRADE.value})


def test_entries_ascend_and_come_before_the_alert(world: World, party: Actor) -> None:
    for indexes in ((2, 1), (1, 1)):
        said = alert(world, party.party, *indexes)
        world.refuses("alert.entries_unfit", world.operator, "alert.raised@1", **said)
    ahead = alert(world, party.party, 1)
    ahead["entries"][0]["index"] = len(world.entries)
    world.refuses("alert.entries_unfit", world.operator, "alert.raised@1", **ahead)


def test_an_alert_is_about_something_that_the_log_holds(world: World) -> None:
    said = alert(world, new_id("asset"), 0)
    world.refuses("aggregate.not_found", world.operator, "alert.raised@1", **said)


def test_only_authorities_raise_alerts(world: World, party: Actor) -> None:
    said = alert(world, world.operator.party, 0)
    world.refuses("role.missing", party, "alert.raised@1", **said)


def test_a_regulators_alert_is_closed_by_a_regulator_and_once(world: World, party: Actor) -> None:
    said = alert(world, party.party, 1)
    world.do(world.regulator, "alert.raised@1", **said)
    done = closing(said["alert"], "referred")
    world.refuses("alert.regulators_own", world.operator, "alert.closed@1", **done)
    world.do(world.regulator, "alert.closed@1", **done)
    world.refuses("aggregate.wrong_status", world.regulator, "alert.closed@1", **done)
