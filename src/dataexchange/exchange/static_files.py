"""Where a log's immutable files lie: a folder, or an S3-compatible bucket.

A file is written once. Where it is there already its bytes must be the same, or the writer halts.
Only `checkpoint` is replaced, and only by who has seen the one before.
"""

import asyncio
import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol
from uuid import uuid4

from dataexchange.errors import DataExchangeError, IntegrityError, UnavailableError
from dataexchange.failpoint import reach

if TYPE_CHECKING:
    from obstore.store import ObjectStore

CHECKPOINT: Final = "checkpoint"
BUCKET_SCHEME: Final = "s3://"
IMMUTABLE: Final = {
    "Content-Type": "application/octet-stream",
    "Cache-Control": "max-age=604800, immutable",
}
FRESH: Final = {"Content-Type": "text/plain; charset=utf-8", "Cache-Control": "no-cache"}


class FileDiffersError(IntegrityError):
    """A file that is written once is there with other bytes."""


class FilesUnavailableError(UnavailableError):
    """The folder or the bucket cannot be read or written now."""


class StaticFiles(Protocol):
    """A place for a log's files, by their C2SP paths."""

    @property
    def name(self) -> str:
        """Where it is, for people; without secrets."""
        ...

    async def read(self, path: str) -> bytes | None:
        """Return a file's bytes; None where it is not there."""
        ...

    async def add(self, path: str, data: bytes) -> None:
        """Write a file once; `FileDiffersError` where it is there with other bytes."""
        ...

    async def replace_checkpoint(self, seen: bytes | None, note: bytes) -> bool:
        """Replace `seen` (None: nothing) by `note`; False where another one is there by now."""
        ...

    async def remove_partials(self, path: str) -> None:
        """Remove what led up to the full tile at `path`: readers take that one now."""
        ...


class FolderFiles:
    """Files in a folder. Each reaches the disk before it can be seen, whole."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.name = str(folder)

    async def read(self, path: str) -> bytes | None:
        """Return a file's bytes; None where it is not there."""
        return await asyncio.to_thread(self._read, path)

    async def add(self, path: str, data: bytes) -> None:
        """Write a file once."""
        await asyncio.to_thread(self._add, path, data)

    async def replace_checkpoint(self, seen: bytes | None, note: bytes) -> bool:
        """Replace the checkpoint, under a lock."""
        return await asyncio.to_thread(self._replace_checkpoint, seen, note)

    async def remove_partials(self, path: str) -> None:
        """Remove the folder of a tile's partial forms."""
        await asyncio.to_thread(shutil.rmtree, self._folder / f"{path}.p", ignore_errors=True)

    def _read(self, path: str) -> bytes | None:
        with suppress(FileNotFoundError):
            return (self._folder / path).read_bytes()
        return None

    def _add(self, path: str, data: bytes) -> None:
        target = self._folder / path
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            with _draft(target, data) as draft, suppress(FileExistsError):
                # A link, unlike a rename, never replaces what another writer put there meanwhile.
                reach("files.drafted")
                os.link(draft, target)
                reach("files.linked")
            _flush_folder(target.parent)
        _require_same(f"{self.name}/{path}", target.read_bytes(), data)

    def _replace_checkpoint(self, seen: bytes | None, note: bytes) -> bool:
        self._folder.mkdir(parents=True, exist_ok=True)
        target = self._folder / CHECKPOINT
        with (self._folder / ".lock").open("wb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if self._read(CHECKPOINT) != seen:
                return False
            with _draft(target, note) as draft:
                reach("files.replacing")
                draft.replace(target)
                reach("files.replaced")
        _flush_folder(self._folder)
        return True


class BucketFiles:
    """Files in a bucket, written by conditional requests (`If-None-Match: *`, `If-Match`).

    Credentials and endpoint come from the environment (`AWS_…`), as in other S3 clients.
    """

    def __init__(self, url: str) -> None:
        # Only who publishes to a bucket needs the extra.
        from obstore.store import from_url

        self.name = url
        self._store: ObjectStore = from_url(url)

    async def read(self, path: str) -> bytes | None:
        """Return an object's bytes; None where it is not there."""
        found = await self._get(path)
        return None if found is None else found[0]

    async def add(self, path: str, data: bytes) -> None:
        """Create an object, or find the same bytes there."""
        if not await self._put(path, data, "create", IMMUTABLE):
            _require_same(f"{self.name}/{path}", await self.read(path), data)

    async def replace_checkpoint(self, seen: bytes | None, note: bytes) -> bool:
        """Replace the checkpoint by its entity tag."""
        found = await self._get(CHECKPOINT)
        if (None if found is None else found[0]) != seen:
            return False
        return await self._put(CHECKPOINT, note, "create" if found is None else found[1], FRESH)

    async def remove_partials(self, path: str) -> None:
        """Delete the objects of a tile's partial forms."""
        import obstore

        with _answering(self.name):
            found = await obstore.list(self._store, prefix=f"{path}.p").collect_async()
            await obstore.delete_async(self._store, [one["path"] for one in found])

    async def _get(self, path: str) -> tuple[bytes, Any] | None:
        import obstore

        with _answering(self.name):
            try:
                result = await obstore.get_async(self._store, path)
                data = bytes(await result.bytes_async())
            except FileNotFoundError:
                return None
        return data, {"e_tag": result.meta["e_tag"]}

    async def _put(self, path: str, data: bytes, mode: Any, headers: dict[str, str]) -> bool:
        """Write an object if the condition holds; return whether it did."""
        import obstore
        from obstore.exceptions import AlreadyExistsError, PreconditionError

        with _answering(self.name):
            try:
                await obstore.put_async(
                    self._store, path, data, mode=mode, attributes=dict(headers)
                )
            except (AlreadyExistsError, PreconditionError):
                return False
        return True


def open_files(target: str) -> StaticFiles:
    """Return the place that `target` names: `s3://bucket/prefix`, or a folder."""
    if not target.startswith(BUCKET_SCHEME):
        return FolderFiles(Path(target))
    try:
        return BucketFiles(target.rstrip("/"))
    except ImportError as error:
        raise DataExchangeError(
            "缺少存储桶组件，请安装 / the bucket's parts are missing; install:"
            " pip install 'dataexchange[bucket]'"
        ) from error


@contextmanager
def _answering(name: str) -> Iterator[None]:
    """Turn every way in which a bucket can fail into our error; its texts may hold secrets."""
    from obstore.exceptions import BaseError

    try:
        yield
    except (BaseError, OSError) as error:
        raise FilesUnavailableError(f"{name}: {type(error).__name__}") from error


@contextmanager
def _draft(target: Path, data: bytes) -> Iterator[Path]:
    """Provide a file beside `target` that holds `data`, on the disk."""
    draft = target.with_name(f".{target.name}.{uuid4().hex}")
    try:
        with draft.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        yield draft
    finally:
        draft.unlink(missing_ok=True)


def _flush_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _require_same(name: str, found: bytes | None, data: bytes) -> None:
    if found != data:
        raise FileDiffersError(f"{name} 已存在且字节不同 / is there with other bytes")
