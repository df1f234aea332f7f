"""Opening plans 开放计划: what a holder commits itself to open, how, and by when."""

from datetime import datetime
from enum import StrEnum

from dataexchange.asset.title import Asset, require_holder
from dataexchange.ledger.statement import format_time
from dataexchange.pipeline.elements import Level
from dataexchange.pipeline.gate import require_not_core
from dataexchange.rules import Changes, Event, Payload, RefusalCode, Role, State, View, event
from dataexchange.rules.guard import require_actor, require_same, require_status
from dataexchange.rules.payload import Day, Line
from dataexchange.rules.reference import AssetId, PlanId
from dataexchange.rules.time import day_of


class OpeningType(StrEnum):
    """How a resource is open to the public."""

    UNCONDITIONAL = "unconditional"  # 无条件开放
    CONDITIONAL = "conditional"  # 有条件开放
    REFUSED = "refused"  # 不予开放


NOT_PUBLIC = RefusalCode(
    "opening.not_public",
    clause="domain: 开放 opening is of public data",
    zh="资产 {asset} 属企业数据，不列入公共数据开放",
    en="Asset {asset} is enterprise data; only public data are opened",
)
PLAN_PAST = RefusalCode(
    "opening.plan_past",
    clause="domain: 开放计划",
    zh="计划完成日 {by} 已过",
    en="The day planned, {by}, has passed",
)


class Plan(State, frozen=True, kw_only=True):
    """One line of an opening plan 开放计划; `by` is a day in China."""

    KIND = "plan"

    asset: str
    owner: str
    opening: OpeningType
    by: str
    status: str  # planned | fulfilled | withdrawn
    fulfilled_at: str | None = None
    late: bool = False


class OpeningPlanned(Payload):
    """What is to be opened, how, and by when."""

    plan: PlanId
    asset: AssetId
    opening: OpeningType
    by: Day


class OpeningPlanWithdrawn(Payload):
    """A plan that is given up, with the reason."""

    plan: PlanId
    reason: Line


@event(
    "opening.planned@1",
    by={Role.PROVIDER},
    zh="列入开放计划",
    en="Plan an opening",
    clause="domain: 开放计划",
)
def plan(view: View, event: Event[OpeningPlanned]) -> Changes:
    """The holder commits itself to an opening by a day."""
    given = event.payload
    view.require_new(given.plan)
    asset = view.get(Asset, given.asset)
    require_status(asset, "registered")
    require_holder(asset, event.actor)
    require_public(asset)
    if given.opening is not OpeningType.REFUSED:
        require_not_core(asset)
    if given.by < day_of(event.recorded_at).isoformat():
        raise PLAN_PAST(by=given.by)
    return Plan(
        id=given.plan,
        asset=asset.id,
        owner=event.actor,
        opening=given.opening,
        by=given.by,
        status="planned",
    )


@event(
    "opening.plan_withdrawn@1",
    by={Role.PROVIDER},
    zh="撤销开放计划",
    en="Give up a plan",
    clause="domain: 开放计划",
)
def withdraw_plan(view: View, event: Event[OpeningPlanWithdrawn]) -> Changes:
    """The planner gives its plan up; that is seen in the evaluation."""
    planned = view.get(Plan, event.payload.plan)
    require_status(planned, "planned")
    require_actor(event.actor, planned.owner, planned.id)
    return planned.but(status="withdrawn")


def fulfilled(plan: Plan, opening: OpeningType, asset: str, now: datetime) -> Plan:
    """Return `plan`, fulfilled by the opening of `asset`; late where its day has passed."""
    require_status(plan, "planned")
    require_same("asset", asset, plan.asset)
    require_same("opening", opening, plan.opening)
    return plan.but(
        status="fulfilled",
        fulfilled_at=format_time(now),
        late=day_of(now).isoformat() > plan.by,
    )


def require_public(asset: Asset) -> None:
    """Refuse what is not public data 公共数据."""
    if not Level(asset.level).is_public:
        raise NOT_PUBLIC(asset=asset.id)
