"""Proofs that stand alone: an entry's place in a signed log (C2SP tlog-proof).

    c2sp.org/tlog-proof@v1
    extra base64            (only where there is any)
    index N
    base64 hash             (the leaf's sibling first; none in a log of one)

    the checkpoint, a signed note

There is one way to check a proof, `verify_entry`, and it checks everything at once: the entry's
bytes, its index, the path, the root, the origin, the log's signature and the witnesses. Each of
these alone proves nothing (sigstore/cosign#4623, GHSA-672p-m5jq-mrh8). Where the entry itself may
not be read, `verify_leaf` proves that one with that hash is there, and nothing of what it says.
"""

import base64
from dataclasses import dataclass
from typing import Final

from dataexchange.ledger import merkle
from dataexchange.ledger.checkpoint import parse_decimal
from dataexchange.ledger.merkle import HASH_SIZE, PATH_LENGTH_MAX, SIZE_MAX, ProofError
from dataexchange.ledger.note import NOTE_SIZE_MAX
from dataexchange.ledger.policy import Policy, VerifiedCheckpoint
from dataexchange.ledger.signature import decode_base64

EXTRA_SIZE_MAX: Final = 65_535

_VERSION = "c2sp.org/tlog-proof@v1"
_SIZE_MAX = NOTE_SIZE_MAX + 2 * EXTRA_SIZE_MAX


@dataclass(frozen=True, slots=True)
class TlogProof:
    """A proof as it travels: nothing in it has been checked, and `extra` never can be.

    `path` holds 32-byte hashes from the leaf's sibling up, `checkpoint` the signed note verbatim.
    """

    index: int
    path: tuple[bytes, ...]
    checkpoint: bytes
    extra: bytes = b""

    def __post_init__(self) -> None:
        if not 0 <= self.index < SIZE_MAX:
            raise ProofError(f"{self.index} is no index")
        if len(self.path) > PATH_LENGTH_MAX or any(len(one) != HASH_SIZE for one in self.path):
            raise ProofError(f"a path is at most {PATH_LENGTH_MAX} hashes of 32 bytes")
        if len(self.extra) > EXTRA_SIZE_MAX:
            raise ProofError(f"extra data is at most {EXTRA_SIZE_MAX} bytes")

    def encode(self) -> bytes:
        """Return the bytes of a `.tlog-proof` file."""
        extra = [f"extra {_encode(self.extra)}"] if self.extra else []
        lines = [_VERSION, *extra, f"index {self.index}", *map(_encode, self.path)]
        return "\n".join(lines).encode() + b"\n\n" + self.checkpoint

    @classmethod
    def parse(cls, data: bytes) -> "TlogProof":
        """Return the proof that a file is; `ProofError` where it is not one."""
        if len(data) > _SIZE_MAX:
            raise ProofError(f"{len(data)} bytes, {_SIZE_MAX} at most")
        head, separator, checkpoint = data.partition(b"\n\n")
        try:
            version, *lines = head.decode("ascii").split("\n")
            extra = decode_base64(_field(lines, "extra")) if _has_extra(lines) else b""
            index = parse_decimal(_field(lines, "index"))
            path = tuple(map(decode_base64, lines))
        except ProofError:
            raise
        except ValueError as error:
            raise ProofError("the proof is not spelt as tlog-proof is") from error
        if version != _VERSION or not separator:
            raise ProofError(f"a proof starts with {_VERSION!r} and holds a checkpoint")
        return cls(index, path, checkpoint, extra)


@dataclass(frozen=True, slots=True)
class ProvenEntry:
    """An entry that is in the log at `index`, under a checkpoint that met the policy."""

    entry: bytes
    index: int
    verified: VerifiedCheckpoint


def verify_entry(entry: bytes, proof: bytes, policy: Policy, *, origin: str) -> ProvenEntry:
    """Return `entry` as proven to be in the log named `origin`, or raise an `IntegrityError`.

    1. `proof` is a tlog-proof. 2. Its checkpoint is `origin`'s, signed by a key that `policy`
    gives that log. 3. The policy's quorum of witnesses cosigned it. 4. The path leads from the
    entry's own bytes, at the proof's index, to the checkpoint's root.
    """
    index, verified = verify_leaf(merkle.leaf_hash(entry), proof, policy, origin=origin)
    return ProvenEntry(entry, index, verified)


def verify_leaf(
    leaf: bytes, proof: bytes, policy: Policy, *, origin: str | None = None
) -> tuple[int, VerifiedCheckpoint]:
    """Return the index at which an entry with the hash `leaf` is proven to be, and the checkpoint.

    As `verify_entry`; without an `origin`, any log that the policy names will do.
    """
    parsed = TlogProof.parse(proof)
    verified = policy.verify(parsed.checkpoint, origin=origin)
    size, root = verified.checkpoint.size, verified.checkpoint.root
    merkle.verify_inclusion(leaf, parsed.index, size, parsed.path, root=root)
    return parsed.index, verified


def _has_extra(lines: list[str]) -> bool:
    return bool(lines) and lines[0].startswith("extra ")


def _field(lines: list[str], name: str) -> str:
    """Take the first of `lines` and return its value, which may not be empty."""
    line = lines.pop(0) if lines else ""
    value = line.removeprefix(f"{name} ")
    if value in ("", line):
        raise ProofError(f"a proof has a line '{name} …' here")
    return value


def _encode(data: bytes) -> str:
    return base64.b64encode(data).decode()
