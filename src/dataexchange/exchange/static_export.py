"""Write a log as immutable files in the C2SP tlog-tiles layout, so that any web server serves it.

1. What a place holds already ends at its own `checkpoint`.
2. The leaf hashes since then are read, and all tiles are made of them and of what is there.
3. Their root must be the checkpoint's: nothing is written of a log that does not continue.
4. Tiles are written once each, entry bundles too where the place may have them (they hold deals).
5. The checkpoint comes last, so that whatever it covers is there; then partial tiles go that have
   become full.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Final, TypeVar

from dataexchange.errors import IntegrityError
from dataexchange.exchange.static_files import CHECKPOINT, FilesUnavailableError, StaticFiles
from dataexchange.failpoint import reach
from dataexchange.ledger.checkpoint import Checkpoint
from dataexchange.ledger.merkle import HASH_SIZE, leaf_hash
from dataexchange.ledger.note import Note
from dataexchange.ledger.tile import (
    ENTRIES,
    TILE_HEIGHT,
    TILE_WIDTH,
    TileName,
    TileTree,
    bundles,
    decode_bundle,
    grow_tiles,
    partial_tiles,
    tiles,
)

T = TypeVar("T")
AT_ONCE_MAX: Final = 8
STEP_LEAVES: Final = TILE_WIDTH**2


class HistoryDiffersError(IntegrityError):
    """The log does not continue what was published before."""


class PlaceAheadError(IntegrityError):
    """More was published there than this log has, or another log."""


@dataclass(frozen=True, slots=True)
class LogToExport:
    """A signed note, checked by the caller, and how to read the tiles and bundles it covers."""

    note: bytes
    read: Callable[[TileName], Awaitable[bytes]]

    @property
    def checkpoint(self) -> Checkpoint:
        """What the note says."""
        return Checkpoint.parse(Note.parse(self.note).text)


async def export_log(log: LogToExport, files: StaticFiles, *, entries: bool) -> int:
    """Bring a place up to the log's checkpoint; return how many entries are new there.

    `entries` writes entry bundles too. `PlaceAheadError`, `HistoryDiffersError` or
    `FileDiffersError` where the place does not hold the beginning of this log.
    """
    checkpoint, seen = log.checkpoint, await files.read(CHECKPOINT)
    since = _published_size(seen, checkpoint, files)
    made = await _make_tiles(log, files, since)
    await _each(files.add(name.path, data) for name, data in made.items())
    reach("files.tiled")
    if entries:
        written = since if await _has_bundles(files, since) else 0
        names = bundles(checkpoint.size, since=written)
        await _each(_add_bundle(log, files, name, made) for name in names)
        reach("files.bundled")
    if seen != log.note:
        await files.replace_checkpoint(seen, log.note)
    await _prune(files, since, checkpoint.size, entries=entries)
    return checkpoint.size - since


def _published_size(seen: bytes | None, checkpoint: Checkpoint, files: StaticFiles) -> int:
    if seen is None:
        return 0
    published = Checkpoint.parse(Note.parse(seen).text)
    if published.origin != checkpoint.origin or published.size > checkpoint.size:
        raise PlaceAheadError(
            f"{files.name} 已发布 {published.origin} 的 {published.size} 条"
            f" / holds {published.size} entries of {published.origin}, the log has"
            f" {checkpoint.size} of {checkpoint.origin}"
        )
    return published.size


async def _make_tiles(log: LogToExport, files: StaticFiles, since: int) -> dict[TileName, bytes]:
    """Return the tiles to add, by name; their root has been compared with the checkpoint's."""
    checkpoint = log.checkpoint
    names = [name for name in tiles(checkpoint.size, since=since) if name.level == 0]
    data = b"".join(await _each(log.read(name) for name in names))
    done = since % TILE_WIDTH * HASH_SIZE
    leaves = [data[at : at + HASH_SIZE] for at in range(done, len(data), HASH_SIZE)]
    tails = await _tails(files, since)
    wanted = set(tiles(checkpoint.size, since=since))
    made = {name: tile for name, tile in _grow(since, leaves, tails) if name in wanted}
    tree = TileTree(checkpoint.size, lambda level, index, width: tails[level])
    if tree.root() != checkpoint.root:
        raise HistoryDiffersError(
            f"{files.name}：账本不是已发布内容的延续 / the log does not continue what is published"
        )
    return made


async def _tails(files: StaticFiles, size: int) -> dict[int, bytes]:
    """Return the unfinished tile of each level, as the place holds it, to be grown."""
    found = {}
    for name in partial_tiles(size):
        data = await files.read(name.path)
        if data is None:
            # Another exporter was faster, and has removed it.
            raise FilesUnavailableError(f"{files.name} 缺少 / lacks {name.path}")
        found[name.level] = data
    return found


def _grow(
    size: int, leaves: list[bytes], tails: dict[int, bytes]
) -> Iterator[tuple[TileName, bytes]]:
    """Yield the tiles that appending gives, and keep `tails` at the last of each level."""
    for at in range(0, len(leaves), STEP_LEAVES):
        step = leaves[at : at + STEP_LEAVES]
        for name, data in grow_tiles(size, step, lambda level, index, width: tails[level]):
            tails[name.level] = data
            yield name, data
        size += len(step)


async def _has_bundles(files: StaticFiles, size: int) -> bool:
    """Whether entry bundles were written along with the tiles of `size` entries."""
    if not size:
        return True
    *_, last = bundles(size, since=size - 1)
    return await files.read(last.path) is not None


async def _add_bundle(
    log: LogToExport, files: StaticFiles, name: TileName, made: dict[TileName, bytes]
) -> None:
    """Add an entry bundle whose entries have the leaf hashes of the tile beside it."""
    data = await log.read(name)
    hashes = b"".join(map(leaf_hash, decode_bundle(data, name.width)))
    tile = TileName(0, name.index, name.width)
    if hashes != (made.get(tile) or await files.read(tile.path)):
        raise HistoryDiffersError(f"{name.path} 与瓦片不符 / is not of the tiles")
    await files.add(name.path, data)


async def _prune(files: StaticFiles, since: int, size: int, *, entries: bool) -> None:
    """Remove the partial forms of tiles that are full since (C2SP tlog-tiles allows it).

    A reader with an older checkpoint takes the start of the full tile.
    """
    for name in partial_tiles(since):
        if size >> (TILE_HEIGHT * name.level) < (name.index + 1) * TILE_WIDTH:
            continue
        await files.remove_partials(TileName(name.level, name.index).path)
        if entries and name.level == 0:
            await files.remove_partials(TileName(ENTRIES, name.index).path)
        reach("files.pruned")


async def _each(acts: Iterable[Awaitable[T]]) -> list[T]:
    """Await all, some at once, and none that follow a failure; return what they give, in order."""
    results: list[T] = []
    rest = iter(acts)
    while some := list(islice(rest, AT_ONCE_MAX)):
        results += await asyncio.gather(*some)
    return results
