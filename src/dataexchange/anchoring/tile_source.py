"""Checkpoints and consistency proofs from a log's public tiles (C2SP tlog-tiles), over HTTP.

The worker needs no login of the database, and runs as well beside a CDN's copy. Nothing that comes
is believed: a checkpoint must meet the policy, and a proof must lead to the root that it signs.
What does not is no answer (`UnavailableError`): a cache may lag, and only a log that signs two
histories is a fork.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Final

import httpx

from dataexchange.anchoring.errors import SourceUnavailableError
from dataexchange.anchoring.source import TreeHead
from dataexchange.errors import IntegrityError
from dataexchange.ledger import merkle
from dataexchange.ledger.merkle import HASH_SIZE, Range, verify_consistency
from dataexchange.ledger.policy import Policy
from dataexchange.ledger.tile import TILE_HEIGHT, TILE_WIDTH, TileName, TileTree, tiles_for

TIMEOUT_SECONDS: Final = 15


class TileSource:
    """A `CheckpointSource` and the inclusion proofs of one log, read from its address."""

    def __init__(self, http: httpx.AsyncClient, policy: Policy, origin: str) -> None:
        self._http = http
        self._policy = policy
        self._origin = origin
        self._newest: TreeHead | None = None

    async def latest(self) -> TreeHead:
        """Return the newest checkpoint; witnesses' cosignatures count where the policy asks."""
        note = await self._fetch("checkpoint")
        try:
            checkpoint = self._policy.verify(note, origin=self._origin).checkpoint
        except IntegrityError as error:
            raise SourceUnavailableError(f"/checkpoint: {error}") from error
        self._newest = TreeHead(checkpoint.size, checkpoint.root)
        return self._newest

    async def consistency_proof(self, old_size: int, size: int) -> Sequence[bytes]:
        """Return the proof from `old_size` to `size`, 0 < old_size ≤ size.

        It leads to a root under the newest checkpoint; whether it starts at the root that the
        caller knows is the caller's question.
        """
        proof, _ = await self._prove(old_size, await self.head_at(size))
        return proof

    async def head_at(self, size: int) -> TreeHead:
        """Return the log's root at `size`, proven to be under the newest checkpoint."""
        head = self._newest
        if head is None or head.size < size:
            head = await self.latest()
        if head.size < size:
            raise SourceUnavailableError(f"the newest checkpoint covers {head.size}, not {size}")
        if head.size == size:
            return head
        _, root = await self._prove(size, head)
        return TreeHead(size, root)

    async def inclusion(self, index: int, size: int) -> tuple[bytes, list[bytes]]:
        """Return the leaf hash of entry `index` and its path in the tree of `size`."""
        await self.head_at(size)
        leaf: Range = (index, index + 1)
        tree = await self._tree(size, [leaf, *merkle.inclusion_ranges(index, size)])
        return tree.leaf(index), tree.inclusion_proof(index)

    async def _prove(self, old_size: int, head: TreeHead) -> tuple[Sequence[bytes], bytes]:
        """Return the proof from `old_size` to a head, and the root that it starts from."""
        if old_size == head.size:
            return (), head.root
        ranges = [(0, old_size), *merkle.consistency_ranges(old_size, head.size)]
        tree = await self._tree(head.size, ranges)
        proof, old_root = tree.consistency_proof(old_size), tree.prefix_root(old_size)
        try:
            verify_consistency(old_size, head.size, proof, old_root=old_root, root=head.root)
        except IntegrityError as error:
            raise SourceUnavailableError(f"the tiles are not the checkpoint's: {error}") from error
        return proof, old_root

    async def _tree(self, size: int, ranges: Iterable[Range]) -> TileTree:
        names = sorted(tiles_for(ranges, size))
        found = dict(zip(names, await asyncio.gather(*map(self._tile, names)), strict=True))
        return TileTree(size, lambda level, index, width: found[TileName(level, index, width)])

    async def _tile(self, name: TileName) -> bytes:
        """Return a tile, cut from what the newest checkpoint has, or from the full tile since."""
        wide = self._widest(name)
        try:
            data = await self._fetch(wide.path)
        except SourceUnavailableError:
            if wide.is_full:
                raise
            data = await self._fetch(TileName(name.level, name.index).path)
        data = data[: name.width * HASH_SIZE]
        if len(data) != name.width * HASH_SIZE:
            raise SourceUnavailableError(f"/{wide.path}: {len(data)} bytes")
        return data

    def _widest(self, name: TileName) -> TileName:
        """Return the tile as the newest checkpoint has it: narrower ones may be gone."""
        size = self._newest.size if self._newest else 0
        width = (size >> (TILE_HEIGHT * name.level)) - name.index * TILE_WIDTH
        return TileName(name.level, name.index, min(TILE_WIDTH, max(width, name.width)))

    async def _fetch(self, path: str) -> bytes:
        try:
            response = await self._http.get(path)
        except httpx.HTTPError as error:
            raise SourceUnavailableError(f"/{path}: {type(error).__name__}") from error
        if response.status_code != httpx.codes.OK:
            raise SourceUnavailableError(f"/{path}: HTTP {response.status_code}")
        return response.content


@asynccontextmanager
async def tile_source(url: str, policy: Policy, origin: str) -> AsyncIterator[TileSource]:
    """Provide the source at the log's address `url`, such as `https://log.example.org`."""
    base = url.rstrip("/") + "/"
    async with httpx.AsyncClient(base_url=base, timeout=TIMEOUT_SECONDS) as http:
        yield TileSource(http, policy, origin)
