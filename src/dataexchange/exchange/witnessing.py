"""Have the policy's witnesses cosign each new checkpoint, and stop writing if one knows better.

One process at a time leads, by a lock in the database: it sends one checkpoint to all witnesses at
once, until the quorum is met or no more answers come, and then the newest again. So witnesses of
different speed meet on one checkpoint. Appends never wait for any of this. Every process asks all
witnesses once when it starts, and hears what the leader finds later.
"""

import asyncio
import json
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress

import httpx
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlmodel.ext.asyncio.session import AsyncSession

from dataexchange.database import cosignature_store, reading, tile_store
from dataexchange.database.engine import DATABASE_ERRORS
from dataexchange.database.log_store import Connection
from dataexchange.database.tables import CheckpointRow, CosignatureRow
from dataexchange.errors import DataExchangeError, RefusalCode
from dataexchange.exchange.clock import Clock
from dataexchange.exchange.witness_site import WitnessAheadError, WitnessSite, sites_of
from dataexchange.exchange.write_guard import CODES, LOG_BEHIND, LOG_FORKED, WriteGuard
from dataexchange.failpoint import reach
from dataexchange.ledger import merkle
from dataexchange.ledger.checkpoint import Checkpoint
from dataexchange.ledger.note import Note, Signature
from dataexchange.ledger.policy import Policy
from dataexchange.witness import InconsistentError, WitnessError
from dataexchange.witness.client import last_checkpoint

ROUND_SECONDS_MAX = 10.0
START_SECONDS_MAX = 5.0
PERIOD_SECONDS = 0.25
LEADER_LOCK = 4_801_774_203
CHANNEL = "dataexchange_write_guard"

_log = logging.getLogger(__name__)


class Witnessing:
    """Gathers cosignatures for `policy`; closes `guard` where the log is behind or forked."""

    def __init__(
        self,
        engine: AsyncEngine,
        connect: Callable[[], Awaitable[Connection]],
        policy: Policy,
        *,
        guard: WriteGuard,
        clock: Clock,
    ) -> None:
        self.policy = policy
        self.sites = sites_of(policy)
        self._engine = engine
        self._connect = connect
        self._guard = guard
        self._clock = clock
        self._http = httpx.AsyncClient(timeout=httpx.Timeout(5, connect=2))
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Ask every witness once, for a few seconds at most; then keep asking."""
        async with AsyncSession(self._engine) as session:
            for site in self.sites:
                last = await cosignature_store.last_of(session, site.vkey)
                site.known = last.size if last is not None else 0
        await self._ask_all(START_SECONDS_MAX, everyone=True)
        self._task = asyncio.create_task(self._run(), name="witnessing")

    async def stop(self) -> None:
        """Stop asking; what was not answered yet is asked again after the next start."""
        tasks = [task for task in (self._task, *(site.task for site in self.sites)) if task]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._http.aclose()

    async def _run(self) -> None:
        while True:
            try:
                await self._lead()
            except DATABASE_ERRORS as error:
                _log.warning("witnesses are not asked: %s", type(error).__name__)
            except Exception:  # noqa: BLE001 -- the next attempt is in a second
                _log.exception("witnesses are not asked")
            await asyncio.sleep(1)

    async def _lead(self) -> None:
        """Wait for the lead, then ask in rounds for as long as the connection holds."""
        connection = await self._connect()
        try:
            await connection.add_listener(CHANNEL, self._heard)
            await _take_lead(connection)
            for site in self.sites:
                site.cosigned = -1  # the database may be another than before
            while True:
                await self._ask_all(ROUND_SECONDS_MAX)
                await connection.execute("select pg_notify($1, $2)", CHANNEL, self._news())
                await asyncio.sleep(PERIOD_SECONDS)
        finally:
            connection.terminate()

    def _news(self) -> str:
        """Return what the other processes must know of the guard."""
        return json.dumps({"confirmed": self._guard.is_confirmed, "found": self._guard.found})

    def _heard(self, _connection: object, _pid: int, _channel: str, payload: object) -> None:
        news = json.loads(str(payload))
        if news["found"] is not None:
            code, facts = news["found"]
            self._guard.close(CODES[code], **facts)
        if news["confirmed"]:
            self._guard.confirm()

    async def _ask_all(self, seconds_max: float, *, everyone: bool = False) -> None:
        """Send the newest checkpoint to all who are due, until the quorum, or `everyone`, is in."""
        target = await self._newest()
        if target is None:
            return
        asked = [site for site in self.sites if site.is_due(target.size)]
        for site in asked:
            site.task = asyncio.create_task(self._ask(site, target), name=f"witness {site.name}")
        running = {site.task for site in asked if site.task is not None}
        until = time.monotonic() + seconds_max
        while running and (everyone or not self._is_met(target.size)):
            left = until - time.monotonic()
            done, running = await asyncio.wait(
                running, timeout=left, return_when=asyncio.FIRST_COMPLETED
            )
            if not done:
                return

    def _is_met(self, size: int) -> bool:
        return self.policy.is_met_by([one.name for one in self.sites if one.cosigned == size])

    async def _ask(self, site: WitnessSite, target: CheckpointRow) -> None:
        try:
            reach("witnessing.asking")
            signature = await site.cosign(self._http, target.note.encode(), self._prove)
            reach("witnessing.cosigned")
            await self._keep(site, target.size, signature)
        except InconsistentError as error:
            site.failed(error)
            await self._close(site, target, LOG_FORKED, known=site.known)
        except WitnessAheadError as error:
            site.failed(error)
            with suppress(*DATABASE_ERRORS):
                newest = await self._newest()
                # Unless another process of ours fed it, it holds what we lost.
                if newest is not None and newest.size < error.size:
                    facts = {"size": newest.size, "known": error.size}
                    await self._close(site, newest, LOG_BEHIND, **facts)
        except (DataExchangeError, *DATABASE_ERRORS) as error:
            site.failed(error)

    async def _close(
        self, site: WitnessSite, signed: CheckpointRow, code: RefusalCode, **facts: int
    ) -> None:
        """Stop writing, and log what the witness shows beside what is signed here: the evidence."""
        if self._guard.found is not None:
            return
        self._guard.close(code, source=f"witness {site.name}", **facts)
        with suppress(WitnessError):
            origin = Checkpoint.parse(Note.parse(signed.note.encode()).text).origin
            shown = await last_checkpoint(self._http, site.url, origin)
            _log.critical("witness %s shows %r; here is %r", site.name, shown, signed.note)

    async def _keep(self, site: WitnessSite, size: int, signature: Signature) -> None:
        """Keep a cosignature; with the one that makes the quorum, the checkpoint is published."""
        row = CosignatureRow(
            size=size,
            witness=site.vkey,
            line=signature.line(),
            received_at=self._clock.now(),
        )
        async with AsyncSession(self._engine) as session, session.begin():
            await cosignature_store.keep(session, row)
        reach("witnessing.kept")
        site.succeeded(size)
        self._guard.confirm()
        await self._publish(size)

    async def _publish(self, size: int) -> None:
        async with AsyncSession(self._engine) as session, session.begin():
            row = await session.get(CheckpointRow, size)
            if row is None:
                return
            found = await cosignature_store.cosigned(session, row, self.policy)
            if self.policy.is_met_by(found.witnesses):
                await cosignature_store.publish(session, size, self._clock.now())
                reach("witnessing.publishing")
        reach("witnessing.published")

    async def _newest(self) -> CheckpointRow | None:
        async with AsyncSession(self._engine) as session:
            return await reading.latest_checkpoint(session)

    async def _prove(self, old: int, size: int) -> Sequence[bytes]:
        if old in (0, size):
            return ()
        async with AsyncSession(self._engine) as session:
            tree = await tile_store.tree(session, size, merkle.consistency_ranges(old, size))
        return tree.consistency_proof(old)


async def _take_lead(connection: Connection) -> None:
    """Return once this connection holds the lead; it stays idle meanwhile, to hear the leader."""
    while True:
        if await connection.fetchval("select pg_try_advisory_lock($1)", LEADER_LOCK):
            return
        await asyncio.sleep(1)
