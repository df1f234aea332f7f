"""Application scenarios 应用场景: what data are used for, and what came of it."""

from typing import Annotated

from pydantic import Field

from dataexchange.asset.title import Asset
from dataexchange.rules import Changes, Event, Payload, RefusalCode, Role, State, Text, View, event
from dataexchange.rules.guard import require_actor, require_same, require_status
from dataexchange.rules.payload import Code, Day, Hash, Line, Number, Prose
from dataexchange.rules.reference import AssetId, ScenarioId

PERIOD_WRONG = RefusalCode(
    "scenario.period_wrong",
    clause="domain: scenario.result_reported",
    zh="报告期 {start} 至 {end} 首尾颠倒",
    en="The period from {start} to {end} ends before it starts",
    kind="malformed",
)


class Scenario(State, frozen=True, kw_only=True):
    """A scenario; licences and operations bind a purpose to it."""

    KIND = "scenario"

    owner: str
    title: str
    title_en: str | None
    sector: str
    purposes: tuple[str, ...]
    public_interest: bool
    status: str  # open | closed
    results: int = 0


class ScenarioRegistered(Payload):
    """A use of data in some sector, described before data are asked for."""

    scenario: ScenarioId
    title: Text
    description: Prose
    sector: Annotated[Code, Field(description="GB/T 4754 or a local list of sectors")]
    purposes: Annotated[tuple[Code, ...], Field(min_length=1, max_length=16)]
    beneficiaries: Line
    public_interest: Annotated[bool, Field(description="公共治理、公益事业")] = False


class Metric(Payload):
    """One figure of a result, with its unit."""

    name: Line
    value: Number
    unit: Line


class ScenarioResultReported(Payload):
    """What a product did for a scenario in a period; the report itself by hash."""

    scenario: ScenarioId
    asset: AssetId
    period_start: Day
    period_end: Day
    metrics: Annotated[tuple[Metric, ...], Field(min_length=1, max_length=16)]
    report: Hash


class ScenarioClosed(Payload):
    """The end of a scenario."""

    scenario: ScenarioId
    reason: Line


@event(
    "scenario.registered@1",
    by={Role.PROVIDER, Role.BUYER, Role.DATA_SERVICE, Role.OPERATOR},
    zh="登记应用场景",
    en="Register a scenario",
    clause="福建省数据流通交易管理办法(试行)",
)
def register(view: View, event: Event[ScenarioRegistered]) -> Changes:
    """A party says what it means to use data for."""
    given = event.payload
    view.require_new(given.scenario)
    return Scenario(
        id=given.scenario,
        owner=event.actor,
        title=given.title.zh,
        title_en=given.title.en,
        sector=given.sector,
        purposes=given.purposes,
        public_interest=given.public_interest,
        status="open",
    )


@event(
    "scenario.result_reported@1",
    by={Role.PROVIDER, Role.BUYER, Role.DATA_SERVICE, Role.OPERATOR},
    zh="报告应用成效",
    en="Report a scenario's result",
    clause="福建省数据流通交易管理办法(试行)",
)
def report(view: View, event: Event[ScenarioResultReported]) -> Changes:
    """The scenario's owner, or the holder of its product, reports figures for a period."""
    given = event.payload
    scenario = view.get(Scenario, given.scenario)
    asset = view.get(Asset, given.asset)
    require_status(scenario, "open")
    require_same("scenario", given.scenario, asset.scenario)
    require_actor(event.actor, {scenario.owner, asset.holder}, scenario.id)
    if given.period_end < given.period_start:
        raise PERIOD_WRONG(start=given.period_start, end=given.period_end)
    return scenario.but(results=scenario.results + 1)


@event(
    "scenario.closed@1",
    by={Role.PROVIDER, Role.BUYER, Role.DATA_SERVICE, Role.OPERATOR},
    zh="结束应用场景",
    en="Close a scenario",
    clause="福建省数据流通交易管理办法(试行)",
)
def close(view: View, event: Event[ScenarioClosed]) -> Changes:
    """The owner closes its scenario; nothing new is bound to it."""
    scenario = view.get(Scenario, event.payload.scenario)
    require_status(scenario, "open")
    require_actor(event.actor, scenario.owner, scenario.id)
    return scenario.but(status="closed")
