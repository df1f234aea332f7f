"""The publisher: keeps tiles and signs checkpoints of what the sequencer has written.

Any number of processes may run one. All sign the same roots, and the first to write a size wins.
A head is read as the sequencer left it, between batches, so no checkpoint splits linked events.
Of the keys that are at hand those sign that the log has in use at that size.
"""

import asyncio
import logging
from datetime import UTC, datetime

from sqlalchemy import func, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from dataexchange.database import tile_store
from dataexchange.database.tables import AggregateRow, CheckpointRow, HeadRow
from dataexchange.errors import IntegrityError
from dataexchange.exchange.write_guard import LOG_BEHIND, WriteGuard
from dataexchange.failpoint import reach
from dataexchange.identity.opening import LOG_KEY, Log
from dataexchange.ledger import merkle
from dataexchange.ledger.checkpoint import Checkpoint
from dataexchange.ledger.merkle import Frontier
from dataexchange.rules.state import decode
from dataexchange.signer.signer import AheadError, CheckpointSigner

_log = logging.getLogger(__name__)
_LOCK = text("select pg_advisory_xact_lock(4801774202)")


class Publisher:
    """Publishes a checkpoint whenever the log has grown, at most once per `period_seconds`."""

    def __init__(
        self,
        engine: AsyncEngine,
        signer: CheckpointSigner,
        period_seconds: float = 0.5,
        guard: WriteGuard | None = None,
    ) -> None:
        self._engine = engine
        self._signer = signer
        self._period_seconds = period_seconds
        self._guard = guard or WriteGuard()
        self._task: asyncio.Task[None] | None = None
        self.published_size = -1

    async def start(self) -> None:
        """Publish what is there, then keep publishing."""
        await self.publish()
        self._task = asyncio.create_task(self._run(), name="publisher")

    async def stop(self) -> None:
        """Publish once more, then stop."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self.publish()

    async def publish(self) -> None:
        """Sign a checkpoint of the log as it is, unless one of its size is signed already.

        Nothing is signed of a log that is behind or forked.
        """
        if self._guard.found is not None:
            return
        try:
            async with (
                AsyncSession(self._engine, expire_on_commit=False) as session,
                session.begin(),
            ):
                await self._publish(session)
            reach("publisher.committed")
        except AheadError as error:
            size = await self._size()
            # Else another process signed a larger size meanwhile; the next period finds it.
            if size < error.size:
                self._guard.close(LOG_BEHIND, source="signer 签名进程", size=size, known=error.size)

    async def _publish(self, session: AsyncSession) -> None:
        # One publisher at a time: each checkpoint names the one before it.
        await (await session.connection()).execute(_LOCK)
        reach("publisher.locked")
        head = (await session.exec(select(HeadRow))).one_or_none()
        if head is None or head.size == self.published_size:
            return
        if head.size < self.published_size:
            self._guard.close_behind(head.size, self.published_size)
            return
        frontier = Frontier.from_bytes(head.frontier)
        if frontier.size != head.size:
            raise IntegrityError(f"the frontier is of {frontier.size}, the head of {head.size}")
        await tile_store.grow(session, head.size)
        reach("publisher.grown")
        vkeys = await self._vkeys(session, head.size)
        if not vkeys:
            _log.error("no key of checkpoints at hand is in use by the log; nothing is published")
            return

        async def prove(old: int) -> list[bytes]:
            ranges = merkle.consistency_ranges(old, head.size)
            return (await tile_store.tree(session, head.size, ranges)).consistency_proof(old)

        checkpoint = Checkpoint(head.origin, head.size, frontier.root())
        note = await self._signer.sign(checkpoint, vkeys, prove)
        previous = select(func.coalesce(func.max(CheckpointRow.size), -1))
        row = {
            "size": head.size,
            "previous": (await session.exec(previous)).one(),
            "note": note.decode(),
            "signed_at": datetime.now(UTC),
        }
        await (await session.connection()).execute(
            insert(CheckpointRow).values(row).on_conflict_do_nothing()
        )
        reach("publisher.signed")
        self.published_size = head.size

    async def _vkeys(self, session: AsyncSession, size: int) -> tuple[str, ...]:
        """Return the keys at hand that are in use by a log of `size`; all, before it is opened."""
        row = await session.get(AggregateRow, LOG_KEY)
        if size == 0 or row is None:
            return self._signer.vkeys
        in_use = decode(Log, row.state).keys.valid
        return tuple(one for one in self._signer.vkeys if in_use.get(one, size) < size)

    async def _size(self) -> int:
        async with AsyncSession(self._engine) as session:
            return (await session.exec(select(HeadRow.size))).one()

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(self._period_seconds)
            try:
                await self.publish()
            except Exception:  # noqa: BLE001 -- the next period tries again
                _log.exception("a checkpoint was not published")
