"""From nothing on the disk to the first event: a service that makes its own database.

The clock runs from the start of `dataexchange serve` until an event is acknowledged. The start of
Python, making the database and migrating it are in it; installing the package is not.
"""

import time
from pathlib import Path

from bench_load import Row, poster
from bench_log import opening
from bench_service import serving

from dataexchange.client.exchange_client import signed
from dataexchange.rules import Role
from world import World

POLL_SECONDS = 0.005
HEADS = ("what", "accepts_ms", "acknowledged_ms", "peak_mib")


async def starts(folder: Path) -> list[Row]:
    """Start with an empty folder and open the log, then start again and take an application."""
    world = World()
    member = world.actor()
    first = world.operator.state("log.opened@1", opening(world))
    second = member.state("party.applied@1", world.profile(member, Role.PROVIDER))
    return [
        await _start("first start, nothing there", folder, signed(world.operator, first).body),
        await _start("next start", folder, signed(member, second).body),
    ]


async def _start(what: str, folder: Path, body: bytes) -> Row:
    begun = time.perf_counter()
    with serving(folder) as service:
        await service.until_open(POLL_SECONDS)
        accepts = time.perf_counter() - begun
        await poster(service.port, b"/v1/events")(body)
        acknowledged = time.perf_counter() - begun
        peak = service.peak_mib()
    return {
        "what": what,
        "accepts_ms": round(accepts * 1e3),
        "acknowledged_ms": round(acknowledged * 1e3),
        "peak_mib": peak,
    }
