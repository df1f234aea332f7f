"""The bundle: a zip of a checkpoint, tiles, entry bundles and content, all in C2SP layout.

checkpoint            the signed note
tile/entries/…        the entries
tile/<L>/…            hash tiles
content/<sha256>      what hashes in entries stand for
anchors/…             receipts of anchors on an EVM chain
sealed/<commitment>   what opens sealed fields: salt, then value
"""

import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import IO, TypeAlias

from dataexchange.ledger.sealing import SALT_BYTES, VALUE_SIZE_MAX
from dataexchange.ledger.tile import (
    ENTRIES,
    TILE_WIDTH,
    TileError,
    TileName,
    bundles,
    decode_bundle,
    tiles,
)
from dataexchange.verification.anchored import RECEIPT_NAME
from dataexchange.verification.verdict import UnsoundError, UnusableError
from dataexchange.verification.zipped import open_member, open_zip

CHECKPOINT = "checkpoint"
CHECKPOINT_BYTES_MAX = 1_000_000
TILE_BYTES_MAX = 256 * 65_537
CONTENT_BYTES_MAX = 1 << 30
PIECE_BYTES = 1 << 20
ANCHORS = "anchors/"
ANCHOR_BYTES_MAX = 1_000_000
OPENING_BYTES_MAX = SALT_BYTES + VALUE_SIZE_MAX

_CONTENT = re.compile(r"content/[0-9a-f]{64}")
_OPENING = re.compile(r"sealed/[0-9a-f]{64}")
_ADDED = re.compile(rf"{_CONTENT.pattern}|{_OPENING.pattern}")


Stamp: TypeAlias = tuple[int, int, int]  # of the file: inode, size, time


class Bundle:
    """A bundle file, read member by member; nothing is trusted for being in it."""

    def __init__(self, path: Path) -> None:
        self.path = path.resolve()
        try:
            self._zip = open_zip(path)
        except Exception as error:  # a damaged directory raises whatever its reader stumbles on
            raise UnusableError(f"{path} 不是可读的证据包 / is not a readable bundle") from error
        found = path.stat()
        self.stamp = (found.st_ino, found.st_size, found.st_mtime_ns)
        names = self._zip.namelist()
        self._sizes = {info.filename: info.file_size for info in self._zip.infolist()}
        if len(names) != len(self._sizes):
            raise UnsoundError("bundle.duplicate", "证据包有重名成员", "a member appears twice")
        if CHECKPOINT not in self._sizes:
            raise UnusableError("证据包里没有检查点 / the bundle has no checkpoint")
        self.has_contents = any(map(_CONTENT.fullmatch, self._sizes))

    def close(self) -> None:
        """Close the file."""
        self._zip.close()

    @property
    def checkpoint(self) -> bytes:
        """The signed note."""
        return self._read(CHECKPOINT, CHECKPOINT_BYTES_MAX)

    @property
    def contents(self) -> list[str]:
        """The hashes (hex) that content is given for."""
        return [name.removeprefix("content/") for name in self._sizes if _CONTENT.fullmatch(name)]

    def content(self, sha256: str) -> bytes:
        """Return the content given for a hash, not checked."""
        return self._read(f"content/{sha256}", CONTENT_BYTES_MAX)

    def has_content(self, sha256: str) -> bool:
        """Tell whether the content given for a hash has it; it is read in small pieces."""
        with self._opened(f"content/{sha256}", CONTENT_BYTES_MAX) as member:
            digest = hashlib.sha256()
            while piece := member.read(PIECE_BYTES):
                digest.update(piece)
            return digest.hexdigest() == sha256

    @property
    def anchors(self) -> list[str]:
        """The names of the anchor receipts, by size."""
        return sorted(name for name in self._sizes if _is_anchor(name))

    def anchor(self, name: str) -> bytes:
        """Return a receipt's bytes, not checked."""
        return self._read(name, ANCHOR_BYTES_MAX)

    @property
    def openings(self) -> list[str]:
        """The commitments (hex) that openings are given for."""
        return [name.removeprefix("sealed/") for name in self._sizes if _OPENING.fullmatch(name)]

    def opening(self, commitment: str) -> bytes:
        """Return the preimage given for a commitment, not checked."""
        return self._read(f"sealed/{commitment}", OPENING_BYTES_MAX)

    def require_exactly(self, size: int) -> None:
        """Refuse a bundle with members that a log of `size` does not have, or without its own.

        What is missing is told first: the log can have signed any size, and no more names are made
        than the bundle has members, and one.
        """
        needed = {CHECKPOINT}
        for name in chain(bundles(size), tiles(size)):
            if name.path not in self._sizes:
                raise UnsoundError(
                    "bundle.missing_member",
                    f"证据包缺少 {name.path}",
                    f"member {name.path} is missing",
                    _first_index(name.path),
                )
            needed.add(name.path)
        for found in self._sizes:
            if not (found in needed or _ADDED.fullmatch(found) or _is_anchor(found)):
                raise UnsoundError(
                    "bundle.unknown_member",
                    f"证据包含有不属于该检查点的成员 {found}",
                    f"member {found} belongs to nothing that the checkpoint covers",
                )

    def entry(self, index: int, size: int) -> bytes:
        """Return the bytes of one entry of a log of `size`."""
        return next(self.entries(size, index, index + 1))[0]

    def holding(self, mark: bytes, size: int, since: int = 0) -> Iterator[list[bytes]]:
        """Yield the entries, member by member, of those members that hold `mark` anywhere."""
        for name in bundles(size, since=since):
            if mark in self._read(name.path, TILE_BYTES_MAX):
                first = name.index * TILE_WIDTH
                yield from self.entries(size, max(since, first), first + name.width)

    def entries(self, size: int, since: int = 0, until: int | None = None) -> Iterator[list[bytes]]:
        """Yield the bytes of a log's entries in order, part by part: all, or a range of them."""
        for name in bundles(size, since=since):
            first = name.index * TILE_WIDTH
            if until is not None and first >= until:
                return
            data = self._read(name.path, TILE_BYTES_MAX)
            try:
                bodies = decode_bundle(data, name.width)
                yield bodies[max(0, since - first) : None if until is None else until - first]
            except TileError as error:
                raise UnsoundError(
                    "bundle.damaged",
                    f"{name.path} 已损坏",
                    f"{name.path}: {error}",
                    first,
                ) from error

    def tile(self, level: int, index: int, width: int) -> bytes:
        """Return a hash tile's bytes, not checked."""
        return self._read(TileName(level, index, width).path, TILE_BYTES_MAX)

    def _read(self, name: str, bytes_max: int) -> bytes:
        with self._opened(name, bytes_max) as member:
            return member.read()

    @contextmanager
    def _opened(self, name: str, bytes_max: int) -> Iterator[IO[bytes]]:
        """Provide a member of at most `bytes_max` bytes; its reader stops where it says it ends."""
        if self._sizes.get(name, 0) > bytes_max:
            raise UnsoundError("bundle.too_large", f"{name} 过大", f"{name} is too large")
        try:
            with open_member(self._zip, name) as member:
                yield member
        except Exception as error:  # zipfile's own, and those of its decompressors
            raise _damaged(name) from error


def _is_anchor(name: str) -> bool:
    return name.startswith(ANCHORS) and RECEIPT_NAME.fullmatch(name, len(ANCHORS)) is not None


def _damaged(name: str) -> UnsoundError:
    index = _first_index(name)
    return UnsoundError("bundle.damaged", f"{name} 已损坏", f"{name} cannot be read", index)


def _first_index(name: str) -> int | None:
    """Return the first entry that a missing or broken member holds, where it holds any."""
    try:
        tile = TileName.parse(name)
    except TileError:
        return None
    return tile.index * TILE_WIDTH if tile.level == ENTRIES else None
