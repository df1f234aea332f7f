"""Entries verified a second, every rule replayed, beside the floor: read and hash the file once."""

import argparse
import hashlib
import json
import resource
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT / "src"), str(ROOT / "tests"), str(ROOT / "scripts")]

from bench_load import resource as event  # noqa: E402 -- found on the path above

from bundles import POLICY, SIGNER, bundle_of  # noqa: E402
from dataexchange.registry import submission  # noqa: E402
from dataexchange.rules import Role  # noqa: E402
from dataexchange.verification import verify_bundle  # noqa: E402
from world import World  # noqa: E402

BATCH = 100


def log_of(entries: int) -> list[bytes]:
    """Return the entries of a log: resources registered in batches under one signature."""
    world = World(log_keys=[SIGNER.vkey])
    member = world.join(Role.PROVIDER)
    while len(world.entries) < entries:
        now = datetime.now(UTC)
        stated = [member.state(*event(), at=now) for _ in range(BATCH)]
        for one, signature in zip(stated, member.sign_batch(stated), strict=True):
            later = now + timedelta(microseconds=len(world.entries))
            world.entries.append(world.tail.append(submission.read(one, signature), later))
    return [one.body for one in world.entries]


def measure(entries: int) -> dict[str, object]:
    """Return seconds and rates for a log of about `entries`."""
    with tempfile.TemporaryDirectory(prefix="dataexchange-bench-") as folder:
        bodies = log_of(entries)
        path = bundle_of(bodies).write(Path(folder) / "bundle.zip")
        size, count = path.stat().st_size, len(bodies)
        del bodies
        started = time.perf_counter()
        hashlib.sha256(path.read_bytes()).hexdigest()
        floor = time.perf_counter() - started
        started = time.perf_counter()
        verify_bundle(path, POLICY)
        seconds = time.perf_counter() - started
    return {
        "entries": count,
        "bytes": size,
        "entries_per_second": round(count / seconds),
        "floor_entries_per_second": round(count / floor),
        "of_floor": round(floor / seconds, 4),
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--entries", type=int, nargs="+", default=[1_000, 10_000])
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    rows = [measure(entries) for entries in options.entries]
    for row in rows:
        print(row)
    if options.json:
        options.json.write_text(json.dumps(rows, indent=2) + "\n")


if __name__ == "__main__":
    main()
