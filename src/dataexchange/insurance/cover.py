"""Policies 保险单: quoted, applied for, accepted, in force.

    QUOTED → APPLIED → ACCEPTED → IN_FORCE → CLOSED
    QUOTED, APPLIED → DECLINED;  IN_FORCE → CANCELLED | RESCINDED | EXHAUSTED

Expiry is derived from the period wherever a rule reads it. How a policy is changed or ended is in
`insurance.endorsement` and `insurance.termination`.
"""

from datetime import datetime
from enum import StrEnum
from typing import Annotated

import msgspec
from pydantic import Field

from dataexchange.accounts.book import Book, account_key
from dataexchange.asset.title import Asset
from dataexchange.guarantee.pledge import Pledge
from dataexchange.identity.party import Party
from dataexchange.insurance.double_cover import CoverEntry, entered, interest_key, interest_of
from dataexchange.insurance.indemnity import Insured
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
from dataexchange.rules.payload import Days, Fen, Hash, Line, Number, PositiveFen, decimal
from dataexchange.rules.reference import AssetId, CoverId, PartyId, PledgeId, ValuationId
from dataexchange.rules.time import end_of_day_after
from dataexchange.valuation.record import Valuation, require_issued

PERFORMING = ("REGISTERED", "ACTIVE", "MARGIN_CALL")
"""The states of a pledge whose loan can be insured: a loss that has happened cannot."""

NO_INSURABLE_INTEREST = RefusalCode(
    "cover.no_insurable_interest",
    clause="保险法 arts. 12, 48",
    zh="{party} 对资产 {asset} 没有保险利益",
    en="{party} has no insurable interest in {asset}",
    remedy_zh="投保人须是持有人，或是该资产上担保的权利人。",
    remedy_en="The policyholder must hold the asset or a lien on it.",
)
VALUATION_NEEDED = RefusalCode(
    "cover.valuation_needed",
    clause="保险法 art. 55",
    zh="{product} 须以有效评估作为保险价值的依据",
    en="{product} needs a valuation in force as the basis of the insured value",
)
SUM_ABOVE_VALUE = RefusalCode(
    "cover.sum_above_value",
    clause="保险法 art. 55",
    zh="保险金额 {sum_fen} 分超过保险价值 {value_fen} 分，超过部分无效",
    en="The sum insured of {sum_fen} fen exceeds the value of {value_fen}; the excess is void",
)
TRIGGER_WRONG = RefusalCode(
    "cover.trigger_wrong",
    clause="M23 指数保险",
    zh="参数型保险须有触发值，且起赔点小于全赔点；其他险种不得有",
    en="Parametric cover has a trigger with attach below exit; other cover has none",
)
UNDERWRITER_QUOTES = RefusalCode(
    "cover.underwriter_quotes",
    clause="保险公司内部控制: 承保分离",
    zh="核保人不得是报价人：须用另一把密钥签署",
    en="Who quoted cannot underwrite: sign with another key",
)
PLEDGE_NEEDED = RefusalCode(
    "cover.pledge_needed",
    clause="贷款保证保险: the claim rests on a pledge on this ledger",
    zh="贷款保证保险须载明所担保的质押，其他险种不得载明",
    en="Loan insurance names the pledge that it rests on; other cover names none",
)


class InsuranceProduct(StrEnum):
    """What is insured."""

    ASSET_LOSS = "asset_loss"  # 数据资产损失险
    SECURITY = "security"  # 数据安全险
    IP_INFRINGEMENT = "ip_infringement"  # 知识产权侵权损失险
    TECHNOLOGY = "technology"  # 科技保险
    PATENT = "patent"  # 专利保险
    LOAN = "loan"  # 贷款保证保险
    OUTAGE = "outage"  # 参数型中断保险


class TriggerTerms(Payload):
    """When a parametric cover begins to pay and when it pays in full, in the index's unit."""

    attach: Number
    exit: Number


class Trigger(msgspec.Struct, frozen=True):
    """The trigger as agreed."""

    attach: str
    exit: str


class Offer(msgspec.Struct, frozen=True):
    """A change that the insurer offers (批单), and what it costs, in 分."""

    sum_insured_fen: int
    insured_value_fen: int
    deductible_fen: int
    premium_fen: int
    terms: str


class PastTerms(msgspec.Struct, frozen=True):
    """What a loss until `until` is measured against, in 分: the terms before an endorsement."""

    until: str
    sum_insured_fen: int
    insured_value_fen: int
    deductible_fen: int


class Cover(State, frozen=True, kw_only=True):
    """A policy; money in 分."""

    KIND = "cover"

    insurer: str
    policyholder: str
    asset: str
    product: InsuranceProduct
    sum_insured_fen: int
    insured_value_fen: int
    deductible_fen: int
    premium_fen: int
    period_days: int
    terms: str
    status: str
    quoted_by: str
    policy_version: int
    pledge: str | None = None
    trigger: Trigger | None = None
    starts: str | None = None
    ends: str | None = None
    version: int = 1
    offer: Offer | None = None
    past: tuple[PastTerms, ...] = ()
    confirmed_fen: int = 0  # indemnities, within the sum insured
    mitigation_fen: int = 0  # 施救费用, beside it (art. 57)
    paid_fen: int = 0  # of what is confirmed
    claims_open: int = 0

    def insured_at(self, moment: datetime) -> Insured:
        """Return what a loss at `moment` is measured against."""
        for past in self.past:
            if moment <= parse_time(past.until):
                return Insured(past.sum_insured_fen, past.insured_value_fen, past.deductible_fen)
        return Insured(self.sum_insured_fen, self.insured_value_fen, self.deductible_fen)

    @property
    def entry(self) -> CoverEntry:
        """What the register of double cover keeps of a policy that has begun."""
        return CoverEntry(
            self.product.value, self.sum_insured_fen, self.starts or "", self.ends or ""
        )

    def covers(self, moment: datetime) -> bool:
        """Tell whether a loss at `moment` falls into the period."""
        if self.starts is None or self.ends is None:
            return False
        return parse_time(self.starts) <= moment <= parse_time(self.ends)


class CoverQuoted(Payload):
    """The insurer's offer."""

    cover: CoverId
    asset: AssetId
    policyholder: PartyId
    product: InsuranceProduct
    valuation: ValuationId | None = None
    pledge: PledgeId | None = None
    sum_insured_fen: PositiveFen
    insured_value_fen: PositiveFen
    deductible_fen: Fen = 0
    premium_fen: PositiveFen
    period_days: Days
    trigger: TriggerTerms | None = None
    terms_sha256: Annotated[Hash, Field(description="The wording of the policy")]


class CoverSigned(Payload):
    """An act on exactly what the policy's last entry says."""

    cover: CoverId
    proposal: Hash


class CoverIncepted(Payload):
    """The policyholder pays the premium; the cover begins."""

    cover: CoverId
    insurer: PartyId
    asset: AssetId
    pledge: PledgeId | None = None


class CoverEnded(Payload):
    """An end, with its reason."""

    cover: CoverId
    reason: Line


@event(
    "cover.quoted@1",
    by={Role.INSURER},
    zh="保险报价",
    en="Quote a policy",
    clause="保险法 arts. 13, 18, 55",
    sealable=("terms",),
)
def quote(view: View, event: Event[CoverQuoted]) -> Changes:
    """Offer cover to someone with an interest in the asset, within its value."""
    said = event.payload
    view.require_new(said.cover)
    asset = view.get(Asset, said.asset)
    view.get(Party, said.policyholder)
    require_interest(asset, said.policyholder)
    _require_value(view, event)
    if (said.trigger is not None) != (said.product is InsuranceProduct.OUTAGE):
        raise TRIGGER_WRONG()
    if said.trigger is not None and decimal(said.trigger.attach) >= decimal(said.trigger.exit):
        raise TRIGGER_WRONG()
    trigger = Trigger(said.trigger.attach, said.trigger.exit) if said.trigger else None
    return Cover(
        id=said.cover,
        insurer=event.actor,
        policyholder=said.policyholder,
        asset=said.asset,
        product=said.product,
        sum_insured_fen=said.sum_insured_fen,
        insured_value_fen=said.insured_value_fen,
        deductible_fen=said.deductible_fen,
        premium_fen=said.premium_fen,
        period_days=said.period_days,
        terms=said.terms_sha256,
        status="QUOTED",
        quoted_by=event.key,
        policy_version=view.policy.version,
        pledge=said.pledge,
        trigger=trigger,
    )


@event(
    "cover.applied@1",
    by={Role.PROVIDER, Role.BUYER, Role.LENDER},
    zh="投保",
    en="Apply for a policy",
    clause="保险法 arts. 13, 16",
    sealable=("details",),
)
def apply(view: View, event: Event[CoverSigned]) -> Changes:
    """The policyholder applies on the quoted terms."""
    cover = _signed(view, event.payload, "QUOTED")
    require_actor(event.actor, cover.policyholder, cover.id)
    return cover.but(status="APPLIED")


@event(
    "cover.accepted@1",
    by={Role.INSURER},
    zh="承保",
    en="Underwrite a policy",
    clause="保险法 art. 13",
)
def accept(view: View, event: Event[CoverSigned]) -> Changes:
    """The underwriter accepts, with another key than the one that quoted."""
    cover = _signed(view, event.payload, "APPLIED")
    require_actor(event.actor, cover.insurer, cover.id)
    if event.key == cover.quoted_by:
        raise UNDERWRITER_QUOTES()
    return cover.but(status="ACCEPTED")


def _touched_by_inception(payload: CoverIncepted, actor: str) -> tuple[str, ...]:
    interest = interest_key(payload.asset, actor)
    return account_key(actor), account_key(payload.insurer), interest


@event(
    "cover.incepted@1",
    by={Role.PROVIDER, Role.BUYER, Role.LENDER},
    zh="缴费起保",
    en="Pay the premium",
    clause="保险法 art. 14",
    also=_touched_by_inception,
)
def incept(view: View, event: Event[CoverIncepted]) -> Changes:
    """The premium is paid and the cover is in force; a loan in default is past insuring."""
    said = event.payload
    cover = view.get(Cover, said.cover)
    require_status(cover, "ACCEPTED")
    require_actor(event.actor, cover.policyholder, cover.id)
    require_same("insurer", said.insurer, cover.insurer)
    require_same("asset", said.asset, cover.asset)
    require_same("pledge", said.pledge, cover.pledge)
    if said.pledge is not None:
        require_status(view.get(Pledge, said.pledge), *PERFORMING)
    require_interest(view.get(Asset, said.asset), event.actor)
    book = Book(view)
    book.move(cover.premium_fen, source=account_key(event.actor), target=account_key(cover.insurer))
    ends = end_of_day_after(event.recorded_at, cover.period_days)
    begun = cover.but(
        status="IN_FORCE", starts=format_time(event.recorded_at), ends=format_time(ends)
    )
    interest = interest_of(view, cover.asset, event.actor)
    return begun, entered(interest, cover.id, begun.entry, event.recorded_at), *book.changes()


@event(
    "cover.declined@1",
    by={Role.INSURER, Role.PROVIDER, Role.BUYER, Role.LENDER},
    zh="拒保或撤回",
    en="Decline or withdraw",
    clause="保险法 art. 13",
    sealable=("details",),
)
def decline(view: View, event: Event[CoverEnded]) -> Changes:
    """Before the premium is paid either side may end it."""
    cover = view.get(Cover, event.payload.cover)
    require_status(cover, "QUOTED", "APPLIED", "ACCEPTED")
    require_actor(event.actor, (cover.insurer, cover.policyholder), cover.id)
    return cover.but(status="DECLINED")


def _signed(view: View, said: CoverSigned, status: str) -> Cover:
    cover = view.get(Cover, said.cover)
    require_status(cover, status)
    require_same("proposal", said.proposal, view.head(cover.id))
    return cover


def has_interest(asset: Asset, party: str) -> bool:
    """Tell whether `party` holds the asset or a lien on it (保险利益)."""
    return party == asset.holder or party in {lien.holder for lien in asset.liens}


def require_interest(asset: Asset, party: str) -> None:
    """Refuse a party without an insurable interest in the asset."""
    if not has_interest(asset, party):
        raise NO_INSURABLE_INTEREST(party=party, asset=asset.id)


def _require_value(view: View, event: Event[CoverQuoted]) -> None:
    """The sum insured keeps to the insured value, and that to an issued valuation or the debt."""
    said = event.payload
    if said.sum_insured_fen > said.insured_value_fen:
        raise SUM_ABOVE_VALUE(sum_fen=said.sum_insured_fen, value_fen=said.insured_value_fen)
    if said.product is InsuranceProduct.ASSET_LOSS and said.valuation is None:
        raise VALUATION_NEEDED(product=said.product.value)
    if (said.product is InsuranceProduct.LOAN) != (said.pledge is not None):
        raise PLEDGE_NEEDED()
    limit_fen = _value_limit_fen(view, event)
    if limit_fen is not None and said.insured_value_fen > limit_fen:
        raise SUM_ABOVE_VALUE(sum_fen=said.insured_value_fen, value_fen=limit_fen)


def _value_limit_fen(view: View, event: Event[CoverQuoted]) -> int | None:
    said = event.payload
    if said.pledge is not None:
        pledge = view.get(Pledge, said.pledge)
        require_same("asset", said.asset, pledge.asset)
        require_same("lender", said.policyholder, pledge.lender)
        require_status(pledge, *PERFORMING)
        return pledge.secured_fen
    if said.valuation is None:
        return None
    valuation = view.get(Valuation, said.valuation)
    require_issued(valuation, event.recorded_at)
    require_same("asset", said.asset, valuation.asset)
    return valuation.value_fen
