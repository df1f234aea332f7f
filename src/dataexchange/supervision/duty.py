"""Duties 任务清单: what an authority asks of a party, by when, and what came of it.

    ASSIGNED → REPORTED → ACCEPTED          in time
    ASSIGNED → OVERDUE → REPORTED → REMEDIED    late, and made good
    REPORTED → RETURNED → REPORTED          not enough;  any open → WITHDRAWN

A deadline is a day; a day off moves it to the next working day, by the calendar that held when the
duty was assigned. Whether a report is late follows from when it was recorded: `duty.overdue` only
announces what anyone can see.
"""

from datetime import date
from functools import partial

from dataexchange.identity.party import Party
from dataexchange.ledger.statement import format_time, parse_time
from dataexchange.rules import (
    Changes,
    Event,
    Payload,
    RefusalCode,
    Role,
    State,
    View,
    event,
    require_actor,
    require_same,
    require_status,
)
from dataexchange.rules.calendar import Calendar, calendar_keys, period_end
from dataexchange.rules.payload import Day, Hash, Line, Number, Text, decimal
from dataexchange.rules.reference import AlertId, DutyId, PartyId
from dataexchange.supervision.alert import Alert

DUTY_RULES = "domain: 任务清单; 季度通报"
PERIOD_RULES = "民法典 arts. 200-203"

OWN_DUTY = RefusalCode(
    "duty.own_duty",
    clause=DUTY_RULES,
    zh="不得给自己分派任务并自行验收",
    en="Nobody assigns a duty to itself and then accepts it",
    kind="forbidden",
)
REGULATOR_EXEMPT = RefusalCode(
    "duty.owner_is_regulator",
    clause=DUTY_RULES,
    zh="运营机构不得向监管机构分派任务",
    en="The operator assigns no duty to a regulator",
    kind="forbidden",
)
DEADLINE_PAST = RefusalCode(
    "duty.deadline_past",
    clause=PERIOD_RULES,
    zh="期限 {deadline} 不是有效日期，或已过",
    en="The deadline {deadline} is no day of the calendar, or has passed",
)
TARGET_UNSTATED = RefusalCode(
    "duty.unit_unstated",
    clause=DUTY_RULES,
    zh="目标值与单位须一并填写",
    en="A target number and its unit are stated together",
    kind="malformed",
)
RESULT_UNSTATED = RefusalCode(
    "duty.result_unstated",
    clause=DUTY_RULES,
    zh="任务 {duty} 有目标值，须且仅有目标值的任务须报告完成值",
    en="A result number is reported for a duty with a target number, and for no other: {duty}",
    kind="malformed",
)
NOT_YET_DUE = RefusalCode(
    "duty.not_yet_due",
    clause=PERIOD_RULES,
    zh="任务 {duty} 的期限 {due_at} 未过",
    en="Duty {duty} is not due until {due_at}",
    kind="conflict",
)
WAS_LATE = RefusalCode(
    "duty.was_late",
    clause=DUTY_RULES,
    zh="任务 {duty} 逾期完成，应以 duty.remedied 确认",
    en="Duty {duty} was reported late; confirm it by duty.remedied",
    kind="conflict",
)
WAS_IN_TIME = RefusalCode(
    "duty.was_in_time",
    clause=DUTY_RULES,
    zh="任务 {duty} 按期报告，应以 duty.accepted 确认",
    en="Duty {duty} was reported in time; confirm it by duty.accepted",
    kind="conflict",
)
TARGET_MISSED = RefusalCode(
    "duty.target_missed",
    clause=DUTY_RULES,
    zh="完成值 {result} 低于目标值 {target}",
    en="The result, {result}, is below the target, {target}",
    remedy_zh="退回（duty.returned）后补充完成，或撤销任务。",
    remedy_en="Return it by duty.returned to be completed, or withdraw the duty.",
)


class Duty(State, frozen=True, kw_only=True):
    """A duty; times RFC 3339, documents by hash, numbers decimal strings.

    `due_at` is the end of the period, fixed when it was assigned; `lapses` counts the times that
    it was announced as overdue.
    """

    KIND = "duty"

    assigner: str
    owner: str
    target: str
    target_en: str | None = None
    target_number: str | None = None
    unit: str | None = None
    deadline: str
    due_at: str
    basis: str
    status: str  # ASSIGNED | REPORTED | RETURNED | OVERDUE | ACCEPTED | REMEDIED | WITHDRAWN
    assigned_at: str
    alert: str | None = None
    evidence: str | None = None
    result_number: str | None = None
    reported_at: str | None = None
    closed_at: str | None = None
    lapses: int = 0
    returns: int = 0

    @property
    def is_late(self) -> bool:
        """Whether what counts as its report came after it was due."""
        return self.reported_at is not None and self.reported_at > self.due_at


class DutyAssigned(Payload):
    """What is to be done, by whom, by the end of which day, and on what basis."""

    duty: DutyId
    owner: PartyId
    target: Text
    target_number: Number | None = None
    unit: Line | None = None
    deadline: Day
    basis: Line
    alert: AlertId | None = None


class DutyReported(Payload):
    """The owner's report, its evidence by hash."""

    duty: DutyId
    evidence: Hash
    result_number: Number | None = None


class DutyConfirmed(Payload):
    """A decision on exactly one report, named by its leaf hash."""

    duty: DutyId
    proposal: Hash


class DutyReturned(DutyConfirmed):
    """A report sent back, with the reason."""

    reason: Line


class DutyNamed(Payload):
    """An event about a duty that needs no words."""

    duty: DutyId


class DutyWithdrawn(Payload):
    """The end of a duty that is asked no more, with the reason."""

    duty: DutyId
    reason: Line


@event(
    "duty.assigned@1",
    by={Role.REGULATOR, Role.OPERATOR},
    zh="分派任务",
    en="Assign a duty",
    clause=DUTY_RULES,
    also=lambda payload, actor: calendar_keys(payload.deadline),
)
def assign(view: View, event: Event[DutyAssigned]) -> Changes:
    """An authority asks a party for something by a day, perhaps because of an alert."""
    said = event.payload
    view.require_new(said.duty)
    _require_owner(view, event)
    if said.alert is not None:
        require_status(view.get(Alert, said.alert), "OPEN")
    if (said.target_number is None) != (said.unit is None):
        raise TARGET_UNSTATED()
    due = period_end(partial(view.find, Calendar), _day(said.deadline))
    if event.recorded_at >= due:
        raise DEADLINE_PAST(deadline=said.deadline)
    return Duty(
        id=said.duty,
        assigner=event.actor,
        owner=said.owner,
        target=said.target.zh,
        target_en=said.target.en,
        target_number=said.target_number,
        unit=said.unit,
        deadline=said.deadline,
        due_at=format_time(due),
        basis=said.basis,
        status="ASSIGNED",
        assigned_at=format_time(event.recorded_at),
        alert=said.alert,
    )


@event(
    "duty.reported@1",
    by=set(Role),
    zh="报告任务完成",
    en="Report on a duty",
    clause=DUTY_RULES,
    sealable=("details",),
)
def report(view: View, event: Event[DutyReported]) -> Changes:
    """The owner reports; the time of the record says whether in time."""
    said = event.payload
    duty = view.get(Duty, said.duty)
    require_actor(event.actor, duty.owner, duty.id)
    require_status(duty, "ASSIGNED", "RETURNED", "OVERDUE")
    if (said.result_number is None) != (duty.target_number is None):
        raise RESULT_UNSTATED(duty=duty.id)
    return duty.but(
        status="REPORTED",
        evidence=said.evidence,
        result_number=said.result_number,
        reported_at=format_time(event.recorded_at),
    )


@event(
    "duty.overdue@1",
    by={Role.OPERATOR, Role.REGULATOR},
    zh="任务逾期",
    en="Announce an overdue duty",
    clause=PERIOD_RULES,
)
def announce_overdue(view: View, event: Event[DutyNamed]) -> Changes:
    """Announce that a duty is due and not reported; the clock alone made it so."""
    duty = view.get(Duty, event.payload.duty)
    require_status(duty, "ASSIGNED", "RETURNED")
    if event.recorded_at < parse_time(duty.due_at):
        raise NOT_YET_DUE(duty=duty.id, due_at=duty.due_at)
    return duty.but(status="OVERDUE", lapses=duty.lapses + 1)


@event(
    "duty.accepted@1",
    by={Role.REGULATOR, Role.OPERATOR},
    zh="验收任务",
    en="Accept a duty",
    clause=DUTY_RULES,
)
def accept(view: View, event: Event[DutyConfirmed]) -> Changes:
    """The assigner accepts a report that came in time and meets the target."""
    duty = _reported(view, event)
    if duty.is_late:
        raise WAS_LATE(duty=duty.id)
    return _met(duty).but(status="ACCEPTED", closed_at=format_time(event.recorded_at))


@event(
    "duty.remedied@1",
    by={Role.REGULATOR, Role.OPERATOR},
    zh="确认整改完成",
    en="Confirm that a late duty was made good",
    clause=DUTY_RULES,
)
def remedy(view: View, event: Event[DutyConfirmed]) -> Changes:
    """The assigner confirms a late report that meets the target; that it was late stays visible."""
    duty = _reported(view, event)
    if not duty.is_late:
        raise WAS_IN_TIME(duty=duty.id)
    return _met(duty).but(status="REMEDIED", closed_at=format_time(event.recorded_at))


@event(
    "duty.returned@1",
    by={Role.REGULATOR, Role.OPERATOR},
    zh="退回任务报告",
    en="Return a report",
    clause=DUTY_RULES,
    sealable=("details",),
)
def send_back(view: View, event: Event[DutyReturned]) -> Changes:
    """The assigner finds the report wanting; the clock does not start anew."""
    duty = _reported(view, event)
    return duty.but(
        status="RETURNED",
        evidence=None,
        result_number=None,
        reported_at=None,
        returns=duty.returns + 1,
    )


@event(
    "duty.withdrawn@1",
    by={Role.REGULATOR, Role.OPERATOR},
    zh="撤销任务",
    en="Withdraw a duty",
    clause=DUTY_RULES,
)
def withdraw(view: View, event: Event[DutyWithdrawn]) -> Changes:
    """The assigner asks for it no more; an overdue one stays counted as overdue."""
    duty = view.get(Duty, event.payload.duty)
    require_actor(event.actor, duty.assigner, duty.id)
    require_status(duty, "ASSIGNED", "REPORTED", "RETURNED", "OVERDUE")
    return duty.but(status="WITHDRAWN", closed_at=format_time(event.recorded_at))


def is_overdue(duty: Duty, now: str) -> bool:
    """Tell whether `duty` is due and not reported at `now` (RFC 3339), announced or not."""
    return duty.status == "OVERDUE" or (
        duty.status in ("ASSIGNED", "RETURNED") and duty.due_at <= now
    )


def _require_owner(view: View, event: Event[DutyAssigned]) -> None:
    """Refuse an owner that has left, that is the assigner, or that stands above it."""
    owner = view.get(Party, event.payload.owner)
    require_status(owner, "active", "suspended")
    if owner.id == event.actor:
        raise OWN_DUTY()
    if Role.REGULATOR in owner.roles and Role.REGULATOR not in event.roles:
        raise REGULATOR_EXEMPT()


def _reported(view: View, event: Event[DutyConfirmed] | Event[DutyReturned]) -> Duty:
    """Return the duty whose report the assigner decides on."""
    duty = view.get(Duty, event.payload.duty)
    require_actor(event.actor, duty.assigner, duty.id)
    require_status(duty, "REPORTED")
    require_same("proposal", event.payload.proposal, view.head(duty.id))
    return duty


def _met(duty: Duty) -> Duty:
    """Return `duty`; refuse one whose result is below its target."""
    if duty.target_number is None or duty.result_number is None:
        return duty
    if decimal(duty.result_number) < decimal(duty.target_number):
        raise TARGET_MISSED(result=duty.result_number, target=duty.target_number)
    return duty


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise DEADLINE_PAST(deadline=text) from None
