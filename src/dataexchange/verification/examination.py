"""What entries show by themselves: form, canonical bytes, and their actors' signatures.

Nothing here depends on what came before, so parts of a log are examined on all cores at once.
"""

import re
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from itertools import islice

from dataexchange.errors import DataExchangeError, RefusedError
from dataexchange.ledger.entry import Entry

AHEAD = 6  # parts under examination at one time; what is held in memory does not grow

_HASH = re.compile(rb'"([0-9a-f]{64})"')


@dataclass(frozen=True, slots=True)
class Fault:
    """Why an entry is refused, in both languages."""

    code: str
    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class Examined:
    """How many entries passed before a fault, if there is one, and the hashes they state (hex)."""

    sound: int
    fault: Fault | None
    hashes: frozenset[bytes]


def examine(bodies: Sequence[bytes]) -> Examined:
    """Examine entries in order, up to the first at fault."""
    hashes: set[bytes] = set()
    for position, body in enumerate(bodies):
        fault = _fault(body, hashes)
        if fault is not None:
            return Examined(position, fault, frozenset(hashes))
    return Examined(len(bodies), None, frozenset(hashes))


def examined(
    parts: Iterable[Sequence[bytes]], executor: Executor | None
) -> Iterator[tuple[Sequence[bytes], Examined]]:
    """Yield each of `parts` with what it shows, in order; `executor` works a few parts ahead."""
    if executor is None:
        yield from ((bodies, examine(bodies)) for bodies in parts)
        return
    coming, ahead = iter(parts), deque[tuple[Sequence[bytes], Future[Examined]]]()
    while True:
        for bodies in islice(coming, AHEAD - len(ahead)):
            ahead.append((bodies, executor.submit(examine, bodies)))
        if not ahead:
            return
        bodies, future = ahead.popleft()
        yield bodies, future.result()


def hashes_in(bodies: Iterable[bytes]) -> frozenset[bytes]:
    """Return the hashes (hex) that entries state, without asking what they are."""
    return frozenset(one for body in bodies for one in _HASH.findall(body))


def _fault(body: bytes, hashes: set[bytes]) -> Fault | None:
    try:
        entry = Entry.parse(body)
    except DataExchangeError as error:
        return Fault("entry.malformed", "条目格式有误", str(error))
    try:
        entry.statement.verify(entry.fields.signature)
    except RefusedError as error:
        return Fault(error.code, error.zh, error.en)
    hashes.update(_HASH.findall(entry.statement.body))
    return None
