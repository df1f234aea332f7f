"""Let a rival append the same payload again and again, and say how long each call took.

Runs in the rivals' own environment, so it imports nothing of the project. Prints JSON: the seconds
that each call took and those that passed in all.
"""

import argparse
import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import uuid4

Append = Callable[[], object]


def eventsourcing(options: argparse.Namespace, payload: bytes) -> Append:
    """Insert first events of new aggregates with the PostgreSQL recorder.

    With its functions in the database, which are off by default and faster.
    """
    from eventsourcing.persistence import StoredEvent
    from eventsourcing.postgres import PostgresApplicationRecorder, PostgresDatastore
    from psycopg.conninfo import conninfo_to_dict

    server = conninfo_to_dict(options.dsn)
    where = {name: str(server[name]) for name in ("dbname", "host", "port", "user")}
    datastore = PostgresDatastore(
        **where, password="", pool_size=options.callers, enable_db_functions=True
    )
    recorder = PostgresApplicationRecorder(datastore, events_table_name="bench_events")
    recorder.create_table()

    def append() -> object:
        return recorder.insert_events(
            [StoredEvent(uuid4(), 1, "resource.registered", payload) for _ in range(options.each)]
        )

    return append


def pymerkle(options: argparse.Namespace, payload: bytes) -> Append:
    """Append leaves to an SQLite tree, by a log ahead of the file: as durable, and faster."""
    from pymerkle import SqliteTree

    tree = SqliteTree(str(options.folder / f"tree-{uuid4()}.sqlite"))
    tree.cur.execute("pragma journal_mode = wal")
    tree.cur.execute("pragma synchronous = full")
    if options.each == 1:
        return lambda: tree.append_entry(payload)
    return lambda: tree.append_entries([payload] * options.each)


RIVALS = {one.__name__: one for one in (eventsourcing, pymerkle)}


def drive(append: Append, callers: int, seconds: float) -> dict[str, object]:
    """Let `callers` threads append until the time is used up."""
    latencies: list[float] = []
    started = time.perf_counter()

    def caller() -> None:
        while (begun := time.perf_counter()) < started + seconds:
            append()
            latencies.append(time.perf_counter() - begun)

    with ThreadPoolExecutor(callers) as threads:
        for done in [threads.submit(caller) for _ in range(callers)]:
            done.result()
    return {"latencies": latencies, "elapsed": time.perf_counter() - started}


def main() -> None:
    """Append with one rival and print what it took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rival", choices=RIVALS)
    parser.add_argument("--dsn")
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--callers", type=int, default=1)
    parser.add_argument("--each", type=int, default=1, help="events in a call")
    parser.add_argument("--seconds", type=float, default=5)
    options = parser.parse_args()
    payload = (options.folder / "payload").read_bytes()
    append = RIVALS[options.rival](options, payload)
    append()
    print(json.dumps(drive(append, options.callers, options.seconds)))


if __name__ == "__main__":
    main()
