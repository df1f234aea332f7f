"""Reads of the log: its state, entries, and proofs."""

from functools import lru_cache
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import PlainTextResponse, Response
from pydantic import BaseModel
from sqlmodel.ext.asyncio.session import AsyncSession

from dataexchange.api import caching
from dataexchange.api.dependencies import Session, TheExchange, TheReader
from dataexchange.api.openapi import answering
from dataexchange.database import reading, tile_store
from dataexchange.database.cosignature_store import CosignedCheckpoint, published_checkpoint
from dataexchange.database.reading import Reader
from dataexchange.database.tables import EntryRow
from dataexchange.errors import RefusalCode
from dataexchange.ledger import merkle
from dataexchange.ledger.policy import Policy
from dataexchange.ledger.proof import TlogProof
from dataexchange.ledger.tile import TileName
from dataexchange.registry.catalogue import RULES_VERSION, catalogue

router = APIRouter(prefix="/v1", tags=["log"])

NO_ENTRY = RefusalCode(
    "entry.not_found",
    clause="docs/ledger-format.md",
    zh="账本中没有第 {index} 条",
    en="The log has no entry {index}",
    kind="missing",
)
NOT_COVERED = RefusalCode(
    "checkpoint.not_yet",
    clause="docs/ledger-format.md, checkpoints",
    zh="尚无覆盖 {size} 条的检查点",
    en="No checkpoint covers {size} entries yet",
    remedy_zh="检查点每秒发布，稍后重试。",
    remedy_en="Checkpoints follow within a second; try again.",
    kind="busy",
)
BAD_SIZES = RefusalCode(
    "proof.bad_sizes",
    clause="RFC 9162 section 2.1.4",
    zh="须 0 ≤ old ≤ new ≤ {size}",
    en="Sizes must be 0 ≤ old ≤ new ≤ {size}",
    kind="malformed",
)
ENTRY_NOT_YOURS = RefusalCode(
    "entry.not_yours",
    clause="architecture: reads",
    zh="第 {index} 条只对其当事方、监管机构和运营机构开放",
    en="Entry {index} is for the parties that it names, regulators and the operator",
    remedy_zh="以当事方身份出示访问令牌。",
    remedy_en="Show an access token of a party to it.",
    kind="forbidden",
)

IMMUTABLE = "private, max-age=604800, immutable"
Index = Annotated[int, Path(ge=0, lt=2**53)]
Size = Annotated[int, Query(ge=0, lt=2**53)]


class LogState(BaseModel):
    """Where the log is: `size` entries written, `checkpoint` the latest signed.

    `/checkpoint` has the latest that enough witnesses cosigned.
    `vkeys` are the keys of checkpoints at hand, `rules_…` what this software follows.
    """

    origin: str
    size: int
    vkeys: tuple[str, ...]
    rules_version: str
    rules_hash: str
    checkpoint: str | None


class EntryPage(BaseModel):
    """Leaf hashes (hex) of some entries; the bodies are at their own address."""

    items: list[dict[str, object]]
    next: int | None


class ConsistencyProof(BaseModel):
    """RFC 9162 consistency proof; hashes in hex."""

    old: int
    new: int
    path: list[str]


@router.get("/log", summary="账本状态 State of the log")
async def log_state(exchange: TheExchange, session: Session) -> LogState:
    """Origin, size, the keys that sign checkpoints, the rules, and the latest checkpoint."""
    head = await reading.head(session)
    latest = await reading.latest_checkpoint(session)
    return LogState(
        origin=head.origin,
        size=head.size,
        vkeys=exchange.signer.vkeys,
        rules_version=RULES_VERSION,
        rules_hash=catalogue().rules_hash,
        checkpoint=latest.note if latest else None,
    )


@router.get("/entries", summary="条目列表 Entries")
async def entry_list(
    session: Session,
    start: Size = 0,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
) -> EntryPage:
    """Index and leaf hash of entries from `start`."""
    rows = await reading.entries(session, start, limit + 1)
    items: list[dict[str, object]] = [
        {"index": row.index, "leaf": row.leaf.hex()} for row in rows[:limit]
    ]
    return EntryPage(items=items, next=rows[limit].index if len(rows) > limit else None)


@router.get(
    "/entries/{index}",
    summary="条目原文 An entry's exact bytes",
    response_class=Response,
    responses=answering("application/json", {"type": "object"}),
)
async def entry_bytes(
    index: Index, request: Request, session: Session, reader: TheReader
) -> Response:
    """The entry as it is hashed; for those it names, regulators and the operator."""
    row = await _entry(session, index, reader)
    return caching.answer(request, f'"{row.leaf.hex()}"', row.body, IMMUTABLE)


@router.get(
    "/entries/{index}/proof",
    summary="包含证明 Inclusion proof",
    response_class=PlainTextResponse,
)
async def entry_proof(
    index: Index, session: Session, exchange: TheExchange, signed: bool = False
) -> PlainTextResponse:
    """A C2SP tlog-proof that the entry is in the log that the published checkpoint signs.

    With `signed`, in the newest that the log signed, whoever cosigned it: for readers without a
    quorum, who need not wait for witnesses.
    """
    policy = None if signed else exchange.policy
    return PlainTextResponse((await prove(session, index, policy)).encode())


@router.get("/proofs/consistency", summary="一致性证明 Consistency proof")
async def consistency(old: Size, new: Size, session: Session) -> ConsistencyProof:
    """Prove that the log of `old` entries is a prefix of the log of `new`."""
    size = (await reading.head(session)).size
    if not old <= new <= size:
        raise BAD_SIZES(size=size)
    path = []
    if 0 < old < new:
        ranges = merkle.consistency_ranges(old, new)
        path = (await tile_store.tree(session, new, ranges)).consistency_proof(old)
    return ConsistencyProof(old=old, new=new, path=[node.hex() for node in path])


async def prove(session: AsyncSession, index: int, policy: Policy | None) -> TlogProof:
    """Return the proof of entry `index` in the newest checkpoint that meets `policy`."""
    checkpoint = await covering(session, index, policy)
    ranges = merkle.inclusion_ranges(index, checkpoint.size)
    tree = await tile_store.tree(session, checkpoint.size, ranges, _shared(checkpoint.note))
    return TlogProof(
        index=index, path=tuple(tree.inclusion_proof(index)), checkpoint=checkpoint.note
    )


@lru_cache(maxsize=2)
def _shared(note: bytes) -> dict[TileName, bytes]:
    """Return where tiles of the tree that `note` signs are kept for the next proofs in it."""
    return {}


async def covering(session: AsyncSession, index: int, policy: Policy | None) -> CosignedCheckpoint:
    """Return the newest checkpoint that meets `policy`, which must cover entry `index`."""
    published = await published_checkpoint(session, policy)
    if published is not None and published.size > index:
        return published
    if (await reading.head(session)).size > index:
        raise NOT_COVERED(size=index + 1)
    raise NO_ENTRY(index=index)


async def _entry(session: AsyncSession, index: int, reader: Reader) -> EntryRow:
    row = await session.get(EntryRow, index)
    if row is None:
        raise NO_ENTRY(index=index)
    if not await may_read_entry(session, reader, row):
        raise ENTRY_NOT_YOURS(index=index)
    return row


async def may_read_entry(session: AsyncSession, reader: Reader, row: EntryRow) -> bool:
    """Tell whether `reader` is a party to the entry, a regulator, or the operator."""
    return reader.reads_all or await reading.is_party_to(session, row, reader)
