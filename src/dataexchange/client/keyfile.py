"""Key files of actors: JSON that only its owner may read. The server never sees one.

    {"party", "log", "key", "suite", "seed"}                         as it is
    {"party", "log", "key", "suite", "sealed": {"salt", "nonce", "seed"}}   under a passphrase

Sealed, the seed is AES-256-GCM under scrypt (RFC 7914) of the passphrase, bound to the key id.
"""

import json
import os
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from dataexchange.client.signing import Actor, SigningKey
from dataexchange.errors import DataExchangeError
from dataexchange.private_file import read_private, write_private

SCRYPT_COST = 2**15


class KeyFileError(DataExchangeError):
    """A key file that cannot be used."""


class SealedKeyError(KeyFileError):
    """A key file that opens with a passphrase only, and none or another was given."""


def save(actor: Actor, path: Path, passphrase: str | None = None) -> None:
    """Write a new key file; an existing one is never overwritten."""
    key = actor.key
    secret = {"sealed": _seal(key, passphrase)} if passphrase else {"seed": key.seed.hex()}
    said = {"party": actor.party, "log": actor.log, "key": key.id, "suite": key.public.suite}
    write_private(path, json.dumps(said | secret, indent=2).encode() + b"\n")


def load(path: Path, passphrase: str | None = None) -> Actor:
    """Return the actor of a key file; refuse one that others may read."""
    text = read_private(path)
    try:
        said = json.loads(text)
        key = SigningKey.from_seed(_seed(said, passphrase), said["suite"])
        actor = Actor(said["party"], key, said["log"])
        if key.id != said["key"]:
            raise ValueError("the key is another")
    except (ValueError, KeyError, TypeError) as error:
        raise KeyFileError(f"{path} 不是可用的密钥文件 / is not a usable key file") from error
    return actor


def _seed(said: dict[str, Any], passphrase: str | None) -> bytes:
    if "sealed" not in said:
        return bytes.fromhex(said["seed"])
    if not passphrase:
        raise SealedKeyError("密钥文件须口令打开 / the key file opens with a passphrase")
    salt, nonce, sealed = (bytes.fromhex(said["sealed"][name]) for name in _SEALED)
    try:
        return _cipher(passphrase, salt).decrypt(nonce, sealed, said["key"].encode())
    except InvalidTag as error:
        raise SealedKeyError("口令不对 / the passphrase is wrong") from error


def _seal(key: SigningKey, passphrase: str) -> dict[str, str]:
    salt, nonce = os.urandom(16), os.urandom(12)
    sealed = _cipher(passphrase, salt).encrypt(nonce, key.seed, key.id.encode())
    return {name: part.hex() for name, part in zip(_SEALED, (salt, nonce, sealed), strict=True)}


def _cipher(passphrase: str, salt: bytes) -> AESGCM:
    return AESGCM(Scrypt(salt, length=32, n=SCRYPT_COST, r=8, p=1).derive(passphrase.encode()))


_SEALED = ("salt", "nonce", "seed")
