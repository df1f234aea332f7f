"""Durable signed events a second, beside `pgbench` on the same server in the same run.

Every event is a real one of about 1 KB: canonical form, signature, key, rules, states, chain and
Merkle frontier included. The load generator and the database share the machine.
"""

import argparse
import asyncio
import gc
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT / "src"), str(ROOT / "tests")]

import asyncpg  # noqa: E402 -- found on the path above
import uvloop  # noqa: E402

from dataexchange.client.exchange_client import signed  # noqa: E402
from dataexchange.client.signing import Actor  # noqa: E402
from dataexchange.client.typeid import new_id  # noqa: E402
from dataexchange.database.embedded import OWNER_ROLE, EmbeddedPostgres  # noqa: E402
from dataexchange.database.engine import connect  # noqa: E402
from dataexchange.database.migrate import migrate  # noqa: E402
from dataexchange.exchange import intake  # noqa: E402
from dataexchange.exchange.batch import Receipt  # noqa: E402
from dataexchange.exchange.clock import Clock  # noqa: E402
from dataexchange.exchange.sequencer import Sequencer  # noqa: E402
from dataexchange.ledger.entry import encode_signature  # noqa: E402
from dataexchange.rules import Role  # noqa: E402
from steps_pipeline import elements  # noqa: E402
from world import ORIGIN, World  # noqa: E402

BATCH = 100
Row = dict[str, Any]
ABSTRACT = "全市路段逐时平均车速，按日更新，供公交调度与城市配送使用。" * 3


def resource(actor: Actor) -> tuple[str, dict[str, Any]]:
    """Return an event that registers a resource; about 1 KB as a statement."""
    said = elements(abstract=ABSTRACT)
    return "resource.registered@1", {
        "asset": new_id("asset"),
        "level": "enterprise",
        "elements": said,
    }


def bodies(actor: Actor, count: int) -> list[bytes]:
    """Return `count` events, each under its own signature."""
    return [signed(actor, actor.state(*resource(actor))).body for _ in range(count)]


def batches(actor: Actor, count: int) -> list[bytes]:
    """Return `count` batches of 100 events under one signature."""
    made = []
    for _ in range(count):
        stated = [actor.state(*resource(actor)) for _ in range(BATCH)]
        texts = b",".join(one.body for one in stated)
        signature = encode_signature(actor.sign_whole(stated))
        made.append(b'{"signature":%b,"statements":[%b]}' % (signature, texts))
    return made


class Meter:
    """Latencies of one measurement, and how many events it wrote."""

    def __init__(self, each: int) -> None:
        self.each = each
        self.seconds: list[float] = []
        self.started = time.perf_counter()

    def row(self, name: str, callers: int) -> Row:
        """Return the row of this measurement."""
        elapsed = time.perf_counter() - self.started
        ordered = sorted(self.seconds) or [0.0]
        return {
            "what": name,
            "callers": callers,
            "events_per_second": round(len(self.seconds) * self.each / elapsed),
            "p50_ms": round(ordered[len(ordered) // 2] * 1e3, 2),
            "p99_ms": round(ordered[min(len(ordered) - 1, len(ordered) * 99 // 100)] * 1e3, 2),
        }


async def drive(
    name: str,
    work: list[bytes],
    callers: int,
    *,
    each: int,
    send: Callable[[int], Callable[[bytes], Awaitable[None]]],
    seconds: float,
) -> Row:
    """Let `callers` send `work` until it or the time is used up."""
    pending: Iterator[bytes] = iter(work)
    gc.collect()
    meter = Meter(each)
    deadline = meter.started + seconds

    async def caller(number: int) -> None:
        sender = send(number)
        for body in pending:
            begun = time.perf_counter()
            if begun > deadline:
                return
            await sender(body)
            meter.seconds.append(time.perf_counter() - begun)

    await asyncio.gather(*(caller(number) for number in range(callers)))
    return meter.row(name, callers)


async def in_process(dsn: str, actor: Actor, options: argparse.Namespace) -> list[Row]:
    """Measure the sequencer itself, statements read and signatures checked."""
    sequencer = Sequencer(lambda: connect(dsn), ORIGIN, Clock())
    await sequencer.start()

    def one(_: int) -> Callable[[bytes], Awaitable[None]]:
        async def send(body: bytes) -> None:
            (outcome,) = await sequencer.submit([intake.read_one(body)])
            assert isinstance(outcome, Receipt), outcome

        return send

    def batch(_: int) -> Callable[[bytes], Awaitable[None]]:
        async def send(body: bytes) -> None:
            outcomes = await sequencer.submit(intake.read_batch(body))
            assert all(isinstance(outcome, Receipt) for outcome in outcomes)

        return send

    rows = []
    count = int(12_000 * options.seconds / 5)
    for callers in (1, 16, 64, 256):
        work = bodies(actor, count if callers > 1 else count // 6)
        name = "in-process, a signature each"
        rows.append(await drive(name, work, callers, each=1, send=one, seconds=options.seconds))
    for callers in (1, 4):
        work = batches(actor, int(600 * options.seconds / 5))
        name = "in-process, 100 under one signature"
        rows.append(
            await drive(name, work, callers, each=BATCH, send=batch, seconds=options.seconds)
        )
    await sequencer.stop()
    return rows


class Wire(asyncio.Protocol):
    """One kept-alive HTTP connection that sends a POST and waits for its answer: no more."""

    def __init__(self) -> None:
        self.answer: asyncio.Future[None] | None = None
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        """Take part of an answer."""
        self._buffer += data
        head, separator, body = self._buffer.partition(b"\r\n\r\n")
        if not separator:
            return
        length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        if len(body) < length or self.answer is None:
            return
        self._buffer = b""
        if head[9:12] not in (b"200", b"201") or b'"problem"' in body:
            self.answer.set_exception(RuntimeError(f"{head[:60]!r} {body[:300]!r}"))
        else:
            self.answer.set_result(None)

    async def post(self, path: bytes, body: bytes) -> None:
        """Send one request and wait for its answer."""
        self.answer = asyncio.get_running_loop().create_future()
        self.transport.write(  # type: ignore[attr-defined]
            b"POST %b HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
            b"Content-Length: %d\r\n\r\n%b" % (path, len(body), body)
        )
        await self.answer


async def over_http(
    server: EmbeddedPostgres, folder: Path, actor: Actor, options: argparse.Namespace
) -> list[Row]:
    """Measure a real service, with one worker process and with two."""
    rows: list[Row] = []
    for workers in (1, 2):
        port = _free_port()
        with _service(server, folder, port, workers):
            await _until_open(port)
            rows += await _measure_http(port, workers, actor, options)
    return rows


async def _measure_http(
    port: int, workers: int, actor: Actor, options: argparse.Namespace
) -> list[Row]:
    loop = asyncio.get_running_loop()
    wires = [(await loop.create_connection(Wire, "127.0.0.1", port))[1] for _ in range(64)]

    def to(path: bytes) -> Callable[[int], Callable[[bytes], Awaitable[None]]]:
        return lambda number: lambda body: wires[number].post(path, body)

    label = f"HTTP, {workers} worker{'s' if workers > 1 else ''}"
    seconds, scale = options.seconds, options.seconds / 5
    rows = []
    plans = [
        (f"{label}, one caller", bodies(actor, int(2_000 * scale)), 1, 1, b"/v1/events"),
        (f"{label}, a signature each", bodies(actor, int(12_000 * scale)), 64, 1, b"/v1/events"),
        (f"{label}, 100 a POST", batches(actor, int(600 * scale)), 4, BATCH, b"/v1/events/batch"),
    ]
    for name, work, callers, each, path in plans:
        row = await drive(name, work, callers, each=each, send=to(path), seconds=seconds)
        rows.append(row)
    for wire in wires:
        wire.transport.close()
    return rows


class _service:  # noqa: N801 -- a context, read as one
    def __init__(self, server: EmbeddedPostgres, folder: Path, port: int, workers: int) -> None:
        environment = {
            **os.environ,
            "DATAEXCHANGE_DATABASE_URL": server.dsn(),
            "DATAEXCHANGE_OWNER_DATABASE_URL": server.dsn(OWNER_ROLE),
            "DATAEXCHANGE_ORIGIN": ORIGIN,
            "DATAEXCHANGE_DATA_FOLDER": str(folder / "data"),
            "PYTHONPATH": os.pathsep.join(sys.path),
        }
        program = "from dataexchange.cli import main; main()"
        serve = ["serve", "--port", str(port), "--workers", str(workers)]
        self.process = subprocess.Popen(
            [sys.executable, "-c", program, *serve],
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def __enter__(self) -> None: ...

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        self.process.wait()


def pgbench(server: EmbeddedPostgres, folder: Path, seconds: float) -> list[Row]:
    """Measure single-row inserts of 1 KB with the system's pgbench; empty where there is none."""
    program = shutil.which("pgbench") or _newest("/usr/lib/postgresql/*/bin/pgbench")
    if program is None:
        print("no pgbench on this machine: ratios are left out", file=sys.stderr)
        return []
    script = folder / "insert.sql"
    script.write_text("insert into bench_rows (body) values (repeat('x', 1000)::bytea);\n")
    dsn = server.dsn(OWNER_ROLE)
    rows = []
    for clients in (1, 16, 32, 64):
        jobs = ["-c", str(clients), "-j", "2", "-T", str(max(2, int(seconds)))]
        done = subprocess.run(
            [program, "-n", "-M", "prepared", *jobs, "-f", str(script), dsn],
            capture_output=True,
            text=True,
            check=True,
        )
        tps = next(line for line in done.stdout.splitlines() if line.startswith("tps"))
        rate = round(float(tps.split("=")[1].split()[0]))
        rows.append(
            {
                "what": "pgbench, one row of 1 KB",
                "callers": clients,
                "events_per_second": rate,
                "p50_ms": None,
                "p99_ms": None,
            }
        )
    return rows


def with_ratios(rows: list[Row]) -> list[Row]:
    """Add to each row its ratio to pgbench with the nearest number of clients, and with 32."""
    base = {row["callers"]: row["events_per_second"] for row in rows if "pgbench" in row["what"]}
    for row in rows:
        if base:
            nearest = min(base, key=lambda clients: abs(clients - row["callers"]))
            row["of_pgbench_same"] = round(row["events_per_second"] / base[nearest], 2)
            row["of_pgbench_32"] = round(row["events_per_second"] / base[32], 2)
    return rows


async def measure(options: argparse.Namespace) -> list[Row]:
    """Run everything on one server."""
    with tempfile.TemporaryDirectory(prefix="dataexchange-bench-") as name:
        folder = Path(name)
        async with EmbeddedPostgres(folder / "postgres") as server:
            owner = server.dsn(OWNER_ROLE)
            await migrate(owner)
            connection = await asyncpg.connect(owner)
            await connection.execute(
                "create table bench_rows (id bigserial primary key, body bytea)"
            )
            await connection.close()
            rows = pgbench(server, folder, options.seconds)
            actor = await _opened(server.dsn())
            rows += await in_process(server.dsn(), actor, options)
            rows += await over_http(server, folder, actor, options)
            return with_ratios(rows)


async def _opened(dsn: str) -> Actor:
    """Open the log and admit a provider that writes."""
    from live import signed as submission_of

    world = World()
    opening = world.entries[0].submission.payload.model_dump(mode="json", exclude_none=True)
    member = world.actor()
    profile = world.profile(member, Role.PROVIDER)
    admission = {"party": member.party, "roles": ["provider"]}
    sequencer = Sequencer(lambda: connect(dsn), ORIGIN, Clock())
    await sequencer.start()
    outcomes = await sequencer.submit(
        [
            submission_of(world.operator, "log.opened@1", opening),
            submission_of(member, "party.applied@1", profile),
            submission_of(world.operator, "party.admitted@1", admission),
        ]
    )
    assert all(isinstance(one, Receipt) for one in outcomes), outcomes
    await sequencer.stop()
    return member


async def _until_open(port: int) -> None:
    for _ in range(300):
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.close()
            return
        except OSError:
            await asyncio.sleep(0.1)
    raise TimeoutError("the service did not come up")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _newest(pattern: str) -> str | None:
    found = sorted(Path("/").glob(pattern.lstrip("/")))
    return str(found[-1]) if found else None


def table(rows: list[Row]) -> str:
    """Return the rows as a table."""
    heads = [
        "what",
        "callers",
        "events_per_second",
        "p50_ms",
        "p99_ms",
        "of_pgbench_same",
        "of_pgbench_32",
    ]
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    lines += ["| " + " | ".join(str(row.get(head, "")) for head in heads) + " |" for row in rows]
    return "\n".join(lines)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=5, help="at most, for each row")
    parser.add_argument("--quick", action="store_true", help="two seconds for each row")
    parser.add_argument("--runs", type=int, default=1, help="medians of several runs")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    if options.quick:
        options.seconds = 2
    runs = [uvloop.run(measure(options)) for _ in range(options.runs)]
    rows = [
        {
            key: statistics.median(values)
            if all(isinstance(v, int | float) for v in values)
            else values[0]
            for key, values in ((key, [one[key] for one in same]) for key in same[0])
        }
        for same in zip(*runs, strict=True)
    ]
    print(table(rows))
    if options.json:
        options.json.write_text(json.dumps({"runs": options.runs, "rows": rows}, indent=2) + "\n")


if __name__ == "__main__":
    gc.set_threshold(100_000, 50, 50)
    main()
