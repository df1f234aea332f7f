"""The C2SP tlog-tiles surface: checkpoint and hash tiles for all, entry bundles for regulators."""

import gzip

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import PlainTextResponse, Response

from dataexchange.api import caching
from dataexchange.api.dependencies import Session, TheExchange, TheReader
from dataexchange.api.log import NOT_COVERED
from dataexchange.api.openapi import BYTES, answering
from dataexchange.database import reading, tile_store
from dataexchange.database.cosignature_store import published_checkpoint
from dataexchange.errors import RefusalCode
from dataexchange.ledger.tile import ENTRIES, TILE_HEIGHT, TILE_WIDTH, TileError, TileName

router = APIRouter(tags=["tlog-tiles"])

NO_TILE = RefusalCode(
    "tile.not_found",
    clause="C2SP tlog-tiles",
    zh="没有此瓦片：{path}",
    en="There is no such tile: {path}",
    kind="missing",
)
BUNDLE_NOT_YOURS = RefusalCode(
    "tile.bundle_not_yours",
    clause="architecture: reads",
    zh="条目包含交易内容，只对监管机构和运营机构开放",
    en="Entry bundles hold deals and are for regulators and the operator",
    kind="forbidden",
)
IMMUTABLE = "max-age=604800, immutable"
GZIP_LEVEL = 6


@router.get("/checkpoint", summary="最新检查点 Latest checkpoint", response_class=PlainTextResponse)
async def checkpoint(session: Session, exchange: TheExchange) -> PlainTextResponse:
    """The newest checkpoint that meets the witness quorum, with its cosignatures.

    C2SP tlog-checkpoint. Where no quorum is asked, the newest signed.
    """
    published = await published_checkpoint(session, exchange.policy)
    if published is None:
        raise NOT_COVERED(size=0)
    return PlainTextResponse(published.note, headers={"Cache-Control": "no-cache"})


@router.get(
    "/tile/{path:path}",
    summary="瓦片 A tile or entry bundle",
    response_class=Response,
    responses=answering(BYTES),
)
async def tile(path: str, request: Request, session: Session, reader: TheReader) -> Response:
    """A hash tile (public), or an entry bundle (regulators, operator), full or partial."""
    try:
        name = TileName.parse(f"tile/{path}")
    except TileError as error:
        raise NO_TILE(path=path) from error
    if name.level == ENTRIES and not reader.reads_all:
        raise BUNDLE_NOT_YOURS()
    latest = await reading.latest_checkpoint(session)
    if latest is None or _end(name) > latest.size:
        raise NO_TILE(path=path)
    data = await tile_store.read_tile(session, name)
    if name.level == ENTRIES:
        return await _bundle(request, data)
    return Response(data, media_type=BYTES, headers={"Cache-Control": IMMUTABLE})


async def _bundle(request: Request, data: bytes) -> Response:
    """Answer with an entry bundle, compressed where the client takes that."""
    # For some readers only: no shared cache may hand it on.
    headers = {
        "Cache-Control": f"private, {IMMUTABLE}",
        "Vary": "Authorization, Accept-Encoding",
    }
    if caching.takes_gzip(request):
        data = await run_in_threadpool(gzip.compress, data, GZIP_LEVEL, mtime=0)
        headers["Content-Encoding"] = "gzip"
    return Response(data, media_type=BYTES, headers=headers)


def _end(name: TileName) -> int:
    """Return how many entries a log must have for `name` to exist."""
    shift = max(name.level, 0) * TILE_HEIGHT
    return (name.index * TILE_WIDTH + name.width) << shift
