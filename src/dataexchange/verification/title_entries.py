"""The entries in the bundle of one asset: each proven to be in the log, chained by subject."""

from collections.abc import Iterable, Mapping
from typing import TypeAlias, TypeVar

from pydantic import ValidationError

from dataexchange.errors import IntegrityError, RefusedError
from dataexchange.ledger.entry import NO_PREVIOUS, Entry
from dataexchange.ledger.map_proof import MapValue
from dataexchange.ledger.policy import Policy
from dataexchange.ledger.proof import TlogProof, verify_entry
from dataexchange.rules import Payload
from dataexchange.verification.title_members import Shelf
from dataexchange.verification.verdict import UnsoundError

Entries: TypeAlias = Mapping[int, Entry]
P = TypeVar("P", bound=Payload)


def proven(shelf: Shelf, indexes: Iterable[int], *, note: bytes, policy: Policy) -> Entries:
    """Return the entries at `indexes`, each in the log that the checkpoint in `note` signs."""
    origin = policy.verify(note).checkpoint.origin
    return {index: _proven(shelf, index, note, policy, origin=origin) for index in indexes}


def said_at(entries: Entries, index: int, event: str, payload: type[P]) -> P:
    """Return what the `event` at `index` said; unsound where it is another, or missing."""
    entry = entries.get(index)
    if entry is None or entry.statement.fields.event != event:
        raise UnsoundError(
            "title.entry_missing",
            f"第 {index} 条应为 {event}",
            f"entry {index} should be given, and be {event}",
            index,
        )
    try:
        return payload.model_validate_json(entry.statement.payload, strict=True)
    except ValidationError as error:
        raise UnsoundError("entry.malformed", "条目内容有误", str(error), index) from error


def history(entries: Entries, value: MapValue, covers: int) -> list[int]:
    """Return the indexes of all entries about an aggregate, from its first to the map's head.

    Unsound unless they are all there, chained one to the next, and end in the head.
    """
    key = value.key
    about = [entry for entry in entries.values() if key in entry.fields.subjects]
    chain = sorted(
        (entry for entry in about if entry.index < covers),
        key=lambda entry: entry.fields.subjects[key].seq,
    )
    head = NO_PREVIOUS
    for number, entry in enumerate(chain, start=1):
        link = entry.fields.subjects[key]
        if (link.seq, link.prev) != (number, head):
            raise _broken(key, entry.index)
        head = entry.leaf.hex()
    if (len(chain), head) != (value.count, value.head):
        raise _broken(key, chain[-1].index if chain else None)
    return [entry.index for entry in chain]


def _proven(shelf: Shelf, index: int, note: bytes, policy: Policy, *, origin: str) -> Entry:
    body, proof = shelf.take(f"entry/{index}"), shelf.take(f"proof/{index}")
    try:
        parsed = TlogProof.parse(proof)
        # A proof has one spelling here, so that no byte of the bundle is without meaning.
        if parsed.encode() != proof or (parsed.index, parsed.checkpoint) != (index, note):
            raise UnsoundError(
                "proof.malformed", "包含证明与条目不符", "the proof is of something else", index
            )
        verify_entry(body, proof, policy, origin=origin)
        entry = Entry.parse(body)
        entry.statement.verify(entry.fields.signature)
    except UnsoundError:
        raise
    except (IntegrityError, RefusedError) as error:
        raise UnsoundError(
            "entry.not_proven", "条目未能证明在账本中", f"not proven: {error}", index
        ) from error
    if entry.index != index:
        raise UnsoundError("entry.differs", "条目序号不符", "has another index", index)
    if entry.statement.fields.log != origin:
        # Else what a regulator confirmed in another log of the operator's would pass here.
        raise UnsoundError("statement.wrong_log", "陈述属于另一账本", "for another log", index)
    return entry


def _broken(key: str, index: int | None) -> UnsoundError:
    return UnsoundError(
        "title.history_broken",
        f"{key} 的历史不完整",
        f"the history of {key} is not whole",
        index,
    )
