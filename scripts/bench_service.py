"""A real service for the benchmarks: `dataexchange serve` in processes of its own."""

import asyncio
import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
from bench_load import ROOT

from dataexchange.database.embedded import OWNER_ROLE, EmbeddedPostgres
from exchanges import keep_log_key
from world import ORIGIN

PROGRAM = "from dataexchange.cli import main; main()"


@dataclass(frozen=True)
class Service:
    """A service that was started, with all its processes."""

    port: int
    process: psutil.Popen

    async def until_open(self, poll_seconds: float = 0.1, seconds_max: float = 120) -> None:
        """Wait until it accepts connections."""
        async with asyncio.timeout(seconds_max):
            while True:
                try:
                    _, writer = await asyncio.open_connection("127.0.0.1", self.port)
                except OSError:
                    await asyncio.sleep(poll_seconds)
                    continue
                writer.close()
                return

    def peak_mib(self) -> int:
        """Return the most memory that one of its own processes has taken so far."""
        workers = self.process.children(recursive=True)
        ours = [one for one in workers if one.name() != "postgres"]
        return max(map(peak_mib, [self.process, *ours]))


@contextmanager
def serving(
    folder: Path, server: EmbeddedPostgres | None = None, *, workers: int = 1
) -> Iterator[Service]:
    """Serve on a free port until the context ends; what the service says is in `service.log`.

    On `server`'s database and with the key of the tests' log; without a `server`, with nothing but
    an empty folder.
    """
    (folder / "data").mkdir(parents=True, exist_ok=True)
    environment = {"DATAEXCHANGE_DATA_FOLDER": str(folder / "data"), "DATAEXCHANGE_ORIGIN": ORIGIN}
    if server is not None:
        environment["DATAEXCHANGE_DATABASE_URL"] = server.dsn()
        environment["DATAEXCHANGE_OWNER_DATABASE_URL"] = server.dsn(OWNER_ROLE)
        keep_log_key(folder / "data")
    service = _started(folder / "service.log", environment, workers)
    try:
        yield service
    finally:
        service.process.terminate()
        service.process.wait()


def _started(log: Path, environment: Mapping[str, str], workers: int) -> Service:
    port = _free_port()
    serve = [sys.executable, "-c", PROGRAM, "serve", "--port", str(port), "--workers", str(workers)]
    with log.open("ab") as said:
        process = psutil.Popen(
            serve,
            env={**os.environ, "PYTHONPATH": str(ROOT / "src"), **environment},
            stdout=said,
            stderr=subprocess.STDOUT,
        )
    return Service(port, process)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def peak_mib(process: psutil.Process) -> int:
    """Return the peak that Linux keeps of a process; elsewhere what it takes now."""
    status = Path(f"/proc/{process.pid}/status")
    if not status.exists():
        return int(process.memory_info().rss) >> 20
    peak = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
    return int(peak.split()[1]) >> 10
