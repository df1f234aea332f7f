"""What a replay must know of all that came before: states, statement ids, and what folds read.

It is kept in a SQLite file, so that the memory a verification takes does not grow with the log.
Without a path the file is a temporary one of SQLite's own. With a path, what was verified up to a
checkpoint is there again the next time; the file is its owner's own and as trusted as the verifier.
"""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec

from dataexchange.registry.catalogue import catalogue
from dataexchange.rules import Held
from dataexchange.rules.reference import kind_of
from dataexchange.supervision.record import Record
from dataexchange.verification.verdict import UnusableError

_SCHEMA = """
create table aggregate (key text primary key, seq integer, head text, head_index integer,
    first_index integer, state blob) without rowid;
create table statement (identity text primary key) without rowid;
create table records (place integer primary key, said blob);
create table position (one integer primary key check (one = 1), said text);
"""
_LAYOUT = 2  # of these tables


class Past:
    """The remembered part of a log. Nothing is kept for another time until `commit`."""

    def __init__(self, path: Path | None = None) -> None:
        try:
            self._database = sqlite3.connect(path or "", isolation_level=None)
            self._database.execute("pragma temp_store = file")
            self._database.execute(f"pragma page_size = {_PAGE_BYTES}")  # states are large
            self._database.execute(f"pragma cache_size = -{_CACHE_KIB}")
            if path is None:
                self._database.execute("pragma journal_mode = off")  # nothing is undone in it
            self._database.execute("begin immediate")
            if not self._database.execute("select 1 from sqlite_master").fetchone():
                self._database.execute(f"pragma user_version = {_LAYOUT}")
                for statement in _SCHEMA.split(";\n"):
                    self._database.execute(statement)
            layout = self._database.execute("pragma user_version").fetchone()[0]
        except sqlite3.Error as error:
            raise _unusable(path, str(error)) from error
        if layout != _LAYOUT:
            self.close()
            raise _unusable(
                path, "版本不同，删去即可重新开始 of another version; delete it to begin anew"
            )

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
        for table in ("aggregate", "statement", "records", "position"):
            self._database.execute(f"delete from {table}")  # noqa: S608 -- names of this module

    def held(self, keys: Iterable[str]) -> dict[str, Held]:
        """Return what is kept of `keys`."""
        query = "select * from aggregate where key in (select value from json_each(?))"
        return dict(map(_held, self._database.execute(query, [_text(list(keys))])))

    def all(self, kind: str | None = None) -> Iterator[tuple[str, Held]]:
        """Yield every aggregate, or every one of `kind`, in the order of keys."""
        query = "select * from aggregate where key >= ? and key < ? order by key"
        first, last = ("", "{") if kind is None else (kind, kind + "{")  # which follows all letters
        for key, held in map(_held, self._database.execute(query, [first, last])):
            if kind is None or kind_of(key) == kind:
                yield key, held

    def keep(self, held: Mapping[str, Held], encoded: Mapping[str, bytes]) -> None:
        """Keep aggregates as they are now; `encoded` has those of their states that are new."""
        self._database.executemany(
            "insert or replace into aggregate values (?, ?, ?, ?, ?, ?)",
            [
                (
                    key,
                    one.seq,
                    one.head,
                    one.index,
                    one.first_index,
                    encoded.get(key) or (one.state.encode() if one.state else b""),
                )
                for key, one in held.items()
            ],
        )

    def meet(self, identities: Sequence[str]) -> int:
        """Remember `identities` in order; return how many come before one remembered already."""
        before = self._database.total_changes
        with suppress(sqlite3.IntegrityError):
            rows = [(one,) for one in identities]
            self._database.executemany("insert into statement values (?)", rows)
        return self._database.total_changes - before

    def record(self, records: Sequence[Record]) -> None:
        """Remember what the folds read of entries."""
        row = [msgspec.msgpack.encode(records)]
        self._database.execute("insert into records (said) values (?)", row)

    def records(self) -> Iterator[Record]:
        """Yield the records in the log's order."""
        for (said,) in self._database.execute("select said from records order by place"):
            yield from _RECORDS.decode(said)


def _held(row: tuple[Any, ...]) -> tuple[str, Held]:
    key, seq, head, index, first_index, state = row
    read = catalogue().read_state(key, state) if state else None
    return key, Held(seq, head, read, index, first_index)


def _text(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def _unusable(path: Path | None, why: str) -> UnusableError:
    return UnusableError(f"{path} 不是可用的续验文件 / cannot be used to resume from: {why}")


_PAGE_BYTES = 16_384
_CACHE_KIB = 16_384
_RECORDS = msgspec.msgpack.Decoder(list[Record])
