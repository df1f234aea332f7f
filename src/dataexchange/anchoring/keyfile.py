"""Keep an Ethereum key in a file that only its owner can open.

The file holds 64 hex digits, or an encrypted keystore (Web3 Secret Storage, version 3).
"""

import json
from pathlib import Path

from eth_account import Account
from eth_account.signers.local import LocalAccount

from dataexchange.anchoring.errors import KeyFileError
from dataexchange.private_file import read_private, write_private


def load_key(path: Path, *, passphrase: str | None = None) -> LocalAccount:
    """Return the account whose private key `path` holds.

    `PrivateFileError` where others can open the file, `KeyFileError` where it holds no key.
    """
    try:
        text = read_private(path).decode("ascii").strip()
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
    """Write a fresh key to a new private file and return its account; never overwrites."""
    account: LocalAccount = Account.create()
    write_private(path, account.key.hex().removeprefix("0x").encode() + b"\n")
    return account
