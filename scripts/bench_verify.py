"""Entries verified a second, every rule replayed, beside the floor: read and hash the file once.

Each size is verified in a process of its own, so that its memory shows: alone, and with a second
process that examines entries ahead of the replay. `resumed` verifies again what was verified;
`no rules` checks bytes, chain, Merkle root and tiles only. `cpu_us` is processor time an entry, all
processes together.
"""

import argparse
import gc
import hashlib
import json
import resource
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT / "src"), str(ROOT / "tests"), str(ROOT / "scripts")]

from bench_load import resource as event  # noqa: E402 -- found on the path above
from bench_service import peak_mib  # noqa: E402

from bundles import POLICY, SIGNER  # noqa: E402
from dataexchange.ledger.checkpoint import Checkpoint, sign_checkpoint  # noqa: E402
from dataexchange.ledger.merkle import Frontier, leaf_hash  # noqa: E402
from dataexchange.ledger.tile import (  # noqa: E402
    ENTRIES,
    TILE_WIDTH,
    TileName,
    encode_bundle,
    grow_tiles,
)
from dataexchange.registry import submission  # noqa: E402
from dataexchange.rules import Role  # noqa: E402
from dataexchange.verification import verify_bundle  # noqa: E402
from dataexchange.verification.part import processes  # noqa: E402
from world import ORIGIN, World  # noqa: E402

BATCH = 100
HEADS = ("entries", "how", "seconds", "entries_per_second", "of_floor", "cpu_us", "peak_mib")


def log_of(size: int) -> Iterator[bytes]:
    """Yield a log: resources registered in batches under one signature."""
    world = World(log_keys=[SIGNER.vkey])
    member = world.join(Role.PROVIDER)
    yield from (one.body for one in world.entries)
    tail = world.tail
    while tail.size < size:
        now = datetime.now(UTC)
        stated = [member.state(*event(), at=now) for _ in range(min(BATCH, size - tail.size))]
        for one, signature in zip(stated, member.sign_batch(stated), strict=True):
            made = tail.append(
                submission.read(one, signature), now + timedelta(microseconds=tail.size)
            )
            yield made.body
            for key in made.subjects:
                if key != member.party:
                    del tail.held[key]  # never touched again here


def write_bundle(path: Path, size: int) -> None:
    """Write the bundle of a log of `size`."""
    frontier, leaves, part, bodies = Frontier(), [], 0, log_of(size)
    with zipfile.ZipFile(path, "w") as bundle:
        while rows := [body for _, body in zip(range(TILE_WIDTH), bodies, strict=False)]:
            bundle.writestr(TileName(ENTRIES, part, len(rows)).path, encode_bundle(rows))
            hashes = [leaf_hash(body) for body in rows]
            frontier, part = frontier.extend(hashes), part + 1
            leaves += hashes
        for name, data in grow_tiles(0, leaves, lambda level, index, width: b""):
            bundle.writestr(name.path, data)
        signed = sign_checkpoint(Checkpoint(ORIGIN, frontier.size, frontier.root()), SIGNER)
        bundle.writestr("checkpoint", signed)


def verify(path: Path, workers: int, *, resume: Path | None, rules: bool) -> None:
    """Verify in this process as the command does; print seconds, processor time, peak memory."""
    gc.freeze()
    gc.set_threshold(100_000)
    started, used_before = time.perf_counter(), _processor_seconds()
    with processes(workers - rules if workers > 1 else 0) as executor:
        size = verify_bundle(path, POLICY, executor=executor, resume=resume, rules=rules).size
    seconds = time.perf_counter() - started
    said = {
        "seconds": round(seconds, 3),
        "cpu_us": round((_processor_seconds() - used_before) / size * 1e6, 1),
        "peak_mib": peak_mib(psutil.Process()),
    }
    print(json.dumps(said))


def _processor_seconds() -> float:
    """Return what this process, and those it has waited for, have used."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def measure(size: int) -> list[dict[str, object]]:
    """Return the rows of one size."""
    rows = []
    with tempfile.TemporaryDirectory(prefix="dataexchange-bench-") as folder:
        path, resume = Path(folder) / "bundle.zip", Path(folder) / "verified"
        write_bundle(path, size)
        floor = _floor(path)
        rows.append({"how": "floor: read and hash the file", "seconds": round(floor, 3)})
        for how, options in (
            ("alone", ["--workers", "1"]),
            ("two processes", ["--workers", "2", "--resume", str(resume)]),
            ("resumed", ["--workers", "1", "--resume", str(resume)]),
            ("no rules, alone", ["--workers", "1", "--no-rules"]),
            ("no rules, two processes", ["--workers", "2", "--no-rules"]),
        ):
            command = [sys.executable, __file__, "--verify", str(path), *options]
            said = subprocess.run(command, check=True, capture_output=True).stdout
            rows.append({"how": how, **json.loads(said)})
    for row in rows:
        seconds = float(str(row["seconds"])) or 1e-9
        rate, share = round(size / seconds), round(floor / seconds, 4)
        row |= {"entries": size, "entries_per_second": rate, "of_floor": share}
    return rows


def _floor(path: Path) -> float:
    started = time.perf_counter()
    with path.open("rb") as file:
        hashlib.file_digest(file, "sha256")
    return time.perf_counter() - started


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--entries", type=int, nargs="+", default=[1_000, 10_000])
    parser.add_argument("--json", type=Path)
    parser.add_argument("--verify", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--workers", type=int, default=1, help=argparse.SUPPRESS)
    parser.add_argument("--resume", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--no-rules", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.verify:
        rules = not options.no_rules
        verify(options.verify, options.workers, resume=options.resume, rules=rules)
        return
    print(" | ".join(HEADS))
    rows = []
    for entries in options.entries:
        for row in measure(entries):
            rows.append(row)
            print(" | ".join(str(row.get(head, "")) for head in HEADS), flush=True)
    if options.json:
        options.json.write_text(json.dumps(rows, indent=2) + "\n")


if __name__ == "__main__":
    main()
