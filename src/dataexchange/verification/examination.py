"""What entries show by themselves: form, canonical bytes, and their actors' signatures.

Nothing here depends on what came before, so parts of a log are examined on all cores at once.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from dataexchange.errors import DataExchangeError, RefusedError
from dataexchange.ledger.entry import encode_signature, read_given
from dataexchange.ledger.merkle import leaf_hash
from dataexchange.verification.part import Part

_HASH = re.compile(rb'"([0-9a-f]{64})"')

# What a replay builds an entry from, and its leaf hash: leaf, recorded_at, signature, statement.
# Canonical bytes all, and plain ones: they pass from one process to another.
Seen: TypeAlias = tuple[bytes, str, bytes, bytes]


@dataclass(frozen=True, slots=True)
class Fault:
    """Why an entry is refused, in both languages."""

    code: str
    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class Examined:
    """The entries that passed, why the next one did not, and the hashes that they state (hex)."""

    entries: list[Seen]
    fault: Fault | None = None
    hashes: frozenset[bytes] = frozenset()


def examine(bodies: Sequence[bytes]) -> Examined:
    """Examine entries in order, up to the first at fault.

    That an entry is canonical outside its statement and signature is not asked: nothing else can
    come out of its replay.
    """
    seen: list[Seen] = []
    for body in bodies:
        try:
            given, statement = read_given(body)
        except DataExchangeError as error:
            return Examined(seen, Fault("entry.malformed", "条目格式有误", str(error)))
        try:
            statement.verify(given.signature)
        except RefusedError as error:
            return Examined(seen, Fault(error.code, error.zh, error.en))
        signature = encode_signature(given.signature)
        seen.append((leaf_hash(body), given.recorded_at, signature, statement.body))
    return Examined(seen)


def examine_part(part: Part) -> Examined:
    """Examine a part of a bundle, and gather the hashes that its statements state."""
    found = examine([body for bodies in part.read() for body in bodies])
    if not part.bundle.has_contents:
        return found
    return Examined(found.entries, found.fault, hashes_in(seen[3] for seen in found.entries))


def hashes_in(bodies: Iterable[bytes]) -> frozenset[bytes]:
    """Return the hashes (hex) that entries state, without asking what they are."""
    return frozenset(one for body in bodies for one in _HASH.findall(body))
