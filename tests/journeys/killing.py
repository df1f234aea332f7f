"""Kill the service, or the database under it, while clients write; then ask what the log holds.

The oracle is the clients' own journal, synced to disk before a statement is sent and after its
answer is seen. `scripts/chaos kill --rounds N` runs this for longer than a test should take.
"""

import asyncio
import multiprocessing
import os
import random
import signal
import socket
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import asyncpg
import httpx

from dataexchange import failpoint
from dataexchange.cli import main
from dataexchange.client.exchange_client import signed
from dataexchange.client.signing import Actor
from dataexchange.client.typeid import new_id
from dataexchange.database.embedded import OWNER_ROLE, EmbeddedPostgres
from dataexchange.exchange.check import check
from dataexchange.exchange.log_key import create
from dataexchange.ledger.note import SignatureType
from dataexchange.ledger.policy import Policy
from dataexchange.rules import Role
from exporting import LogOfEntries, published_size
from witness_server import ServedWitness, policy_of
from world import ORIGIN, World

CLIENTS = 8
SERVICES = 2
REACH_SECONDS_MAX = 20
# A service starts as a fork of a process that has loaded its code, so that rounds are short.
FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["dataexchange.api", "dataexchange.cli.serving"])


def serve(settings: dict[str, str], log: Path) -> None:
    """Serve, in a process of its own, as the command line does."""
    os.environ.update(settings)
    failpoint.arm(settings["DATAEXCHANGE_FAILPOINT"])
    output = os.open(log, os.O_APPEND | os.O_CREAT | os.O_WRONLY)
    os.dup2(output, 1)
    os.dup2(output, 2)
    sys.argv = ["dataexchange", "serve"]
    main()


@dataclass
class Counts:
    """What a campaign found; `killed_at` counts the kills by place and victim."""

    rounds: int = 0
    acknowledged: int = 0
    lost: int = 0
    twice: int = 0
    settled_by_retry: int = 0
    unsound: int = 0
    not_reached: list[str] = field(default_factory=list)
    killed_at: Counter[str] = field(default_factory=Counter)
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
class Service:
    """One serving process, of several on one database."""

    port: int
    process: "multiprocessing.process.BaseProcess | None" = None

    @property
    def is_alive(self) -> bool:
        return self.process is not None and self.process.is_alive()

    async def kill(self) -> None:
        """SIGKILL it."""
        assert self.process is not None
        self.process.kill()
        await asyncio.to_thread(self.process.join)

    def http(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(base_url=f"http://127.0.0.1:{self.port}", timeout=20)

    async def until_ready(self) -> None:
        async with self.http() as http:
            for _ in range(600):
                try:
                    if (await http.get("/health/ready")).status_code == 200:
                        return
                except httpx.TransportError:
                    pass
                await asyncio.sleep(0.1)
        raise TimeoutError("the service did not come up")


@dataclass
class Campaign:
    """Services on a database of their own, killed and started again."""

    folder: Path
    seed: int
    postgres: EmbeddedPostgres = field(init=False)
    world: World = field(init=False)
    member: Actor = field(init=False)
    counts: Counts = field(default_factory=Counts)
    witness: ServedWitness = field(init=False)
    pause_seconds: float = 0.05  # between a client's statements: what is written is replayed

    def __post_init__(self) -> None:
        self.postgres = EmbeddedPostgres(self.folder / "postgres")
        self.journal = Journal(self.folder / "journal")
        self.chance = random.Random(self.seed)
        self.services = [Service(free_port()) for _ in range(SERVICES)]
        log_key = create(self.folder / "data" / "log.key", ORIGIN, SignatureType.ED25519)
        self.witness = ServedWitness(self.folder, "witness.test", [log_key.vkey])
        policy = policy_of(log_key.vkey, [self.witness], 1).encode()
        (self.folder / "policy").write_bytes(policy)
        self._policy = Policy.parse(policy)
        self._running = ExitStack()

    async def begin(self) -> None:
        """Start everything and open the log."""
        self._running.enter_context(self.witness.up())
        await asyncio.to_thread(self.postgres.start)
        await self.start(self.services[0])
        async with self.services[0].http() as http:
            vkeys = (await http.get("/v1/log")).json()["vkeys"]
        self.world = World(log_keys=vkeys)
        operator = self.world.operator
        opening = self.world.entries[0].submission.payload.model_dump(
            mode="json", exclude_none=True
        )
        self.member = self.world.actor()
        profile = self.world.profile(self.member, Role.PROVIDER)
        admission = {"party": self.member.party, "roles": ["provider"]}
        async with self.services[0].http() as http:
            for actor, event, said in (
                (operator, "log.opened@1", opening),
                (self.member, "party.applied@1", profile),
                (operator, "party.admitted@1", admission),
            ):
                answer = await http.post(
                    "/v1/events", content=signed(actor, actor.state(event, said)).body
                )
                assert answer.status_code == 201, answer.text
        for service in self.services[1:]:
            await self.start(service)

    async def at_random(self, victim: str) -> None:
        """Kill a service or the database at any moment under load."""
        if not self.services[0].is_alive:
            await self.start(self.services[0])

        async def kill() -> bool:
            await asyncio.sleep(self.chance.uniform(0.3, 1.2))
            await (self.kill_database() if victim == "database" else self.services[0].kill())
            return True

        await self._round(f"random, {victim}", kill)

    async def at(self, point: str, victim: str) -> None:
        """Kill the first service, or the database under it, as that service passes `point`.

        It is started anew for this, under load from the others, and may die before it is ready.
        """
        service = self.services[0]
        pid = f":{self.postgres.pid}" if victim == "database" else ""
        # Some places are passed once only, or by one service only once the other is gone.
        is_seldom = point.startswith(("tile.", "witnessing.", "files."))
        passes = 1 if is_seldom else self.chance.choice((1, 1, 2, 5))
        if service.is_alive:
            await service.kill()
        await self.start(service, f"{point}:{passes}{pid}", is_ready=False)
        dead = self._database_is_dead if victim == "database" else lambda: not service.is_alive

        async def killed() -> bool:
            until = time.monotonic() + REACH_SECONDS_MAX
            while not dead():
                if time.monotonic() > until:
                    self.counts.not_reached.append(f"{point}, {victim}")
                    await service.kill()  # or it would reach it while others recover
                    return False
                await asyncio.sleep(0.02)
            await asyncio.sleep(0.2)
            return True

        await self._round(f"{point}, {victim}", killed)

    def _database_is_dead(self) -> bool:
        return self.postgres.pid is None

    async def _round(self, name: str, killed: Callable[[], Awaitable[bool]]) -> None:
        """Write from many clients until the kill, recover, and settle what nobody knows.

        What recovers is the database, and every service that lives; a killed one may stay dead.
        """
        load = asyncio.create_task(self._load())
        if await killed():
            self.counts.killed_at[name] += 1
        started = time.monotonic()
        load.cancel()
        await asyncio.gather(load, return_exceptions=True)
        await asyncio.to_thread(self.postgres.start)
        living = [service for service in self.services if service.is_alive]
        for service in living:
            await service.until_ready()
        self.counts.recovery_seconds.append(round(time.monotonic() - started, 2))
        await self._settle(living[-1])
        await self._judge()
        self.counts.rounds += 1

    async def kill_database(self) -> None:
        """SIGKILL the postmaster."""
        os.kill(self.postgres.pid or 0, signal.SIGKILL)
        await asyncio.sleep(0.2)

    async def start(self, service: Service, asked: str = "", *, is_ready: bool = True) -> None:
        """Start a service, and wait until it is ready unless it may be killed before."""
        settings = {
            "DATAEXCHANGE_DATABASE_URL": self.postgres.dsn(),
            "DATAEXCHANGE_OWNER_DATABASE_URL": self.postgres.dsn(OWNER_ROLE),
            "DATAEXCHANGE_ORIGIN": ORIGIN,
            "DATAEXCHANGE_DATA_FOLDER": str(self.folder / "data"),
            "DATAEXCHANGE_PORT": str(service.port),
            "DATAEXCHANGE_POLICY_FILE": str(self.folder / "policy"),
            "DATAEXCHANGE_PUBLISH_ENTRIES_TO": str(self.folder / "published"),
            "DATAEXCHANGE_PUBLISH_PERIOD_SECONDS": "0.2",
            "DATAEXCHANGE_FAILPOINT": asked,
        }
        service.process = FORKS.Process(target=serve, args=(settings, self.folder / "service.log"))
        await asyncio.to_thread(service.process.start)
        if is_ready:
            await service.until_ready()

    async def end(self) -> None:
        """Stop everything."""
        for service in self.services:
            if service.process is not None:
                service.process.terminate()
                await asyncio.to_thread(service.process.join)
        await asyncio.to_thread(self.postgres.stop)
        await asyncio.to_thread(self._running.close)
        self.journal.close()

    async def until_all_is_cosigned(self) -> int:
        """Wait until all entries are cosigned and published; return their count."""
        async with self.services[1].http() as http:
            size = (await http.get("/v1/log")).json()["size"]
            for _ in range(200):
                note = (await http.get("/checkpoint")).content
                if self._policy.verify(note).checkpoint.size == size:
                    return int(size)
                await asyncio.sleep(0.1)
        raise TimeoutError("the newest checkpoint is not cosigned")

    async def _load(self) -> None:
        """Write through all services, or, to append without the lock, through the first alone."""
        chosen = self.services[:1] if self.chance.random() < 0.5 else self.services
        await asyncio.gather(*(self._client(chosen[n % len(chosen)]) for n in range(CLIENTS)))

    async def _client(self, service: Service) -> None:
        async with service.http() as http:
            while True:
                said = {"party": self.member.party, "group": new_id("group"), "evidence": "x"}
                operator = self.world.operator
                sent = signed(operator, operator.state("party.grouped@1", said))
                self.journal.send(sent.id, sent.body)
                try:
                    answer = await http.post("/v1/events", content=sent.body)
                except httpx.TransportError:
                    await asyncio.sleep(0.5)  # killed, or not up yet
                    continue
                if answer.status_code in (200, 201):
                    self.journal.acknowledge(sent.id)
                await asyncio.sleep(self.pause_seconds)

    async def _settle(self, service: Service) -> None:
        """Send everything of unknown fate again, the same bytes."""
        async with service.http() as http:
            for one in self.journal.unknown():
                answer = await http.post("/v1/events", content=self.journal.sent[one])
                assert answer.status_code in (200, 201), answer.text
                self.journal.acknowledge(one)
                self.counts.settled_by_retry += 1

    async def _judge(self) -> None:
        """Every acknowledged statement stands in the log once; database and files fit the log."""
        connection = await asyncpg.connect(self.postgres.dsn())
        try:
            rows = await connection.fetch("select statement_id, count(*) n from entry group by 1")
            entries = await connection.fetch("select body from entry order by index")
            async with connection.transaction(isolation="repeatable_read", readonly=True):
                checked = await check(connection, self._policy)
        finally:
            await connection.close()
        found = {row["statement_id"]: row["n"] for row in rows}
        self.counts.acknowledged = len(self.journal.acknowledged)
        self.counts.lost += sum(one not in found for one in self.journal.acknowledged)
        self.counts.twice += sum(count > 1 for count in found.values())
        if not checked.is_sound:
            self.counts.unsound += 1
            sys.stderr.write("\n".join(map(str, checked.findings.faults[:5])) + "\n")
        if (self.folder / "published" / "checkpoint").exists():
            published_size(self.folder / "published", LogOfEntries([row[0] for row in entries]))


def free_port() -> int:
    """Return a port that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
