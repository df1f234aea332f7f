"""Kill the service, or the database under it, while clients write; then ask what the log holds.

The oracle is the clients' own journal, synced to disk before a statement is sent and after its
answer is seen. `scripts/chaos kill --rounds N` runs this for longer than a test should take.
"""

import asyncio
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

import asyncpg
import httpx

from dataexchange.client.exchange_client import signed
from dataexchange.client.signing import Actor
from dataexchange.client.typeid import new_id
from dataexchange.database.embedded import OWNER_ROLE, EmbeddedPostgres
from dataexchange.exchange.rebuild import rebuild
from dataexchange.rules import Role
from world import ORIGIN, World

CLIENTS = 8
SERVE = "from dataexchange.cli import main; main()"


@dataclass
class Counts:
    """What a campaign found."""

    rounds: int = 0
    acknowledged: int = 0
    lost: int = 0
    twice: int = 0
    settled_by_retry: int = 0
    recovery_seconds: list[float] = field(default_factory=list)


class Journal:
    """What clients sent and what was acknowledged, on disk before anything rests on it."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("ab", buffering=0)
        self.sent: dict[str, bytes] = {}
        self.acknowledged: set[str] = set()

    def send(self, statement_id: str, body: bytes) -> None:
        self._write(b"sent " + statement_id.encode())
        self.sent[statement_id] = body

    def acknowledge(self, statement_id: str) -> None:
        self._write(b"acknowledged " + statement_id.encode())
        self.acknowledged.add(statement_id)

    def unknown(self) -> list[str]:
        return [one for one in self.sent if one not in self.acknowledged]

    def close(self) -> None:
        self._file.close()

    def _write(self, line: bytes) -> None:
        self._file.write(line + b"\n")
        os.fsync(self._file.fileno())


@dataclass
class Campaign:
    """A service on a database of its own, killed and started again."""

    folder: Path
    seed: int
    postgres: EmbeddedPostgres = field(init=False)
    world: World = field(default_factory=World)
    member: Actor = field(init=False)
    counts: Counts = field(default_factory=Counts)
    _service: "subprocess.Popen[bytes] | None" = None

    def __post_init__(self) -> None:
        self.postgres = EmbeddedPostgres(self.folder / "postgres")
        self.journal = Journal(self.folder / "journal")
        self.chance = random.Random(self.seed)
        self.port = free_port()

    async def begin(self) -> None:
        """Start everything and open the log."""
        await asyncio.to_thread(self.postgres.start)
        await self.start()
        operator = self.world.operator
        opening = self.world.entries[0].submission.payload.model_dump(
            mode="json", exclude_none=True
        )
        self.member = self.world.actor()
        profile = self.world.profile(self.member, Role.PROVIDER)
        admission = {"party": self.member.party, "roles": ["provider"]}
        async with self.http() as http:
            for actor, event, said in (
                (operator, "log.opened@1", opening),
                (self.member, "party.applied@1", profile),
                (operator, "party.admitted@1", admission),
            ):
                answer = await http.post(
                    "/v1/events", content=signed(actor, actor.state(event, said)).body
                )
                assert answer.status_code == 201, answer.text

    async def round(self, kill: Callable[[], Awaitable[None]]) -> None:
        """Write from many clients, kill, recover, and settle what nobody knows."""
        load = asyncio.create_task(self._load())
        await asyncio.sleep(self.chance.uniform(0.3, 1.2))
        await kill()
        started = time.monotonic()
        load.cancel()
        await asyncio.gather(load, return_exceptions=True)
        await asyncio.to_thread(self.postgres.start)
        await self.start()
        self.counts.recovery_seconds.append(round(time.monotonic() - started, 2))
        await self._settle()
        await self._judge()
        self.counts.rounds += 1

    async def kill_service(self) -> None:
        """SIGKILL the serving process."""
        assert self._service is not None
        self._service.send_signal(signal.SIGKILL)
        await asyncio.to_thread(self._service.wait)

    async def kill_database(self) -> None:
        """SIGKILL the postmaster, and then the service."""
        os.kill(self.postgres.pid or 0, signal.SIGKILL)
        await asyncio.sleep(0.2)
        await self.kill_service()

    async def start(self) -> None:
        """Start the service and wait until it is ready."""
        environment = {
            **os.environ,
            "DATAEXCHANGE_DATABASE_URL": self.postgres.dsn(),
            "DATAEXCHANGE_OWNER_DATABASE_URL": self.postgres.dsn(OWNER_ROLE),
            "DATAEXCHANGE_ORIGIN": ORIGIN,
            "DATAEXCHANGE_DATA_FOLDER": str(self.folder / "data"),
            "DATAEXCHANGE_PORT": str(self.port),
            "PYTHONPATH": os.pathsep.join(sys.path),
        }
        with (self.folder / "service.log").open("ab") as log:
            self._service = await asyncio.to_thread(
                subprocess.Popen,
                [sys.executable, "-c", SERVE, "serve"],
                env=environment,
                stdout=log,
                stderr=log,
            )
        async with self.http() as http:
            for _ in range(600):
                try:
                    if (await http.get("/health/ready")).status_code == 200:
                        return
                except httpx.TransportError:
                    pass
                await asyncio.sleep(0.1)
        raise TimeoutError("the service did not come up")

    async def end(self) -> None:
        """Stop everything."""
        if self._service is not None:
            self._service.terminate()
            await asyncio.to_thread(self._service.wait)
        await asyncio.to_thread(self.postgres.stop)
        self.journal.close()

    def http(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(base_url=f"http://127.0.0.1:{self.port}", timeout=20)

    async def _load(self) -> None:
        async with self.http() as http:
            await asyncio.gather(*(self._client(http) for _ in range(CLIENTS)))

    async def _client(self, http: httpx.AsyncClient) -> None:
        while True:
            said = {"party": self.member.party, "group": new_id("group"), "evidence": "x"}
            operator = self.world.operator
            sent = signed(operator, operator.state("party.grouped@1", said))
            self.journal.send(sent.id, sent.body)
            try:
                answer = await http.post("/v1/events", content=sent.body)
            except httpx.TransportError:
                return
            if answer.status_code in (200, 201):
                self.journal.acknowledge(sent.id)

    async def _settle(self) -> None:
        """Send everything of unknown fate again, the same bytes."""
        async with self.http() as http:
            for one in self.journal.unknown():
                answer = await http.post("/v1/events", content=self.journal.sent[one])
                assert answer.status_code in (200, 201), answer.text
                self.journal.acknowledge(one)
                self.counts.settled_by_retry += 1

    async def _judge(self) -> None:
        """Every acknowledged statement stands in the log once, and the log replays."""
        connection = await asyncpg.connect(self.postgres.dsn())
        rows = await connection.fetch("select statement_id, count(*) n from entry group by 1")
        await connection.close()
        found = {row["statement_id"]: row["n"] for row in rows}
        self.counts.acknowledged = len(self.journal.acknowledged)
        self.counts.lost += sum(one not in found for one in self.journal.acknowledged)
        self.counts.twice += sum(count > 1 for count in found.values())
        assert (await rebuild(self.postgres.dsn())).differing == ()


def free_port() -> int:
    """Return a port that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
