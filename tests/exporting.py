"""A log whose entries follow from its size, exported by a process that can be killed, and judged.

`python exporting.py FOLDER SIZE` brings the folder up to `SIZE` entries.
"""

import asyncio
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from dataexchange.exchange.static_export import LogToExport, export_log
from dataexchange.exchange.static_files import CHECKPOINT, FolderFiles
from dataexchange.ledger import merkle
from dataexchange.ledger.checkpoint import Checkpoint, sign_checkpoint
from dataexchange.ledger.note import Ed25519Signer, Note
from dataexchange.ledger.tile import (
    ENTRIES,
    TILE_WIDTH,
    TileName,
    bundles,
    encode_bundle,
    grow_tiles,
    tiles,
)

SIGNER = Ed25519Signer("log.test/numbered", b"\x07" * 32)


class LogOfEntries:
    """A log, and the files that it makes."""

    def __init__(self, entries: Sequence[bytes]) -> None:
        self.size = len(entries)
        self._entries = entries
        self.leaves = [merkle.leaf_hash(entry) for entry in entries]
        made = grow_tiles(0, self.leaves, lambda level, index, width: b"")
        self._tiles = {(name.level, name.index): data for name, data in made}

    def file(self, name: TileName) -> bytes:
        """Return the only bytes that this file may have."""
        if name.level == ENTRIES:
            start = name.index * TILE_WIDTH
            return encode_bundle(self._entries[start : start + name.width])
        return self._tiles[name.level, name.index][: name.width * merkle.HASH_SIZE]

    async def read(self, name: TileName) -> bytes:
        """Return a tile or a bundle."""
        return self.file(name)

    def root(self, size: int) -> bytes:
        """Return the root over the first `size` entries."""
        return merkle.root(self.leaves[:size])


class NumberedLog(LogOfEntries):
    """The log of `size` numbered entries."""

    def __init__(self, size: int) -> None:
        super().__init__([b"entry %d" % index for index in range(size)])


def visible(folder: Path) -> dict[str, bytes]:
    """Return what a reader can find in a folder: its files by path, drafts and locks left out."""
    found = {}
    for path in folder.rglob("*"):
        if path.is_file() and not path.name.startswith("."):
            with suppress(FileNotFoundError):  # a partial tile that went meanwhile
                found[str(path.relative_to(folder))] = path.read_bytes()
    return found


def published_size(folder: Path, log: LogOfEntries) -> int:
    """Return the size of the checkpoint in `folder`; every file there must be as it should.

    Each has the only bytes that it may have, and all that the checkpoint covers are there.
    """
    note = (folder / CHECKPOINT).read_bytes()
    found = visible(folder)
    del found[CHECKPOINT]
    for path, data in found.items():
        assert data == log.file(TileName.parse(path)), path
    checkpoint = Checkpoint.parse(Note.parse(note).text)
    assert checkpoint.root == log.root(checkpoint.size)
    for name in (*tiles(checkpoint.size), *bundles(checkpoint.size)):
        full = TileName(name.level, name.index)  # may have come already, and the partial gone
        assert name.path in found or full.path in found, name.path
    return checkpoint.size


async def export(folder: Path, log: LogOfEntries) -> None:
    """Bring `folder` up to `log`."""
    note = sign_checkpoint(Checkpoint(SIGNER.name, log.size, log.root(log.size)), SIGNER)
    await export_log(LogToExport(note, log.read), FolderFiles(folder), entries=True)


if __name__ == "__main__":
    asyncio.run(export(Path(sys.argv[1]), NumberedLog(int(sys.argv[2]))))
