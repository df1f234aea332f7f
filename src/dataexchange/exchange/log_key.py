"""The key that signs checkpoints: a file that only its owner may read."""

from pathlib import Path

from dataexchange.exchange import secret_file
from dataexchange.ledger.note import Ed25519Signer


def load_or_make(path: Path, origin: str) -> Ed25519Signer:
    """Return the signer for `origin` with the key in `path`, which is made where it is missing."""
    return Ed25519Signer(origin, secret_file.load_or_make(path))
