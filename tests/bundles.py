"""Bundles made in memory for tests: honest ones, and ones forged by somebody with the log's key."""

import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeAlias

from dataexchange.client.signing import Actor
from dataexchange.ledger import entry, merkle
from dataexchange.ledger.checkpoint import Checkpoint, sign_checkpoint
from dataexchange.ledger.entry import NO_PREVIOUS, Entry, encode_signature
from dataexchange.ledger.note import Ed25519Signer
from dataexchange.ledger.tile import TILE_WIDTH, encode_bundle, grow_tiles
from world import LOG_SIGNER, World

Act: TypeAlias = tuple[Actor, str, dict[str, Any]]

SIGNER = LOG_SIGNER
POLICY = f"log {SIGNER.vkey}\nquorum none\n".encode()


@dataclass(frozen=True)
class Members:
    """The members of a bundle before they are zipped."""

    members: Mapping[str, bytes]

    def write(self, path: Path) -> Path:
        """Zip them into `path`."""
        with zipfile.ZipFile(path, "w") as bundle:
            for name, data in self.members.items():
                bundle.writestr(name, data)
        return path

    def but(self, **changes: bytes | None) -> "Members":
        """Return these members with some replaced, added, or (None) removed."""
        return self.having(changes)

    def having(self, changes: Mapping[str, bytes | None]) -> "Members":
        """Return these members with `changes`, by name."""
        changed = {**self.members, **changes}
        return Members({name: data for name, data in changed.items() if data is not None})


def checkpoint(bodies: Sequence[bytes], signer: Ed25519Signer = SIGNER) -> bytes:
    """Return the signed checkpoint of a log of `bodies`."""
    root = merkle.root(merkle.leaf_hash(body) for body in bodies)
    return sign_checkpoint(Checkpoint(signer.name, len(bodies), root), signer)


def bundle_of(
    bodies: Sequence[bytes], signer: Ed25519Signer = SIGNER, contents: Iterable[bytes] = ()
) -> Members:
    """Return the bundle of a log of `bodies`, all hashes and the checkpoint as they should be."""
    import hashlib

    members = {"checkpoint": checkpoint(bodies, signer)}
    for at in range(0, len(bodies), TILE_WIDTH):
        part = bodies[at : at + TILE_WIDTH]
        members[_path(at // TILE_WIDTH, len(part))] = encode_bundle(part)
    leaves = [merkle.leaf_hash(body) for body in bodies]
    for name, data in grow_tiles(0, leaves, lambda level, index, width: b""):
        members[name.path] = data
    for content in contents:
        members[f"content/{hashlib.sha256(content).hexdigest()}"] = content
    return Members(members)


@dataclass(frozen=True)
class Forged:
    """An entry as a forger would write it: any statement, signature, time, and subjects."""

    statement: bytes
    signature: bytes
    recorded_at: object
    subjects: tuple[str, ...]


@dataclass
class Forger:
    """Chains entries again from nothing, asking no rule and checking no signature."""

    entries: list[Forged] = field(default_factory=list)

    @classmethod
    def of(cls, bodies: Iterable[bytes]) -> "Forger":
        """Return a forger that holds an honest log."""
        return cls([_taken(Entry.parse(body)) for body in bodies])

    def change(self, index: int, **changes: object) -> "Forger":
        """Return a forger with one entry changed."""
        entries = list(self.entries)
        entries[index] = replace(entries[index], **changes)  # type: ignore[arg-type]
        return Forger(entries)

    def bodies(self) -> list[bytes]:
        """Return the entries with every hash recomputed."""
        heads: dict[str, tuple[int, str]] = {}
        prev, built = NO_PREVIOUS, []
        for index, forged in enumerate(self.entries):
            links = {key: heads.get(key, (0, NO_PREVIOUS)) for key in forged.subjects}
            body = entry.build(
                index=index,
                prev=prev,
                recorded_at=forged.recorded_at,  # type: ignore[arg-type]
                signature=forged.signature,
                statement=forged.statement,
                subjects={key: (seq + 1, head) for key, (seq, head) in links.items()},
            )
            prev = merkle.leaf_hash(body).hex()
            heads.update({key: (seq + 1, prev) for key, (seq, _) in links.items()})
            built.append(body)
        return built


def forged(world: World, act: Act, **stated: Any) -> list[bytes]:
    """Return the log with one more entry, signed and chained as it should be, that no rule saw."""
    actor, event, payload = act
    statement = actor.state(event, payload, **{"at": world.now, **stated})
    last, held = world.entries[-1], world.tail.held.get(actor.party)
    seq, head = (held.seq, held.head) if held is not None else (0, NO_PREVIOUS)
    body = entry.build(
        index=len(world.entries),
        prev=last.leaf.hex(),
        recorded_at=max(world.now, last.recorded_at),
        signature=encode_signature(actor.sign(statement)),
        statement=statement.body,
        subjects={actor.party: (seq + 1, head)},
    )
    return [*(one.body for one in world.entries), body]


def _taken(one: Entry) -> Forged:
    return Forged(
        one.statement.body,
        encode_signature(one.fields.signature),
        one.recorded_at,
        tuple(one.fields.subjects),
    )


def _path(index: int, width: int) -> str:
    from dataexchange.ledger.tile import ENTRIES, TileName

    return TileName(ENTRIES, index, width).path
