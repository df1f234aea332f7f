"""Pledges 质押, from the draft to the loan: drafted, valued, signed, registered, drawn.

    DRAFT → VALUED → SIGNED → REGISTERED → ACTIVE ⇄ MARGIN_CALL → DEFAULTED → REALISING → REALISED
    ACTIVE → RELEASED;  DRAFT, VALUED, SIGNED → CANCELLED;  SIGNED → LAPSED

What comes after the draw is in `guarantee.enforcement`. The right over the asset is a lien in
`asset.title`; a second creditor sees it there, and so does a sale.
"""

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from dataexchange.accounts.book import Book, account_key
from dataexchange.asset.title import Asset, Lien, encumbered, require_dealable, require_holder
from dataexchange.guarantee.loan_to_value import LTV_EXCEEDED, check_secured_sum
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
from dataexchange.rules.payload import Code, Days, Hash, Line, PositiveFen, Ratio, decimal
from dataexchange.rules.reference import AssetId, PartyId, PledgeId, ValuationId
from dataexchange.rules.time import end_of_day_after
from dataexchange.valuation.record import Valuation, require_issued, usable_value_fen

__all__ = ["LTV_EXCEEDED", "Pledge", "PledgedRight", "require_loan_to_value"]


class PledgedRight(StrEnum):
    """What is pledged. 民法典 art. 440 lists the rights that can be; data rights are not named."""

    HOLDING = "holding"  # 数据资源持有权
    PROCESSING = "processing"  # 数据加工使用权
    OPERATING = "operating"  # 数据产品经营权
    INTELLECTUAL_PROPERTY = "intellectual_property"  # 知识产权中的财产权
    RECEIVABLES = "receivables"  # 应收账款

    @property
    def is_in_rem(self) -> bool:
        """Whether registration gives an effect in rem under art. 440."""
        return self in (PledgedRight.INTELLECTUAL_PROPERTY, PledgedRight.RECEIVABLES)


PUBLIC_BODY = RefusalCode(
    "pledge.public_body",
    clause="民法典 art. 683; 财资〔2024〕1号",
    zh="行政事业单位不得以数据资产设定担保",
    en="A 行政事业单位 may not give data assets as security",
)
LENDER_UNFIT = RefusalCode(
    "pledge.lender_unfit",
    clause="民法典 art. 425",
    zh="{party} 不是资金方，或就是出质人本人",
    en="{party} is not a lender, or is the pledgor itself",
)
LTV_ABOVE_POLICY = RefusalCode(
    "pledge.ltv_above_policy",
    clause="domain: policy loan_to_value_max",
    zh="约定质押率 {agreed} 高于交易所上限 {limit}",
    en="The agreed loan-to-value ratio {agreed} is above the exchange's limit of {limit}",
)
NO_RIGHT_REGISTERED = RefusalCode(
    "pledge.no_right_registered",
    clause="民法典 arts. 444-445; 数据产权登记",
    zh="出质人没有登记的权利 {right}",
    en="The pledgor has no registered right of {right}",
    remedy_zh="先办理权利登记（rights.claimed → rights.registered）。",
    remedy_en="Have the right registered first (rights.claimed → rights.registered).",
)
ALREADY_SIGNED = RefusalCode(
    "pledge.already_signed",
    clause="民法典 art. 427",
    zh="{party} 已签署",
    en="{party} has signed already",
    kind="conflict",
)


class Pledge(State, frozen=True, kw_only=True):
    """A pledge and the loan that it secures; money in 分."""

    KIND = "pledge"

    asset: str
    version: int
    pledgor: str
    lender: str
    right: PledgedRight
    in_rem: bool
    principal_fen: int
    secured_fen: int
    interest_ratio: str
    term_days: int
    loan_to_value_max: str
    forfeiture_clause: bool
    status: str
    policy_version: int
    valuation: str | None = None
    value_fen: int = 0
    value_at_draw_fen: int = 0
    proposal: str | None = None
    signed_by: tuple[str, ...] = ()
    receipt: str | None = None
    registered_index: int | None = None
    registered_at: str | None = None
    drawn_at: str | None = None
    due: str | None = None
    debt_fen: int = 0
    cure_until: str | None = None
    defaulted_at: str | None = None
    reserve_fen: int = 0
    costs_fen: int = 0


class PledgeDrafted(Payload):
    """The terms that the pledgor proposes. `secured_fen` covers principal, interest and costs."""

    pledge: PledgeId
    asset: AssetId
    version: Annotated[int, Field(gt=0)]
    lender: PartyId
    right: PledgedRight
    principal_fen: PositiveFen
    secured_fen: PositiveFen
    interest_ratio: Annotated[Ratio, Field(description="A year's interest")]
    term_days: Days
    loan_to_value_max: Ratio
    forfeiture_clause: Annotated[
        bool, Field(description="流质条款: recorded, and without effect on title")
    ] = False


class PledgeValued(Payload):
    """The valuation that the pledge rests on."""

    pledge: PledgeId
    asset: AssetId
    valuation: ValuationId


class PledgeSigned(Payload):
    """One side's signature on exactly these terms."""

    pledge: PledgeId
    proposal: Hash


class PledgeRegistered(Payload):
    """The registrar's entry in the register of pledges."""

    pledge: PledgeId
    asset: AssetId
    valuation: ValuationId
    receipt: Code


class PledgeDrawn(Payload):
    """The lender pays the loan out."""

    pledge: PledgeId
    asset: AssetId
    valuation: ValuationId
    pledgor: PartyId


class PledgeCancelled(Payload):
    """Either side steps back before registration."""

    pledge: PledgeId
    reason: Line


def accounts_of_loan(payload: PledgeDrawn, actor: str) -> tuple[str, ...]:
    """Return the accounts that a draw moves money between."""
    return account_key(actor), account_key(payload.pledgor)


@event(
    "pledge.drafted@1",
    by={Role.PROVIDER},
    zh="质押起草",
    en="Draft a pledge",
    clause="民法典 arts. 427, 440",
    sealable=("terms",),
)
def draft(view: View, event: Event[PledgeDrafted]) -> Changes:
    """The holder proposes; no public body, no lender that is none, no ratio above the policy's."""
    said = event.payload
    view.require_new(said.pledge)
    asset = view.get(Asset, said.asset)
    require_holder(asset, event.actor)
    require_dealable(asset)
    _require_parties(view, event.actor, said.lender)
    if decimal(said.loan_to_value_max) > decimal(view.policy.loan_to_value_max):
        raise LTV_ABOVE_POLICY(agreed=said.loan_to_value_max, limit=view.policy.loan_to_value_max)
    return Pledge(
        id=said.pledge,
        asset=said.asset,
        version=said.version,
        pledgor=event.actor,
        lender=said.lender,
        right=said.right,
        in_rem=said.right.is_in_rem,
        principal_fen=said.principal_fen,
        secured_fen=max(said.secured_fen, said.principal_fen),
        interest_ratio=said.interest_ratio,
        term_days=said.term_days,
        loan_to_value_max=said.loan_to_value_max,
        forfeiture_clause=said.forfeiture_clause,
        status="DRAFT",
        policy_version=view.policy.version,
    )


@event(
    "pledge.valued@1",
    by={Role.APPRAISER},
    zh="质押估值",
    en="Value a pledge",
    clause="资产评估法 art. 26; M18",
)
def value(view: View, event: Event[PledgeValued]) -> Changes:
    """The appraiser of record puts its issued valuation under the pledge."""
    said = event.payload
    pledge, asset = _pledge_on(view, said.pledge, said.asset)
    require_status(pledge, "DRAFT", "VALUED")
    valuation = _valuation_for(view, pledge, said.valuation, event.recorded_at)
    require_actor(event.actor, valuation.appraiser, valuation.id)
    valued = valued_at(pledge, valuation)
    require_loan_to_value(asset, valued, extra_fen=pledge.secured_fen)
    return valued.but(status="VALUED", signed_by=(), proposal=None)


@event(
    "pledge.signed@1",
    by={Role.PROVIDER, Role.LENDER},
    zh="签订质押合同",
    en="Sign a pledge",
    clause="民法典 art. 427",
)
def sign(view: View, event: Event[PledgeSigned]) -> Changes:
    """Pledgor and lender each sign; both name the leaf of the same terms."""
    pledge = view.get(Pledge, event.payload.pledge)
    require_status(pledge, "VALUED")
    require_actor(event.actor, (pledge.pledgor, pledge.lender), pledge.id)
    if event.actor in pledge.signed_by:
        raise ALREADY_SIGNED(party=event.actor)
    terms = pledge.proposal or view.head(pledge.id)
    require_same("proposal", event.payload.proposal, terms)
    signed_by = (*pledge.signed_by, event.actor)
    status = "SIGNED" if len(signed_by) == 2 else "VALUED"
    return pledge.but(status=status, proposal=terms, signed_by=signed_by)


@event(
    "pledge.registered@1",
    by={Role.REGISTRAR},
    zh="质押登记",
    en="Register a pledge",
    clause="民法典 arts. 441, 444, 445",
)
def register(view: View, event: Event[PledgeRegistered]) -> Changes:
    """Registration makes the lien; its place in the log is its priority."""
    said = event.payload
    pledge, asset = _pledge_on(view, said.pledge, said.asset)
    require_status(pledge, "SIGNED")
    require_same("holder", pledge.pledgor, asset.holder)
    require_dealable(asset)
    _require_right(asset, pledge)
    _valuation_for(view, pledge, said.valuation, event.recorded_at)
    require_same("valuation", said.valuation, pledge.valuation)
    require_loan_to_value(asset, pledge, extra_fen=pledge.secured_fen)
    lien = Lien(pledge.id, pledge.lender, pledge.secured_fen, event.index)
    registered = pledge.but(
        status="REGISTERED",
        receipt=said.receipt,
        registered_index=event.index,
        registered_at=format_time(event.recorded_at),
    )
    return registered, encumbered(asset, lien)


@event(
    "pledge.drawn@1",
    by={Role.LENDER},
    zh="放款",
    en="Draw the loan",
    clause="民法典 art. 671; M18",
    also=accounts_of_loan,
)
def draw(view: View, event: Event[PledgeDrawn]) -> Changes:
    """The lender pays; the appraisal must serve still, and the asset be free to deal in."""
    said = event.payload
    pledge, asset = _pledge_on(view, said.pledge, said.asset)
    require_status(pledge, "REGISTERED")
    require_actor(event.actor, pledge.lender, pledge.id)
    require_same("pledgor", said.pledgor, pledge.pledgor)
    require_same("valuation", said.valuation, pledge.valuation)
    require_issued(view.get(Valuation, said.valuation), event.recorded_at)
    require_dealable(asset)
    require_loan_to_value(asset, pledge)
    book = Book(view)
    book.move(
        pledge.principal_fen, source=account_key(pledge.lender), target=account_key(pledge.pledgor)
    )
    drawn = pledge.but(
        status="ACTIVE",
        debt_fen=pledge.principal_fen,
        value_at_draw_fen=pledge.value_fen,
        drawn_at=format_time(event.recorded_at),
        due=format_time(end_of_day_after(event.recorded_at, pledge.term_days)),
    )
    return drawn, *book.changes()


@event(
    "pledge.cancelled@1",
    by={Role.PROVIDER, Role.LENDER},
    zh="取消质押",
    en="Cancel a pledge",
    clause="民法典 art. 562",
)
def cancel(view: View, event: Event[PledgeCancelled]) -> Changes:
    """Before registration either side may step back."""
    pledge = view.get(Pledge, event.payload.pledge)
    require_status(pledge, "DRAFT", "VALUED", "SIGNED")
    require_actor(event.actor, (pledge.pledgor, pledge.lender), pledge.id)
    return pledge.but(status="CANCELLED")


def require_loan_to_value(asset: Asset, pledge: Pledge, *, extra_fen: int = 0) -> None:
    """Refuse unless all that the asset secures, and `extra_fen`, is within LTV × value."""
    ratio = decimal(pledge.loan_to_value_max)
    check_secured_sum(asset.secured_fen + extra_fen, pledge.value_fen, ratio)


def valued_at(pledge: Pledge, valuation: Valuation) -> Pledge:
    """Return `pledge` resting on `valuation`, at the agreed figure where both sides signed it."""
    value_fen = usable_value_fen(valuation, pledge.pledgor, pledge.lender)
    return pledge.but(valuation=valuation.id, value_fen=value_fen)


def _valuation_for(view: View, pledge: Pledge, key: str, now: datetime) -> Valuation:
    valuation = view.get(Valuation, key)
    require_issued(valuation, now)
    require_same("asset", valuation.asset, pledge.asset)
    require_same("version", valuation.version, pledge.version)
    return valuation


def _pledge_on(view: View, pledge_key: str, asset_key: str) -> tuple[Pledge, Asset]:
    pledge = view.get(Pledge, pledge_key)
    require_same("asset", asset_key, pledge.asset)
    return pledge, view.get(Asset, asset_key)


def _require_parties(view: View, pledgor: str, lender: str) -> None:
    if view.get(Party, pledgor).is_public_body:
        raise PUBLIC_BODY()
    party = view.get(Party, lender)
    if lender == pledgor or Role.LENDER not in party.roles or party.status != "active":
        raise LENDER_UNFIT(party=lender)


def _require_right(asset: Asset, pledge: Pledge) -> None:
    """A pledged data right must be in the register, in the pledgor's name."""
    if pledge.in_rem:
        return
    registered = asset.rights.get(pledge.right.value)
    if registered is None or registered.holder != pledge.pledgor:
        raise NO_RIGHT_REGISTERED(right=pledge.right.value)
