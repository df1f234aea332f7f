"""Closed deals as market evidence 可比案例: what data sold for, read from the states of a log.

A deal is closed when its price was paid: a licence for one sum, in force or over, whose sum went
out of escrow to the provider, or a title that was taken for a price. A licence charged by the call
or by a share of revenue has no price that could be compared.
"""

from dataclasses import dataclass
from enum import StrEnum

from dataexchange.identity.party import Party
from dataexchange.market.licence import Licence
from dataexchange.market.price import LumpSum
from dataexchange.market.terms import DeliveryForm
from dataexchange.market.transfer import TitleTransfer


class DealKind(StrEnum):
    """What was sold."""

    LICENCE = "licence"  # 普通许可
    EXCLUSIVE_LICENCE = "exclusive_licence"  # 独占许可
    TITLE = "title"  # 权属转让


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketDeal:
    """A closed deal; `version`, `form` and `term_days` of licences only; money in 分."""

    deal: str
    kind: DealKind
    asset: str
    price_fen: int
    seller: str
    buyer: str
    disputed: bool = False
    version: int | None = None
    form: DeliveryForm | None = None
    term_days: int | None = None


def closed_deal(state: Licence | TitleTransfer) -> MarketDeal | None:
    """Return the deal that `state` is, if it is closed."""
    return _licensed(state) if isinstance(state, Licence) else _sold(state)


def are_related(one: Party, other: Party) -> bool:
    """Tell whether two parties are of one group of affiliates 关联方."""
    return one.group is not None and one.group == other.group


def _licensed(licence: Licence) -> MarketDeal | None:
    offer = licence.agreed_offer
    if not licence.is_concluded or not isinstance(offer.charge, LumpSum):
        return None
    if not 0 < offer.charge.fee_fen <= licence.released_fen:
        return None
    exclusive = offer.terms.exclusive
    return MarketDeal(
        deal=licence.id,
        kind=DealKind.EXCLUSIVE_LICENCE if exclusive else DealKind.LICENCE,
        asset=licence.asset,
        price_fen=offer.charge.fee_fen,
        seller=licence.provider,
        buyer=licence.buyer,
        disputed=licence.dispute is not None or licence.served in ("rejected", "adjudicated"),
        version=offer.version,
        form=offer.form,
        term_days=offer.terms.term_days,
    )


def _sold(transfer: TitleTransfer) -> MarketDeal | None:
    if transfer.status != "effective" or transfer.price_fen == 0:
        return None
    return MarketDeal(
        deal=transfer.id,
        kind=DealKind.TITLE,
        asset=transfer.asset,
        price_fen=transfer.price_fen,
        seller=transfer.holder,
        buyer=transfer.to,
    )
