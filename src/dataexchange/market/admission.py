"""Who may license what 准入: the data's grade and opening limit buyers and terms.

Important data 重要数据 go only to bodies that were cleared for them after a risk assessment, for a
named scenario, and never on to others.
"""

from datetime import datetime

from dataexchange.asset.title import Asset
from dataexchange.identity.party import Party, PartyKind
from dataexchange.ledger.statement import parse_time
from dataexchange.market.terms import Terms
from dataexchange.pipeline.gate import require_not_core
from dataexchange.pipeline.grade import Grade
from dataexchange.rules import (
    Changes,
    Event,
    Payload,
    RefusalCode,
    Role,
    State,
    View,
    event,
    require_status,
)
from dataexchange.rules.payload import Hash, Line, Moment
from dataexchange.rules.reference import PartyId

IMPORTANT_DATA_RULES = "网络数据安全管理条例 (国务院令790号) art. 31; 数据安全法 art. 30"

NOT_CLEARED = RefusalCode(
    "clearance.missing",
    clause=IMPORTANT_DATA_RULES,
    zh="资产 {asset} 属重要数据，{buyer} 未获准入或准入已过期",
    en="Asset {asset} is important data; {buyer} has no clearance for it, or it has run out",
    remedy_zh="完成风险评估，由运营机构或监管机构准入（clearance.granted）。",
    remedy_en="Have the risks assessed and a clearance granted (clearance.granted).",
    kind="forbidden",
)
BODIES_ONLY = RefusalCode(
    "clearance.bodies_only",
    clause=IMPORTANT_DATA_RULES,
    zh="自然人不得取得重要数据",
    en="Important data are not licensed to natural persons",
    kind="forbidden",
)
STAYS_WITH_LICENSEE = RefusalCode(
    "terms.important_data",
    clause=IMPORTANT_DATA_RULES,
    zh="重要数据的许可不得允许转授，并须约定到期删除",
    en="A licence of important data forbids redistribution and obliges to delete",
)
SCENARIO_MISSING = RefusalCode(
    "terms.scenario_missing",
    clause="domain: 有条件开放; purpose bound to a scenario",
    zh="有条件开放的数据和重要数据，须在条款中绑定应用场景",
    en="Data that are open conditionally, and important data, are licensed for named scenarios",
    remedy_zh="在 terms.scenarios 中写明已登记的场景。",
    remedy_en="Name registered scenarios in terms.scenarios.",
)
DELETION_MISSING = RefusalCode(
    "terms.deletion_missing",
    clause="个人信息保护法 art. 47",
    zh="由个人信息去标识化而来的数据，须约定到期删除（deletion_days）",
    en="Data made from personal data are licensed with a duty to delete (deletion_days)",
)


class Clearance(State, frozen=True, kw_only=True):
    """That a party may license important data; its key is `clearance/<party>`."""

    KIND = "clearance"

    party: str
    status: str  # granted | withdrawn
    until: str
    assessment: str


class ClearanceGranted(Payload):
    """A party's clearance until a time, on a risk assessment by hash."""

    party: PartyId
    until: Moment
    assessment: Hash


class ClearanceWithdrawn(Payload):
    """The end of a clearance."""

    party: PartyId
    reason: Line


def clearance_key(party: str) -> str:
    """Return the key of the clearance of `party`."""
    return f"clearance/{party}"


@event(
    "clearance.granted@1",
    by={Role.OPERATOR, Role.REGULATOR},
    zh="准入重要数据",
    en="Clear a party for important data",
    clause=IMPORTANT_DATA_RULES,
    also=lambda payload, actor: (clearance_key(payload.party),),
)
def grant_clearance(view: View, event: Event[ClearanceGranted]) -> Changes:
    """Clear a body, anew or longer."""
    given = event.payload
    party = view.get(Party, given.party)
    require_status(party, "active")
    if party.party_kind is PartyKind.NATURAL_PERSON:
        raise BODIES_ONLY()
    return Clearance(
        id=clearance_key(party.id),
        party=party.id,
        status="granted",
        until=given.until,
        assessment=given.assessment,
    )


@event(
    "clearance.withdrawn@1",
    by={Role.OPERATOR, Role.REGULATOR},
    zh="撤回准入",
    en="Withdraw a clearance",
    clause=IMPORTANT_DATA_RULES,
    also=lambda payload, actor: (clearance_key(payload.party),),
)
def withdraw_clearance(view: View, event: Event[ClearanceWithdrawn]) -> Changes:
    """No licence of important data is agreed with the party from here on."""
    clearance = view.get(Clearance, clearance_key(event.payload.party))
    require_status(clearance, "granted")
    return clearance.but(status="withdrawn")


def require_admissible(
    view: View, asset: Asset, *, buyer: str, terms: Terms, now: datetime
) -> None:
    """Refuse unless the asset's grade and opening let `buyer` have it on `terms`."""
    require_not_core(asset)
    important = asset.grade == Grade.IMPORTANT
    if (important or asset.opening == "conditional") and not terms.scenarios:
        raise SCENARIO_MISSING()
    if asset.personal_data and terms.deletion_days is None:
        raise DELETION_MISSING()
    if important:
        _require_cleared(view, asset, buyer, now)
        if terms.redistribution or terms.deletion_days is None:
            raise STAYS_WITH_LICENSEE()


def _require_cleared(view: View, asset: Asset, buyer: str, now: datetime) -> None:
    if view.get(Party, buyer).party_kind is PartyKind.NATURAL_PERSON:
        raise BODIES_ONLY()
    clearance = view.find(Clearance, clearance_key(buyer))
    if clearance is None or clearance.status != "granted" or parse_time(clearance.until) <= now:
        raise NOT_CLEARED(asset=asset.id, buyer=buyer)
