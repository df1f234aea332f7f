"""The state of an authorised operation 授权运营, and what it covers."""

from datetime import datetime
from enum import StrEnum

from dataexchange.ledger.statement import parse_time
from dataexchange.rules import RefusalCode, State


class OperationMode(StrEnum):
    """How an operator may use the data."""

    IN_PLACE = "in_place"  # 原地使用: the data never leave
    DELIVERED = "delivered"


NOT_COVERED = RefusalCode(
    "operation.not_covered",
    clause="公共数据资源授权运营实施规范(试行); domain: every source's grant covers the use",
    zh="授权 {operation} 不覆盖资产 {asset}，或不属于 {party}",
    en="Operation {operation} does not cover asset {asset}, or is not {party}'s",
    remedy_zh="取得覆盖该资源的授权运营。",
    remedy_en="Obtain an authorisation that covers the resource.",
    kind="conflict",
)
OPERATION_EXPIRED = RefusalCode(
    "operation.expired",
    clause="公共数据资源授权运营实施规范(试行)",
    zh="授权 {operation} 未生效或已于 {until} 届满",
    en="Operation {operation} is not in force, or ended at {until}",
    remedy_zh="续期或重新授权。",
    remedy_en="Have the operation authorised anew.",
    kind="conflict",
)


class Operation(State, frozen=True, kw_only=True):
    """An authorisation to operate some assets, for a scope and a term (RFC 3339)."""

    KIND = "operation"

    grantor: str
    party: str
    assets: tuple[str, ...]
    mode: OperationMode
    scope: str
    scenario: str | None
    parent: str | None
    may_delegate: bool
    status: str  # offered | active | ended
    since: str
    until: str

    def is_in_force(self, now: datetime) -> bool:
        """Tell whether the authorisation runs now."""
        return self.status == "active" and parse_time(self.since) <= now < parse_time(self.until)


def require_in_force(operation: Operation, now: datetime) -> None:
    """Refuse an authorisation that was not accepted yet, was ended, or has expired."""
    if not operation.is_in_force(now):
        raise OPERATION_EXPIRED(operation=operation.id, until=operation.until)


def require_covered(operation: Operation, asset: str, *, party: str, now: datetime) -> None:
    """Refuse unless `operation` lets `party` use `asset` now."""
    if operation.party != party or asset not in operation.assets:
        raise NOT_COVERED(operation=operation.id, asset=asset, party=party)
    require_in_force(operation, now)
