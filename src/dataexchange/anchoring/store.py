"""Where the worker keeps its state and receipts: the protocol, and a folder that follows it.

FOLDER/
  state.json            the worker's state
  receipts/SIZE-HASH.json    one file for each final anchor, never changed
  orphaned/SIZE-HASH.json    receipts whose block left the chain after all
  lease                 locked by the worker that runs
"""

import asyncio
import fcntl
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from pathlib import Path
from typing import Protocol
from uuid import uuid4

from dataexchange.anchoring.errors import LeaseTakenError
from dataexchange.anchoring.receipt import AnchorReceipt, read_receipt
from dataexchange.anchoring.state import WorkerState, decode, encode


class AnchorStore(Protocol):
    """Durable memory of one worker. A write has reached the disk when it returns."""

    def lease(self) -> AbstractAsyncContextManager[None]:
        """Hold the store alone; `LeaseTakenError` where another worker does."""
        ...

    async def load(self) -> WorkerState | None:
        """Return the state that was saved last."""
        ...

    async def save(self, state: WorkerState) -> None:
        """Replace the state, as a whole or not at all."""
        ...

    async def add_receipt(self, receipt: AnchorReceipt) -> None:
        """Keep a receipt. The same one may come again after a crash."""
        ...

    async def receipts(self) -> Sequence[AnchorReceipt]:
        """Return the receipts that stand, by size."""
        ...

    async def orphan_receipt(self, receipt: AnchorReceipt) -> None:
        """Set aside a receipt whose block is no longer on the chain."""
        ...


class FileStore:
    """An `AnchorStore` in a folder. Writes are flushed, then renamed into place."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._receipts = folder / "receipts"
        self._orphaned = folder / "orphaned"
        for path in (folder, self._receipts, self._orphaned):
            path.mkdir(mode=0o700, parents=True, exist_ok=True)

    @asynccontextmanager
    async def lease(self) -> AsyncIterator[None]:
        """Lock the folder; the lock falls with the process that holds it."""
        with (self._folder / "lease").open("wb") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise LeaseTakenError(f"another worker holds {self._folder}") from None
            yield

    async def load(self) -> WorkerState | None:
        """Return the state, or None in a new folder."""
        return await asyncio.to_thread(self._load)

    async def save(self, state: WorkerState) -> None:
        """Replace `state.json`."""
        await asyncio.to_thread(_write, self._folder / "state.json", encode(state))

    async def add_receipt(self, receipt: AnchorReceipt) -> None:
        """Write the receipt's file."""
        path = self._receipts / _name(receipt)
        await asyncio.to_thread(_write, path, encode(receipt))

    async def receipts(self) -> Sequence[AnchorReceipt]:
        """Read every receipt, by size."""
        return await asyncio.to_thread(read_receipts, self._receipts)

    async def orphan_receipt(self, receipt: AnchorReceipt) -> None:
        """Move the receipt's file to `orphaned/`."""
        await asyncio.to_thread(self._orphan, _name(receipt))

    def _load(self) -> WorkerState | None:
        with suppress(FileNotFoundError):
            return decode((self._folder / "state.json").read_bytes(), WorkerState)
        return None

    def _orphan(self, name: str) -> None:
        (self._receipts / name).replace(self._orphaned / name)
        _flush_folder(self._orphaned)
        _flush_folder(self._receipts)


def read_receipts(folder: Path) -> list[AnchorReceipt]:
    """Return the receipts in a folder, such as a bundle's `anchors/`, by size."""
    files = (read_receipt(path.read_bytes()) for path in folder.glob("*.json"))
    return sorted(files, key=lambda receipt: (receipt.size, receipt.block_number))


def _name(receipt: AnchorReceipt) -> str:
    # As a bundle's member: zeros in front, so that names sort as sizes do.
    return f"{receipt.size:020d}-{bytes(receipt.block_hash).hex()[:16]}.json"


def _write(path: Path, data: bytes) -> None:
    """Put `data` at `path` so that a crash leaves the old file or the new one."""
    draft = path.with_name(f".{path.name}.{uuid4().hex}")
    try:
        with draft.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    _flush_folder(path.parent)


def _flush_folder(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
