"""The dossier of an asset 一数一档, proven: its title, whole and current as of a committed map.

For its holder, those whose names stand in its title or who have a deal on it, regulators, and the
operator. What comes is verified offline by `dataexchange verify`.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, TypedDict, Unpack

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from sqlmodel import col, or_, select
from sqlmodel.ext.asyncio.session import AsyncSession

from dataexchange.api.anchors import ReceiptsFolder
from dataexchange.api.dependencies import Session, TheExchange, TheReader
from dataexchange.api.openapi import answering
from dataexchange.api.registers import KEY
from dataexchange.asset.title import Asset
from dataexchange.database import reading
from dataexchange.database.cosignature_store import published_checkpoint
from dataexchange.database.reading import Reader
from dataexchange.database.tables import AggregateRow
from dataexchange.errors import RefusalCode
from dataexchange.exchange.dossier import title_members
from dataexchange.exchange.service import Exchange
from dataexchange.registry.catalogue import catalogue
from dataexchange.registry.visibility import may_read
from dataexchange.rules.reference import kind_of
from dataexchange.rules.refusal import NOT_FOUND
from dataexchange.rules.state import decode
from dataexchange.verification.title_members import pack, pack_json


class _Asked(TypedDict):
    also: Sequence[str]
    confirmed: bool
    receipts: Path


router = APIRouter(prefix="/v1/assets", tags=["dossier"])

ALSO_MAX = 16
ZIP = "application/zip"
# A deal in the making gives no claim to see the title: anyone may ask, or quote.
DEALS = {
    "licence": {"requested", "offered", "accepted", "terminated"},
    "pledge": {"CANCELLED"},
    "guarantee": {"APPLIED"},
    "cover": {"QUOTED", "DECLINED"},
    "financing": set[str](),
}
DOSSIER_NOT_YOURS = RefusalCode(
    "dossier.not_yours",
    clause="docs/lender.md, clean title",
    zh="资产 {asset} 的档案只对其持有人、担保权人与交易当事方、监管机构和运营机构开放",
    en="The dossier of {asset} is for its holder, parties to its liens and deals, regulators and"
    " the operator",
    remedy_zh="请持有人导出并交给你。",
    remedy_en="Ask the holder to export it for you.",
    kind="forbidden",
)

Also = Annotated[
    list[str],
    Query(max_length=ALSO_MAX, description="keys of more that names the asset, e.g. a valuation"),
]
Confirmed = Annotated[
    bool, Query(description="as of the newest map that a regulator confirmed, not the newest")
]
DOCUMENT = {
    "type": "object",
    "description": "Every member of the title bundle as text; docs/ledger-format.md",
    "required": ["members"],
    "properties": {"members": {"type": "object", "additionalProperties": {"type": "string"}}},
}


@router.get(
    "/{asset}/dossier",
    summary="资产档案 The proven dossier of an asset",
    response_class=Response,
    responses=answering("application/json", DOCUMENT),
)
async def asset_dossier(
    asset: str,
    request: Request,
    exchange: TheExchange,
    session: Session,
    reader: TheReader,
    receipts: ReceiptsFolder,
    also: Also = [],  # noqa: B006 -- FastAPI copies it
    confirmed: Confirmed = False,
) -> Response:
    """The title bundle as JSON, or as a zip where `Accept` asks for one."""
    await _require_readable(session, asset, reader, also)
    members = await _members(
        session, exchange, asset, also=also, confirmed=confirmed, receipts=receipts
    )
    if ZIP in request.headers.get("accept", ""):
        return _answer(pack(members), ZIP)
    return _answer(pack_json(members), "application/json")


@router.get(
    "/{asset}/dossier.zip",
    summary="资产档案（zip） The proven dossier as a zip",
    response_class=Response,
    responses=answering(ZIP),
)
async def asset_dossier_zip(
    asset: str,
    exchange: TheExchange,
    session: Session,
    reader: TheReader,
    receipts: ReceiptsFolder,
    also: Also = [],  # noqa: B006 -- FastAPI copies it
    confirmed: Confirmed = False,
) -> Response:
    """The title bundle as a zip."""
    await _require_readable(session, asset, reader, also)
    members = await _members(
        session, exchange, asset, also=also, confirmed=confirmed, receipts=receipts
    )
    return _answer(pack(members), ZIP)


def _answer(data: bytes, media_type: str) -> Response:
    headers = {"Cache-Control": "private, no-store", "Vary": "Authorization, Accept"}
    return Response(data, media_type=media_type, headers=headers)


async def _members(
    session: AsyncSession, exchange: Exchange, asset: str, **asked: Unpack[_Asked]
) -> dict[str, bytes]:
    checkpoint = await published_checkpoint(session, exchange.policy)
    return await title_members(session, asset, checkpoint, **asked)


async def _require_readable(
    session: AsyncSession, asset: str, reader: Reader, also: Sequence[str]
) -> None:
    row = await _row(session, asset)
    if row is None or row.kind != Asset.KIND:
        raise NOT_FOUND(key=asset)
    if not await _may_read(session, row, reader):
        raise DOSSIER_NOT_YOURS(asset=asset)
    for key in also:
        added = await _row(session, key)
        if added is None or not may_read(kind_of(key), added.parties, reader.party, reader.roles):
            raise NOT_FOUND(key=key)


async def _row(session: AsyncSession, key: str) -> AggregateRow | None:
    return await reading.aggregate(session, key) if KEY.fullmatch(key) else None


async def _may_read(session: AsyncSession, asset: AggregateRow, reader: Reader) -> bool:
    """Tell whether the asset's state names `reader`, or a deal on the asset or on a lien does."""
    if reader.reads_all:
        return True
    if reader.party is None or not reader.roles:
        return False
    if reader.party in asset.parties:
        return True
    named = [asset.key, *(lien.by for lien in decode(Asset, asset.state).liens)]
    query = select(AggregateRow).where(
        col(AggregateRow.parties).contains([reader.party]),
        col(AggregateRow.kind).in_(DEALS),
        or_(*(col(AggregateRow.state).contains(f'"{key}"'.encode()) for key in named)),
    )
    rows = await session.exec(query)
    return any(_is_deal(row) for row in rows)


def _is_deal(row: AggregateRow) -> bool:
    state = decode(catalogue().states[row.kind], row.state)
    return getattr(state, "status", None) not in DEALS[row.kind]
