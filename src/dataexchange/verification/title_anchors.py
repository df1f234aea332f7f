"""The anchor receipts in the bundle of one asset: each shown to be of the log that is signed.

`consistency/<size>` is the proof (RFC 9162, canonical JSON of hex hashes) that the log's first
`size` entries, with the root that a receipt states, are a prefix of what the checkpoint signs.
"""

import msgspec

from dataexchange.ledger import merkle
from dataexchange.ledger.checkpoint import Checkpoint
from dataexchange.ledger.merkle import ProofError
from dataexchange.verification.anchor_pass import AnchorJudge, judge_anchors
from dataexchange.verification.anchored import RECEIPT_NAME, JudgedAnchors
from dataexchange.verification.bundle import ANCHORS
from dataexchange.verification.title_members import Shelf
from dataexchange.verification.verdict import UnsoundError

CONSISTENCY = "consistency/"


class ProvenRoots:
    """The roots that the bundle's consistency proofs lead to the checkpoint's."""

    def __init__(self, shelf: Shelf, checkpoint: Checkpoint) -> None:
        self._shelf = shelf
        self._root = checkpoint.root
        self.size = checkpoint.size

    def holds(self, size: int, root: bytes) -> bool | None:
        """Tell whether the first `size` entries have `root`; `None` where nothing is given."""
        name = f"{CONSISTENCY}{size}"
        if size == self.size:
            return root == self._root
        if name not in self._shelf:
            return None
        proof = _parse(name, self._shelf.take(name))
        try:
            merkle.verify_consistency(size, self.size, proof, old_root=root, root=self._root)
        except ProofError:
            return False
        return True


def check_title_anchors(
    shelf: Shelf, checkpoint: Checkpoint, judge: AnchorJudge | None = None
) -> JudgedAnchors:
    """Return what the bundle's receipts show; `UnsoundError` where one is not of this log."""
    receipts = {name: shelf.take(name) for name in shelf.names(ANCHORS, RECEIPT_NAME)}
    return judge_anchors(receipts, checkpoint.origin, ProvenRoots(shelf, checkpoint), judge)


def encode_consistency(proof: list[bytes]) -> bytes:
    """Return the member that holds `proof`."""
    return msgspec.json.encode([one.hex() for one in proof])


def _parse(name: str, data: bytes) -> list[bytes]:
    try:
        proof = [bytes.fromhex(one) for one in msgspec.json.decode(data, type=list[str])]
    except (ValueError, msgspec.DecodeError, UnicodeDecodeError):
        proof = None
    # A proof has one spelling here, so that no byte of the bundle is without meaning.
    if proof is None or encode_consistency(proof) != data:
        raise UnsoundError("proof.malformed", f"{name} 有误", f"{name} is no consistency proof")
    return proof
