"""The key that signs checkpoints: a file that only its owner may read."""

import os
import stat
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from dataexchange.errors import DataExchangeError
from dataexchange.ledger.note import Ed25519Signer


class LogKeyError(DataExchangeError):
    """The log's key file cannot be used."""


def load_or_make(path: Path, origin: str) -> Ed25519Signer:
    """Return the signer for `origin` with the key in `path`, which is made where it is missing."""
    if not path.exists():
        _make(path)
    mode = path.stat().st_mode
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise LogKeyError(
            f"{path} 的权限过宽，请执行 chmod 600 / {path} may be read by others; run: chmod 600"
        )
    seed = bytes.fromhex(path.read_text().strip())
    if len(seed) != 32:
        raise LogKeyError(f"{path} 不是 32 字节十六进制密钥 / is not a 32-byte key in hex")
    return Ed25519Signer(origin, seed)


def _make(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    seed = Ed25519PrivateKey.generate().private_bytes_raw().hex()
    temporary = path.with_suffix(f".{os.getpid()}.new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(seed + "\n")
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(temporary, path)  # the first of several processes wins
    except FileExistsError:
        pass
    finally:
        temporary.unlink()
