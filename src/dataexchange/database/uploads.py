"""Who put content in, and whether one of them named it in an entry.

Knowing a hash is not having the content: hashes stand in public states, and anyone can name any
hash in an aggregate of its own. So an entry opens content to its readers only where its actor has
shown that it has the content, by putting in the very bytes.
"""

from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from dataexchange.database.tables import AggregateRow, EntryRow


async def record(session: AsyncSession, sha256: str, party: str) -> None:
    """Keep that `party` put in the content of a hash."""
    await _execute(session, _RECORD, sha256=sha256, party=party)
    await session.commit()


async def opens(session: AsyncSession, entry: EntryRow, sha256: str) -> bool:
    """Tell whether `entry` names the content and its actor put it in."""
    if f'"{sha256}"'.encode() not in entry.body:
        return False
    return await _execute(session, _PUT_BY, sha256=sha256, party=entry.actor)


async def opened_about(session: AsyncSession, row: AggregateRow, sha256: str) -> bool:
    """Tell whether an entry about the aggregate names the content and its actor put it in."""
    return await _execute(session, _NAMED_BY, sha256=sha256, key=row.key, start=row.head_index)


async def _execute(session: AsyncSession, query: str, **parameters: object) -> bool:
    found = await (await session.connection()).execute(text(query), parameters)
    return found.returns_rows and bool(found.scalar())


_RECORD = """
insert into content_upload (sha256, party) values (decode(:sha256, 'hex'), :party)
on conflict do nothing
"""
_PUT_BY = """
select exists (select 1 from content_upload
                where sha256 = decode(:sha256, 'hex') and party = :party)
"""
# Walks the aggregate's own chain, newest first, and stops at the first that serves.
_NAMED_BY = """
with recursive chain(index, previous) as (
    select e.index, e.previous[array_position(e.subjects, :key)]
      from entry e where e.index = :start and :key = any(e.subjects)
    union all
    select e.index, e.previous[array_position(e.subjects, :key)]
      from chain c join entry e on e.index = c.previous
)
select exists (
    select 1 from chain c join entry e using (index) join content_upload u on u.party = e.actor
     where u.sha256 = decode(:sha256, 'hex')
       and position(convert_to('"' || :sha256 || '"', 'UTF8') in e.body) > 0)
"""
