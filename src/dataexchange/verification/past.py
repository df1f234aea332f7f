"""What a replay must know of all that came before: states, statement ids, and what folds read.

It is kept in a SQLite file, so that the memory a verification takes does not grow with the log.
Without a path the file is a temporary one of SQLite's own. With a path, what was verified up to a
checkpoint is there again the next time; the file is its owner's own and as trusted as the verifier.
"""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from dataexchange.ledger.statement import format_time
from dataexchange.registry.catalogue import catalogue
from dataexchange.rules import Held
from dataexchange.rules.reference import kind_of
from dataexchange.supervision.record import Record
from dataexchange.verification.verdict import UnusableError

_SCHEMA = """
create table aggregate (key text primary key, kind text, seq integer, head text,
    head_index integer, first_index integer, state blob) without rowid;
create table statement (identity text primary key) without rowid;
create table record (place integer primary key, event text, said text, at text, actor text);
create table position (one integer primary key check (one = 1), said text);
"""


class Past:
    """The remembered part of a log. Nothing is kept for another time until `commit`."""

    def __init__(self, path: Path | None = None) -> None:
        try:
            self._database = sqlite3.connect(path or "", isolation_level=None)
            self._database.execute("pragma temp_store = file")
            self._database.execute("begin immediate")
            if not self._database.execute("select 1 from sqlite_master").fetchone():
                for statement in _SCHEMA.split(";\n"):
                    self._database.execute(statement)
        except sqlite3.Error as error:
            raise UnusableError(
                f"{path} 不是续验文件 / cannot be used to resume from: {error}"
            ) from error

    def close(self) -> None:
        """Close the file; what was not committed is gone."""
        self._database.close()

    @property
    def position(self) -> Mapping[str, Any] | None:
        """What was committed with the last position, if any was."""
        row = self._database.execute("select said from position").fetchone()
        return json.loads(row[0]) if row else None

    @property
    def size(self) -> int:
        """How many entries the committed position covers."""
        position = self.position
        return position["size"] if position else 0

    def commit(self, position: Mapping[str, Any]) -> None:
        """Keep everything, and where it stands."""
        self._database.execute("insert or replace into position values (1, ?)", [_text(position)])
        self._database.execute("commit")
        self._database.execute("begin immediate")

    def forget(self) -> None:
        """Begin with nothing again."""
        for table in ("aggregate", "statement", "record", "position"):
            self._database.execute(f"delete from {table}")  # noqa: S608 -- names of this module

    def held(self, keys: Iterable[str]) -> dict[str, Held]:
        """Return what is kept of `keys`."""
        query = "select * from aggregate where key in (select value from json_each(?))"
        return dict(map(_held, self._database.execute(query, [_text(list(keys))])))

    def all(self, kind: str | None = None) -> Iterator[tuple[str, Held]]:
        """Yield every aggregate, or every one of `kind`, in the order of keys."""
        query = "select * from aggregate where ? is null or kind = ? order by key"
        yield from map(_held, self._database.execute(query, [kind, kind]))

    def keep(self, held: Mapping[str, Held]) -> None:
        """Keep aggregates as they are now."""
        self._database.executemany(
            "insert or replace into aggregate values (?, ?, ?, ?, ?, ?, ?)",
            (
                (
                    key,
                    kind_of(key),
                    one.seq,
                    one.head,
                    one.index,
                    one.first_index,
                    one.state.encode() if one.state else b"",
                )
                for key, one in held.items()
            ),
        )

    def met(self, identities: Iterable[str]) -> set[str]:
        """Return those of `identities` that are remembered."""
        query = "select identity from statement where identity in (select value from json_each(?))"
        return {row[0] for row in self._database.execute(query, [_text(list(identities))])}

    def meet(self, identities: Iterable[str]) -> None:
        """Remember `identities`, none of which is remembered yet."""
        rows = ((one,) for one in identities)
        self._database.executemany("insert into statement values (?)", rows)

    def record(self, records: Iterable[Record]) -> None:
        """Remember what the folds read of entries."""
        self._database.executemany(
            "insert into record values (?, ?, ?, ?, ?)",
            (
                (one.index, one.event, _text(one.payload), format_time(one.recorded_at), one.actor)
                for one in records
            ),
        )

    def records(self) -> Iterator[Record]:
        """Yield the records in the log's order."""
        for row in self._database.execute("select * from record order by place"):
            index, event, said, at, actor = row
            yield Record(index, event, json.loads(said), datetime.fromisoformat(at), actor)


def _held(row: tuple[Any, ...]) -> tuple[str, Held]:
    key, _, seq, head, index, first_index, state = row
    read = catalogue().read_state(key, state) if state else None
    return key, Held(seq, head, read, index, first_index)


def _text(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
