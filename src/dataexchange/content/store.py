"""Keep content under its own hash: a folder now, an S3-compatible bucket later.

Whatever a hash in the log stands for (a file, a card, a report) is found here by that hash.
What comes out is checked against the hash it was asked by, so a store need not be trusted.
"""

import hashlib
import io
import os
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final, Protocol

from dataexchange.errors import IntegrityError, RefusalCode
from dataexchange.private_file import sync_folder

_BLOCK_BYTES: Final = 1 << 20
_SHA256 = re.compile(r"[0-9a-f]{64}")

BAD_HASH = RefusalCode(
    "content.bad_hash",
    clause="FIPS 180-4",
    zh="内容标识应为 64 位小写十六进制的 SHA-256。",
    en="Content is named by its SHA-256 in 64 lower-case hex digits.",
    kind="malformed",
)
MISSING = RefusalCode(
    "content.missing",
    clause="",
    zh="没有内容 {sha256}。",
    en="There is no content {sha256}.",
    remedy_zh="向持有方索取原文后再存入。",
    remedy_en="Ask its holder for the content, then put it in.",
    kind="missing",
)


class ContentDamagedError(IntegrityError):
    """Stored content no longer has the hash that names it."""


class ContentStore(Protocol):
    """What a store of content offers; a key is `objects/aa/<sha256>` in a folder or a bucket."""

    def put(self, content: bytes | Path) -> str:
        """Keep the content and return its SHA-256, hex. Putting it again changes nothing."""

    def open(self, sha256: str) -> BinaryIO:
        """Return the content, already checked, at its start; the caller closes it."""

    def size_bytes(self, sha256: str) -> int:
        """Return the content's size; `content.missing` where there is none."""

    def remove(self, sha256: str) -> None:
        """Remove the content, for good; nothing happens where there is none."""

    def __contains__(self, sha256: str) -> bool: ...


def object_key(sha256: str) -> str:
    """Return the key that content has in any store; refuse what is no hash (path traversal)."""
    if _SHA256.fullmatch(sha256) is None:
        raise BAD_HASH()
    return f"objects/{sha256[:2]}/{sha256}"


class FolderStore:
    """Content in a folder of the local file system."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._incoming = root / "incoming"
        self._incoming.mkdir(parents=True, exist_ok=True)

    def put(self, content: bytes | Path) -> str:
        """Keep the content and return its SHA-256, hex.

        Written aside, flushed to disk and renamed: a reader sees all of it or nothing. Good bytes
        replace damaged ones of the same name.
        """
        descriptor, name = tempfile.mkstemp(dir=self._incoming)
        written = Path(name)
        try:
            with os.fdopen(descriptor, "wb") as target, _source(content) as source:
                sha256 = _copy(source, target)
                target.flush()
                os.fsync(target.fileno())
            self._place(written, sha256)
        finally:
            written.unlink(missing_ok=True)
        return sha256

    def open(self, sha256: str) -> BinaryIO:
        """Return the content, checked, at its start; `ContentDamagedError` if the hash differs."""
        stream = self._stream(sha256)
        try:
            # The same descriptor is checked and then read: no other file can slip in between.
            if hashlib.file_digest(stream, "sha256").hexdigest() != sha256:
                raise ContentDamagedError(f"内容已损坏 / content is damaged: {sha256}")
            stream.seek(0)
        except BaseException:
            stream.close()
            raise
        return stream

    def read(self, sha256: str) -> bytes:
        """Return the whole content, checked; for cards and reports, not for data files."""
        with self.open(sha256) as stream:
            return stream.read()

    def size_bytes(self, sha256: str) -> int:
        """Return the content's size; `content.missing` where there is none."""
        with self._stream(sha256) as stream:
            return os.fstat(stream.fileno()).st_size

    def remove(self, sha256: str) -> None:
        """Remove content, on disk when this returns; nothing happens where there is none."""
        path = self._path(sha256)
        if path.exists():
            path.unlink(missing_ok=True)
            sync_folder(path.parent)

    def __contains__(self, sha256: str) -> bool:
        path = self._path(sha256)
        return path.is_file() and not path.is_symlink()

    def __iter__(self) -> Iterator[str]:
        return (path.name for path in sorted((self._root / "objects").glob("??/*")))

    def _path(self, sha256: str) -> Path:
        return self._root / object_key(sha256)

    def _stream(self, sha256: str) -> io.BufferedReader:
        try:
            # A link in the store could lead anywhere; it is not followed.
            descriptor = os.open(self._path(sha256), os.O_RDONLY | os.O_NOFOLLOW)
        except OSError as error:
            raise MISSING(sha256=sha256) from error
        return os.fdopen(descriptor, "rb")

    def _place(self, written: Path, sha256: str) -> None:
        path = self._path(sha256)
        path.parent.mkdir(parents=True, exist_ok=True)
        written.replace(path)
        sync_folder(path.parent)


def _source(content: bytes | Path) -> BinaryIO:
    return content.open("rb") if isinstance(content, Path) else io.BytesIO(content)


def _copy(source: BinaryIO, target: BinaryIO) -> str:
    digest = hashlib.sha256()
    while block := source.read(_BLOCK_BYTES):
        digest.update(block)
        target.write(block)
    return digest.hexdigest()
