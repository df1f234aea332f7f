"""The files of the keys that sign checkpoints; only their owner may read them."""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from dataexchange.errors import DataExchangeError
from dataexchange.ledger.log_key import PrivateKey
from dataexchange.ledger.note import NoteError, SignatureType, Signer
from dataexchange.ledger.policy import LOG_TYPES
from dataexchange.private_file import FileTakenError, read_private, write_private


class LogKeyError(DataExchangeError):
    """A log's key file cannot be used."""


def create(path: Path, origin: str, signature_type: SignatureType) -> Signer:
    """Write a new key for the log `origin` and return its signer; never overwrites."""
    key = PrivateKey.generate(origin, signature_type)
    signer = key.signer()
    path.parent.mkdir(parents=True, exist_ok=True)
    write_private(path, key.encode().encode() + b"\n")
    return signer


def load(path: Path, origin: str) -> Signer:
    """Return the signer with the key in `path`, which must be one of the log `origin`."""
    try:
        key = PrivateKey.parse(read_private(path).decode().strip())
        signer = key.signer()
    except (UnicodeDecodeError, NoteError):
        # Not chained: what failed to parse may be the secret.
        raise LogKeyError(f"{path} 不是检查点密钥 / is not a key of checkpoints") from None
    if key.name != origin or key.type not in LOG_TYPES:
        raise LogKeyError(
            f"{path} 是 {key.name} 的密钥，不是 {origin} 的检查点密钥"
            f" / is a key of {key.name}, not one for the checkpoints of {origin}"
        )
    return signer


def load_or_make(paths: Sequence[Path], origin: str) -> tuple[Signer, ...]:
    """Return the signers with the keys in `paths`; a first one that is missing is made, Ed25519."""
    if not paths[0].exists():
        with suppress(FileTakenError):  # the first of several processes wins
            create(paths[0], origin, SignatureType.ED25519)
    return tuple(load(path, origin) for path in paths)
