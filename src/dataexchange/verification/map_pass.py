"""Maps made again: what the entries give of each committed root, touched keys only.

A map covers fewer entries than come before it, and what an aggregate was at that size is gone when
the map's entry is reached. So the sizes that maps cover are looked up first (`map_sizes`), and the
map is brought up to date as the replay passes each. A log without maps costs a search of its bytes.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256

from pydantic import ValidationError

from dataexchange.ledger.entry import Entry, EntryError
from dataexchange.ledger.map_proof import MapValue
from dataexchange.ledger.verifiable_map import EMPTY, Tile, path_of, updated
from dataexchange.registry.tail import Appended, Tail
from dataexchange.rules import Held
from dataexchange.supervision.completeness import MapCommitted

MAP_MARK = b'"event":"map.committed@1"'


@dataclass(frozen=True, slots=True)
class VerifiedMap:
    """A committed map whose root came out again: its entry's index and leaf (hex), what it says."""

    index: int
    leaf: str
    covers: int
    root: str


def map_sizes(bodies: Iterable[bytes]) -> frozenset[int]:
    """Return the sizes that the maps among these entries say they cover."""
    said = (_covers(body) for body in bodies if MAP_MARK in body)
    return frozenset(size for size in said if size is not None)


class MapPass:
    """The map of a log that grows, as of each of `sizes`."""

    def __init__(self, sizes: Iterable[int]) -> None:
        self._sizes = frozenset(sizes)
        self._last = max(self._sizes, default=0)
        self._root = EMPTY
        self._tiles: dict[bytes, Tile] = {}
        self._touched: set[str] = set()
        self._changes: dict[bytes, bytes] = {}
        self._roots: dict[int, str] = {}
        self.verified: list[VerifiedMap] = []

    def seed(self, held: Iterable[tuple[str, Held]]) -> None:
        """Begin with all that is held already."""
        self._changes = {path_of(key): value_of(key, one).hash for key, one in held}

    def take(self, appended: Appended, tail: Tail) -> None:
        """Take an entry; `tail` is the log with it."""
        if tail.size > self._last:
            return
        self._touched.update(appended.subjects)
        if tail.size in self._sizes:
            self.settle(tail.held)
            self._grow(self._changes)
            self._changes = {}
            self._roots[tail.size] = self._root.hex()

    def settle(self, held: Mapping[str, Held]) -> None:
        """Note what the touched aggregates are now, before `held` lets go of any."""
        self._changes |= {path_of(key): value_of(key, held[key]).hash for key in self._touched}
        self._touched.clear()

    def verify(self, appended: Appended, said: MapCommitted) -> bool:
        """Tell whether a committed root is the one that the entries give, and keep it if so."""
        if self._roots.get(said.covers) != said.root:
            return False
        leaf = appended.leaf.hex()
        self.verified.append(VerifiedMap(appended.index, leaf, said.covers, said.root))
        return True

    def _grow(self, changes: Mapping[bytes, bytes]) -> None:
        self._root, made, left = updated(self._root, changes, self._tiles)
        for name in left:  # no earlier root is asked for again
            del self._tiles[name]
        self._tiles |= made


def value_of(key: str, held: Held) -> MapValue:
    """Return what a map says of an aggregate as held."""
    state = held.state.encode() if held.state is not None else b""
    return MapValue(held.seq, held.head, key, sha256(state).hexdigest())


def _covers(body: bytes) -> int | None:
    """Return the size that a map's entry names; what is wrong with it is for the replay to say."""
    try:
        statement = Entry.parse(body).statement
        return MapCommitted.model_validate_json(statement.payload, strict=True).covers
    except (EntryError, ValidationError):
        return None
