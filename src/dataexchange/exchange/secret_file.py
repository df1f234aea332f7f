"""Secrets of 32 bytes, each in a file of its own that only its owner may read."""

import os
import secrets
import stat
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from dataexchange.database.server_files import sync_folder
from dataexchange.errors import DataExchangeError

SECRET_BYTES = 32
T = TypeVar("T")


class SecretFileError(DataExchangeError):
    """A secret's file cannot be used."""


def load_or_make(path: Path) -> bytes:
    """Return the secret in `path` (hex); a new random one is made where there is no file."""
    if not path.exists():
        _make(path)
    mode = path.stat().st_mode
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise SecretFileError(
            f"{path} 的权限过宽，请执行 chmod 600 / {path} may be read by others; run: chmod 600"
        )
    try:
        secret = bytes.fromhex(path.read_text().strip())
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


def write_new(path: Path, content: bytes) -> None:
    """Write a new file (0600) that is whole and on disk, or not there."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _make(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(f".{os.getpid()}.new")
    write_new(temporary, secrets.token_hex(SECRET_BYTES).encode() + b"\n")
    try:
        os.link(temporary, path)  # the first of several processes wins
    except FileExistsError:
        pass
    finally:
        temporary.unlink()
    sync_folder(path.parent)
