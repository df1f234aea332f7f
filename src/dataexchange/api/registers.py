"""Typed reads of every register, derived from the states that the rooms declare.

Pages run in order of first appearance, of what was there at a stated size of the log, in its state
now; an item's ETag is the index of the last entry about it. What is not public is shown to the
parties that it names.
"""

import base64
import binascii
import re
from collections.abc import Awaitable, Callable
from hashlib import sha256
from typing import Annotated

import orjson
from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel

from dataexchange.api import caching
from dataexchange.api.dependencies import Session, TheExchange, TheReader
from dataexchange.api.log import may_read_entry, prove
from dataexchange.api.openapi import answering
from dataexchange.database import reading
from dataexchange.database.reading import Reader
from dataexchange.database.tables import AggregateRow
from dataexchange.errors import RefusalCode
from dataexchange.registry.catalogue import catalogue
from dataexchange.registry.visibility import may_read
from dataexchange.rules.reference import kind_of
from dataexchange.rules.refusal import NOT_FOUND

router = APIRouter(prefix="/v1", tags=["registers"])

BAD_CURSOR = RefusalCode(
    "page.bad_cursor",
    clause="docs/developer.md, paging",
    zh="cursor 不是上一页给出的值",
    en="The cursor is not one that a page gave",
    kind="malformed",
)
KEY = re.compile(r"[A-Za-z0-9_/.:-]{1,300}", re.ASCII)
Cursor = Annotated[str | None, Query(max_length=200)]
Limit = Annotated[int, Query(ge=1, le=500)]
Party = Annotated[str | None, Query(pattern="^party_[0-7][0-9a-hjkmnp-tv-z]{25}$")]


class History(BaseModel):
    """Indexes of the entries about an aggregate, newest first; `next` goes into `before`."""

    key: str
    indexes: list[int]
    next: int | None


def plural(kind: str) -> str:
    """Return the name of the register of `kind`."""
    if kind.endswith("y"):
        return kind[:-1] + "ies"
    return _PLURALS.get(kind) or kind + ("es" if kind.endswith("s") else "s")


def make_router() -> APIRouter:
    """Return the routes: a list for each kind of state, and items under /v1/aggregates."""
    whole = APIRouter()
    for kind in sorted(catalogue().states):
        whole.add_api_route(
            f"/v1/{plural(kind)}",
            _lister(kind),
            methods=["GET"],
            name=f"list_{kind}",
            summary=f"登记册 Register: {kind}",
            responses=answering("application/json", _page_schema(kind)),
            response_class=Response,
            tags=["registers"],
        )
    whole.include_router(router)
    return whole


@router.get("/aggregates/{key:path}/history", summary="历史 History of an aggregate")
async def aggregate_history(
    key: str,
    session: Session,
    reader: TheReader,
    before: Annotated[int | None, Query(ge=0, lt=2**53)] = None,
    limit: Limit = 50,
) -> History:
    """Every entry about `key`, newest first, walked along its own hash chain."""
    await _visible(session, key, reader)
    indexes = await reading.history(session, key, before=before, limit=limit)
    more = len(indexes) == limit and indexes[-1] > 0
    return History(key=key, indexes=indexes, next=indexes[-1] if more else None)


@router.get(
    "/aggregates/{key:path}/proof",
    summary="证明 Proof of an aggregate",
    response_class=Response,
    responses=answering("application/json", {"$ref": "#/components/schemas/AggregateProof"}),
)
async def aggregate_proof(
    key: str, session: Session, reader: TheReader, exchange: TheExchange
) -> Response:
    """The state, the last entry about it (exact bytes), and that entry's inclusion proof.

    Trust rests on the proof of the entry; the state follows by replay of its history.
    """
    row = await _visible(session, key, reader)
    (entry,) = await reading.entries(session, row.head_index, 1)
    proof = (await prove(session, row.head_index, exchange.policy)).encode().decode()
    shown = entry.body if await may_read_entry(session, reader, entry) else b"null"
    body = b'{"aggregate":%b,"entry":%b,"leaf":"%b","proof":%b}' % (
        _item(row),
        shown,
        entry.leaf.hex().encode(),
        orjson.dumps(proof),
    )
    return Response(body, media_type="application/json")


@router.get(
    "/aggregates/{key:path}",
    summary="状态 State of an aggregate",
    response_class=Response,
    responses=answering("application/json", {"$ref": "#/components/schemas/Aggregate"}),
)
async def aggregate(key: str, request: Request, session: Session, reader: TheReader) -> Response:
    """The current state of any aggregate, by its key."""
    row = await _visible(session, key, reader)
    return caching.answer(request, f'"{row.head_index}"', _item(row), "no-cache")


def _lister(kind: str) -> Callable[..., Awaitable[Response]]:
    async def list_register(
        request: Request,
        session: Session,
        reader: TheReader,
        cursor: Cursor = None,
        limit: Limit = 50,
        party: Party = None,
    ) -> Response:
        as_of, after = _read_cursor(cursor)
        if as_of is not None and as_of > (await reading.head(session)).size:
            raise BAD_CURSOR()
        page = await reading.register(
            session, kind, reader, after=after, as_of=as_of, limit=limit, names=party
        )
        following = orjson.dumps(_write_cursor(page.as_of, page.rows[-1]) if page.more else None)
        items = b",".join(map(_item, page.rows))
        body = b'{"as_of":%d,"items":[%b],"next":%b}' % (page.as_of, items, following)
        return caching.answer(request, f'"{sha256(body).hexdigest()[:32]}"', body, "no-cache")

    list_register.__doc__ = f"A page of the register of {kind}."
    return list_register


async def _visible(session: Session, key: str, reader: Reader) -> AggregateRow:
    """Return the row of `key`; what may not be read is not found."""
    row = await reading.aggregate(session, key) if KEY.fullmatch(key) else None
    if row is None or not may_read(kind_of(key), row.parties, reader.party, reader.roles):
        raise NOT_FOUND(key=key)
    return row


def _item(row: AggregateRow) -> bytes:
    return b'{"head":"%b","index":%d,"key":%b,"kind":"%b","seq":%d,"state":%b}' % (
        row.head.hex().encode(),
        row.head_index,
        orjson.dumps(row.key),
        row.kind.encode(),
        row.seq,
        row.state,
    )


def _write_cursor(as_of: int, row: AggregateRow) -> str:
    text = f"{as_of} {row.first_index} {row.key}"
    return base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()


def _read_cursor(cursor: str | None) -> tuple[int | None, tuple[int, str]]:
    if cursor is None:
        return None, (-1, "")
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode("ascii")
    except (ValueError, binascii.Error) as error:
        raise BAD_CURSOR() from error
    read = _CURSOR.fullmatch(text)
    if read is None:
        raise BAD_CURSOR()
    as_of, first, key = read.groups()
    return int(as_of), (int(first), key)


def _page_schema(kind: str) -> dict[str, object]:
    state = {"kind": {"const": kind}, "state": {"$ref": f"#/components/schemas/State.{kind}"}}
    item = {"allOf": [{"$ref": "#/components/schemas/Aggregate"}, {"properties": state}]}
    return {
        "type": "object",
        "required": ["as_of", "items", "next"],
        "properties": {
            "as_of": {"type": "integer"},
            "items": {"type": "array", "items": item},
            "next": {"type": ["string", "null"]},
        },
    }


_CURSOR = re.compile(rf"(\d{{1,15}}) (\d{{1,15}}) ({KEY.pattern})", re.ASCII)
_PLURALS = {"indicators": "indicators"}
