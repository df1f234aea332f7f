"""Fee ceilings 收费上限 of public-data products, as the price authority sets them.

发改价格〔2025〕65号: use for public governance and welfare is free; otherwise the operator charges
within the approved standard, and its revenue stays within what was allowed for the period.
"""

from collections.abc import Iterable

from dataexchange.asset.title import Asset
from dataexchange.market.price import (
    CallCharge,
    Charge,
    LumpSum,
    Price,
    ShareCharge,
    escrow_fen,
    highest_fen,
)
from dataexchange.pipeline.elements import Level
from dataexchange.rules import Changes, Event, Payload, RefusalCode, Role, State, View, event
from dataexchange.rules.payload import Fen, Line, PositiveCount
from dataexchange.rules.reference import AssetId

FEE_NOTICE = "发改价格〔2025〕65号"

CEILING_MISSING = RefusalCode(
    "ceiling.missing",
    clause=FEE_NOTICE,
    zh="公共数据产品 {asset} 尚无核定的收费标准，只能免费提供",
    en="No fee is approved for the public-data product {asset}; it can only be free",
    remedy_zh="由价格主管部门先核定收费上限（fee_ceiling.set）。",
    remedy_en="Have the price authority set a ceiling (fee_ceiling.set) first.",
)
ABOVE_CEILING = RefusalCode(
    "ceiling.exceeded",
    clause=FEE_NOTICE,
    zh="收费 {fee_fen} 分超过核定上限 {ceiling_fen} 分",
    en="The charge of {fee_fen} fen is above the approved ceiling of {ceiling_fen}",
    remedy_zh="收费不高于 {ceiling_fen} 分。",
    remedy_en="Charge {ceiling_fen} fen or less.",
)
UNBOUNDED_PRICE = RefusalCode(
    "ceiling.price_unbounded",
    clause=FEE_NOTICE,
    zh="公共数据产品不得采用没有上限的计价方式（收入分成、拍卖）",
    en="A public-data product may not be priced without a bound (revenue share, auction)",
)
REVENUE_EXHAUSTED = RefusalCode(
    "ceiling.revenue_exhausted",
    clause=FEE_NOTICE + ", 最高准许收入",
    zh="本期已收 {charged_fen} 分，再收 {fee_fen} 分将超过最高准许收入 {ceiling_fen} 分",
    en="{charged_fen} fen are charged this period; {fee_fen} more pass the allowed {ceiling_fen}",
    remedy_zh="免费提供，或等待下一期核定。",
    remedy_en="Give it free, or wait for the next period's ceiling.",
)
WELFARE_IS_FREE = RefusalCode(
    "ceiling.welfare_is_free",
    clause=FEE_NOTICE,
    zh="公共数据产品用于公共治理、公益事业的，免费提供",
    en="A public-data product is free for public governance and welfare",
)


class Ceiling(State, frozen=True, kw_only=True):
    """The ceiling in force of one product; its key is `ceiling/<asset>`.

    `charged_fen` is what licences agreed since this version was set may charge at most.
    """

    KIND = "ceiling"

    asset: str
    version: int
    fee_ceiling_fen: int
    revenue_ceiling_fen: int | None = None
    charged_fen: int = 0
    basis: str


class FeeCeilingSet(Payload):
    """What one licence may cost at most, and what the period's licences may bring in all."""

    asset: AssetId
    version: PositiveCount
    fee_ceiling_fen: Fen
    revenue_ceiling_fen: Fen | None = None
    basis: Line


CEILING_NOT_NEXT = RefusalCode(
    "ceiling.not_next",
    clause=FEE_NOTICE,
    zh="收费上限的版本应为 {needed}，而非 {version}",
    en="The next version of the ceiling is {needed}, not {version}",
    kind="conflict",
)


def is_public_data(asset: Asset, sources: Iterable[Asset]) -> bool:
    """Tell whether the price of `asset` is the authority's concern.

    So it is for public data 公共数据 and for what is made of them under an authorised operation or
    a licence. What is made of data that are open without conditions is priced by the market.
    """
    return Level(asset.level).is_public or any(
        Level(source.level).is_public and source.opening != "unconditional" for source in sources
    )


def ceiling_key(asset: str) -> str:
    """Return the key of the fee ceiling of `asset`."""
    return f"ceiling/{asset}"


@event(
    "fee_ceiling.set@1",
    by={Role.REGULATOR},
    zh="核定收费上限",
    en="Set a fee ceiling",
    clause=FEE_NOTICE,
    also=lambda payload, actor: (ceiling_key(payload.asset),),
)
def set_ceiling(view: View, event: Event[FeeCeilingSet]) -> Changes:
    """Start a new period with a new ceiling; nothing is charged in it yet."""
    order = event.payload
    view.get(Asset, order.asset)
    held = view.find(Ceiling, ceiling_key(order.asset))
    needed = 1 if held is None else held.version + 1
    if order.version != needed:
        raise CEILING_NOT_NEXT(version=order.version, needed=needed)
    return Ceiling(
        id=ceiling_key(order.asset),
        asset=order.asset,
        version=needed,
        fee_ceiling_fen=order.fee_ceiling_fen,
        revenue_ceiling_fen=order.revenue_ceiling_fen,
        basis=order.basis,
    )


def require_price_within(view: View, asset: Asset, price: Price) -> None:
    """Refuse to list a public-data product at a price that the ceiling does not allow."""
    if price.model == "negotiated":
        return
    highest = highest_fen(price)
    if highest is None:
        raise UNBOUNDED_PRICE()
    _require_fee_within(view, asset, highest)


def require_charge_within(view: View, asset: Asset, charge: Charge, *, welfare: bool) -> None:
    """Refuse a charge for a public-data product that the ceiling does not allow."""
    match charge:
        case LumpSum() | CallCharge():
            fee_fen = escrow_fen(charge)
        case ShareCharge():
            raise UNBOUNDED_PRICE()
    if welfare and fee_fen:
        raise WELFARE_IS_FREE()
    _require_fee_within(view, asset, fee_fen)


def charged(view: View, asset: Asset, fee_fen: int) -> tuple[Ceiling, ...]:
    """Return the ceiling with `fee_fen` more charged; nothing where nothing is charged."""
    if fee_fen == 0:
        return ()
    ceiling = view.find(Ceiling, ceiling_key(asset.id))
    if ceiling is None:
        raise CEILING_MISSING(asset=asset.id)
    most = ceiling.revenue_ceiling_fen
    if most is not None and ceiling.charged_fen + fee_fen > most:
        raise REVENUE_EXHAUSTED(charged_fen=ceiling.charged_fen, fee_fen=fee_fen, ceiling_fen=most)
    return (ceiling.but(charged_fen=ceiling.charged_fen + fee_fen),)


def uncharged(view: View, asset: str, fee_fen: int, version: int | None) -> tuple[Ceiling, ...]:
    """Return the ceiling with a charge of its own period taken back; nothing in a later one."""
    ceiling = view.find(Ceiling, ceiling_key(asset))
    if ceiling is None or ceiling.version != version or fee_fen == 0:
        return ()
    return (ceiling.but(charged_fen=ceiling.charged_fen - fee_fen),)


def _require_fee_within(view: View, asset: Asset, fee_fen: int) -> None:
    if fee_fen == 0:
        return
    ceiling = view.find(Ceiling, ceiling_key(asset.id))
    if ceiling is None:
        raise CEILING_MISSING(asset=asset.id)
    if fee_fen > ceiling.fee_ceiling_fen:
        raise ABOVE_CEILING(fee_fen=fee_fen, ceiling_fen=ceiling.fee_ceiling_fen)
