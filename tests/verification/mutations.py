"""Mutated bundles: what an outsider, a database administrator, or an operator with the log's key
might do to one. None may ever be judged sound.
"""

import random
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

from bundles import Forger, Members, bundle_of, checkpoint
from dataexchange.client.signing import SigningKey
from dataexchange.ledger import signature as signatures
from dataexchange.ledger.entry import Entry, encode_signature
from dataexchange.ledger.note import Ed25519Signer
from dataexchange.ledger.signature import Signature, encode_base64
from dataexchange.ledger.tile import TILE_WIDTH
from dataexchange.verification import UnsoundError, UnusableError, verify_bundle
from demonstrated import Demonstrated


class Mutant(NamedTuple):
    """A bundle that is not sound, what was done to it, and the first entry at fault if one is."""

    name: str
    members: Members
    index: int | None = None
    known: bytes | None = None


class Judged(NamedTuple):
    """A mutant as a file, and the fault that our verifier found in it."""

    name: str
    path: Path
    known: bytes | None
    index: int | None  # the first entry at fault, where one is
    fault: UnsoundError | UnusableError | None


def judge(honest: Demonstrated, folder: Path, seed: int) -> list[Judged]:
    """Return all mutants of the honest bundle, written to `folder` and verified."""
    made = mutants(honest.members, honest.bodies, honest.signer, seed)
    return [
        _judged(mutant, mutant.members.write(folder / f"{number}.zip"), honest.policy)
        for number, mutant in enumerate(made)
    ]


def _judged(mutant: Mutant, path: Path, policy: bytes) -> Judged:
    fault: UnsoundError | UnusableError | None = None
    try:
        verify_bundle(path, policy, known_checkpoint=mutant.known)
    except (UnsoundError, UnusableError) as found:
        fault = found
    return Judged(mutant.name, path, mutant.known, mutant.index, fault)


def mutants(
    honest: Members, bodies: list[bytes], sign: Ed25519Signer, seed: int
) -> Iterator[Mutant]:
    """Yield mutants of an honest bundle whose log key `sign` is; a seed gives the same mutants."""
    chance = random.Random(seed)
    # Without cosignatures: a line that is made another key's is ignored, and here all must count.
    honest = honest.having({"checkpoint": checkpoint(bodies, sign)})
    yield from _flipped_bits(honest, chance)
    yield from _members(honest)
    yield from _dropped_tails(bodies, sign, chance)
    yield from _rewritten(bodies, sign, chance)
    yield from _resigned(bodies, sign, chance)
    yield from _rearranged(bodies, sign, chance)
    yield from _timed(bodies, sign, chance)
    yield from _other_keys(bodies, sign)


def _flipped_bits(honest: Members, chance: random.Random) -> Iterator[Mutant]:
    """One bit, anywhere, in any member."""
    for name, data in honest.members.items():
        every = 40 if name == "checkpoint" or name.startswith("tile/entries") else 2
        for at in chance.sample(range(len(data)), min(every, len(data))):
            changed = data[:at] + bytes([data[at] ^ 1 << chance.randrange(8)]) + data[at + 1 :]
            yield Mutant(f"bit of {name} at {at}", honest.having({name: changed}))


def _members(honest: Members) -> Iterator[Mutant]:
    for name in honest.members:
        if not name.startswith("content/"):  # content is disclosed, or not; both are sound
            yield Mutant(f"without {name}", honest.having({name: None}))
        yield Mutant(f"{name} cut short", honest.having({name: honest.members[name][:-1]}))
    yield Mutant("with a stranger", honest.having({"notes.txt": b"hello"}))
    yield Mutant("with unnamed content", honest.having({f"content/{'0' * 64}": b"hello"}))
    yield Mutant("with an entry tile too many", honest.having({"tile/entries/999": b""}))


def _dropped_tails(
    bodies: list[bytes], sign: Ed25519Signer, chance: random.Random
) -> Iterator[Mutant]:
    """The operator signs a shorter log; only a checkpoint from elsewhere shows it."""
    known = checkpoint(bodies, sign)
    for size in chance.sample(range(1, len(bodies)), min(10, len(bodies) - 1)):
        yield Mutant(f"tail dropped at {size}", bundle_of(bodies[:size], sign), size, known)


def _rewritten(bodies: list[bytes], sign: Ed25519Signer, chance: random.Random) -> Iterator[Mutant]:
    """A number or an id in a statement changed, all hashes recomputed, the checkpoint re-signed."""
    forger = Forger.of(bodies)
    for index in chance.sample(range(len(bodies)), min(30, len(bodies))):
        statement = forger.entries[index].statement
        payload = statement.index(b'"payload":')
        digits = list(re.finditer(rb"\d", statement[payload:]))
        spot = chance.choice(digits).start() + payload if digits else payload + 11
        digit = bytes([statement[spot] ^ 1])
        changed = statement[:spot] + digit + statement[spot + 1 :]
        yield Mutant(
            f"statement {index} rewritten at {spot}",
            bundle_of(forger.change(index, statement=changed).bodies(), sign),
            index,
        )


def _resigned(bodies: list[bytes], sign: Ed25519Signer, chance: random.Random) -> Iterator[Mutant]:
    """A statement signed by a key that is not its actor's."""
    forger, stranger = Forger.of(bodies), SigningKey.generate()
    for index in chance.sample(range(len(bodies)), min(20, len(bodies))):
        parsed = Entry.parse(bodies[index])
        key = parsed.statement.fields.key.encode()
        changed = parsed.statement.body.replace(key, stranger.id.encode())
        message = signatures.pre_authentication(signatures.STATEMENT_TYPE, changed)
        signed = Signature("ed25519", encode_base64(stranger.sign(message)))
        forged = forger.change(index, statement=changed, signature=encode_signature(signed))
        # A key that comes with the statement itself is another party's history, whole in itself:
        # only a checkpoint from elsewhere, or that party's next act, tells them apart.
        brings = parsed.statement.fields.event in ("log.opened@1", "party.applied@1")
        place, known = (None, checkpoint(bodies, sign)) if brings else (index, None)
        yield Mutant(f"entry {index} by a stranger", bundle_of(forged.bodies(), sign), place, known)


def _rearranged(
    bodies: list[bytes], sign: Ed25519Signer, chance: random.Random
) -> Iterator[Mutant]:
    """Entries left out, repeated or swapped, with and without the hashes recomputed."""
    entries = Forger.of(bodies).entries
    for index in chance.sample(range(len(bodies) - 1), min(20, len(bodies) - 1)):
        dropped = [*entries[:index], *entries[index + 1 :]]
        doubled = [*entries[: index + 1], *entries[index:]]
        yield Mutant(
            f"{index} left out",
            bundle_of(Forger(dropped).bodies(), sign),
            None,
            checkpoint(bodies, sign),
        )
        yield Mutant(f"{index} repeated", bundle_of(Forger(doubled).bodies(), sign), index + 1)
        raw = [*bodies[:index], bodies[index + 1], bodies[index], *bodies[index + 2 :]]
        yield Mutant(f"{index} swapped", bundle_of(raw, sign), index)


def _timed(bodies: list[bytes], sign: Ed25519Signer, chance: random.Random) -> Iterator[Mutant]:
    """Recorded times moved: backwards, or beyond what the statement allows."""
    forger = Forger.of(bodies)
    for index in chance.sample(range(1, len(bodies)), min(15, len(bodies) - 1)):
        for days in (-30, 30):
            moved = Entry.parse(bodies[index]).recorded_at + timedelta(days=days)
            yield Mutant(
                f"entry {index} moved by {days} days",
                bundle_of(forger.change(index, recorded_at=moved).bodies(), sign),
            )


def _other_keys(bodies: list[bytes], sign: Ed25519Signer) -> Iterator[Mutant]:
    yield Mutant("signed by another key", bundle_of(bodies, Ed25519Signer(sign.name, b"\x09" * 32)))
    yield Mutant("of another log", bundle_of(bodies, Ed25519Signer("other.test/log", b"\x07" * 32)))
    yield Mutant("entries of nothing", bundle_of(bodies[:0], sign))
    middle = min(TILE_WIDTH, len(bodies)) // 2
    yield Mutant("begun in the middle", bundle_of(bodies[middle:], sign), 0)
