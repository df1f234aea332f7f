"""Financing files 融资档案: one record of how an asset-backed loan came about, per mode.

    保险助融 insured loan · 协商估值 agreed figure · 投贷联动 loan plus warrant

The lender files, the pledgor confirms. All that the file names is checked on this ledger at the
filing, the clean title among it, so that the entries behind it are the proof a bank's file needs.
It stands in this room because it names a policy.
"""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum

import msgspec

from dataexchange.asset.title import Asset, require_dealable
from dataexchange.guarantee.pledge import Pledge, PledgedRight
from dataexchange.guarantee.risk_sharing import LinkedLoan, linked_return_fen
from dataexchange.guarantee.surety import Guarantee
from dataexchange.insurance.cover import PERFORMING, Cover
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
from dataexchange.rules.payload import Hash, PositiveFen, Ratio, decimal
from dataexchange.rules.reference import (
    AssetId,
    CoverId,
    FinancingId,
    GuaranteeId,
    PledgeId,
    ValuationId,
)
from dataexchange.valuation.record import Valuation, require_issued

MODE_UNFIT = RefusalCode(
    "financing.mode_unfit",
    clause="M20; domain: financing file, one record per mode",
    zh="{mode} 的档案须有且仅有该模式的依据：保险助融列明保单，投贷联动列明认股条款",
    en="A file of {mode} names what that mode rests on and nothing else: insured_loan a policy, "
    "loan_and_equity a warrant",
)
COVER_UNFIT = RefusalCode(
    "financing.cover_unfit",
    clause="保险助融: the policy insures this loan",
    zh="保单 {cover} 不在保险期间内，或不是该质押贷款的保证保险",
    en="Policy {cover} does not run now, or does not insure this loan",
)
NOT_AGREED = RefusalCode(
    "financing.not_agreed",
    clause="M20 协商估值",
    zh="协商价值须由 {parties} 签署，且为质押所依据的价值",
    en="The agreed figure is signed by {parties} and is the value that the pledge rests on",
    remedy_zh="各方先提交 valuation.agreed，再由评估机构更新质押估值。",
    remedy_en="Have the parties submit valuation.agreed and the appraiser put it under the pledge.",
)


class FinancingMode(StrEnum):
    """How the loan is made possible."""

    INSURED_LOAN = "insured_loan"  # 保险助融
    NEGOTIATED_VALUE = "negotiated_value"  # 协商估值
    LOAN_AND_EQUITY = "loan_and_equity"  # 投贷联动


class WarrantTerms(Payload):
    """The lender's right to take equity: notional in 分, worth per unit, and the loan's risk."""

    notional_fen: PositiveFen
    option_value: Ratio
    default_probability: Ratio
    loss_given_default: Ratio
    valuation_sha256: Hash


class Warrant(msgspec.Struct, frozen=True):
    """A warrant as filed, and one year's expected gain of loan and warrant together, in 分."""

    notional_fen: int
    option_value: str
    valuation: str
    expected_fen: int


class Financing(State, frozen=True, kw_only=True):
    """A financing file; money in 分. `right` is the kind of collateral, patents and IP included."""

    KIND = "financing"

    mode: FinancingMode
    pledge: str
    asset: str
    right: PledgedRight
    lender: str
    pledgor: str
    valuation: str
    principal_fen: int
    value_fen: int
    liens_before: int
    status: str  # filed | confirmed
    cover: str | None = None
    guarantee: str | None = None
    warrant: Warrant | None = None


class FinancingFiled(Payload):
    """What the loan rests on."""

    financing: FinancingId
    mode: FinancingMode
    pledge: PledgeId
    asset: AssetId
    valuation: ValuationId
    cover: CoverId | None = None
    guarantee: GuaranteeId | None = None
    warrant: WarrantTerms | None = None


class FinancingConfirmed(Payload):
    """The pledgor's consent to exactly the file."""

    financing: FinancingId
    proposal: Hash


@event(
    "financing.filed@1",
    by={Role.LENDER},
    zh="融资建档",
    en="File a financing",
    clause="M20; domain: financing file",
)
def file(view: View, event: Event[FinancingFiled]) -> Changes:
    """The lender files a performing loan with all that it rests on."""
    said = event.payload
    view.require_new(said.financing)
    pledge = view.get(Pledge, said.pledge)
    require_status(pledge, *PERFORMING)
    require_actor(event.actor, pledge.lender, pledge.id)
    require_same("asset", said.asset, pledge.asset)
    require_same("valuation", said.valuation, pledge.valuation)
    before = _liens_before(view.get(Asset, said.asset), pledge)
    _require_mode(said)
    _require_basis(view, pledge, said, event.recorded_at)
    return Financing(
        id=said.financing,
        mode=said.mode,
        pledge=pledge.id,
        asset=pledge.asset,
        right=pledge.right,
        lender=pledge.lender,
        pledgor=pledge.pledgor,
        valuation=said.valuation,
        principal_fen=pledge.principal_fen,
        value_fen=pledge.value_fen,
        liens_before=before,
        status="filed",
        cover=said.cover,
        guarantee=said.guarantee,
        warrant=_warrant(pledge, said.warrant),
    )


@event(
    "financing.confirmed@1",
    by={Role.PROVIDER},
    zh="确认融资档案",
    en="Confirm a financing",
    clause="民法典 art. 490",
)
def confirm(view: View, event: Event[FinancingConfirmed]) -> Changes:
    """The pledgor confirms exactly what was filed."""
    financing = view.get(Financing, event.payload.financing)
    require_status(financing, "filed")
    require_actor(event.actor, financing.pledgor, financing.id)
    require_same("proposal", event.payload.proposal, view.head(financing.id))
    return financing.but(status="confirmed")


def _liens_before(asset: Asset, pledge: Pledge) -> int:
    """Return how many liens rank before this one on a title that is clean and the pledgor's."""
    require_same("holder", pledge.pledgor, asset.holder)
    require_dealable(asset)
    order = [lien.by for lien in sorted(asset.liens, key=lambda lien: lien.registered_index)]
    return order.index(pledge.id)


def _require_mode(said: FinancingFiled) -> None:
    insured = said.mode is FinancingMode.INSURED_LOAN
    linked = said.mode is FinancingMode.LOAN_AND_EQUITY
    if (said.cover is not None) != insured or (said.warrant is not None) != linked:
        raise MODE_UNFIT(mode=said.mode.value)


def _require_basis(view: View, pledge: Pledge, said: FinancingFiled, now: datetime) -> None:
    valuation = view.get(Valuation, said.valuation)
    require_issued(valuation, now)
    parties = [pledge.pledgor, pledge.lender]
    if said.guarantee is not None:
        guarantee = view.get(Guarantee, said.guarantee)
        require_status(guarantee, "IN_FORCE")
        require_same("pledge", guarantee.pledge, pledge.id)
        parties.append(guarantee.guarantor)
    if said.cover is not None:
        _require_cover(view.get(Cover, said.cover), pledge, now)
    if said.mode is FinancingMode.NEGOTIATED_VALUE:
        signed = set(parties) <= set(valuation.agreed_by)
        if not signed or valuation.agreed_fen != pledge.value_fen:
            raise NOT_AGREED(parties=", ".join(parties))


def _require_cover(cover: Cover, pledge: Pledge, now: datetime) -> None:
    runs = cover.status == "IN_FORCE" and cover.covers(now)
    if not runs or cover.pledge != pledge.id:
        raise COVER_UNFIT(cover=cover.id)


def _warrant(pledge: Pledge, terms: WarrantTerms | None) -> Warrant | None:
    if terms is None:
        return None
    loan = LinkedLoan(
        pledge.principal_fen,
        Decimal(pledge.interest_ratio),
        decimal(terms.default_probability),
        decimal(terms.loss_given_default),
        terms.notional_fen,
        decimal(terms.option_value),
    )
    return Warrant(
        terms.notional_fen, terms.option_value, terms.valuation_sha256, linked_return_fen(loan)
    )
