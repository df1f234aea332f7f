"""Keeps the log's immutable files at their places up to the newest published checkpoint.

Any number of processes may run one: files are written once, and the checkpoint is replaced only by
who has seen the one before.
"""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncEngine
from sqlmodel.ext.asyncio.session import AsyncSession

from dataexchange.database import tile_store
from dataexchange.database.cosignature_store import published_checkpoint
from dataexchange.errors import IntegrityError
from dataexchange.exchange.static_export import (
    HistoryDiffersError,
    LogToExport,
    PlaceAheadError,
    export_log,
)
from dataexchange.exchange.static_files import StaticFiles
from dataexchange.exchange.write_guard import LOG_FORKED, WriteGuard
from dataexchange.ledger.policy import Policy
from dataexchange.ledger.tile import TileName

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Place:
    """Where files go, and whether entry bundles may go there: they hold deals."""

    files: StaticFiles
    entries: bool


class StaticPublisher:
    """Exports to every place, at most once per `period_seconds`.

    Where a place holds another history nothing more is written, neither files nor entries; where a
    file has other bytes, nothing more is written there.
    """

    def __init__(
        self,
        engine: AsyncEngine,
        policy: Policy | None,
        places: Sequence[Place],
        *,
        guard: WriteGuard,
        period_seconds: float,
    ) -> None:
        self._engine = engine
        self._policy = policy
        self._places = places
        self._guard = guard
        self._period_seconds = period_seconds
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Keep exporting."""
        if self._places:
            self._task = asyncio.create_task(self._run(), name="static publisher")

    async def stop(self) -> None:
        """Stop; what was begun is finished at the next start."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def export(self) -> None:
        """Bring every place up to the newest published checkpoint."""
        async with AsyncSession(self._engine) as session:
            published = await published_checkpoint(session, self._policy)
        if published is None or self._guard.found is not None:
            return
        log = LogToExport(published.note, self._read)
        for place in self._places:
            try:
                await export_log(log, place.files, entries=place.entries)
            except HistoryDiffersError:
                source = f"published files 已发布文件 {place.files.name}"
                self._guard.close(LOG_FORKED, source=source, known=log.checkpoint.size)
            except PlaceAheadError:
                # Another process was faster; whether the log is behind is asked at the start.
                continue
            except IntegrityError:
                _log.critical("%s holds other bytes", place.files.name, exc_info=True)

    async def _read(self, name: TileName) -> bytes:
        async with AsyncSession(self._engine) as session:
            return await tile_store.read_tile(session, name)

    async def _run(self) -> None:
        while True:
            try:
                await self.export()
            except Exception:  # noqa: BLE001 -- the next period tries again
                _log.exception("the log's files were not written")
            await asyncio.sleep(self._period_seconds)
