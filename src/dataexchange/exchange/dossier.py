"""The bundle of one asset's title: gathered from the newest map, for anyone to verify offline.

Nothing here is trusted by who receives it: `verification.title` judges the same members.
"""

import asyncio
import logging
from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress
from pathlib import Path

import msgspec
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from dataexchange.database import map_store, reading, tile_store
from dataexchange.database.cosignature_store import CosignedCheckpoint
from dataexchange.database.tables import AggregateRow, EntryRow
from dataexchange.errors import RefusalCode
from dataexchange.identity.opening import LOG_KEY
from dataexchange.ledger import merkle
from dataexchange.ledger.map_proof import MapProof, end_of
from dataexchange.ledger.proof import TlogProof
from dataexchange.ledger.verifiable_map import MapError, path_of
from dataexchange.registry.catalogue import catalogue
from dataexchange.rules import State
from dataexchange.rules.reference import kind_of
from dataexchange.rules.refusal import NOT_FOUND
from dataexchange.rules.state import decode
from dataexchange.supervision.completeness import (
    MapCommitment,
    MapConfirmation,
    commitment_key,
)
from dataexchange.verification.anchored import RECEIPT_NAME, Anchored, anchored_size
from dataexchange.verification.bundle import ANCHORS
from dataexchange.verification.title_anchors import CONSISTENCY, encode_consistency
from dataexchange.verification.title_members import CHECKPOINT, DOSSIER, Dossier
from dataexchange.verification.title_set import close, names_any

ENTRIES_MAX = 10_000

_log = logging.getLogger(__name__)

NOT_MAPPED = RefusalCode(
    "title.not_mapped",
    clause="docs/ledger-format.md, map",
    zh="还没有已发布的状态映射覆盖 {key}",
    en="No published map of the ledger covers {key} yet",
    remedy_zh="运营机构提交映射（dataexchange map commit）后再取。",
    remedy_en="Ask again after the operator has committed one (dataexchange map commit).",
    kind="conflict",
)
UNRELATED = RefusalCode(
    "title.unrelated",
    clause="docs/ledger-format.md, title bundle",
    zh="{key} 不涉及资产 {asset}",
    en="{key} does not name {asset}, nor anything of its title",
)
TOO_LONG = RefusalCode(
    "title.too_long",
    clause="docs/ledger-format.md, title bundle",
    zh="该资产的历史有 {count} 条以上，上限 {limit}",
    en="The title's history has more than {count} entries; {limit} at most",
    remedy_zh="请由监管机构或运营机构导出整个账本。",
    remedy_en="Have a regulator or the operator export the whole log.",
)


async def title_members(
    session: AsyncSession,
    asset: str,
    checkpoint: CosignedCheckpoint | None,
    *,
    also: Collection[str] = (),
    confirmed: bool = False,
    receipts: Path | None = None,
) -> dict[str, bytes]:
    """Return the members of the bundle of `asset` under `checkpoint`, with `also` added.

    As of the newest map that it covers or, with `confirmed`, that a regulator confirmed; with the
    newest anchor receipt in the folder `receipts` that it covers.
    """
    size = checkpoint.size if checkpoint is not None else 0
    committed = await _newest_map(session, size, confirmed=confirmed)
    if checkpoint is None or committed is None:
        raise NOT_MAPPED(key=asset)
    commitment = decode(MapCommitment, committed.state)
    confirmations = await _confirmations(session, commitment.covers, size)
    gathered = _Gathered(session, bytes.fromhex(commitment.root))
    try:
        alone = await gathered.close([asset])
        added = [key for key in dict.fromkeys(also) if key not in alone]
        whole = await gathered.close([asset, LOG_KEY, *added])
    except MapError as error:
        raise NOT_MAPPED(key=asset) from error
    indexes = {0, committed.head_index, *confirmations}
    states = gathered.states
    for key in added:
        if not names_any(states[key], alone):
            raise UNRELATED(key=key, asset=asset)
    for key in (key for key, with_history in whole.items() if with_history):
        if key in states:
            indexes |= await _history(session, key, commitment.covers)
        if len(indexes) > ENTRIES_MAX:
            raise TOO_LONG(count=len(indexes), limit=ENTRIES_MAX)
    dossier = Dossier(tuple(added), asset, tuple(confirmations), committed.head_index)
    return {
        DOSSIER: dossier.encode(),
        CHECKPOINT: checkpoint.note,
        **gathered.members,
        **await _entries(session, sorted(indexes), checkpoint),
        **await _anchor(session, checkpoint.size, receipts),
    }


class _Gathered:
    """Map proofs and states, gathered key by key as the states name each other."""

    def __init__(self, session: AsyncSession, root: bytes) -> None:
        self._session = session
        self._root = root
        self._held: dict[str, State | None] = {}
        self.members: dict[str, bytes] = {}

    async def close(self, keys: Sequence[str]) -> dict[str, bool]:
        """Gather all that `keys` draw into the set; return it as `title_set.close` does."""
        steps = close(keys)
        try:
            wanted = next(steps)
            while True:
                self._held |= await self._gather(sorted(wanted - self._held.keys()))
                if missing := [key for key in keys if self._held[key] is None]:
                    raise NOT_MAPPED(key=missing[0])
                wanted = steps.send({key: self._held[key] for key in wanted})
        except StopIteration as end:
            found: dict[str, bool] = end.value
            return found

    @property
    def states(self) -> dict[str, State]:
        """The states gathered, by key; of a key that is proven absent there is none."""
        return {key: state for key, state in self._held.items() if state is not None}

    async def _gather(self, keys: list[str]) -> dict[str, State | None]:
        connection = await self._session.connection()
        paths = {key: path_of(key) for key in keys}
        tiles = await map_store.tiles(connection, self._root, paths.values())
        ends = {key: end_of(self._root, path, tiles) for key, path in paths.items()}
        names = {key: end[32:] for key, (_, end) in ends.items() if end[:32] == paths[key]}
        holdings = await map_store.holdings(connection, list(names.values()))
        held: dict[str, State | None] = dict.fromkeys(keys)
        for key, (siblings, end) in ends.items():
            hexes = tuple(one.hex() for one in siblings)
            if key not in names:
                other = (end[:32].hex(), end[32:].hex()) if end else None
                self.members[f"map/{key}"] = MapProof(key, hexes, other=other).encode()
                continue
            value, state = holdings[names[key]]
            self.members[f"map/{key}"] = MapProof(key, hexes, value).encode()
            self.members[f"state/{key}"] = state
            held[key] = decode(catalogue().states[kind_of(key)], state)
        return held


async def _newest_map(session: AsyncSession, size: int, *, confirmed: bool) -> AggregateRow | None:
    """Return the newest map that was committed, or also confirmed, before entry `size`."""
    kind = MapConfirmation.KIND if confirmed else MapCommitment.KIND
    query = (
        select(AggregateRow)
        .where(AggregateRow.kind == kind, col(AggregateRow.first_index) < size)
        .order_by(col(AggregateRow.first_index).desc())
        .limit(1)
    )
    row = (await session.exec(query)).one_or_none()
    if row is None or not confirmed:
        return row
    covers = decode(MapConfirmation, row.state).covers
    return await session.get(AggregateRow, commitment_key(covers))


async def _confirmations(session: AsyncSession, covers: int, size: int) -> list[int]:
    """Return the indexes of the entries that confirm the map over `covers`, before `size`."""
    query = (
        select(AggregateRow.first_index)
        .where(
            AggregateRow.kind == MapConfirmation.KIND,
            col(AggregateRow.key).startswith(f"{MapConfirmation.KIND}/{covers}/"),
            col(AggregateRow.first_index) < size,
        )
        .order_by(col(AggregateRow.first_index))
    )
    return list(await session.exec(query))


async def _history(session: AsyncSession, key: str, covers: int) -> set[int]:
    """Return the indexes of the entries about `key` among the first `covers`."""
    row = await session.get(AggregateRow, key)
    if row is None:
        raise NOT_FOUND(key=key)
    if row.seq > ENTRIES_MAX:
        raise TOO_LONG(count=row.seq, limit=ENTRIES_MAX)
    indexes = await reading.history(session, key, limit=row.seq)
    return {index for index in indexes if index < covers}


async def _entries(
    session: AsyncSession, indexes: Sequence[int], checkpoint: CosignedCheckpoint
) -> dict[str, bytes]:
    """Return the entries at `indexes`, each with its proof under `checkpoint`."""
    ranges: list[merkle.Range] = []
    for index in indexes:
        ranges += merkle.inclusion_ranges(index, checkpoint.size)
    tree = await tile_store.tree(session, checkpoint.size, ranges)
    members: dict[str, bytes] = {}
    for index, body in await _bodies(session, indexes):
        path = tuple(tree.inclusion_proof(index))
        members[f"entry/{index}"] = body
        members[f"proof/{index}"] = TlogProof(index, path, checkpoint.note).encode()
    return members


async def _anchor(session: AsyncSession, size: int, receipts: Path | None) -> dict[str, bytes]:
    """Return the newest receipt up to `size` with the proofs of the roots in it; or nothing."""
    found = await asyncio.to_thread(_newest_receipt, receipts, size) if receipts else None
    if found is None:
        return {}
    said, data = found
    members = {ANCHORS + said.name: data}
    for old in {said.size, said.previous_size} - {0, size}:
        tree = await tile_store.tree(session, size, merkle.consistency_ranges(old, size))
        members[f"{CONSISTENCY}{old}"] = encode_consistency(tree.consistency_proof(old))
    return members


def _newest_receipt(folder: Path, size: int) -> tuple[Anchored, bytes] | None:
    """Return the newest receipt up to `size`; a file that is none would spoil the title."""
    names = (path.name for path in folder.glob("*.json") if RECEIPT_NAME.fullmatch(path.name))
    for name in sorted((one for one in names if anchored_size(one) <= size), reverse=True):
        with suppress(msgspec.DecodeError, UnicodeDecodeError, OSError):
            data = (folder / name).read_bytes()
            said = msgspec.json.decode(data, type=Anchored)
            if said.name == name and said.previous_size < said.size:
                return said, data
        _log.warning("%s is no anchor receipt", folder / name)
    return None


async def _bodies(session: AsyncSession, indexes: Iterable[int]) -> Sequence[tuple[int, bytes]]:
    query = select(EntryRow.index, EntryRow.body).where(col(EntryRow.index).in_(list(indexes)))
    return list(await session.exec(query))
