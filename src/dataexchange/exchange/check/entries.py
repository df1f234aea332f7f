"""Judge the rows of `entry`: the bytes, the copies of what they say, the chains, and every rule.

The hash of an entry stands in four places: its bytes give it, and the column `leaf`, the next entry
(for the last one the head) and a hash tile repeat it. What most of them say is taken as true, so
that one altered place is named and does not drag the others along; the signed roots then judge
the whole.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import msgspec

from dataexchange.exchange.check.fault import Findings, Place
from dataexchange.identity.opening import LOG_KEY, Log
from dataexchange.ledger import merkle
from dataexchange.ledger.entry import NO_PREVIOUS, SubjectLink
from dataexchange.ledger.merkle import HASH_SIZE, SIZE_MAX, Frontier
from dataexchange.rules import Held
from dataexchange.verification.replay import Replay
from dataexchange.verification.verdict import UnsoundError

Row = Mapping[str, Any]


class _Stated(msgspec.Struct):
    id: str
    actor: str


class _Said(msgspec.Struct):
    """What an entry's bytes say, read without judging them."""

    index: int
    prev: str
    recorded_at: str
    statement: _Stated
    subjects: dict[str, SubjectLink]


@dataclass(frozen=True, slots=True)
class Block:
    """Consecutive places `[start, end)` of the log: the rows that are there, by index.

    `after` is the hash that what follows the block gives for its last entry; `tile` are the hashes
    that a tile gives, from `start` on.
    """

    start: int
    end: int
    rows: Mapping[int, Row]
    after: bytes | None
    tile: Sequence[bytes]


@dataclass(frozen=True, slots=True)
class Chain:
    """The last entry about one subject; `first` is `None` where the first one cannot be read."""

    seq: int
    leaf: bytes
    index: int
    first: int | None


class EntriesPass:
    """Takes the log block by block; afterwards knows what the other tables must hold."""

    def __init__(self, origin: str, map_sizes: frozenset[int], findings: Findings) -> None:
        self.findings = findings
        self.chains: dict[str, Chain] = {}
        self.frontier: Frontier | None = Frontier()
        self.last: bytes | None = bytes(HASH_SIZE)
        self.recorded_at: str | None = None
        self.stopped_at: int | None = None
        self._replay = Replay(origin, map_sizes)
        self._log_keys: dict[str, range] = {}  # the entry that announced it, and that retired it
        self._faulty: list[range] = []
        self._orphans: dict[bytes, int] = {}  # true leaf of a faulty entry -> its index

    def take(self, block: Block) -> list[bytes | None]:
        """Judge a block; return the true leaf hashes, `None` where nobody knows."""
        is_replayed = self.stopped_at is None
        said = {index: _read(row["body"]) for index, row in block.rows.items()}
        leaves = [
            self._judge(
                index, block.rows.get(index), said.get(index), _elsewhere(index, block, said)
            )
            for index in range(block.start, block.end)
        ]
        if is_replayed:
            self._extend(block, said)
        self.frontier = extended(self.frontier, leaves)
        self.last = leaves[-1]
        return leaves

    def _extend(self, block: Block, said: Mapping[int, _Said | None]) -> None:
        """Replay the block up to its first altered entry, in parts that end in new log keys."""
        end = block.end if self.stopped_at is None else self.stopped_at
        ends = [at + 1 for at in range(block.start, end) if LOG_KEY in _subjects(said[at])]
        try:
            for start, stop in pairwise((block.start, *ends, end)):
                self._replay.extend([block.rows[at]["body"] for at in range(start, stop)])
                if stop in ends:
                    self._take_log_keys(stop - 1)
        except UnsoundError as fault:
            self._unsound(fault)

    def skip(self, start: int, end: int) -> None:
        """Take note that all entries of `[start, end)` are missing."""
        row = f"index={start}" if end - start == 1 else f"index={start}…{end - 1}"
        self.findings.missing(Place("entry", row, entry=start))
        self._stop(start)
        self._faulty.append(range(start, end))
        self.frontier = self.last = self.recorded_at = None

    def finish(self) -> None:
        """Judge what only the end of the log shows."""
        if self.stopped_at is None:
            try:
                self._replay.finish()
            except UnsoundError as fault:
                self._unsound(fault)
        if self.stopped_at is not None:
            self.findings.note(
                f"从第 {self.stopped_at} 条起无法重放规则；此后有变动的聚合，其状态字节未比对",
                f"rules could not be replayed from entry {self.stopped_at} on: the states of"
                " aggregates that changed since were not compared",
            )

    def log_keys(self, size: int) -> list[str]:
        """Return the keys (vkeys) that the log has announced for its checkpoints of `size`."""
        return [vkey for vkey, use in self._log_keys.items() if use.start < size <= use.stop]

    @property
    def map_roots(self) -> set[bytes]:
        """The roots of committed maps that the replay has made again."""
        maps = self._replay.maps.verified if self._replay.maps else ()
        return {bytes.fromhex(one.root) for one in maps}

    def held(self, keys: Collection[str]) -> dict[str, Held]:
        """Return aggregates as the replay left them, without those that changed after it ended."""
        found = self._replay.held(keys)
        return {key: one for key, one in found.items() if self._is_final(key, one)}

    def is_faulty(self, index: object) -> bool:
        """Tell whether the entry at `index` is missing or altered."""
        return isinstance(index, int) and any(index in one for one in self._faulty)

    def _is_final(self, key: str, found: Held) -> bool:
        chain = self.chains.get(key)
        if chain is None or found.seq == 0:
            return False
        return chain.index == found.index != self.stopped_at

    def _judge(
        self, index: int, row: Row | None, said: _Said | None, elsewhere: list[bytes]
    ) -> bytes | None:
        if row is None:
            self.skip(index, index + 1)
            true = _majority(elsewhere)
        else:
            true = self._judge_row(index, row, said, elsewhere)
        if true is not None and self.is_faulty(index):
            self._orphans[true] = index
        return true

    def _judge_row(
        self, index: int, row: Row, said: _Said | None, elsewhere: list[bytes]
    ) -> bytes | None:
        body, leaf = row["body"], row["leaf"]
        own = merkle.leaf_hash(body) if body is not None else None
        misplaced = said is not None and said.index != index
        if misplaced and own == leaf:
            self._alter(index, "index", "此行存的是另一条目", "the row holds another entry")
            return _majority(elsewhere)
        own_if_placed = None if misplaced else own
        true = _majority([one for one in (own_if_placed, leaf) if one] + elsewhere)
        if leaf != true:
            self.findings.compare(_place(index), row, {"leaf": true})
        if own == true and own is not None and said is not None and not misplaced:
            self._take_sound(row, said, own)
        else:
            self._alter(
                index,
                "body",
                "与账本其他处所存的哈希不符",
                "the bytes are not those that their hash was kept of",
            )
        return true

    def _take_sound(self, row: Row, said: _Said, leaf: bytes) -> None:
        index = said.index
        self.findings.compare(_place(index), row, self._copies(row, said))
        for key, link in said.subjects.items():
            known = self.chains.get(key)
            first = index if link.seq == 1 else known.first if known else None
            self.chains[key] = Chain(link.seq, leaf, index, first)
        self.recorded_at = said.recorded_at

    def _take_log_keys(self, index: int) -> None:
        log = self._replay.find(Log, LOG_KEY)
        valid = log.keys.valid if log is not None else {}
        for vkey in self._log_keys.keys() - valid.keys():
            use = self._log_keys[vkey]
            self._log_keys[vkey] = range(use.start, min(use.stop, index))
        for vkey, added in valid.items():
            self._log_keys.setdefault(vkey, range(added, SIZE_MAX))

    def _copies(self, row: Row, said: _Said) -> dict[str, object]:
        """Return the columns that repeat what the bytes say."""
        subjects = sorted(said.subjects)
        places = [self._before(key, said.subjects[key]) for key in subjects]
        given = row["previous"]
        if isinstance(given, list) and len(given) == len(places):
            # Where an earlier entry cannot be read, nobody knows its place.
            places = [
                other if one is None else one for one, other in zip(places, given, strict=True)
            ]
        return {
            "statement_id": said.statement.id,
            "actor": said.statement.actor,
            "subjects": subjects,
            "previous": places,
        }

    def _before(self, key: str, link: SubjectLink) -> int | None:
        """Return the index of the entry before, about `key`; `None` where it is not known."""
        if link.prev == NO_PREVIOUS:
            return -1
        chain, leaf = self.chains.get(key), bytes.fromhex(link.prev)
        if chain is not None and chain.leaf == leaf:
            return chain.index
        return self._orphans.get(leaf)

    def _unsound(self, fault: UnsoundError) -> None:
        index = fault.index if fault.index is not None else self._replay.tail.size
        self.findings.wrong(
            _place(index, "body"), f"{fault.code}：{fault.zh}", f"{fault.code}: {fault.en}"
        )
        self._stop(index)

    def _alter(self, index: int, column: str, zh: str, en: str) -> None:
        self.findings.wrong(_place(index, column), zh, en)
        self._stop(index)
        self._faulty.append(range(index, index + 1))
        self.recorded_at = None

    def _stop(self, index: int) -> None:
        """From here on the rules cannot be replayed."""
        self.stopped_at = min(index, self.stopped_at if self.stopped_at is not None else index)


def _subjects(said: _Said | None) -> Collection[str]:
    return said.subjects if said is not None else ()


def extended(frontier: Frontier | None, leaves: Sequence[bytes | None]) -> Frontier | None:
    """Return the frontier with `leaves` appended; `None` where one of them is not known."""
    known = [leaf for leaf in leaves if leaf is not None]
    return frontier.extend(known) if frontier and len(known) == len(leaves) else None


def _read(body: bytes | None) -> _Said | None:
    try:
        return _DECODER.decode(body) if body is not None else None
    except msgspec.DecodeError:
        return None


def previous_leaf(body: bytes | None) -> bytes | None:
    """Return the hash of the entry before, as an entry's bytes give it."""
    said = _read(body)
    return _hash(said.prev) if said is not None else None


def stated_index(body: bytes | None) -> int | None:
    """Return the index that an entry's bytes give it."""
    said = _read(body)
    return said.index if said is not None else None


def _place(index: int, column: str | None = None) -> Place:
    return Place("entry", f"index={index}", column, index)


def _elsewhere(index: int, block: Block, said: Mapping[int, _Said | None]) -> list[bytes]:
    """Return the hash of an entry as other places than its own row give it."""
    return list(_given(index, block, said))


def _given(index: int, block: Block, said: Mapping[int, _Said | None]) -> Iterator[bytes]:
    following = said.get(index + 1)
    after = _hash(following.prev) if following is not None else None
    if index == block.end - 1:
        after = block.after
    if after is not None:
        yield after
    if index - block.start < len(block.tile):
        yield block.tile[index - block.start]


def _hash(text: str) -> bytes | None:
    try:
        found = bytes.fromhex(text)
    except ValueError:
        return None
    return found if len(found) == HASH_SIZE else None


def _majority(copies: Sequence[bytes]) -> bytes | None:
    """Return what most copies say, the first of them where there is a tie."""
    usable = [copy for copy in copies if len(copy) == HASH_SIZE]
    return Counter(usable).most_common(1)[0][0] if usable else None


_DECODER = msgspec.json.Decoder(_Said)
