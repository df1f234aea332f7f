"""The text of an `add-checkpoint` request, and what a witness may answer (C2SP tlog-witness).

old N                   the size that the witness cosigned last, as far as the sender knows
base64 hash             (the RFC 6962 consistency proof from N; at most 63 lines)

the checkpoint, a signed note
"""

import base64
from dataclasses import dataclass
from hashlib import sha256

from dataexchange.errors import DataExchangeError
from dataexchange.ledger.checkpoint import parse_decimal
from dataexchange.ledger.merkle import HASH_SIZE, PATH_LENGTH_MAX, SIZE_MAX
from dataexchange.ledger.signature import decode_base64

SIZE_TYPE = "text/x.tlog.size"


class WitnessError(DataExchangeError):
    """A witness did not cosign."""


class MalformedRequestError(WitnessError):
    """Not a request, not a checkpoint, or an old size beyond the checkpoint's."""


class UnknownLogError(WitnessError):
    """The witness does not know the log."""


class UntrustedCheckpointError(WitnessError):
    """No key that the witness trusts for the log signed, or a signature of one fails."""


class SizeConflictError(WitnessError):
    """The old size is not the one that the witness cosigned last; `size` is."""

    def __init__(self, size: int) -> None:
        self.size = size
        super().__init__(f"the size cosigned last is {size}")


class InconsistentError(WitnessError):
    """The checkpoint does not continue what the witness cosigned last, or this is not proved."""


@dataclass(frozen=True, slots=True)
class AddCheckpoint:
    """A request: 32-byte hashes that prove growth from `old_size`, and a signed note verbatim."""

    old_size: int
    proof: tuple[bytes, ...]
    checkpoint: bytes

    def encode(self) -> bytes:
        """Return the body of the request."""
        hashes = (base64.b64encode(one).decode() for one in self.proof)
        return "\n".join((f"old {self.old_size}", *hashes, "", "")).encode() + self.checkpoint

    @classmethod
    def parse(cls, body: bytes) -> "AddCheckpoint":
        """Return the request that `body` is; `MalformedRequestError` where it is none."""
        head, separator, checkpoint = body.partition(b"\n\n")
        try:
            old, *hashes = head.decode("ascii").split("\n")
            size = parse_decimal(old.removeprefix("old ")) if old.startswith("old ") else -1
            proof = tuple(map(decode_base64, hashes))
        except ValueError as error:
            raise MalformedRequestError("a line is not spelt as tlog-witness asks") from error
        if not separator or not 0 <= size <= SIZE_MAX:
            raise MalformedRequestError("a request is 'old N', a proof, an empty line, a note")
        if len(proof) > PATH_LENGTH_MAX or any(len(one) != HASH_SIZE for one in proof):
            raise MalformedRequestError(f"a proof is at most {PATH_LENGTH_MAX} hashes of 32 bytes")
        return cls(size, proof, checkpoint)


def origin_hash(origin: str) -> str:
    """Return how a log is named in the address of its checkpoint at a witness."""
    return sha256(origin.encode()).hexdigest()


def checkpoint_path(origin: str) -> str:
    """Return where a witness shows the checkpoint of `origin` that it cosigned last."""
    return f"/{origin_hash(origin)}/checkpoint"
