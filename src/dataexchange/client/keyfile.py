"""Key files of actors: JSON that only its owner may read. The server never sees one."""

import json
import os
import stat
from pathlib import Path

from dataexchange.client.signing import Actor, SigningKey
from dataexchange.errors import DataExchangeError


class KeyFileError(DataExchangeError):
    """A key file that cannot be used."""


def save(actor: Actor, path: Path) -> None:
    """Write a new key file; an existing one is never overwritten."""
    text = json.dumps(
        {
            "party": actor.party,
            "log": actor.log,
            "key": actor.key.id,
            "suite": "ed25519",
            "seed": actor.key.seed.hex(),
        },
        indent=2,
    )
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        raise KeyFileError(f"{path} 已存在，不会覆盖 / exists and is not overwritten") from error
    except OSError as error:
        raise KeyFileError(f"{path} 无法写入 / cannot be written: {error.strerror}") from error
    with os.fdopen(descriptor, "w") as file:
        file.write(text + "\n")
        file.flush()
        os.fsync(file.fileno())


def load(path: Path) -> Actor:
    """Return the actor of a key file; refuse one that others may read."""
    try:
        mode = path.stat().st_mode
        said = json.loads(path.read_text())
        key = SigningKey.from_seed(bytes.fromhex(said["seed"]))
        actor = Actor(said["party"], key, said["log"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise KeyFileError(f"{path} 不是可用的密钥文件 / is not a usable key file") from error
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise KeyFileError(f"{path} 的权限过宽 / may be read by others; chmod 600 {path}")
    return actor
