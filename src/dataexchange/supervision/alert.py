"""Alerts 预警 on the ledger: what looked wrong, the entries that show it, and what came of it.

`supervision.alerts` finds them; here an authority puts one on record. One finding, that is one kind
with the same entries, is raised once.
"""

import hashlib
from collections.abc import Iterable
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from dataexchange.ledger import canonical
from dataexchange.ledger.statement import format_time
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
from dataexchange.rules.payload import Count, Hash
from dataexchange.rules.reference import AlertId
from dataexchange.rules.refusal import NOT_FOUND
from dataexchange.supervision.subject import Subject

ALERT_RULES = "domain: supervision, alert rules over the log"
ENTRIES_MAX = 32


class AlertKind(StrEnum):
    """What looked wrong. The first eleven are found by rules, the last by people."""

    PRICE_FAR_FROM_VALUE = "price_far_from_value"  # 价格偏离评估值
    WASH_TRADE = "wash_trade"  # 关联交易、对敲
    SECOND_PLEDGE = "second_pledge"  # 重复质押
    OVER_PLEDGED = "over_pledged"  # 超额质押
    STALE_QUALITY = "stale_quality"  # 质量评估滞后
    STALE_PRODUCT = "stale_product"  # 产品未随数据源更新
    OPENING_PLAN_MISSED = "opening_plan_missed"  # 开放计划未完成
    CLAIM_CLOCK_MISSED = "claim_clock_missed"  # 理赔超时
    SHARE_CLOCK_MISSED = "share_clock_missed"  # 共享答复超时
    CORRECTION_CLOCK_MISSED = "correction_clock_missed"  # 纠错超时
    DUTY_OVERDUE = "duty_overdue"  # 任务逾期
    OTHER = "other"  # 其他


class Resolution(StrEnum):
    """What came of an alert."""

    UNFOUNDED = "unfounded"  # 查无实据
    REMEDIED = "remedied"  # 已整改
    REFERRED = "referred"  # 移送处理


RAISED_ALREADY = RefusalCode(
    "alert.raised_already",
    clause=ALERT_RULES,
    zh="同一情形已预警：{alert}",
    en="The same finding was raised as {alert}",
    kind="conflict",
)
ENTRIES_UNFIT = RefusalCode(
    "alert.entries_unfit",
    clause=ALERT_RULES,
    zh="所列条目须按序号递增，且在本条目（{index}）之前",
    en="The entries named must ascend, each before this one ({index})",
    kind="malformed",
)
ABOVE_OPERATOR = RefusalCode(
    "alert.regulators_own",
    clause=ALERT_RULES,
    zh="监管机构发出的预警只能由监管机构关闭",
    en="Only a regulator closes an alert that a regulator raised",
    kind="forbidden",
)


class RaisedBy(Payload):
    """An entry that raised an alert: its index and its leaf hash."""

    index: Count
    leaf: Hash


class Alert(State, frozen=True, kw_only=True):
    """An alert; times RFC 3339, notes by hash, `entries` the indexes of those that raised it."""

    KIND = "alert"

    kind: AlertKind
    subject: str
    entries: tuple[int, ...]
    note: str
    raised_by: str
    by_regulator: bool
    raised_at: str
    status: str  # OPEN | CLOSED
    resolution: Resolution | None = None
    closing_note: str | None = None
    closed_at: str | None = None


class Finding(State, frozen=True, kw_only=True):
    """A mark that a finding was raised; its key is `finding/<hash>`."""

    KIND = "finding"

    alert: str


class AlertRaised(Payload):
    """What looked wrong about which aggregate, and the entries that show it."""

    alert: AlertId
    kind: AlertKind
    subject: Subject
    entries: Annotated[tuple[RaisedBy, ...], Field(min_length=1, max_length=ENTRIES_MAX)]
    note: Hash


class AlertClosed(Payload):
    """What came of it, the reasons by hash."""

    alert: AlertId
    resolution: Resolution
    note: Hash


def finding_key(kind: AlertKind, subject: str, indexes: Iterable[int]) -> str:
    """Return the key that marks a finding as raised."""
    described = canonical.encode([kind.value, subject, list(indexes)])
    return f"finding/{hashlib.sha256(described).hexdigest()[:32]}"


def _finding_of(payload: AlertRaised) -> str:
    return finding_key(payload.kind, payload.subject, (one.index for one in payload.entries))


@event(
    "alert.raised@1",
    by={Role.OPERATOR, Role.REGULATOR},
    zh="发出预警",
    en="Raise an alert",
    clause=ALERT_RULES,
    also=lambda payload, actor: (payload.subject, _finding_of(payload)),
    sealable=("details",),
)
def raise_alert(view: View, event: Event[AlertRaised]) -> Changes:
    """Put a finding on record, once; whether its leaf hashes are right is for verifiers."""
    said = event.payload
    view.require_new(said.alert)
    if view.find(State, said.subject) is None:
        raise NOT_FOUND(key=said.subject)
    indexes = tuple(one.index for one in said.entries)
    if list(indexes) != sorted(set(indexes)) or indexes[-1] >= event.index:
        raise ENTRIES_UNFIT(index=event.index)
    key = _finding_of(said)
    before = view.find(Finding, key)
    if before is not None:
        raise RAISED_ALREADY(alert=before.alert)
    alert = Alert(
        id=said.alert,
        kind=said.kind,
        subject=said.subject,
        entries=indexes,
        note=said.note,
        raised_by=event.actor,
        by_regulator=Role.REGULATOR in event.roles,
        raised_at=format_time(event.recorded_at),
        status="OPEN",
    )
    return alert, Finding(id=key, alert=alert.id)


@event(
    "alert.closed@1",
    by={Role.OPERATOR, Role.REGULATOR},
    zh="关闭预警",
    en="Close an alert",
    clause=ALERT_RULES,
    sealable=("details",),
)
def close(view: View, event: Event[AlertClosed]) -> Changes:
    """Say what came of it; a regulator's alert is closed by a regulator."""
    said = event.payload
    alert = view.get(Alert, said.alert)
    require_status(alert, "OPEN")
    if alert.by_regulator and Role.REGULATOR not in event.roles:
        raise ABOVE_OPERATOR()
    return alert.but(
        status="CLOSED",
        resolution=said.resolution,
        closing_note=said.note,
        closed_at=format_time(event.recorded_at),
    )
