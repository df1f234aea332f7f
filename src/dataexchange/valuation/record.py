"""Valuations on the ledger 价格评估: commissioned, drafted, countersigned, issued, agreed.

The rule checks structure, cards, methods and hashes. Recomputing the figures from the disclosed
inputs is a pass of the verifier and of anyone else; the sequencer never computes a value.
"""

from datetime import date, datetime
from typing import Annotated

import msgspec
from pydantic import Field

from dataexchange.asset.title import Asset
from dataexchange.asset.version import Version, version_key
from dataexchange.identity.party import Party
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
from dataexchange.rules.payload import Code, Day, Fen, Hash, Line, PositiveFen, Ratio
from dataexchange.rules.reference import AssetId, CardId, PartyId, ValuationId
from dataexchange.rules.time import day_of, end_of_day_after
from dataexchange.valuation.card_register import RuleCard, require_current

AGREEMENTS_MAX = 8

NOT_APPRAISER = RefusalCode(
    "valuation.not_appraiser",
    clause="资产评估法 arts. 15, 27",
    zh="{party} 不是可执业的评估机构",
    en="{party} is not an active appraiser",
)
SAME_SIGNER = RefusalCode(
    "valuation.signer_repeated",
    clause="资产评估法 art. 27",
    zh="评估报告须有两名签字评估专业人员，复核人不得是起草人",
    en="A report needs two signers; the second cannot be the one who drafted it",
)
NOT_INDEPENDENT = RefusalCode(
    "valuation.appraiser_not_independent",
    clause="资产评估法 art. 13",
    zh="评估机构 {party} 持有该资产或是委托方，不独立",
    en="Appraiser {party} holds the asset or commissioned the work: not independent",
)
ONE_METHOD = RefusalCode(
    "valuation.too_few_methods",
    clause="资产评估法 art. 26",
    zh="采用了 {count} 种方法，至少应为 {needed} 种，且未说明理由",
    en="{count} method(s) used; {needed} are needed, or the reason why only one applies",
    remedy_zh="补充另一种方法，或填写 single_method_reason。",
    remedy_en="Add another method, or give single_method_reason.",
)
OUT_OF_RANGE = RefusalCode(
    "valuation.outside_methods",
    clause="资产评估法 art. 26; M15",
    zh="评估值 {value_fen} 分不在各方法结果 {low_fen}–{high_fen} 分或 P10–P90 之内",
    en="The value of {value_fen} fen is not within the methods' {low_fen}-{high_fen}, or P10-P90",
)
AFTER_BASE_DATE = RefusalCode(
    "valuation.base_date_in_future",
    clause="资产评估基本准则: 评估基准日",
    zh="评估基准日 {base_date} 晚于提交日 {today}",
    en="The base date {base_date} is after the day of submission, {today}",
)
APPRAISAL_EXPIRED = RefusalCode(
    "valuation.no_longer_valid",
    clause="资产评估法; 评估报告使用有效期一年",
    zh="评估 {valuation} 已于 {until} 失效",
    en="Valuation {valuation} expired at {until}",
    remedy_zh="重新委托评估。",
    remedy_en="Commission a new valuation.",
    kind="conflict",
)
AGREED_OUT_OF_RANGE = RefusalCode(
    "valuation.agreed_out_of_range",
    clause="M20 协商估值: P10–P90",
    zh="协商值 {figure_fen} 分不在 {p10_fen}–{p90_fen} 分之间",
    en="The agreed figure of {figure_fen} fen is not within {p10_fen}-{p90_fen}",
)
AGREEMENT_DIFFERS = RefusalCode(
    "valuation.agreement_differs",
    clause="M20 协商估值",
    zh="其他方签署的是 {held_fen} 分，此处为 {figure_fen} 分",
    en="Others signed {held_fen} fen; this one says {figure_fen}",
    kind="conflict",
)


class Figure(msgspec.Struct, frozen=True):
    """What one method gave, with which card and which inputs (hashes in hex)."""

    method: str
    card: str
    inputs: str
    value_fen: int


class Valuation(State, frozen=True, kw_only=True):
    """A valuation of one version of an asset; money in 分."""

    KIND = "valuation"

    asset: str
    version: int
    commissioned_by: str
    appraiser: str
    purpose: str
    base_date: str
    status: str  # commissioned | drafted | countersigned | issued | withdrawn
    second: str | None = None
    figures: tuple[Figure, ...] = ()
    value_fen: int = 0
    p10_fen: int = 0
    p90_fen: int = 0
    report: str | None = None
    valid_until: str | None = None
    agreed_fen: int | None = None
    agreed_by: tuple[str, ...] = ()


class ValuationCommissioned(Payload):
    """An order for a valuation, by whoever needs it."""

    valuation: ValuationId
    asset: AssetId
    version: Annotated[int, Field(gt=0)]
    appraiser: PartyId
    purpose: Annotated[Line, Field(description="交易、质押、入表、保险…")]
    base_date: Day


class MethodUsed(Payload):
    """One method's result, recomputable from the card and the disclosed inputs."""

    card: CardId
    card_sha256: Hash
    inputs_sha256: Hash
    value_fen: Fen
    weight: Ratio


class ValuationDrafted(Payload):
    """The appraiser's result; `second` will countersign."""

    valuation: ValuationId
    second: PartyId
    methods: Annotated[tuple[MethodUsed, ...], Field(min_length=1, max_length=8)]
    single_method_reason: Line | None = None
    value_fen: PositiveFen
    p10_fen: Fen
    p90_fen: Fen
    report_sha256: Hash
    code_version: Code
    seed: Annotated[int, Field(ge=0, le=2**53 - 1)] | None = None


class ValuationSigned(Payload):
    """A signature on exactly what the valuation's last entry says."""

    valuation: ValuationId
    proposal: Hash


class ValuationWithdrawn(Payload):
    """The appraiser takes a valuation back."""

    valuation: ValuationId
    reason: Line


class ValuationAgreed(Payload):
    """One party's signature on a negotiated figure 协商估值."""

    valuation: ValuationId
    figure_fen: PositiveFen


@event(
    "valuation.commissioned@1",
    by={Role.PROVIDER, Role.BUYER, Role.LENDER, Role.GUARANTOR, Role.INSURER},
    zh="委托评估",
    en="Commission a valuation",
    clause="资产评估法 art. 23",
    also=lambda payload, actor: (version_key(payload.asset, payload.version),),
    sealable=("details",),
)
def commission(view: View, event: Event[ValuationCommissioned]) -> Changes:
    """Order a valuation of one version as of a base date."""
    said = event.payload
    view.require_new(said.valuation)
    asset = view.get(Asset, said.asset)
    view.get(Version, version_key(said.asset, said.version))
    require_appraiser(view.get(Party, said.appraiser))
    if said.appraiser in (asset.holder, event.actor):
        raise NOT_INDEPENDENT(party=said.appraiser)
    today = day_of(event.recorded_at)
    if date.fromisoformat(said.base_date) > today:
        raise AFTER_BASE_DATE(base_date=said.base_date, today=today)
    return Valuation(
        id=said.valuation,
        asset=said.asset,
        version=said.version,
        commissioned_by=event.actor,
        appraiser=said.appraiser,
        purpose=said.purpose,
        base_date=said.base_date,
        status="commissioned",
    )


@event(
    "valuation.drafted@1",
    by={Role.APPRAISER},
    zh="出具评估初稿",
    en="Draft a valuation",
    clause="资产评估法 art. 26",
)
def draft(view: View, event: Event[ValuationDrafted]) -> Changes:
    """Record the figures, each by a current card, within their own range."""
    said = event.payload
    valuation = view.get(Valuation, said.valuation)
    require_status(valuation, "commissioned", "drafted")
    require_actor(event.actor, valuation.appraiser, valuation.id)
    require_appraiser(view.get(Party, said.second))
    if said.second == event.actor:
        raise SAME_SIGNER()
    figures = tuple(_figure(view, used) for used in said.methods)
    _require_methods(view, figures, said.single_method_reason)
    _require_within(said, figures)
    return valuation.but(
        status="drafted",
        second=said.second,
        figures=figures,
        value_fen=said.value_fen,
        p10_fen=said.p10_fen,
        p90_fen=said.p90_fen,
        report=said.report_sha256,
    )


@event(
    "valuation.countersigned@1",
    by={Role.APPRAISER},
    zh="复核签字",
    en="Countersign a valuation",
    clause="资产评估法 art. 27",
)
def countersign(view: View, event: Event[ValuationSigned]) -> Changes:
    """The second appraiser of record signs what was drafted, and nothing else."""
    valuation = view.get(Valuation, event.payload.valuation)
    require_status(valuation, "drafted")
    require_actor(event.actor, valuation.second or "", valuation.id)
    require_same("proposal", event.payload.proposal, view.head(valuation.id))
    return valuation.but(status="countersigned")


@event(
    "valuation.issued@1",
    by={Role.APPRAISER},
    zh="出具评估报告",
    en="Issue a valuation",
    clause="资产评估法 arts. 27, 29",
)
def issue(view: View, event: Event[ValuationSigned]) -> Changes:
    """Issue the countersigned report; it serves for the time that the policy gives it."""
    valuation = view.get(Valuation, event.payload.valuation)
    require_status(valuation, "countersigned")
    require_actor(event.actor, valuation.appraiser, valuation.id)
    require_same("proposal", event.payload.proposal, view.head(valuation.id))
    base = parse_time(f"{valuation.base_date}T00:00:00.000000Z")
    until = end_of_day_after(base, view.policy.appraisal_validity_days)
    issued = valuation.but(status="issued", valid_until=format_time(until))
    require_unexpired(issued, event.recorded_at)
    return issued


@event(
    "valuation.withdrawn@1",
    by={Role.APPRAISER},
    zh="撤回评估",
    en="Withdraw a valuation",
    clause="资产评估法 art. 20",
    sealable=("details",),
)
def withdraw(view: View, event: Event[ValuationWithdrawn]) -> Changes:
    """The appraiser withdraws; nothing new can rest on it."""
    valuation = view.get(Valuation, event.payload.valuation)
    require_status(valuation, "commissioned", "drafted", "countersigned", "issued")
    require_actor(event.actor, valuation.appraiser, valuation.id)
    return valuation.but(status="withdrawn")


@event(
    "valuation.agreed@1",
    by={Role.PROVIDER, Role.LENDER, Role.GUARANTOR},
    zh="协商估值",
    en="Agree on a figure",
    clause="M20 协商估值",
)
def agree(view: View, event: Event[ValuationAgreed]) -> Changes:
    """A party signs a figure within P10–P90; all who sign sign the same."""
    valuation = view.get(Valuation, event.payload.valuation)
    require_issued(valuation, event.recorded_at)
    figure_fen = event.payload.figure_fen
    if not valuation.p10_fen <= figure_fen <= valuation.p90_fen:
        raise AGREED_OUT_OF_RANGE(
            figure_fen=figure_fen, p10_fen=valuation.p10_fen, p90_fen=valuation.p90_fen
        )
    if valuation.agreed_fen not in (None, figure_fen):
        raise AGREEMENT_DIFFERS(held_fen=valuation.agreed_fen, figure_fen=figure_fen)
    signers = tuple(sorted({*valuation.agreed_by, event.actor}))[:AGREEMENTS_MAX]
    return valuation.but(agreed_fen=figure_fen, agreed_by=signers)


def require_appraiser(party: Party) -> None:
    """Refuse a party that may not appraise."""
    if party.status != "active" or Role.APPRAISER not in party.roles:
        raise NOT_APPRAISER(party=party.id)


def require_issued(valuation: Valuation, now: datetime) -> None:
    """Refuse a valuation that is not issued, or is no longer valid at `now`."""
    require_status(valuation, "issued")
    require_unexpired(valuation, now)


def require_unexpired(valuation: Valuation, now: datetime) -> None:
    """Refuse a valuation whose time of use is over."""
    if valuation.valid_until is None or now > parse_time(valuation.valid_until):
        raise APPRAISAL_EXPIRED(valuation=valuation.id, until=valuation.valid_until)


def usable_value_fen(valuation: Valuation, *parties: str) -> int:
    """Return the value that `parties` rest on, in 分: the agreed one if all of them signed it."""
    if valuation.agreed_fen is not None and set(parties) <= set(valuation.agreed_by):
        return valuation.agreed_fen
    return valuation.value_fen


def _figure(view: View, used: MethodUsed) -> Figure:
    card = view.get(RuleCard, used.card)
    require_current(card, used.card_sha256)
    return Figure(card.method, card.id, used.inputs_sha256, used.value_fen)


def _require_methods(view: View, figures: tuple[Figure, ...], reason: str | None) -> None:
    methods = {figure.method for figure in figures}
    needed = view.policy.appraisal_methods_min
    if len(methods) < needed and reason is None:
        raise ONE_METHOD(count=len(methods), needed=needed)


def _require_within(said: ValuationDrafted, figures: tuple[Figure, ...]) -> None:
    low, high = (pick(figure.value_fen for figure in figures) for pick in (min, max))
    if not (low <= said.value_fen <= high and said.p10_fen <= said.value_fen <= said.p90_fen):
        raise OUT_OF_RANGE(value_fen=said.value_fen, low_fen=low, high_fen=high)
