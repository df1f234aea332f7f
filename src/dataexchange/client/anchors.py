"""Anchor receipts as files: their names, and a folder of them."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import NamedTuple

from dataexchange.verification.anchored import RECEIPT_NAME, anchored_size


class AnchorFile(NamedTuple):
    """A receipt's file, not checked."""

    name: str
    data: bytes

    @property
    def size(self) -> int:
        """The number of entries that its name says were anchored."""
        return anchored_size(self.name)


async def read_folder(folder: Path) -> AsyncIterator[AnchorFile]:
    """Yield the receipts in a worker's folder, or in its `receipts`, by size."""
    inner = folder / "receipts"
    for path in await asyncio.to_thread(_receipt_paths, inner if inner.is_dir() else folder):
        yield AnchorFile(path.name, await asyncio.to_thread(path.read_bytes))


def _receipt_paths(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if RECEIPT_NAME.fullmatch(path.name))
