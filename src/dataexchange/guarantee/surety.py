"""Guarantees 担保, from the application to the creditor's acceptance.

    APPLIED → REVIEWED → APPROVED → SIGNED → IN_FORCE → CALLED → PAID → CLOSED
    APPLIED → REJECTED;  before IN_FORCE → WITHDRAWN;  IN_FORCE → RELEASED | LAPSED

Limits are checked again at SIGNED, in the same event that adds the commitment. What comes after
the acceptance is in `guarantee.recourse`, who shares the risk in `guarantee.reguarantee`.
"""

from calendar import monthrange
from datetime import date, datetime, time
from enum import StrEnum
from typing import Protocol

from dataexchange.accounts.book import Book, account_key
from dataexchange.guarantee import commitments
from dataexchange.guarantee.exposure import ObligorKind
from dataexchange.guarantee.pledge import Pledge
from dataexchange.identity.party import Party
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
    require_actor,
    require_same,
    require_status,
)
from dataexchange.rules.payload import Day, Days, Fen, Hash, Line, PositiveFen
from dataexchange.rules.reference import GroupId, GuaranteeId, PartyId, PledgeId
from dataexchange.rules.time import CHINA, end_of_day_after

PERIOD_MONTHS_DEFAULT = 6
"""The guarantee period where none is agreed: six months from the debt's due day (art. 692)."""

REVIEWER_APPROVES = RefusalCode(
    "guarantee.reviewer_approves",
    clause="国务院令683号 art. 24: 保审分离",
    zh="审批人不得是调查人：须用另一把密钥签署",
    en="Who reviewed cannot approve: sign with another key",
)
NOT_A_GUARANTOR = RefusalCode(
    "guarantee.not_a_guarantor",
    clause="国务院令683号 art. 6",
    zh="{party} 不是担保机构",
    en="{party} is not a guarantor",
)
PARTIES_SAME = RefusalCode(
    "guarantee.parties_same",
    clause="民法典 art. 681",
    zh="债务人、债权人、保证人须为三个不同主体",
    en="Obligor, creditor and guarantor are three different parties",
)
KIND_UNFOUNDED = RefusalCode(
    "guarantee.kind_unfounded",
    clause="银保监发〔2018〕1号, 融资担保责任余额计量办法",
    zh="{party} 未登记为小微企业或“三农”主体，不得按 {kind} 计量",
    en="{party} is not recorded as a small firm or farmer; {kind} is not its weight",
)
RATING_NEEDED = RefusalCode(
    "guarantee.rating_needed",
    clause="银保监发〔2018〕1号: 主体信用评级AA+以上",
    zh="债券担保须有发行人 AA+ 及以上评级的凭据",
    en="A bond is recommended with proof that its issuer is rated AA+ or better",
    remedy_zh="填写 rating_sha256，或以 other 类申请。",
    remedy_en="Give rating_sha256, or apply with kind other.",
)
DAY_UNREAL = RefusalCode(
    "guarantee.day_unreal",
    clause="民法典 art. 692",
    zh="没有 {day} 这一天",
    en="There is no day {day}",
    kind="malformed",
)
RISK_NOT_ACCEPTED = RefusalCode(
    "guarantee.risk_not_accepted",
    clause="contract on risk sharing 风险分担协议",
    zh="尚有分担方未确认：{parties}",
    en="Not every sharer of the risk has accepted yet: {parties}",
    kind="conflict",
)


class Liability(StrEnum):
    """How the guarantor answers (民法典 art. 686)."""

    GENERAL = "general"  # 一般保证
    JOINT = "joint"  # 连带责任保证


class Guarantee(State, frozen=True, kw_only=True):
    """A guarantee; money in 分."""

    KIND = "guarantee"

    obligor: str
    guarantor: str
    creditor: str
    amount_fen: int
    fee_fen: int
    kind: ObligorKind
    liability: Liability
    debt_due: str
    period_days: int | None
    status: str
    policy_version: int
    pledge: str | None = None
    reviewed_by: str | None = None
    review: str | None = None
    until: str | None = None
    called_fen: int = 0
    paid_fen: int = 0
    recovered_fen: int = 0
    shares: dict[str, str] = {}
    shares_accepted: tuple[str, ...] = ()
    shares_paid_fen: dict[str, int] = {}


class GuaranteeApplied(Payload):
    """What the obligor asks for, and whose debt it backs.

    The guarantee period 保证期间 runs from the day the debt is due (民法典 art. 692); without
    `period_days` it is six months.
    """

    guarantee: GuaranteeId
    guarantor: PartyId
    creditor: PartyId
    amount_fen: PositiveFen
    fee_fen: Fen
    kind: ObligorKind = ObligorKind.OTHER
    liability: Liability = Liability.JOINT
    debt_due: Day
    period_days: Days | None = None
    pledge: PledgeId | None = None


class GuaranteeReviewed(Payload):
    """The analyst's review 尽职调查."""

    guarantee: GuaranteeId
    report_sha256: Hash
    recommended: bool
    rating_sha256: Hash | None = None


class GuaranteeNamed(Payload):
    """An act on a guarantee."""

    guarantee: GuaranteeId


class GuaranteeSigned(Payload):
    """The guarantor signs; `group` is the obligor's group of affiliates, as recorded."""

    guarantee: GuaranteeId
    obligor: PartyId
    group: GroupId | None = None


class GuaranteeAccepted(Payload):
    """The creditor takes the guarantee that was signed; the fee is paid now."""

    guarantee: GuaranteeId
    proposal: Hash
    obligor: PartyId
    guarantor: PartyId


class GuaranteeWithdrawn(Payload):
    """Either side steps back before the creditor has accepted."""

    guarantee: GuaranteeId
    guarantor: PartyId
    obligor: PartyId
    group: GroupId | None = None
    reason: Line


@event(
    "guarantee.applied@1",
    by={Role.PROVIDER, Role.BUYER},
    zh="申请担保",
    en="Apply for a guarantee",
    clause="民法典 art. 681",
    sealable=("details", "terms"),
)
def apply(view: View, event: Event[GuaranteeApplied]) -> Changes:
    """The debtor applies."""
    said = event.payload
    view.require_new(said.guarantee)
    if len({event.actor, said.guarantor, said.creditor}) < 3:
        raise PARTIES_SAME()
    guarantor = view.get(Party, said.guarantor)
    if Role.GUARANTOR not in guarantor.roles or guarantor.status != "active":
        raise NOT_A_GUARANTOR(party=said.guarantor)
    _require_kind(view.get(Party, event.actor), said.kind)
    if said.pledge is not None:
        pledge = view.get(Pledge, said.pledge)
        require_same("pledgor", event.actor, pledge.pledgor)
        require_same("creditor", said.creditor, pledge.lender)
    period_end(said.debt_due, said.period_days)
    return Guarantee(
        id=said.guarantee,
        obligor=event.actor,
        guarantor=said.guarantor,
        creditor=view.get(Party, said.creditor).id,
        amount_fen=said.amount_fen,
        fee_fen=said.fee_fen,
        kind=said.kind,
        liability=said.liability,
        debt_due=said.debt_due,
        period_days=said.period_days,
        pledge=said.pledge,
        status="APPLIED",
        policy_version=view.policy.version,
    )


@event(
    "guarantee.reviewed@1",
    by={Role.GUARANTOR},
    zh="担保调查",
    en="Review an application",
    clause="国务院令683号 art. 24",
    sealable=("details",),
)
def review(view: View, event: Event[GuaranteeReviewed]) -> Changes:
    """The analyst reports; what is not recommended ends here."""
    said = event.payload
    guarantee = of_guarantor(view, said.guarantee, event.actor)
    require_status(guarantee, "APPLIED")
    if said.recommended and guarantee.kind is ObligorKind.BOND and said.rating_sha256 is None:
        raise RATING_NEEDED()
    return guarantee.but(
        status="REVIEWED" if said.recommended else "REJECTED",
        reviewed_by=event.key,
        review=said.report_sha256,
    )


@event(
    "guarantee.approved@1",
    by={Role.GUARANTOR},
    zh="担保审批",
    en="Approve a guarantee",
    clause="国务院令683号 art. 24",
)
def approve(view: View, event: Event[GuaranteeNamed]) -> Changes:
    """The committee approves, with another key than the analyst's."""
    guarantee = of_guarantor(view, event.payload.guarantee, event.actor)
    require_status(guarantee, "REVIEWED")
    if event.key == guarantee.reviewed_by:
        raise REVIEWER_APPROVES()
    return guarantee.but(status="APPROVED")


@event(
    "guarantee.signed@1",
    by={Role.GUARANTOR},
    zh="签订保证合同",
    en="Sign a guarantee",
    clause="民法典 art. 685; 国务院令683号 arts. 15-17",
    also=lambda payload, actor: commitments.keys(actor, payload.obligor, payload.group),
)
def sign(view: View, event: Event[GuaranteeSigned]) -> Changes:
    """Commit; every limit is checked with this commitment in it."""
    said = event.payload
    guarantee = of_guarantor(view, said.guarantee, event.actor)
    require_status(guarantee, "APPROVED")
    require_same("obligor", said.obligor, guarantee.obligor)
    require_same("group", said.group, view.get(Party, said.obligor).group)
    carried = carry(view, guarantee, said.group, guarantee.amount_fen)
    return guarantee.but(status="SIGNED"), *carried


@event(
    "guarantee.accepted@1",
    by={Role.LENDER, Role.PROVIDER, Role.BUYER},
    zh="担保生效",
    en="Take a guarantee",
    clause="民法典 arts. 685, 692",
    also=lambda payload, actor: (account_key(payload.obligor), account_key(payload.guarantor)),
)
def accept(view: View, event: Event[GuaranteeAccepted]) -> Changes:
    """The creditor accepts; the fee is paid and the guarantee is in force."""
    said = event.payload
    guarantee = view.get(Guarantee, said.guarantee)
    require_status(guarantee, "SIGNED")
    require_actor(event.actor, guarantee.creditor, guarantee.id)
    require_same("proposal", said.proposal, view.head(guarantee.id))
    require_same("obligor", said.obligor, guarantee.obligor)
    require_same("guarantor", said.guarantor, guarantee.guarantor)
    _require_sharers(guarantee)
    book = Book(view)
    book.move(
        guarantee.fee_fen, source=account_key(said.obligor), target=account_key(said.guarantor)
    )
    until = format_time(period_end(guarantee.debt_due, guarantee.period_days))
    return guarantee.but(status="IN_FORCE", until=until), *book.changes()


@event(
    "guarantee.withdrawn@1",
    by={Role.GUARANTOR, Role.PROVIDER, Role.BUYER},
    zh="撤回担保",
    en="Withdraw a guarantee",
    clause="民法典 arts. 475-477",
    also=lambda payload, actor: commitments.keys(payload.guarantor, payload.obligor, payload.group),
)
def withdraw(view: View, event: Event[GuaranteeWithdrawn]) -> Changes:
    """Until the creditor has accepted, obligor or guarantor may step back."""
    said = event.payload
    guarantee = view.get(Guarantee, said.guarantee)
    require_status(guarantee, "APPLIED", "REVIEWED", "APPROVED", "SIGNED")
    require_actor(event.actor, (guarantee.obligor, guarantee.guarantor), guarantee.id)
    if guarantee.status == "SIGNED":
        return ended(view, guarantee, said, "WITHDRAWN")
    return guarantee.but(status="WITHDRAWN")


def of_guarantor(view: View, key: str, actor: str) -> Guarantee:
    """Return the guarantee; refuse anyone but its guarantor."""
    guarantee = view.get(Guarantee, key)
    require_actor(actor, guarantee.guarantor, guarantee.id)
    return guarantee


class NamesObligor(Protocol):
    """A payload that names whose exposure it changes."""

    @property
    def guarantor(self) -> str:
        """The guarantor."""
        ...

    @property
    def obligor(self) -> str:
        """The obligor."""
        ...

    @property
    def group(self) -> str | None:
        """The group that the obligor is counted in."""
        ...


def carry(view: View, guarantee: Guarantee, group: str | None, delta_fen: int) -> tuple[State, ...]:
    """Return the exposures after `delta_fen` more (or less) under `guarantee`."""
    return commitments.changed(
        view,
        guarantee.guarantor,
        guarantee.obligor,
        group=group,
        kind=guarantee.kind,
        delta_fen=delta_fen,
    )


def ended(view: View, guarantee: Guarantee, said: NamesObligor, status: str) -> Changes:
    """Return the guarantee at `status` and the exposures without it."""
    require_same("obligor", said.obligor, guarantee.obligor)
    require_same("guarantor", said.guarantor, guarantee.guarantor)
    carried = carry(view, guarantee, said.group, -guarantee.amount_fen)
    return guarantee.but(status=status), *carried


def end_of_day(day: date) -> datetime:
    """Return the end (UTC) of `day` in +08:00."""
    return end_of_day_after(datetime.combine(day, time.min, CHINA), 0)


def due_day(text: str) -> date:
    """Return the day that `text` names; refuse one that does not exist."""
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise DAY_UNREAL(day=text) from error


def period_end(debt_due: str, period_days: int | None) -> datetime:
    """Return the end of the guarantee period: agreed days, or six months (arts. 202, 692)."""
    due = due_day(debt_due)
    if period_days is not None:
        return end_of_day_after(datetime.combine(due, time.min, CHINA), period_days)
    years, month = divmod(due.month - 1 + PERIOD_MONTHS_DEFAULT, 12)
    year, month = due.year + years, month + 1
    return end_of_day(date(year, month, min(due.day, monthrange(year, month)[1])))


def _require_kind(obligor: Party, kind: ObligorKind) -> None:
    favoured = kind in (ObligorKind.SMALL_FIRM, ObligorKind.FARMER)
    if favoured and not obligor.small_or_farm:
        raise KIND_UNFOUNDED(party=obligor.id, kind=kind.value)


def _require_sharers(guarantee: Guarantee) -> None:
    own = {guarantee.guarantor, guarantee.creditor}
    if missing := set(guarantee.shares) - own - set(guarantee.shares_accepted):
        raise RISK_NOT_ACCEPTED(parties=", ".join(sorted(missing)))
