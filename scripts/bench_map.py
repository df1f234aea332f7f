"""What the map costs: per touched aggregate as the ledger grows, and to appends while it is made.

1. `trie`: a thousand keys touched in a map of 10^3 to 10^6, in memory (processor time).
2. `table`: the same through the database, read, walked and written, without rests.
3. `appends`: events a second while a mapper works in a process of its own, and while it is
   stopped, in turns of one run.
4. `replay`: a log replayed with maps at so many sizes, beside the same without (processor time).
"""

import argparse
import asyncio
import json
import os
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

import psutil
import uvloop
from bench_load import BATCH, Row, batches
from bench_log import opened
from bench_table import machine, table

from dataexchange.cli.mapping import NICENESS, REST
from dataexchange.database.embedded import OWNER_ROLE, EmbeddedPostgres
from dataexchange.database.engine import connect, reading_engine
from dataexchange.database.migrate import migrate
from dataexchange.exchange import intake
from dataexchange.exchange.batch import Receipt
from dataexchange.exchange.clock import Clock
from dataexchange.exchange.mapper import make_map
from dataexchange.exchange.sequencer import Sequencer
from dataexchange.ledger.map_proof import MapValue
from dataexchange.ledger.verifiable_map import EMPTY, Tile, encode_tile, path_of, updated
from dataexchange.supervision.completeness import MAP_KEY, CommittedMap
from live import signed
from world import ORIGIN

TOUCHED = 1_000
FILL = 5_000
BATCHES_PER_SECOND = 120
_STATE = "'{\"id\":\"' || n || '\",\"pad\":\"' || repeat('x', 700) || '\"}'"
FILL_TABLE = f"""
insert into aggregate
select 'bench/' || n, 'bench', 1, sha256(n::text::bytea), n, n, 1,
       convert_to({_STATE}, 'UTF8'), '{{}}' from generate_series($1::bigint, $2::bigint) as n
"""
TOUCH = """
update aggregate set seq = seq + 1, head = sha256(head), head_index = $2 where key = any($1)
"""
ENTRY = """
insert into entry (index, body, leaf, statement_id, actor, subjects, previous)
values ($1::bigint, '', '', 'evt_' || $1::bigint, '', $2, '{}')
"""


def in_memory(sizes: list[int]) -> list[Row]:
    """Return what touching keys costs in a trie of each size."""
    chance, root, tiles, rows, size = random.Random(1), EMPTY, dict[bytes, Tile](), [], 0
    for wanted in sizes:
        while size < wanted:
            part = range(size, min(size + FILL, wanted))
            root, _ = _touch(root, tiles, part, 1)
            size = part.stop
        touched = chance.sample(range(size), min(TOUCHED, size))
        started = time.process_time()
        root, made = _touch(root, tiles, touched, 2)
        seconds = time.process_time() - started
        stored = len(made), sum(len(encode_tile(tile)) for tile in made.values())
        rows.append({"what": "trie", "aggregates": size} | _each(len(touched), seconds, stored))
    return rows


def _touch(
    root: bytes, tiles: dict[bytes, Tile], numbers: Any, count: int
) -> tuple[bytes, dict[bytes, Tile]]:
    head = sha256(b"head").hexdigest()
    values = [MapValue(count, head, f"bench/{number}", head) for number in numbers]
    changes = {path_of(one.key): one.hash for one in values}
    root, made, left = updated(root, changes, tiles)
    for name in left:
        del tiles[name]
    tiles.update(made)
    return root, made


def _each(touched: int, seconds: float, stored: tuple[int, int]) -> Row:
    """Return what each touched aggregate took; `stored` are nodes and bytes."""
    return {
        "touched": touched,
        "us_per_touched": round(seconds / touched * 1e6),
        "nodes_per_touched": round(stored[0] / touched, 2),
        "bytes_per_touched": round(stored[1] / touched),
    }


async def through_the_database(server: EmbeddedPostgres, sizes: list[int]) -> list[Row]:
    """Return what a map costs where so many of so many aggregates changed."""
    engine, connection = reading_engine(server.dsn()), await connect(server.dsn())
    chance, rows, size = random.Random(1), [], 0
    frontier = bytes(8)
    await connection.execute("insert into head values (1, $1, 1, '', $2, null)", ORIGIN, frontier)
    for wanted in sizes:
        await connection.execute(FILL_TABLE, size, wanted - 1)
        await connection.execute(ENTRY, wanted + 1, [f"bench/{n}" for n in range(size, wanted)])
        size = wanted
        await _committed(connection, engine, index=size + 2)
        touched = [f"bench/{n}" for n in chance.sample(range(size), min(TOUCHED, size))]
        await connection.execute(TOUCH, touched, size + 2)
        await connection.execute(ENTRY, size + 2, touched)
        await connection.execute("update head set size = $1", size + 3)
        before = await _stored(connection)
        started, busy = time.perf_counter(), time.process_time()
        made = await make_map(engine, rest=0)
        seconds, busy = time.perf_counter() - started, time.process_time() - busy
        after = await _stored(connection)
        assert made is not None
        stored = after[0] - before[0], after[1] - before[1]
        row: Row = {"what": "table", "aggregates": size, **_each(made.touched, seconds, stored)}
        rows.append(row | {"mapper_us_per_touched": round(busy / made.touched * 1e6)})
    await engine.dispose()
    await connection.close()
    return rows


async def _committed(connection: Any, engine: Any, index: int) -> None:
    """Make the map of all there is and put it where a committed one would be."""
    await connection.execute("update head set size = $1", index)
    made = await make_map(engine, rest=0)
    state = CommittedMap(id=MAP_KEY, covers=made.covers, root=made.root.hex()).encode()
    await connection.execute("delete from aggregate where key = $1", MAP_KEY)
    await connection.execute(
        "insert into aggregate values ($1, 'map', 1, '', 0, 0, 1, $2, '{}')", MAP_KEY, state
    )
    print(f"map of {index} made: {made.touched} touched", file=sys.stderr)


async def _stored(connection: Any) -> tuple[int, int]:
    row = await connection.fetchrow("select count(*), sum(length(body)) from map_node")
    return int(row[0]), int(row[1] or 0)


async def beside_appends(
    server: EmbeddedPostgres, seconds: float, turns: int, callers: int
) -> list[Row]:
    """Return the append rate while a mapper works and while it is stopped, in turns of one run."""
    actor, operator = await opened(server.dsn())
    sequencer = Sequencer(lambda: connect(server.dsn()), ORIGIN, Clock())
    await sequencer.start()
    load = _Load(sequencer, batches(actor, int(3 * turns * seconds * BATCHES_PER_SECOND)))
    rates: dict[bool, list[float]] = {False: [], True: []}
    others = await _backends(server.dsn())
    async with _mapper(server.dsn(), sequencer, operator) as mapper, load.driven(callers):
        await mapper.first.wait()
        share = await _processor_share(server.dsn(), mapper, others, seconds=seconds * turns)
        for turn in range(2 * turns):
            at_work = turn % 4 in (1, 2)  # off on on off: what drifts weighs on both alike
            mapper.process.send_signal(signal.SIGCONT if at_work else signal.SIGSTOP)
            before, started = load.done, time.perf_counter()
            await asyncio.sleep(seconds)
            rates[at_work].append((load.done - before) / (time.perf_counter() - started))
        mapper.process.send_signal(signal.SIGCONT)
    await sequencer.stop()
    alone, beside = (statistics.mean(rates[at_work]) for at_work in (False, True))
    errors = (statistics.stdev(one) / len(one) ** 0.5 for one in rates.values())
    return [
        {
            "what": f"appends, {callers} callers of {BATCH}",
            "events_per_second": round(alone),
            "with_mapper": round(beside),
            "ratio": round(beside / alone, 3),
            "standard_error": round(sum(one**2 for one in errors) ** 0.5 / alone, 3),
            "turns": turns,
            "cores_used_by_mapper": round(share, 3),
        }
    ]


async def _processor_share(
    dsn: str, mapper: "_Mapper", others: set[int], *, seconds: float
) -> float:
    """Return how many cores the mapper and its part of PostgreSQL keep busy, appends going on."""
    pids = {mapper.process.pid, *(await _backends(dsn) - others)}
    before = _processor_seconds(pids)
    await asyncio.sleep(seconds)
    return (_processor_seconds(pids) - before) / seconds


async def _backends(dsn: str) -> set[int]:
    connection = await connect(dsn)
    rows = await connection.fetch(
        "select pid from pg_stat_activity where pid <> pg_backend_pid() and usename is not null"
    )
    await connection.close()
    return {row["pid"] for row in rows}


def _processor_seconds(pids: set[int]) -> float:
    times = [psutil.Process(pid).cpu_times() for pid in pids if psutil.pid_exists(pid)]
    return sum(one.user + one.system for one in times)


class _Load:
    """Callers that append as fast as they are answered; `done` counts events."""

    def __init__(self, sequencer: Sequencer, work: list[bytes]) -> None:
        self._sequencer = sequencer
        self._work = iter(work)
        self.done = 0

    @asynccontextmanager
    async def driven(self, callers: int) -> AsyncIterator[None]:
        """Keep appending until the context ends."""
        tasks = [asyncio.create_task(self._call()) for _ in range(callers)]
        try:
            yield
            assert not any(task.done() for task in tasks), "the work ran out"
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _call(self) -> None:
        for body in self._work:
            outcomes = await self._sequencer.submit(intake.read_batch(body))
            assert all(isinstance(one, Receipt) for one in outcomes)
            self.done += len(outcomes)


@dataclass
class _Mapper:
    """The other process, and whether its first map is committed."""

    process: asyncio.subprocess.Process
    first: asyncio.Event = field(default_factory=asyncio.Event)


@asynccontextmanager
async def _mapper(dsn: str, sequencer: Sequencer, operator: Any) -> AsyncIterator[_Mapper]:
    """Keep a mapper at work in another process; commit what it makes, as `map run` would."""
    program = [sys.executable, __file__, "--mapper", dsn]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    mapper = _Mapper(await asyncio.create_subprocess_exec(*program, **pipes))
    lines, orders = mapper.process.stdout, mapper.process.stdin
    assert lines is not None
    assert orders is not None

    async def commit() -> None:
        while line := await lines.readline():
            (outcome,) = await sequencer.submit(
                [signed(operator, "map.committed@1", json.loads(line))]
            )
            assert isinstance(outcome, Receipt), outcome
            mapper.first.set()
            orders.write(b"go\n")

    orders.write(b"go\n")
    task = asyncio.create_task(commit())
    try:
        yield mapper
    finally:
        task.cancel()
        mapper.process.kill()
        await mapper.process.wait()


async def keep_mapping(dsn: str) -> None:
    """Be the mapper: at every line make a map and print it."""
    os.nice(NICENESS)
    engine = reading_engine(dsn)
    while await asyncio.to_thread(sys.stdin.readline):
        made = await make_map(engine, rest=REST)
        while made is None:
            await asyncio.sleep(0.1)
            made = await make_map(engine, rest=REST)
        print(json.dumps(made.payload), flush=True)


def replayed(entries: int, every: int) -> list[Row]:
    """Return the seconds of a replay of a log with maps, and of the same log without."""
    from bench_verify import log_of

    from dataexchange.verification.map_pass import map_sizes
    from dataexchange.verification.replay import Replay

    bodies = log_of(entries)
    seconds: dict[str, list[float]] = {"without": [], "search": [], "maps": []}
    for _ in range(3):
        for what, sizes in (
            ("without", None),
            ("search", map_sizes),
            ("maps", lambda _: frozenset(range(every, len(bodies), every))),
        ):
            started = time.process_time()
            replay = Replay(ORIGIN, sizes(bodies) if sizes is not None else None)
            replay.extend(bodies)
            seconds[what].append(time.process_time() - started)
    median = {what: statistics.median(found) for what, found in seconds.items()}
    return [
        {
            "what": f"replay, {what}" + (f" every {every} entries" if what == "maps" else ""),
            "entries": len(bodies),
            "us_per_entry": round(taken / len(bodies) * 1e6, 1),
            "of_without": round(taken / median["without"], 3),
        }
        for what, taken in median.items()
    ]


async def measure(options: argparse.Namespace) -> list[Row]:
    """Run what was asked for, each database measure on a server of its own."""
    rows: list[Row] = []
    for what in options.what:
        if what == "trie":
            rows += in_memory(options.sizes)
        if what == "replay":
            rows += replayed(options.entries, options.every)
        if what in ("table", "appends"):
            with tempfile.TemporaryDirectory(prefix="dataexchange-bench-") as folder:
                async with EmbeddedPostgres(Path(folder) / "postgres") as server:
                    await migrate(server.dsn(OWNER_ROLE))
                    if what == "table":
                        rows += await through_the_database(server, options.sizes)
                    else:
                        rows += await beside_appends(
                            server, options.seconds, options.turns, options.callers
                        )
    return rows


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parts = ["trie", "table", "appends", "replay"]
    parser.add_argument("--what", nargs="+", choices=parts, default=parts)
    parser.add_argument("--sizes", type=int, nargs="+", default=[1_000, 10_000, 100_000, 1_000_000])
    parser.add_argument("--seconds", type=float, default=2, help="of each turn of appends")
    parser.add_argument("--turns", type=int, default=20)
    parser.add_argument("--callers", type=int, default=4)
    parser.add_argument("--entries", type=int, default=5_000, help="of the log that is replayed")
    parser.add_argument("--every", type=int, default=500, help="entries between its maps")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--mapper", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.mapper:
        asyncio.run(keep_mapping(options.mapper))
        return
    before = machine()
    rows = uvloop.run(measure(options))
    heads = sorted({head for one in rows for head in one}, key=_place)
    print(table(rows, heads))
    if options.json:
        options.json.write_text(json.dumps({"machine": before, "rows": rows}, indent=2) + "\n")


def _place(head: str) -> tuple[int, str]:
    order = ["what", "aggregates", "touched", "us_per_touched", "nodes_per_touched"]
    return (order.index(head) if head in order else len(order), head)


if __name__ == "__main__":
    main()
