"""Cosignatures in the database, and the checkpoints that have enough of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from dataexchange.database import reading
from dataexchange.database.tables import CheckpointRow, CosignatureRow, PublishedRow
from dataexchange.ledger.cosignature import verifier_for
from dataexchange.ledger.note import Note, Signature, add_signatures, parse_signatures
from dataexchange.ledger.policy import NO_QUORUM, Policy

# Under a changed policy, checkpoints published under the old one are asked in turn, so far back.
LOOK_BACK_MAX = 16


@dataclass(frozen=True, slots=True)
class CosignedCheckpoint:
    """A checkpoint's note with the cosignatures of the policy's witnesses, each verified.

    `witnesses` are their names in the policy.
    """

    size: int
    note: bytes
    witnesses: tuple[str, ...]


async def keep(session: AsyncSession, row: CosignatureRow) -> None:
    """Keep a verified cosignature; the first of a witness on a size stands."""
    values = row.model_dump()
    await (await session.connection()).execute(
        insert(CosignatureRow).values(values).on_conflict_do_nothing()
    )


async def publish(session: AsyncSession, size: int, at: datetime) -> None:
    """Mark the checkpoint of `size` as one that met the quorum."""
    values = {"size": size, "published_at": at}
    await (await session.connection()).execute(
        insert(PublishedRow).values(values).on_conflict_do_nothing()
    )


async def last_of(session: AsyncSession, witness: str) -> CosignatureRow | None:
    """Return the cosignature of the greatest size by the vkey `witness`."""
    query = (
        select(CosignatureRow)
        .where(CosignatureRow.witness == witness)
        .order_by(col(CosignatureRow.size).desc())
        .limit(1)
    )
    return (await session.exec(query)).one_or_none()


async def first_received(session: AsyncSession, limit: int) -> list[tuple[int, datetime]]:
    """Return (size, time of the first cosignature) of the `limit` greatest sizes, ascending."""
    query = (
        select(CosignatureRow.size, func.min(CosignatureRow.received_at))
        .where(col(CosignatureRow.size) > 0)
        .group_by(col(CosignatureRow.size))
        .order_by(col(CosignatureRow.size).desc())
        .limit(limit)
    )
    return [(size, at) for size, at in await session.exec(query)][::-1]


async def published_checkpoint(
    session: AsyncSession, policy: Policy | None
) -> CosignedCheckpoint | None:
    """Return the newest checkpoint that meets the quorum, or the newest where none is asked."""
    if policy is None or policy.quorum == NO_QUORUM:
        latest = await reading.latest_checkpoint(session)
        return await cosigned(session, latest, policy) if latest is not None else None
    query = (
        select(CheckpointRow)
        .join(PublishedRow, col(PublishedRow.size) == col(CheckpointRow.size))
        .order_by(col(CheckpointRow.size).desc())
        .limit(LOOK_BACK_MAX)
    )
    for row in await session.exec(query):
        found = await cosigned(session, row, policy)
        if policy.is_met_by(found.witnesses):
            return found
    return None


async def cosigned(
    session: AsyncSession, row: CheckpointRow, policy: Policy | None
) -> CosignedCheckpoint:
    """Return a checkpoint with what the policy's witnesses put under it."""
    note = row.note.encode()
    if policy is None:
        return CosignedCheckpoint(row.size, note, ())
    query = select(CosignatureRow).where(CosignatureRow.size == row.size)
    lines = {one.witness: one.line for one in await session.exec(query)}
    found = _verified(Note.parse(note).text, lines, policy)
    signatures = [signature for _, signature in found]
    return CosignedCheckpoint(
        row.size, add_signatures(note, signatures), tuple(name for name, _ in found)
    )


def _verified(
    text: bytes, lines: dict[str, str], policy: Policy
) -> Sequence[tuple[str, Signature]]:
    """Return the name and signature of each witness of the policy that did cosign `text`.

    One row spoiled in the database must not spoil the note for all who know its key.
    """
    found = []
    for name, key in policy.witnesses.items():
        line = lines.get(key.vkey)
        if line is None:
            continue
        (signature, *_) = parse_signatures(line.encode())
        if verifier_for(key).verify(text, signature.value):
            found.append((name, signature))
    return found
