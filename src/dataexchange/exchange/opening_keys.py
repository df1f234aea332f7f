"""The keys that openings are encrypted under: one small file each, outside of the database.

A restored backup of the database brings back boxes, never their keys: what was erased stays
unreadable. Each key is random, used once, and wrapped (RFC 3394) under the key-encryption key of
the exchange, so the folder alone opens nothing. Copies of the folder must follow its deletions.
"""

import os
import re
import secrets
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap, aes_key_wrap

from dataexchange.errors import IntegrityError
from dataexchange.exchange import secret_file
from dataexchange.private_file import sync_folder, write_private

KEY_BYTES = 32


class OpeningKeyLostError(IntegrityError):
    """An opening is kept, and was not erased, but its key is gone or is not one of ours."""


class OpeningKeys:
    """A folder of wrapped keys; any number of processes may share it."""

    def __init__(self, folder: Path, wrapping_key: bytes) -> None:
        self._folder = folder
        self._wrapping_key = wrapping_key
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    @classmethod
    def under(cls, wrapping_key_path: Path, folder: Path) -> "OpeningKeys":
        """Return the keys in `folder`, under the secret in a file that is made with the first key.

        `OpeningKeyLostError` where there are keys and the secret is gone, or opens none of them: a
        new one in its place would lose what is sealed from now on, once the old one is restored.
        """
        kept = (path.name for path in _key_files(folder) if _is_whole(path))
        first = next(kept, None)
        if first is not None and not wrapping_key_path.exists():
            raise OpeningKeyLostError(
                f"缺少 {wrapping_key_path}，请恢复 / {wrapping_key_path} is missing; restore it"
            )
        keys = cls(folder, secret_file.load_or_make(wrapping_key_path))
        if first is not None and not any(map(keys.has, chain([first], kept))):
            raise OpeningKeyLostError(
                f"{wrapping_key_path} 打不开 {folder} 中的密钥 / opens none of the keys there"
            )
        return keys

    def make(self) -> tuple[str, bytes]:
        """Return a new key with its id; its file is on disk before anything rests on it."""
        key_id, key = secrets.token_hex(16), secrets.token_bytes(KEY_BYTES)
        path = self._path(key_id)
        if not path.parent.exists():
            path.parent.mkdir(exist_ok=True, mode=0o700)
            sync_folder(self._folder)
        write_private(path, aes_key_wrap(self._wrapping_key, key))
        return key_id, key

    def read(self, key_id: str) -> bytes:
        """Return a key by its id."""
        try:
            return aes_key_unwrap(self._wrapping_key, self._path(key_id).read_bytes())
        except (OSError, InvalidUnwrap, ValueError) as error:
            raise OpeningKeyLostError(f"密钥缺失或不符 / key {key_id} is lost or wrong") from error

    def destroy(self, key_id: str) -> None:
        """Overwrite a key, then remove it; each step is on disk before the next. Repeatable."""
        path = self._path(key_id)
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_NOFOLLOW)
        except FileNotFoundError:
            return
        with os.fdopen(descriptor, "wb") as file:
            file.write(_DESTROYED)
            file.flush()
            os.fsync(file.fileno())
        path.unlink(missing_ok=True)
        sync_folder(path.parent)

    def has(self, key_id: str) -> bool:
        """Tell whether a key is there and can be unwrapped."""
        try:
            self.read(key_id)
        except OpeningKeyLostError:
            return False
        return True

    def wrap_anew(self, wrapping_key: bytes) -> int:
        """Wrap every key under another wrapping key, from then on used; return their count.

        Repeatable: a key that is wrapped under the new one already, after a crash, is left alone.
        """
        for draft in self._folder.glob("??/.*"):  # of a crash: it may hold a key erased since
            draft.unlink()
        after = OpeningKeys(self._folder, wrapping_key)
        paths = sorted(_key_files(self._folder))
        for path in paths:
            if not after.has(path.name):
                replacement = path.with_suffix(".new")
                replacement.unlink(missing_ok=True)
                write_private(replacement, aes_key_wrap(wrapping_key, self.read(path.name)))
                replacement.replace(path)
                sync_folder(path.parent)
        self._wrapping_key = wrapping_key
        return len(paths)

    def _path(self, key_id: str) -> Path:
        # Ids come out of the database, whose superuser must not reach other files by them.
        if not _KEY_ID.fullmatch(key_id):
            raise OpeningKeyLostError(f"不是密钥标识 / no id of a key: {key_id!r}")
        return self._folder / key_id[:2] / key_id


def _key_files(folder: Path) -> Iterator[Path]:
    return (path for path in folder.glob("??/*") if _KEY_ID.fullmatch(path.name))


def _is_whole(path: Path) -> bool:
    try:
        return path.read_bytes() != _DESTROYED
    except FileNotFoundError:  # destroyed just now
        return False


_KEY_ID = re.compile(r"[0-9a-f]{32}")
_DESTROYED = bytes(KEY_BYTES + 8)
