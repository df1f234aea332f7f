"""Who put content in, whether one of them named it in an entry, and what was erased of it.

Knowing a hash is not having the content: hashes stand in public states, and anyone can name any
hash in an aggregate of its own. So an entry opens content to its readers only where its actor has
shown that it has the content, by putting in the very bytes.
"""

from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from dataexchange.database.tables import AggregateRow


async def record(session: AsyncSession, sha256: str, party: str) -> None:
    """Keep that `party` put in the content of a hash."""
    await _execute(session, _RECORD, sha256=sha256, party=party)
    await session.commit()


async def has_put(session: AsyncSession, party: str, sha256: str) -> bool:
    """Tell whether `party` put the content in."""
    return await _execute(session, _PUT_BY, sha256=sha256, party=party)


async def opened_about(session: AsyncSession, row: AggregateRow, sha256: str) -> bool:
    """Tell whether an entry about the aggregate names the content and its actor put it in."""
    return await _execute(session, _NAMED_BY, sha256=sha256, key=row.key, start=row.head_index)


async def is_erased(session: AsyncSession, sha256: str) -> bool:
    """Tell whether content was erased, and nobody has it here any more."""
    return await _execute(session, _ERASED, sha256=sha256)


async def is_ordered_away(session: AsyncSession, sha256: str) -> bool:
    """Tell whether a regulator ordered the content to be erased; it is not taken in again."""
    return await _execute(session, _ORDERED, sha256=sha256)


async def pending(session: AsyncSession) -> list[int]:
    """Return the indexes of erasures of content that are still to be carried out."""
    return list((await (await session.connection()).execute(text(_PENDING))).scalars())


async def erase(session: AsyncSession, index: int) -> None:
    """Forget the uploads that the entry at `index` orders to be erased."""
    await _execute(session, "select erase_content(:index)", index=index)
    await session.commit()


async def forsaken(session: AsyncSession) -> list[str]:
    """Return the hashes of erased content that nobody has here any more: its bytes must go."""
    found = (await (await session.connection()).execute(text(_FORSAKEN))).scalars()
    return [bytes(sha256).hex() for sha256 in found]


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
_NOBODY_HAS = "not exists (select 1 from content_upload u where u.sha256 = e.sha256)"
_FORSAKEN = f"select distinct e.sha256 from content_erasure e where {_NOBODY_HAS}"  # noqa: S608
_ERASED = f"""
select exists (select 1 from content_erasure e
                where e.sha256 = decode(:sha256, 'hex') and {_NOBODY_HAS})
"""  # noqa: S608
_ORDERED = """
select exists (select 1 from content_erasure where sha256 = decode(:sha256, 'hex') and ordered)
"""
# The key of an erasure is erasure/<party>/<sha256>; of an opening it has one part more.
_PENDING = """
select a.head_index from aggregate a
 where a.kind = 'erasure' and split_part(a.key, '/', 4) = ''
   and not exists (select 1 from content_erasure e where e.index = a.head_index)
"""
