"""A witness's key in a file that only its owner can open: one line, as `ledger.log_key` has it."""

from pathlib import Path

from dataexchange.errors import DataExchangeError
from dataexchange.ledger.cosignature import COSIGNATURE_TYPES
from dataexchange.ledger.log_key import PrivateKey
from dataexchange.ledger.note import NoteError, SignatureType, Signer
from dataexchange.private_file import read_private, write_private


class WitnessKeyError(DataExchangeError):
    """A witness's key file cannot be made or used."""


def create(
    path: Path, name: str, signature_type: SignatureType = SignatureType.COSIGNATURE
) -> Signer:
    """Write a fresh key named `name` to a new file (0600); an existing one is never overwritten."""
    key = PrivateKey.generate(name, signature_type)
    try:
        signer = key.signer()
    except NoteError as error:
        raise WitnessKeyError(f"见证名称无效 / not a witness's name: {error}") from error
    write_private(path, key.encode().encode() + b"\n")
    return signer


def load(path: Path) -> Signer:
    """Return the signer in `path`, which is its owner's alone and cosigns (type 04 or 06)."""
    try:
        key = PrivateKey.parse(read_private(path).decode().strip())
        signer = key.signer()
    except (UnicodeDecodeError, NoteError):
        # Not chained: what failed to parse may be the secret.
        raise WitnessKeyError(f"{path} 不是见证密钥 / is not a witness's key") from None
    if key.type not in COSIGNATURE_TYPES:
        raise WitnessKeyError(f"{path} 是账本密钥，不是见证密钥 / is a log's key, not a witness's")
    return signer
