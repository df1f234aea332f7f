"""Openings of sealed fields as they are kept: boxes that keys outside of the database open.

New boxes come in with their entries (`log_store.write`); here are those that come later, the reads,
and erasure, which names the entry that orders it and leaves the rest to the owner's function.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from dataexchange.database.tables import EntryRow
from dataexchange.registry.submission import SealedBox, Submission


@dataclass(frozen=True, slots=True)
class Kept:
    """What is kept for one sealed field: its box and key, or the entry by which it was erased."""

    field: str
    key_id: str | None
    box: bytes | None
    erased_by: int | None


@dataclass(frozen=True, slots=True)
class Pending:
    """An erasure that the log orders and that is not carried out: the entry, and what it is of."""

    index: int
    key_id: str | None = None


async def of_entry(session: AsyncSession, entry: EntryRow) -> dict[str, Kept]:
    """Return what is kept for the sealed fields of an entry, by field.

    What the log orders to be erased is erased, even before that is carried out.
    """
    named = {"id": entry.statement_id, "actor": entry.actor, "index": str(entry.index)}
    return {row[0]: Kept(*row) for row in await _run(session, _OF, **named)}


async def add(
    session: AsyncSession, submission: Submission, boxes: Sequence[SealedBox]
) -> set[str]:
    """Keep boxes of a statement that is in the log, where it has none; return the keys in use."""
    for box in boxes:
        await _run(
            session,
            _ADD,
            id=submission.id,
            actor=submission.actor,
            field=box.field,
            key=box.key_id,
            box=box.box,
        )
    await session.commit()
    rows = await _run(session, _KEYS, id=submission.id, actor=submission.actor)
    return {key for (key,) in rows}


async def pending(session: AsyncSession) -> list[Pending]:
    """Return the erasures of openings that are still to be carried out."""
    return [Pending(*row) for row in await _run(session, _PENDING)]


async def erase(session: AsyncSession, index: int) -> None:
    """Do to the row what the entry at `index` orders; its key must be destroyed before."""
    await _run(session, "select erase_opening(:index)", index=index)
    await session.commit()


async def _run(session: AsyncSession, query: str, **parameters: object) -> list[tuple[Any, ...]]:
    found = await (await session.connection()).execute(text(query), parameters)
    return [tuple(row) for row in found] if found.returns_rows else []


_OF = """
select s.field, s.key_id, s.box, coalesce(s.erased_by, a.head_index)
  from sealed_opening s
  left join aggregate a on a.key = 'erasure/' || s.actor || '/' || :index || '/' || s.field
 where s.statement_id = :id and s.actor = :actor
"""
_KEYS = """
select key_id from sealed_opening
 where statement_id = :id and actor = :actor and key_id is not null
"""
_ADD = """
insert into sealed_opening (statement_id, actor, field, key_id, box)
values (:id, :actor, :field, :key, :box) on conflict do nothing
"""
# The key of an erasure is erasure/<party>/<index>/<field>; of content it has one part less.
_PENDING = """
with ordered as (
    select a.head_index, split_part(a.key, '/', 2) as actor,
           split_part(a.key, '/', 3)::bigint as index, split_part(a.key, '/', 4) as field
      from aggregate a
     where a.kind = 'erasure' and split_part(a.key, '/', 4) <> ''
       and not exists (select 1 from sealed_opening s where s.erased_by = a.head_index)
)
select o.head_index, s.key_id
  from ordered o join entry e on e.index = o.index and e.actor = o.actor
  left join sealed_opening s
    on s.statement_id = e.statement_id and s.actor = e.actor and s.field = o.field
 where convert_from(e.body, 'UTF8')::jsonb #> array['statement', 'sealed', o.field] is not null
"""
