"""Carry a log away: fetch checkpoint, tiles and content, and write the bundle.

What comes from the exchange is not trusted here and need not be: `verify` judges the bundle.
"""

import re
import zipfile
from collections.abc import AsyncIterable, Awaitable, Callable, Iterable
from pathlib import Path

from dataexchange.client.anchors import AnchorFile
from dataexchange.ledger.checkpoint import Checkpoint
from dataexchange.ledger.entry import Entry, EntryError
from dataexchange.ledger.note import Note
from dataexchange.ledger.sealing import Opening
from dataexchange.ledger.tile import ENTRIES, TILE_WIDTH, bundles, decode_bundle, tiles

Fetch = Callable[[str], Awaitable[bytes]]
FetchContent = Callable[[str], Awaitable[bytes | None]]
FetchOpenings = Callable[[int], Awaitable[Iterable[Opening]]]

_HASH = re.compile(rb'"([0-9a-f]{64})"')
# Members get one fixed time: the same log gives the same bundle, byte for byte.
_EPOCH = (2020, 1, 1, 0, 0, 0)


async def export(
    fetch: Fetch,
    to: Path,
    fetch_content: FetchContent | None = None,
    *,
    receipts: AsyncIterable[AnchorFile] | None = None,
    fetch_openings: FetchOpenings | None = None,
) -> int:
    """Write the bundle of the latest checkpoint to `to`; return the number of entries.

    `fetch_content` gives the content for a hash that an entry names, or `None`; `fetch_openings`
    what is to be shown of the sealed fields of an entry. Of the anchor `receipts`, those of no more
    entries than the bundle has go in.
    """
    note = await fetch("/checkpoint")
    size = Checkpoint.parse(Note.parse(note).text).size
    temporary = to.with_suffix(".part")
    try:
        with zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as bundle:
            _write(bundle, "checkpoint", note)
            sealing = await _fill(bundle, size, fetch, fetch_content)
            if fetch_openings is not None:
                await _open(bundle, sealing, fetch_openings)
            if receipts is not None:
                await _add(bundle, size, receipts)
        temporary.replace(to)
    finally:
        temporary.unlink(missing_ok=True)
    return size


async def _fill(
    bundle: zipfile.ZipFile, size: int, fetch: Fetch, fetch_content: FetchContent | None
) -> list[int]:
    """Write tiles and content; return the indexes of the entries that seal something."""
    named: dict[str, None] = {}
    sealing: list[int] = []
    for tile in (*bundles(size), *tiles(size)):
        data = await fetch(f"/{tile.path}")
        _write(bundle, tile.path, data)
        if tile.level == ENTRIES:
            bodies = decode_bundle(data, tile.width)
            first = tile.index * TILE_WIDTH
            sealing += [first + at for at, body in enumerate(bodies) if b'"sealed":{' in body]
            named.update(dict.fromkeys(_hashes(bodies)))
    for sha256 in named:
        content = await fetch_content(sha256) if fetch_content is not None else None
        if content is not None:
            _write(bundle, f"content/{sha256}", content)
    return sealing


async def _open(bundle: zipfile.ZipFile, sealing: list[int], fetch: FetchOpenings) -> None:
    """Write openings of the entries at the indexes `sealing`, each once."""
    opened = {one.commitment: one for index in sealing for one in await fetch(index)}
    for commitment, opening in opened.items():
        _write(bundle, f"sealed/{commitment}", opening.preimage)


async def _add(bundle: zipfile.ZipFile, size: int, receipts: AsyncIterable[AnchorFile]) -> None:
    async for receipt in receipts:
        if receipt.size <= size:
            _write(bundle, f"anchors/{receipt.name}", receipt.data)


def _write(bundle: zipfile.ZipFile, name: str, data: bytes) -> None:
    info = zipfile.ZipInfo(name, _EPOCH)
    info.compress_type = zipfile.ZIP_DEFLATED
    info.external_attr = 0o644 << 16
    bundle.writestr(info, data)


def _hashes(entries: Iterable[bytes]) -> Iterable[str]:
    """Yield what payloads name by hash; the hashes that chain entries stand for no content."""
    for body in entries:
        try:
            payload = Entry.parse(body).statement.payload
        except EntryError:
            continue  # `verify` will say so
        yield from (found.decode() for found in _HASH.findall(payload))
