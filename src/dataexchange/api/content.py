"""The content store at the door: what hashes stand for, in and out, streamed."""

import hashlib
from collections.abc import AsyncIterator
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO, Annotated

from fastapi import APIRouter, Request
from fastapi import Path as PathParameter
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response, StreamingResponse
from pydantic import BaseModel

from dataexchange.api.dependencies import Session, TheExchange, TheReader
from dataexchange.api.log import IMMUTABLE
from dataexchange.api.openapi import BYTES, answering, taking
from dataexchange.api.registers import KEY
from dataexchange.asset.version import Version, version_key
from dataexchange.database import reading, uploads
from dataexchange.errors import RefusalCode
from dataexchange.exchange.service import Exchange
from dataexchange.market.delivery import Delivery
from dataexchange.rules.refusal import PARTY_NOT_ACTIVE
from dataexchange.rules.state import decode

router = APIRouter(prefix="/v1/content", tags=["content"])

READ_BYTES = 1024 * 1024
PUBLIC_CONTENT = frozenset({"card", "report"})
SERVED = ("started", "completed", "accepted", "rejected")
Sha256 = Annotated[str, PathParameter(pattern="^[0-9a-f]{64}$")]

SIGN_IN = RefusalCode(
    "access.needed",
    clause="docs/developer.md, access",
    zh="此操作需要访问令牌",
    en="This needs an access token",
    remedy_zh="用 `dataexchange token` 生成。",
    remedy_en="Make one with `dataexchange token`.",
    kind="unauthenticated",
)
NO_CONTENT = RefusalCode(
    "content.not_found",
    clause="docs/developer.md, content",
    zh="没有内容 {sha256}，或无权读取",
    en="There is no content {sha256}, or it is not for you",
    kind="missing",
)
HASH_DIFFERS = RefusalCode(
    "content.hash_differs",
    clause="docs/developer.md, content",
    zh="内容的 SHA-256 是 {found}，不是 {named}",
    en="The content's SHA-256 is {found}, not {named}",
    kind="malformed",
)
CONTENT_ERASED = RefusalCode(
    "content.erased",
    clause="个人信息保护法 art. 47",
    zh="内容 {sha256} 已被删除",
    en="Content {sha256} was erased",
    kind="missing",
)
TOO_LARGE = RefusalCode(
    "content.too_large",
    clause="docs/developer.md, limits",
    zh="内容超过 {limit} 字节",
    en="The content has more than {limit} bytes",
    kind="malformed",
)


class Kept(BaseModel):
    """Content that is kept now."""

    sha256: str
    size_bytes: int


@router.put(
    "/{sha256}",
    status_code=201,
    summary="存入内容 Keep content",
    openapi_extra=taking(BYTES, {"type": "string", "format": "binary"}),
)
async def keep(
    sha256: Sha256, request: Request, exchange: TheExchange, session: Session, reader: TheReader
) -> Kept:
    """Keep the request's body under its hash; any party may. Putting it again changes nothing.

    Who has put it in can open it to others, by an entry of its own that names the hash.
    """
    if reader.party is None:
        raise SIGN_IN()
    if not reader.roles:
        raise PARTY_NOT_ACTIVE(party=reader.party, status="applied")
    if await uploads.is_ordered_away(session, sha256):
        raise CONTENT_ERASED(sha256=sha256)
    await session.close()  # a slow body must not hold a connection
    with NamedTemporaryFile(prefix="dataexchange-") as file:
        size = await _receive(request, file)
        found = await run_in_threadpool(_hash, Path(file.name))
        if found != sha256:
            raise HASH_DIFFERS(found=found, named=sha256)
        # First the record: bytes that nobody has put in are erased.
        await uploads.record(session, sha256, reader.party)
        await session.close()
        await run_in_threadpool(exchange.content.put, Path(file.name))
    return Kept(sha256=sha256, size_bytes=size)


@router.get(
    "/{sha256}/of/{key:path}",
    summary="读取内容 Read content",
    response_class=Response,
    responses=answering(BYTES),
)
async def content(
    sha256: Sha256, key: str, exchange: TheExchange, session: Session, reader: TheReader
) -> Response:
    """The content that the aggregate `key` names, for the parties to it, and regulators.

    Who named it there must have put it in; a hash alone opens nothing. Rulebook cards and published
    evaluations are for anyone.
    """
    row = await reading.aggregate(session, key) if KEY.fullmatch(key) else None
    if row is None or f'"{sha256}"'.encode() not in row.state:
        raise NO_CONTENT(sha256=sha256)
    is_open = reader.reads_all or row.kind in PUBLIC_CONTENT
    is_party = reader.roles and reader.party in await reading.concerned(session, row)
    if not (is_open or is_party):
        raise NO_CONTENT(sha256=sha256)
    await _require(session, sha256, is_opened=await uploads.opened_about(session, row, sha256))
    await session.close()
    return await _stream(exchange, sha256)


@router.get(
    "/{sha256}/delivered/{delivery}",
    summary="下载交付文件 Fetch a delivered file",
    response_class=Response,
    responses=answering(BYTES),
)
async def delivered(
    sha256: Sha256, delivery: str, exchange: TheExchange, session: Session, reader: TheReader
) -> Response:
    """A file of the version that is being delivered, for the parties to the delivery."""
    row = await reading.aggregate(session, delivery) if KEY.fullmatch(delivery) else None
    if row is None or row.kind != Delivery.KIND:
        raise NO_CONTENT(sha256=sha256)
    held = decode(Delivery, row.state)
    is_party = reader.party in (held.buyer, held.provider)
    if not (reader.reads_all or is_party) or held.status not in SERVED:
        raise NO_CONTENT(sha256=sha256)
    version = await reading.aggregate(session, version_key(held.asset, held.version))
    if version is None:
        raise NO_CONTENT(sha256=sha256)
    # The entry that added the version lists its files; the state keeps their root alone.
    (entry,) = await reading.entries(session, decode(Version, version.state).added_index, 1)
    if f'"{sha256}"'.encode() not in entry.body:
        raise NO_CONTENT(sha256=sha256)
    await _require(session, sha256, is_opened=await uploads.has_put(session, entry.actor, sha256))
    await session.close()
    return await _stream(exchange, sha256)


@router.get(
    "/{sha256}",
    summary="按哈希读取 Read content by its hash",
    response_class=Response,
    responses=answering(BYTES),
)
async def any_content(
    sha256: Sha256, exchange: TheExchange, session: Session, reader: TheReader
) -> Response:
    """Any content, for regulators and the operator."""
    if not reader.reads_all:
        raise NO_CONTENT(sha256=sha256)
    await _require(session, sha256, is_opened=not await uploads.is_erased(session, sha256))
    await session.close()
    return await _stream(exchange, sha256)


async def _require(session: Session, sha256: str, *, is_opened: bool) -> None:
    """Refuse content that is not opened to who asks; it may know that it was erased."""
    if not is_opened:
        erased = await uploads.is_erased(session, sha256)
        raise CONTENT_ERASED(sha256=sha256) if erased else NO_CONTENT(sha256=sha256)


async def _stream(exchange: Exchange, sha256: str) -> Response:
    if sha256 not in exchange.content:
        raise NO_CONTENT(sha256=sha256)
    file = await run_in_threadpool(exchange.content.open, sha256)

    async def parts() -> AsyncIterator[bytes]:
        with file:
            while part := await run_in_threadpool(file.read, READ_BYTES):
                yield part

    headers = {
        "Content-Length": str(exchange.content.size_bytes(sha256)),
        "Cache-Control": IMMUTABLE,
        "ETag": f'"{sha256}"',
        "Vary": "Authorization",
        "X-Content-Type-Options": "nosniff",
    }
    return StreamingResponse(parts(), media_type="application/octet-stream", headers=headers)


async def _receive(request: Request, file: IO[bytes]) -> int:
    """Write the request's body to `file`, flushed; return its size in bytes."""
    limit = request.app.state.settings.content_bytes_max
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > limit:
            raise TOO_LARGE(limit=limit)
        file.write(part)
    file.flush()
    return size


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
