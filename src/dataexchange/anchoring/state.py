"""What the worker must remember: what it signed, what it sent, what became final.

The state is written before each act that it describes, so that a crash between the two leaves a
worker that knows at least what the world may know.
"""

from datetime import datetime
from typing import Any, TypeVar

import msgspec
from eth_typing import ChecksumAddress
from hexbytes import HexBytes

from dataexchange.anchoring.authorisation import AnchorSite
from dataexchange.anchoring.fees import Fees
from dataexchange.anchoring.source import TreeHead

T = TypeVar("T")


class SignedRoot(msgspec.Struct, frozen=True):
    """A root that the anchor key authorised. Once made it may turn up on the chain at any time.

    `block_number` is the chain's height when it was signed: nothing older can hold it.
    """

    size: int
    root: HexBytes
    epoch: int
    signature: HexBytes
    signed_at: datetime
    block_number: int

    @property
    def head(self) -> TreeHead:
        """The size and root that were signed."""
        return TreeHead(self.size, bytes(self.root))


class Attempt(msgspec.Struct, frozen=True):
    """A transaction that may have been sent. Kept, to be sent again, until its nonce is final.

    `sent_at` and `block_number` say when it was offered last, `refused` whether the node then
    did not take it.
    """

    nonce: int
    size: int
    previous_size: int
    epoch: int
    transaction_hash: HexBytes
    raw: HexBytes
    max_fee_wei: int
    priority_fee_wei: int
    sent_at: datetime
    block_number: int
    refused: bool = False

    @property
    def fees(self) -> Fees:
        """What the transaction offers."""
        return Fees(self.max_fee_wei, self.priority_fee_wei)


class FinalAnchor(msgspec.Struct, frozen=True):
    """The last anchor that became final."""

    size: int
    root: HexBytes
    block_number: int


class WorkerState(msgspec.Struct, frozen=True):
    """All that survives a restart. `signed` and `attempts` hold only what is not yet final."""

    chain_id: int
    contract: ChecksumAddress
    origin: str
    v: int = 1
    signed: tuple[SignedRoot, ...] = ()
    attempts: tuple[Attempt, ...] = ()
    last_signed: SignedRoot | None = None
    last_final: FinalAnchor | None = None

    @property
    def site(self) -> AnchorSite:
        """Where this state belongs."""
        return AnchorSite(self.chain_id, self.contract, self.origin)

    def with_signed(self, signed: SignedRoot) -> "WorkerState":
        """Return the state that remembers one more signature."""
        rest = tuple(s for s in self.signed if (s.size, s.epoch) != (signed.size, signed.epoch))
        return msgspec.structs.replace(self, signed=(*rest, signed), last_signed=signed)

    def with_attempt(self, attempt: Attempt) -> "WorkerState":
        """Return the state that remembers a transaction, the only one for its nonce.

        One that it replaces may be mined all the same. Then the nonce is used, and the root it
        carried is on the chain, where it will be found.
        """
        rest = tuple(other for other in self.attempts if other.nonce != attempt.nonce)
        return msgspec.structs.replace(self, attempts=(*rest, attempt))

    def signature_for(self, head: TreeHead, epoch: int) -> SignedRoot | None:
        """Return what was signed for this root under this epoch, if anything was."""
        return next((s for s in self.signed if (s.head, s.epoch) == (head, epoch)), None)


def fresh_state(site: AnchorSite) -> WorkerState:
    """Return the state of a worker that has done nothing yet."""
    return WorkerState(site.chain_id, site.contract, site.origin)


def encode(document: msgspec.Struct) -> bytes:
    """Return a document as indented JSON; bytes become 0x-prefixed hex."""
    return msgspec.json.format(msgspec.json.encode(document, enc_hook=_encode_hex), indent=2)


def decode(data: bytes, kind: type[T]) -> T:
    """Return the document that `encode` wrote; `msgspec.ValidationError` where it did not."""
    return msgspec.json.decode(data, type=kind, dec_hook=_decode_hex)


def _encode_hex(value: object) -> str:
    if isinstance(value, bytes):
        return HexBytes(value).to_0x_hex()
    raise NotImplementedError(type(value).__name__)


def _decode_hex(kind: type, value: Any) -> Any:
    if kind is HexBytes and isinstance(value, str) and value.startswith("0x"):
        return HexBytes(bytes.fromhex(value[2:]))
    raise ValueError(f"not 0x-prefixed hex: {value!r:.40}")
