"""The eraser: carries out what the log orders to be erased.

An erasure is an entry first. Keys are destroyed, then rows; whatever fails in between is done
again, at the next erasure, every minute, and at each start.
"""

import asyncio
import logging

from sqlalchemy.ext.asyncio import AsyncEngine
from sqlmodel.ext.asyncio.session import AsyncSession

from dataexchange.content.store import FolderStore
from dataexchange.database import openings, uploads
from dataexchange.database.openings import Pending
from dataexchange.exchange.opening_keys import OpeningKeyLostError, OpeningKeys

PERIOD_SECONDS = 60
ERASURES = frozenset({"opening.erased@1", "content.erased@1"})

_log = logging.getLogger(__name__)


class Eraser:
    """Erases, at once when told of an entry and by itself later; any number may run."""

    def __init__(self, engine: AsyncEngine, keys: OpeningKeys, content: FolderStore) -> None:
        self._engine = engine
        self._keys = keys
        self._content = content
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Erase what is pending, then keep looking."""
        await self.erase()
        self._task = asyncio.create_task(self._run(), name="eraser")

    async def stop(self) -> None:
        """Stop looking."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def erase(self) -> None:
        """Carry out every erasure that is in the log; what fails is logged, and tried again."""
        try:
            async with AsyncSession(self._engine) as session:
                for one in await openings.pending(session):
                    await self._erase_opening(session, one)
                for index in await uploads.pending(session):
                    await uploads.erase(session, index)
                for sha256 in await uploads.forsaken(session):
                    await asyncio.to_thread(self._content.remove, sha256)
        except Exception:  # noqa: BLE001 -- the order stands in the log and is tried again
            _log.exception("erasures were not carried out")

    async def _erase_opening(self, session: AsyncSession, one: Pending) -> None:
        try:
            if one.key_id is not None:
                await asyncio.to_thread(self._keys.destroy, one.key_id)
        except (OSError, OpeningKeyLostError):  # one key must not hold up the others
            _log.exception("the erasure of entry %d was not carried out", one.index)
        else:
            await openings.erase(session, one.index)

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(PERIOD_SECONDS)
            await self.erase()
