"""Keep an Ethereum key in a file that only its owner can open.

The file holds 64 hex digits, or an encrypted keystore (Web3 Secret Storage, version 3).
"""

import json
import os
import stat
from pathlib import Path

from eth_account import Account
from eth_account.signers.local import LocalAccount

from dataexchange.anchoring.errors import KeyFileError

FILE_SIZE_MAX_BYTES = 8192


def load_key(path: Path, *, passphrase: str | None = None) -> LocalAccount:
    """Return the account whose private key `path` holds.

    `KeyFileError` unless it is a plain file of ours that group and others can neither read nor
    write (0600 or tighter) and that holds a key.
    """
    try:
        text = _read_private(path).decode("ascii").strip()
    except UnicodeDecodeError as error:
        raise KeyFileError(f"密钥文件不是文本 / key file is not text: {path}") from error
    try:
        if text.startswith("{"):
            secret = bytes(Account.decrypt(json.loads(text), passphrase or ""))
        else:
            secret = bytes.fromhex(text.removeprefix("0x"))
        account: LocalAccount = Account.from_key(secret)
    except Exception:  # noqa: BLE001 - see below
        # Whatever the library says, it may quote the key: neither shown nor chained.
        raise KeyFileError(f"密钥文件中没有可用的密钥 / no usable key in {path}") from None
    return account


def create_key(path: Path) -> LocalAccount:
    """Write a fresh key to a new file (0600) and return its account; never overwrites."""
    account: LocalAccount = Account.create()
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    try:
        descriptor = os.open(path, flags, 0o600)
    except FileExistsError as error:
        raise KeyFileError(f"密钥文件已存在 / key file exists already: {path}") from error
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(account.key.hex().removeprefix("0x") + "\n")
        file.flush()
        os.fsync(file.fileno())
    return account


def _read_private(path: Path) -> bytes:
    """Return the file's bytes; the checks and the reading see the same open file."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        raise KeyFileError(f"无法打开密钥文件 / cannot open key file: {path}") from error
    try:
        _require_private(os.fstat(descriptor), path)
        return os.read(descriptor, FILE_SIZE_MAX_BYTES)
    finally:
        os.close(descriptor)


def _require_private(status: os.stat_result, path: Path) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise KeyFileError(f"密钥文件须为普通文件 / key file is not a plain file: {path}")
    if status.st_uid != os.geteuid():
        raise KeyFileError(f"密钥文件属于他人 / key file belongs to another user: {path}")
    if stat.S_IMODE(status.st_mode) & 0o077:
        mode = f"{stat.S_IMODE(status.st_mode):04o}"
        raise KeyFileError(
            f"密钥文件权限过宽，须为 0600 / key file is open to others ({mode}), need 0600: {path}"
        )
