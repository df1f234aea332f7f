"""What a witness must never forget: for each log, the checkpoint that it cosigned last.

One SQLite file. A decision and what it changes are one transaction that holds the file's write
lock from before the reading until the new checkpoint is on the disk, so any number of processes
may share it, and a kill at any moment leaves the old memory or the new. It belongs to one key:
with the memory lost or set back, the key could sign two histories and must be given up.
"""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from dataexchange.errors import DataExchangeError
from dataexchange.failpoint import reach
from dataexchange.ledger.checkpoint import Checkpoint
from dataexchange.ledger.note import Note
from dataexchange.private_file import sync_folder
from dataexchange.witness.protocol import origin_hash

LOCK_WAIT_SECONDS = 10.0

_OWNER = "create table if not exists owner (vkeys text primary key) without rowid"
_COSIGNED = """
    create table if not exists cosigned (origin_hash text primary key, note blob not null)
    without rowid
"""


class ForgetfulError(DataExchangeError):
    """The memory cannot be used, or belongs to another key."""


class Memory:
    """The memory in the file `path`, made where it is missing, of the keys `vkeys`."""

    def __init__(self, path: Path, vkeys: str) -> None:
        self._path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            owner = self._owner(vkeys)
            sync_folder(path.parent)
        except (OSError, sqlite3.Error) as error:
            raise ForgetfulError(f"{path} 无法用作记忆 / cannot be a memory: {error}") from error
        if owner != vkeys:
            raise ForgetfulError(
                f"{path} 属于另一把见证密钥 / is the memory of another witness key"
            )

    def _owner(self, vkeys: str) -> str:
        """Return whose memory the file is: that of `vkeys` where it is new."""
        with self._connected() as connection:
            connection.execute("pragma journal_mode = wal")
            with _transaction(connection):
                connection.execute(_OWNER)
                connection.execute(_COSIGNED)
                connection.execute(
                    "insert into owner select ? where not exists (select 1 from owner)", (vkeys,)
                )
                owner: str = connection.execute("select vkeys from owner").fetchone()[0]
        return owner

    def update(self, origin: str, decide: Callable[[Checkpoint | None], bytes]) -> bytes:
        """Keep the cosigned note that `decide` returns, given the last checkpoint of `origin`.

        Nothing changes where it raises. The note is on the disk when this returns.
        """
        name = origin_hash(origin)
        with self._connected() as connection, _transaction(connection):
            kept = _note(connection, name)
            note = decide(_checkpoint(kept) if kept is not None else None)
            connection.execute("insert or replace into cosigned values (?, ?)", (name, note))
            reach("witness.written")
        reach("witness.remembered")
        return note

    def note(self, name: str) -> bytes | None:
        """Return the note cosigned last for the log whose origin's SHA-256 is `name`, in hex."""
        with self._connected() as connection:
            return _note(connection, name)

    @contextmanager
    def _connected(self) -> Iterator[sqlite3.Connection]:
        """Provide a connection of this call's own: threads and processes share the file alone."""
        connection = sqlite3.connect(self._path, timeout=LOCK_WAIT_SECONDS, isolation_level=None)
        try:
            # WAL syncs at every commit only so.
            connection.execute("pragma synchronous = full")
            yield connection
        finally:
            connection.close()


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Hold the write lock from before the first reading to the commit."""
    connection.execute("begin immediate")
    try:
        yield
    except BaseException:
        connection.execute("rollback")
        raise
    connection.execute("commit")


def _checkpoint(note: bytes) -> Checkpoint:
    return Checkpoint.parse_extended(Note.parse(note).text)


def _note(connection: sqlite3.Connection, name: str) -> bytes | None:
    row = connection.execute("select note from cosigned where origin_hash = ?", (name,)).fetchone()
    return bytes(row[0]) if row is not None else None
