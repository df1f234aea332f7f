"""The publisher: keeps tiles and signs checkpoints of what the sequencer has written.

Any number of processes may run one. All sign the same roots, and the first to write a size wins.
A head is read as the sequencer left it, between batches, so no checkpoint splits linked events.
"""

import asyncio
import logging
from datetime import UTC, datetime

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from dataexchange.database import tile_store
from dataexchange.database.tables import CheckpointRow, HeadRow
from dataexchange.errors import IntegrityError
from dataexchange.exchange.write_guard import WriteGuard
from dataexchange.ledger.checkpoint import Checkpoint, sign_checkpoint
from dataexchange.ledger.merkle import Frontier
from dataexchange.ledger.note import Signer

_log = logging.getLogger(__name__)


class Publisher:
    """Publishes a checkpoint whenever the log has grown, at most once per `period_seconds`."""

    def __init__(
        self,
        engine: AsyncEngine,
        signer: Signer,
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
        async with AsyncSession(self._engine, expire_on_commit=False) as session, session.begin():
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
            note = sign_checkpoint(
                Checkpoint(head.origin, head.size, frontier.root()), self._signer
            )
            row = {"size": head.size, "note": note.decode(), "signed_at": datetime.now(UTC)}
            await (await session.connection()).execute(
                insert(CheckpointRow).values(row).on_conflict_do_nothing()
            )
        self.published_size = head.size

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(self._period_seconds)
            try:
                await self.publish()
            except Exception:  # noqa: BLE001 -- the next period tries again
                _log.exception("a checkpoint was not published")
