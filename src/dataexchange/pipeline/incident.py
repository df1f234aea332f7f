"""Security incidents 数据安全事件: reported, confirmed, contained, closed.

A report by the holder of all the assets, the operator or a regulator takes effect at once; anyone
else's is an allegation until one of them confirms it, so that nobody stops a rival's sales alone.
While an incident is open its assets, and what is made of them, are neither listed nor opened.
"""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from dataexchange.asset.title import Asset, cleared, marked
from dataexchange.ledger.statement import format_time, parse_time
from dataexchange.rules import Changes, Event, Payload, RefusalCode, Role, State, View, event
from dataexchange.rules.guard import require_actor, require_same, require_status
from dataexchange.rules.payload import Hash, Line, Moment, Prose
from dataexchange.rules.reference import AssetId, IncidentId

NOT_YET = RefusalCode(
    "incident.not_yet",
    clause="数据安全法 art. 29",
    zh="事件发生时间 {occurred_at} 晚于报告时间",
    en="The incident is said to have happened at {occurred_at}, after it was reported",
    kind="malformed",
)

AUTHORITIES = frozenset({Role.OPERATOR, Role.REGULATOR})


class Severity(StrEnum):
    """The four grades of 国家网络安全事件应急预案 (中网办发文〔2017〕4号)."""

    CRITICAL = "critical"  # 特别重大
    MAJOR = "major"  # 重大
    SERIOUS = "serious"  # 较大
    GENERAL = "general"  # 一般


class Cause(StrEnum):
    """What happened to the data (数据安全法 art. 21, 个人信息保护法 art. 57)."""

    LEAK = "leak"  # 泄露
    ALTERATION = "alteration"  # 篡改
    LOSS = "loss"  # 丢失、毁损
    MISUSE = "misuse"  # 滥用、非法使用
    OUTAGE = "outage"  # 中断


class Incident(State, frozen=True, kw_only=True):
    """An incident of some assets; times RFC 3339."""

    KIND = "incident"

    assets: tuple[str, ...]
    reporter: str
    cause: Cause
    severity: Severity
    status: str  # alleged | open | contained | closed | dismissed
    happened_at: str
    reported_at: str
    contained_at: str | None = None
    closed_at: str | None = None
    report: str | None = None


Assets = Annotated[tuple[AssetId, ...], Field(min_length=1, max_length=16)]


class IncidentReported(Payload):
    """What happened to which assets, and when; evidence by hash."""

    incident: IncidentId
    assets: Assets
    cause: Cause
    severity: Severity
    happened_at: Moment
    description: Prose
    evidence: Annotated[tuple[Hash, ...], Field(max_length=16)] = ()


class IncidentJudged(Payload):
    """An allegation that is taken up or dismissed; `assets` are those that it named."""

    incident: IncidentId
    assets: Assets
    reason: Line


class IncidentContained(Payload):
    """The measures that stopped the harm; `notified`: those concerned were told."""

    incident: IncidentId
    assets: Assets
    measures: Prose
    notified: bool
    report: Hash


class IncidentClosed(Payload):
    """The end of an incident, on the final report."""

    incident: IncidentId
    assets: Assets
    report: Hash


@event(
    "incident.reported@1",
    by=set(Role),
    zh="报告安全事件",
    en="Report a security incident",
    clause="数据安全法 art. 29",
    sealable=("contact", "details"),
)
def report(view: View, event: Event[IncidentReported]) -> Changes:
    """Report an incident; by the holder or an authority it marks the assets at once."""
    given = event.payload
    view.require_new(given.incident)
    require_same("assets", len(set(given.assets)), len(given.assets))
    if parse_time(given.happened_at) > event.recorded_at:
        raise NOT_YET(occurred_at=given.happened_at)
    assets = [view.get(Asset, asset) for asset in given.assets]
    effective = bool(event.roles & AUTHORITIES) or all(
        asset.holder == event.actor for asset in assets
    )
    incident = Incident(
        id=given.incident,
        assets=given.assets,
        reporter=event.actor,
        cause=given.cause,
        severity=given.severity,
        status="open" if effective else "alleged",
        happened_at=given.happened_at,
        reported_at=format_time(event.recorded_at),
    )
    if not effective:
        return incident
    return (*(marked(asset, incident.id) for asset in assets), incident)


@event(
    "incident.confirmed@1",
    by=set(Role),
    zh="确认安全事件",
    en="Confirm an incident",
    clause="数据安全法 art. 29",
    sealable=("details",),
)
def confirm(view: View, event: Event[IncidentJudged]) -> Changes:
    """The holder or an authority takes an allegation up; it marks the assets."""
    incident, assets = _judged(view, event)
    return (
        *(marked(asset, incident.id) for asset in assets),
        incident.but(status="open"),
    )


@event(
    "incident.dismissed@1",
    by=AUTHORITIES,
    zh="排除安全事件",
    en="Dismiss an alleged incident",
    clause="数据安全法 art. 29",
    sealable=("details",),
)
def dismiss(view: View, event: Event[IncidentJudged]) -> Changes:
    """The operator or a regulator finds nothing in an allegation."""
    incident, _ = _judged(view, event)
    return incident.but(status="dismissed", closed_at=format_time(event.recorded_at))


@event(
    "incident.contained@1",
    by=set(Role),
    zh="处置安全事件",
    en="Contain an incident",
    clause="数据安全法 art. 29; 个人信息保护法 art. 57",
    sealable=("details",),
)
def contain(view: View, event: Event[IncidentContained]) -> Changes:
    """The holder or an authority says how the harm was stopped."""
    given = event.payload
    incident, assets = _named(view, given)
    require_status(incident, "open")
    _require_concerned(event.roles, event.actor, incident, assets)
    return incident.but(
        status="contained", contained_at=format_time(event.recorded_at), report=given.report
    )


@event(
    "incident.closed@1",
    by=AUTHORITIES,
    zh="关闭安全事件",
    en="Close an incident",
    clause="数据安全法 art. 29",
    sealable=("details",),
)
def close(view: View, event: Event[IncidentClosed]) -> Changes:
    """The operator or a regulator closes what was contained; the assets are clear of it."""
    given = event.payload
    incident, assets = _named(view, given)
    require_status(incident, "contained")
    closed = incident.but(
        status="closed", closed_at=format_time(event.recorded_at), report=given.report
    )
    return (*(cleared(asset, incident.id) for asset in assets), closed)


def _named(
    view: View, named: IncidentJudged | IncidentContained | IncidentClosed
) -> tuple[Incident, list[Asset]]:
    incident = view.get(Incident, named.incident)
    require_same("assets", sorted(named.assets), sorted(incident.assets))
    return incident, [view.get(Asset, asset) for asset in incident.assets]


def _judged(view: View, event: Event[IncidentJudged]) -> tuple[Incident, list[Asset]]:
    incident, assets = _named(view, event.payload)
    require_status(incident, "alleged")
    _require_concerned(event.roles, event.actor, incident, assets)
    return incident, assets


def _require_concerned(
    roles: frozenset[Role], actor: str, incident: Incident, assets: list[Asset]
) -> None:
    if not roles & AUTHORITIES:
        for asset in assets:
            require_actor(actor, asset.holder, incident.id)
