"""A log of anyone's, for tests of witnesses: it grows, it signs, and it can fork."""

from dataclasses import dataclass, field

from dataexchange.ledger import merkle
from dataexchange.ledger.checkpoint import Checkpoint, sign_checkpoint
from dataexchange.ledger.note import Ed25519Signer, SignatureType
from dataexchange.witness import AddCheckpoint

WITNESS = Ed25519Signer("witness.example/w1", b"\x02" * 32, SignatureType.COSIGNATURE)


@dataclass
class ForeignLog:
    """Leaf hashes and a key. `fork` is the same log's other history."""

    origin: str = "example.com/behind-the-sofa"
    seed: bytes = b"\x01" * 32
    leaves: list[bytes] = field(default_factory=list)

    @classmethod
    def of(cls, size: int) -> "ForeignLog":
        """Return a log of `size` entries."""
        return cls(leaves=[merkle.leaf_hash(b"entry %d" % index) for index in range(size)])

    @property
    def signer(self) -> Ed25519Signer:
        """The log's key."""
        return Ed25519Signer(self.origin, self.seed)

    def fork(self, at: int) -> "ForeignLog":
        """Return a log of the same key that differs from entry `at` on."""
        other = [merkle.leaf_hash(b"other %d" % index) for index in range(at, len(self.leaves))]
        return ForeignLog(self.origin, self.seed, self.leaves[:at] + other)

    def checkpoint(self, size: int) -> Checkpoint:
        """Return the checkpoint of the first `size` entries."""
        return Checkpoint(self.origin, size, merkle.root(self.leaves[:size]))

    def signed(self, size: int) -> bytes:
        """Return it signed."""
        return sign_checkpoint(self.checkpoint(size), self.signer)

    def proof(self, old: int, size: int) -> tuple[bytes, ...]:
        """Return the consistency proof from `old`."""
        return tuple(merkle.consistency_proof(self.leaves[:size], old))

    def request(self, old: int, size: int) -> AddCheckpoint:
        """Return an honest request."""
        return AddCheckpoint(old, self.proof(old, size), self.signed(size))
