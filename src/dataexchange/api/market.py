"""Market evidence with proofs, and the price history of an asset."""

from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from dataexchange.api.content import SIGN_IN
from dataexchange.api.dependencies import Session, TheReader
from dataexchange.api.registers import KEY
from dataexchange.asset.title import Asset
from dataexchange.database import reading
from dataexchange.database.reading import Reader
from dataexchange.exchange.market_evidence import Proven, Wanted, evidence
from dataexchange.exchange.price_history import Dated, price_history
from dataexchange.ledger.statement import format_time
from dataexchange.market.evidence import DealKind
from dataexchange.market.price_history import What
from dataexchange.market.terms import DeliveryForm
from dataexchange.rules.reference import kind_of
from dataexchange.rules.refusal import NOT_FOUND

router = APIRouter(prefix="/v1", tags=["market"])

INDEX_MAX = 2**53
Before = Annotated[int, Field(ge=0, le=INDEX_MAX, description="`next` of the page before")]
Code = Annotated[str, Field(max_length=200)]


class EvidenceQuery(BaseModel):
    """Which closed deals; days are in +08:00, both included."""

    model_config = ConfigDict(extra="forbid")

    category: Code | None = None
    grade: Code | None = None
    kind: DealKind | None = None
    form: DeliveryForm | None = None
    since: date | None = None
    until: date | None = None
    before: Before = INDEX_MAX
    limit: Annotated[int, Field(ge=1, le=100)] = 50


class EvidenceItem(BaseModel):
    """A closed deal; `deal`, `seller` and `buyer` are null for those who are not parties to it.

    `entry_index` and `leaf_hash` (hex) are of the entry that closed it, `proof` is a C2SP
    tlog-proof of that entry. `quality_score`, `rows` and `size_bytes` are of the version sold.
    """

    entry_index: int
    leaf_hash: str
    kind: DealKind
    category: str
    grade: str | None
    level: str
    asset: str
    version: int | None
    quality_score: str | None
    rows: int | None
    size_bytes: int | None
    form: DeliveryForm | None
    term_days: int | None
    price_fen: int
    closed_on: date
    arms_length: bool
    disputed: bool
    deal: str | None
    seller: str | None
    buyer: str | None
    proof: str


class EvidencePage(BaseModel):
    """Closed deals in a log of `as_of` entries, the newest first; `next` goes into `before`."""

    as_of: int
    items: list[EvidenceItem]
    next: int | None


class PriceItem(BaseModel):
    """One price: what was told of which listing, deal or valuation, by which entry; 分."""

    entry_index: int
    leaf_hash: str
    recorded_at: str
    what: What
    key: str
    price_fen: int | None
    price: dict[str, Any]


class PricePage(BaseModel):
    """Prices of one asset, the newest first; `next` goes into `before`."""

    asset: str
    items: list[PriceItem]
    next: int | None


@router.get("/market/evidence", summary="可比案例 Closed deals as market evidence")
async def market_evidence(
    session: Session, reader: TheReader, asked: Annotated[EvidenceQuery, Query()]
) -> EvidencePage:
    """Deals whose price was paid, each with its entry's inclusion proof in the latest checkpoint.

    Appraisers, regulators and the operator read all, appraisers without the parties; anyone else
    reads their own. A page may hold fewer than `limit` while `next` is not null.
    """
    if not reader.roles:
        raise SIGN_IN()
    wanted = Wanted(**asked.model_dump(exclude={"before", "limit"}))
    page = await evidence(session, wanted, reader, before=asked.before, limit=asked.limit)
    items = [_evidence_item(one, reader) for one in page.deals]
    return EvidencePage(as_of=page.as_of, items=items, next=page.next)


@router.get("/assets/{asset}/prices", summary="价格历史 Prices of an asset")
async def asset_prices(
    asset: str,
    session: Session,
    reader: TheReader,
    before: Annotated[int, Query(ge=0, le=INDEX_MAX)] = INDEX_MAX,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
) -> PricePage:
    """What was asked, paid and found for an asset: listings, deals, valuations, by entry.

    Listings are public. Prices of deals are for their parties and for appraisers, valuations for
    their parties; what is not for you is left out.
    """
    named = KEY.fullmatch(asset) and kind_of(asset) == Asset.KIND
    if not named or await reading.aggregate(session, asset) is None:
        raise NOT_FOUND(key=asset)
    page = await price_history(session, asset, reader, before=before, limit=limit)
    return PricePage(asset=asset, items=list(map(_price_item, page.points)), next=page.next)


def _evidence_item(one: Proven, reader: Reader) -> EvidenceItem:
    deal, version = one.deal, one.version
    named = reader.reads_all or reader.party in (deal.seller, deal.buyer)
    return EvidenceItem(
        entry_index=one.entry.index,
        leaf_hash=one.entry.leaf.hex(),
        kind=deal.kind,
        category=one.asset.theme,
        grade=one.asset.grade,
        level=one.asset.level,
        asset=deal.asset,
        version=deal.version,
        quality_score=version.quality_score if version else None,
        rows=version.rows if version else None,
        size_bytes=version.size_bytes if version else None,
        form=deal.form,
        term_days=deal.term_days,
        price_fen=deal.price_fen,
        closed_on=one.closed_on,
        arms_length=one.arms_length,
        disputed=deal.disputed,
        deal=deal.deal if named else None,
        seller=deal.seller if named else None,
        buyer=deal.buyer if named else None,
        proof=one.proof.encode().decode(),
    )


def _price_item(one: Dated) -> PriceItem:
    return PriceItem(
        entry_index=one.index,
        leaf_hash=one.leaf,
        recorded_at=format_time(one.recorded_at),
        what=one.point.what,
        key=one.point.key,
        price_fen=one.point.price_fen,
        price=one.point.price,
    )
