"""What the sequencer reads and writes: the tail of the log, in a constant number of round trips.

`lock`, `read` and `write` each take one round trip. `write` is atomic by itself and touches
nothing unless the head is still where the tail was read.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import asyncpg

from dataexchange.ledger.merkle import Frontier
from dataexchange.registry.catalogue import catalogue
from dataexchange.registry.decide import encode_state
from dataexchange.registry.submission import SealedBox, Submission
from dataexchange.registry.tail import NOTHING_HELD, Appended, Tail
from dataexchange.rules import Held
from dataexchange.rules.reference import kind_of

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"


@dataclass(slots=True)
class Stored:
    """A tail as read, its frontier, and the entries that exist under the ids asked about."""

    tail: Tail
    frontier: Frontier
    known: dict[tuple[str, str], tuple[int, bytes, bytes]]  # (id, actor) -> index, leaf, body


async def open_head(connection: Connection, origin: str) -> None:
    """Make the head row of an empty log, where there is none yet."""
    await connection.execute(
        "insert into head values (1, $1, 0, $2, $3, null) on conflict do nothing",
        origin,
        bytes(32),
        Frontier().to_bytes(),
    )


async def read(
    connection: Connection, keys: Iterable[str], asked: Sequence[Submission] = ()
) -> Stored:
    """Read the tail as of one snapshot, with the aggregates `keys` and entries of `asked` ids."""
    return await _tail(connection, "select * from read_tail($1, $2, $3)", keys, asked)


async def lock(connection: Connection) -> None:
    """Begin a transaction and wait for the head's lock; what is read after that stays as it is."""
    await connection.execute("begin; select 1 from head for update")


async def write(connection: Connection, appended: Sequence[Appended], frontier: Frontier) -> bool:
    """Write entries and states and move the head, all at once; False where the head had moved."""
    first, last = appended[0], appended[-1]
    boxed = [(one.submission, box) for one in appended for box in one.submission.boxes]
    held: dict[str, Held] = {}
    encoded: dict[str, bytes] = {}
    for one in appended:
        held.update(one.subjects)
        encoded.update(one.encoded)
    moved = await connection.fetchval(
        _WRITE_SEALED if boxed else _WRITE,
        *_columns(held, encoded),
        first.index,
        last.index + 1,
        last.leaf,
        frontier.to_bytes(),
        last.recorded_at,
        [one.body for one in appended],
        b"".join([one.leaf for one in appended]),
        _lines([one.submission.id for one in appended]),
        _lines([one.submission.actor for one in appended]),
        _lines([_array(one.subjects) for one in appended]),
        _lines([_array(map(str, one.previous)) for one in appended]),
        *(_sealed_columns(boxed) if boxed else ()),
    )
    return bool(moved)


async def write_states(connection: Connection, held: Mapping[str, Held]) -> None:
    """Write states alone, as a rebuild does."""
    await connection.execute(_WRITE_STATES.format(condition="true"), *_columns(held, {}))


def _columns(held: Mapping[str, Held], encoded: Mapping[str, bytes]) -> tuple[Any, ...]:
    """Return the columns of the aggregate rows of `held`, in the order of `_WRITE_STATES`.

    `encoded` has the bytes of states that were encoded already.
    """
    states = [encoded.get(key) or state_bytes(one) for key, one in held.items()]
    kept = held.values()
    return (
        _lines(held),
        _lines(map(kind_of, held)),
        _lines([str(one.seq) for one in kept]),
        bytes.fromhex("".join([one.head for one in kept])),
        _lines([str(one.index) for one in kept]),
        _lines([str(one.first_index) for one in kept]),
        _lines([str(schema_of(one)) for one in kept]),
        states,
        _lines(
            [
                _array(parties_in(key.encode() + state))
                for key, state in zip(held, states, strict=True)
            ]
        ),
    )


def _sealed_columns(boxed: Sequence[tuple[Submission, SealedBox]]) -> tuple[list[Any], ...]:
    return (
        [submission.id for submission, _ in boxed],
        [submission.actor for submission, _ in boxed],
        [box.field for _, box in boxed],
        [box.key_id for _, box in boxed],
        [box.box for _, box in boxed],
    )


def aggregate_row(key: str, held: Held) -> dict[str, Any]:
    """Return the columns of the row of `key`, as `write` writes them."""
    state = state_bytes(held)
    return {
        "key": key,
        "kind": kind_of(key),
        "seq": held.seq,
        "head": bytes.fromhex(held.head),
        "head_index": held.index,
        "first_index": held.first_index,
        "state_schema": schema_of(held),
        "state": state,
        "parties": parties_in(key.encode() + state),
    }


def state_bytes(held: Held) -> bytes:
    """Return the canonical bytes of the state; none where no event has given it one."""
    return encode_state(held.state) if held.state else b""


def schema_of(held: Held) -> int:
    """Return the version of the state's schema; 0 where there is no state."""
    return held.state.SCHEMA if held.state else 0


def parties_in(data: bytes) -> list[str]:
    """Return the ids of the parties that encoded `data` names, sorted."""
    return sorted({match.decode() for match in _PARTY.findall(data)})


def _lines(members: Iterable[str]) -> str:
    """Return a column as one text, a line for each row.

    The driver looks at every member of an array that it sends; of a text it sends the bytes.
    """
    return "\n".join(members)


def _array(members: Iterable[str]) -> str:
    """Return PostgreSQL's text form of an array of plain names or numbers."""
    return "{" + ",".join(members) + "}"


async def _tail(
    connection: Connection, query: str, keys: Iterable[str], asked: Sequence[Submission]
) -> Stored:
    wanted = list(keys)
    rows = await connection.fetch(
        query, wanted, [one.id for one in asked], [one.actor for one in asked]
    )
    head = rows[0]
    held = dict.fromkeys(wanted, NOTHING_HELD)
    known: dict[tuple[str, str], tuple[int, bytes, bytes]] = {}
    for row in rows[1:]:
        if row["part"] == 1:
            held[row["name"]] = _held(row)
        else:
            known[row["name"], row["actor"]] = (row["number"], row["hash"], row["body"])
    tail = Tail(head["name"], head["number"], head["hash"].hex(), head["at"], held)
    return Stored(tail, Frontier.from_bytes(head["body"]), known)


def _held(row: asyncpg.Record) -> Held:
    state = catalogue().read_state(row["name"], row["body"])
    return Held(row["number"], row["hash"].hex(), state, row["place"], row["first_index"])


_PARTY = re.compile(rb"party_[0-7][0-9a-hjkmnp-tv-z]{25}")
_WRITE_STATES = """
    insert into aggregate (key, kind, seq, head, head_index, first_index, state_schema, state,
                           parties)
    select k, d, q, substring($4::bytea from 32 * n::int - 31 for 32), i, f, v, s, p::text[]
      from unnest(string_to_array($1, e'\\n'), string_to_array($2, e'\\n'),
                  string_to_array($3, e'\\n')::bigint[], string_to_array($5, e'\\n')::bigint[],
                  string_to_array($6, e'\\n')::bigint[], string_to_array($7, e'\\n')::smallint[],
                  $8::bytea[], string_to_array($9, e'\\n'))
           with ordinality as a(k, d, q, i, f, v, s, p, n)
     where {condition}
    on conflict (key) do update
       set seq = excluded.seq, head = excluded.head, head_index = excluded.head_index,
           state_schema = excluded.state_schema, state = excluded.state,
           parties = excluded.parties
"""
# All parts are texts of this module; every value is a parameter.
_WRITE_PARTS = f"""
with moved as (
    update head set size = $11, last = $12, frontier = $13, recorded_at = $14
     where log = 1 and size = $10 returning 1
), entries as (
    insert into entry (index, body, leaf, statement_id, actor, subjects, previous)
    select $10 + n - 1, b, substring($16::bytea from 32 * n::int - 31 for 32), s, a, k::text[],
           p::bigint[]
      from unnest($15::bytea[], string_to_array($17, e'\\n'), string_to_array($18, e'\\n'),
                  string_to_array($19, e'\\n'), string_to_array($20, e'\\n'))
           with ordinality as e(b, s, a, k, p, n)
     where exists (select 1 from moved)
), states as ({_WRITE_STATES.format(condition="exists (select 1 from moved)")})"""  # noqa: S608
# What opens an entry's sealed fields is written with it or not at all. One that was erased before
# its entry came stays erased.
_WRITE_OPENINGS = """, openings as (
    insert into sealed_opening (statement_id, actor, field, key_id, box)
    select i, a, f, k, b
      from unnest($21::text[], $22::text[], $23::text[], $24::text[], $25::bytea[])
           as o(i, a, f, k, b)
     where exists (select 1 from moved)
    on conflict do nothing
)"""
_COUNT = " select count(*) from moved"
_WRITE = _WRITE_PARTS + _COUNT
_WRITE_SEALED = _WRITE_PARTS + _WRITE_OPENINGS + _COUNT
