"""Secrets of 32 bytes, each in a file of its own that only its owner may read."""

import secrets
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from dataexchange.errors import DataExchangeError
from dataexchange.private_file import FileTakenError, read_private, sync_folder, write_private

SECRET_BYTES = 32
T = TypeVar("T")


class SecretFileError(DataExchangeError):
    """A file that holds no secret."""


def load_or_make(path: Path) -> bytes:
    """Return the secret in `path` (hex); a new random one is made where there is no file."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileTakenError):  # the first of several processes wins
            write_private(path, secrets.token_hex(SECRET_BYTES).encode() + b"\n")
    try:
        secret = bytes.fromhex(read_private(path).decode().strip())
    except ValueError:
        secret = b""
    if len(secret) != SECRET_BYTES:
        raise SecretFileError(f"{path} 不是 32 字节十六进制密钥 / is not a 32-byte key in hex")
    return secret


def replace(path: Path, make_use: Callable[[bytes], T]) -> T:
    """Put a new random secret into `path` once `make_use` has put it to use; return its result.

    Until then the new secret waits beside the old one, where a repetition after a crash finds it.
    """
    waiting = path.with_suffix(".next")
    result = make_use(load_or_make(waiting))
    waiting.replace(path)
    sync_folder(path.parent)
    return result
