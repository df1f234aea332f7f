"""A registration of rights 权属登记 in data: its kinds of right, its objection window, its term."""

from datetime import datetime
from enum import StrEnum

from dataexchange.ledger.statement import parse_time
from dataexchange.rules import RefusalCode, State


class RightKind(StrEnum):
    """One of the three rights that 数据二十条 separates."""

    HOLDING = "holding"  # 数据资源持有权
    PROCESSING = "processing"  # 数据加工使用权
    OPERATING = "operating"  # 数据产品经营权


class Registration(State, frozen=True, kw_only=True):
    """A registration and its certificate; times RFC 3339, evidence by hash."""

    KIND = "registration"

    asset: str
    claimant: str
    rights: tuple[RightKind, ...]
    status: str  # published | registered | refused | withdrawn | cancelled | revoked
    basis: str
    evidence: tuple[str, ...]
    window_ends: str
    objections_open: int = 0
    operation: str | None = None
    certificate: str | None = None
    registrar: str | None = None
    valid_until: str | None = None
    renewals: int = 0
    amendments: int = 0
    licences: int = 0

    def window_is_open(self, now: datetime) -> bool:
        """Tell whether the objection window 公示期 is still open."""
        return now < parse_time(self.window_ends)

    def is_in_force(self, now: datetime) -> bool:
        """Tell whether the certificate is valid now."""
        until = self.valid_until
        return self.status == "registered" and until is not None and now < parse_time(until)


class Objection(State, frozen=True, kw_only=True):
    """An objection 异议 to a registration."""

    KIND = "objection"

    asset: str
    registration: str
    objector: str
    status: str  # open | upheld | dismissed | withdrawn
    grounds: str
    evidence: tuple[str, ...]
    raised_at: str
    decision: str | None = None


WINDOW_OPEN = RefusalCode(
    "rights.window_open",
    clause="公共数据资源登记管理暂行办法 (发改数据规〔2025〕26号)",
    zh="登记 {registration} 正在公示，{window_ends} 期满前不得登记",
    en="Registration {registration} is in its objection window until {window_ends}",
    remedy_zh="公示期满且无未决异议后再登记。",
    remedy_en="Register after the window has closed without an open objection.",
    kind="conflict",
)
WINDOW_CLOSED = RefusalCode(
    "rights.window_closed",
    clause="公共数据资源登记管理暂行办法 (发改数据规〔2025〕26号)",
    zh="登记 {registration} 的公示期已于 {window_ends} 届满",
    en="The objection window of registration {registration} closed at {window_ends}",
    remedy_zh="登记完成后可提出异议登记。",
    remedy_en="Object once the right has been registered.",
    kind="conflict",
)
OBJECTION_OPEN = RefusalCode(
    "rights.objection_open",
    clause="民法典 art. 220; 发改数据规〔2025〕26号",
    zh="登记 {registration} 有 {count} 项未决异议",
    en="Registration {registration} has {count} open objections",
    remedy_zh="由登记机构先裁决异议。",
    remedy_en="The registrar decides the objections first.",
    kind="conflict",
)
