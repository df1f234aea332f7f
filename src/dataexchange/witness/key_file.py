"""A witness's key in a file that only its owner can open: one line, as Go's note tools write it.

PRIVATE+KEY+name+hex(key id)+base64(04 ‖ seed)
"""

import base64
import os
import stat
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from dataexchange.errors import DataExchangeError
from dataexchange.ledger.note import Ed25519Signer, NoteError, SignatureType, VerifierKey
from dataexchange.ledger.signature import decode_base64

FILE_BYTES_MAX = 4_096
_PREFIX = "PRIVATE+KEY+"


class WitnessKeyError(DataExchangeError):
    """A witness's key file cannot be written or used."""


def create(path: Path, name: str) -> Ed25519Signer:
    """Write a fresh key named `name` to a new file (0600); an existing one is never overwritten."""
    seed = Ed25519PrivateKey.generate().private_bytes_raw()
    try:
        signer = Ed25519Signer(name, seed, SignatureType.COSIGNATURE)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    except NoteError as error:
        raise WitnessKeyError(f"见证名称无效 / not a witness's name: {error}") from error
    except FileExistsError as error:
        raise WitnessKeyError(f"{path} 已存在，不会覆盖 / exists and is not overwritten") from error
    except OSError as error:
        raise WitnessKeyError(f"{path} 无法写入 / cannot be written: {error.strerror}") from error
    with os.fdopen(descriptor, "w") as file:
        file.write(_encode(signer, seed) + "\n")
        file.flush()
        os.fsync(file.fileno())
    return signer


def load(path: Path) -> Ed25519Signer:
    """Return the signer in `path`; `WitnessKeyError` unless it is its owner's alone (0600)."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
        with os.fdopen(descriptor, "rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            text = file.read(FILE_BYTES_MAX).decode().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise WitnessKeyError(f"{path} 无法读取 / cannot be read") from error
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise WitnessKeyError(
            f"{path} 的权限过宽，请执行 chmod 600 / {path} may be read by others; run: chmod 600"
        )
    try:
        return _decode(text)
    except (ValueError, NoteError):
        # Not chained: what failed to decode may be the secret.
        raise WitnessKeyError(f"{path} 不是见证密钥 / is not a witness's key") from None


def _encode(signer: Ed25519Signer, seed: bytes) -> str:
    key_id = VerifierKey.parse(signer.vkey).key_id.hex()
    secret = base64.b64encode(bytes([SignatureType.COSIGNATURE]) + seed).decode()
    return f"{_PREFIX}{signer.name}+{key_id}+{secret}"


def _decode(text: str) -> Ed25519Signer:
    name, _key_id, encoded = text.removeprefix(_PREFIX).split("+", 2)
    secret = decode_base64(encoded)
    signer = Ed25519Signer(name, secret[1:], SignatureType.COSIGNATURE)
    # A key whose id or type is another's was not written here.
    if _encode(signer, secret[1:]) != text:
        raise ValueError("not the form that this module writes")
    return signer
