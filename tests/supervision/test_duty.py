"""Duties: who may ask what of whom, by when, and how late is told from in time."""

from typing import Any

import pytest

from dataexchange.client.signing import Actor
from dataexchange.ledger.statement import format_time
from dataexchange.rules import Role
from dataexchange.supervision.duty import Duty, is_overdue
from steps_pipeline import digest
from steps_supervision import alert, assigned_duty, calendar, confirmation, duty, report_duty
from world import World


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def owner(world: World) -> Actor:
    return world.join(Role.PROVIDER)


def test_a_duty_reported_in_time_is_accepted(world: World, owner: Actor) -> None:
    key = assigned_duty(world, owner)
    report_duty(world, owner, key)
    late = confirmation(world, key)
    world.refuses("duty.was_in_time", world.regulator, "duty.remedied@1", **late)
    world.do(world.regulator, "duty.accepted@1", **confirmation(world, key))
    held = world.state(Duty, key)
    assert (held.status, held.is_late, held.lapses) == ("ACCEPTED", False, 0)


def test_an_overdue_duty_is_announced_reported_late_and_remedied(
    world: World, owner: Actor
) -> None:
    key = assigned_duty(world, owner)
    world.refuses("duty.not_yet_due", world.operator, "duty.overdue@1", duty=key)
    world.advance(days=12)
    assert is_overdue(world.state(Duty, key), format_time(world.now))
    world.do(world.operator, "duty.overdue@1", duty=key)
    world.refuses("aggregate.wrong_status", world.operator, "duty.overdue@1", duty=key)
    report_duty(world, owner, key)
    accepted = confirmation(world, key)
    world.refuses("duty.was_late", world.regulator, "duty.accepted@1", **accepted)
    world.do(world.regulator, "duty.remedied@1", **confirmation(world, key))
    held = world.state(Duty, key)
    assert (held.status, held.is_late, held.lapses) == ("REMEDIED", True, 1)
    assert not is_overdue(held, format_time(world.now))


def test_a_late_report_is_late_though_nobody_announced_it(world: World, owner: Actor) -> None:
    key = assigned_duty(world, owner)
    world.advance(days=12)
    report_duty(world, owner, key)
    said = confirmation(world, key)
    world.refuses("duty.was_late", world.regulator, "duty.accepted@1", **said)


def test_a_deadline_on_a_holiday_moves_to_the_next_working_day(world: World, owner: Actor) -> None:
    world.do(world.operator, "calendar.set@1", **calendar())
    key = assigned_duty(world, owner, deadline="2026-02-16")
    assert world.state(Duty, key).due_at == "2026-02-24T16:00:00.000000Z"
    world.do(world.operator, "calendar.set@1", **calendar(holidays=[]))
    assert world.state(Duty, key).due_at == "2026-02-24T16:00:00.000000Z"


def test_a_report_found_wanting_is_returned_and_the_clock_runs_on(
    world: World, owner: Actor
) -> None:
    key = assigned_duty(world, owner)
    report_duty(world, owner, key)
    said = confirmation(world, key, reason="缺佐证材料")
    world.do(world.regulator, "duty.returned@1", **said)
    world.advance(days=12)
    world.do(world.operator, "duty.overdue@1", duty=key)
    report_duty(world, owner, key)
    world.do(world.regulator, "duty.remedied@1", **confirmation(world, key))
    assert world.state(Duty, key).returns == 1


def test_a_target_number_has_to_be_met(world: World, owner: Actor) -> None:
    key = assigned_duty(world, owner, target_number="100", unit="个")
    silent = {"duty": key, "evidence": digest("e")}
    world.refuses("duty.result_unstated", owner, "duty.reported@1", **silent)
    report_duty(world, owner, key, result_number="99.5")
    said = confirmation(world, key)
    world.refuses("duty.target_missed", world.regulator, "duty.accepted@1", **said)
    world.do(world.regulator, "duty.returned@1", **said, reason="未达目标")
    report_duty(world, owner, key, result_number="100")
    world.do(world.regulator, "duty.accepted@1", **confirmation(world, key))


def test_a_result_is_stated_only_where_a_target_is(world: World, owner: Actor) -> None:
    half = duty(world, owner, target_number="3")
    world.refuses("duty.unit_unstated", world.regulator, "duty.assigned@1", **half)
    key = assigned_duty(world, owner)
    said = {"duty": key, "evidence": digest("e"), "result_number": "1"}
    world.refuses("duty.result_unstated", owner, "duty.reported@1", **said)


def test_only_the_owner_reports_and_only_the_assigner_decides(world: World, owner: Actor) -> None:
    key = assigned_duty(world, owner)
    stranger = world.join(Role.PROVIDER)
    said = {"duty": key, "evidence": digest("e")}
    world.refuses("party.not_concerned", stranger, "duty.reported@1", **said)
    report_duty(world, owner, key)
    done = confirmation(world, key)
    for event in ("duty.accepted@1", "duty.remedied@1"):
        world.refuses("party.not_concerned", world.operator, event, **done)
    returned = {**done, "reason": "x"}
    world.refuses("party.not_concerned", world.operator, "duty.returned@1", **returned)


def test_a_decision_names_the_report_that_it_is_about(world: World, owner: Actor) -> None:
    key = assigned_duty(world, owner)
    said = {"duty": key, "proposal": world.head(key)}
    world.refuses("aggregate.wrong_status", world.regulator, "duty.accepted@1", **said)
    report_duty(world, owner, key)
    world.refuses("event.mismatch", world.regulator, "duty.accepted@1", **said)


def test_the_operator_assigns_to_parties_and_a_regulator_to_the_operator(
    world: World, owner: Actor
) -> None:
    assigned_duty(world, owner, by=world.operator)
    assigned_duty(world, world.operator)
    upward = duty(world, world.regulator)
    world.refuses("duty.owner_is_regulator", world.operator, "duty.assigned@1", **upward)
    own = duty(world, world.operator)
    world.refuses("duty.own_duty", world.operator, "duty.assigned@1", **own)
    world.refuses("role.missing", owner, "duty.assigned@1", **duty(world, world.operator))


@pytest.mark.parametrize("deadline", ["2026-01-04", "2026-02-30"])
def test_a_deadline_is_a_day_that_has_not_passed(world: World, owner: Actor, deadline: str) -> None:
    world.do(world.operator, "calendar.set@1", **calendar())
    said = duty(world, owner, deadline=deadline)
    world.refuses("duty.deadline_past", world.regulator, "duty.assigned@1", **said)


def test_a_party_that_left_is_asked_for_nothing(world: World, owner: Actor) -> None:
    world.do(owner, "party.left@1", party=owner.party)
    said = duty(world, owner)
    world.refuses("aggregate.wrong_status", world.regulator, "duty.assigned@1", **said)


def test_a_duty_is_withdrawn_by_its_assigner_while_it_is_open(world: World, owner: Actor) -> None:
    key = assigned_duty(world, owner)
    said: dict[str, Any] = {"duty": key, "reason": "机构调整"}
    world.refuses("party.not_concerned", world.operator, "duty.withdrawn@1", **said)
    world.do(world.regulator, "duty.withdrawn@1", **said)
    world.refuses("aggregate.wrong_status", world.regulator, "duty.withdrawn@1", **said)
    report = {"duty": key, "evidence": digest("e")}
    world.refuses("aggregate.wrong_status", owner, "duty.reported@1", **report)


def test_a_duty_may_follow_from_an_open_alert_only(world: World, owner: Actor) -> None:
    raised = alert(world, owner.party, 1)
    world.do(world.regulator, "alert.raised@1", **raised)
    key = assigned_duty(world, owner, alert=raised["alert"])
    assert world.state(Duty, key).alert == raised["alert"]
    closing = {"alert": raised["alert"], "resolution": "referred", "note": digest("n")}
    world.do(world.regulator, "alert.closed@1", **closing)
    said = duty(world, owner, alert=raised["alert"])
    world.refuses("aggregate.wrong_status", world.regulator, "duty.assigned@1", **said)
