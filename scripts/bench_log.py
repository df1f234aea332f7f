"""The log that the benchmarks append to: opened, and filled to some size."""

import sys
from typing import Any

from bench_load import BATCH, batches

from dataexchange.client.signing import Actor
from dataexchange.database.engine import connect
from dataexchange.exchange import intake
from dataexchange.exchange.batch import Receipt
from dataexchange.exchange.clock import Clock
from dataexchange.exchange.sequencer import Sequencer
from dataexchange.rules import Role
from live import signed
from world import ORIGIN, World

STEP = 10_000


def sequencer_of(dsn: str) -> Sequencer:
    """Return a sequencer for the log behind `dsn`, yet to be started."""
    return Sequencer(lambda: connect(dsn), ORIGIN, Clock())


def opening(world: World) -> dict[str, Any]:
    """Return the payload by which the world's operator opens the log."""
    payload = world.entries[0].submission.payload
    return payload.model_dump(mode="json", exclude_none=True)


async def opened(dsn: str) -> tuple[Actor, Actor]:
    """Open the log and admit a provider that writes; return it and the operator."""
    world = World()
    member = world.actor()
    profile = world.profile(member, Role.PROVIDER)
    admission = {"party": member.party, "roles": ["provider"]}
    sequencer = sequencer_of(dsn)
    await sequencer.start()
    outcomes = await sequencer.submit(
        [
            signed(world.operator, "log.opened@1", opening(world)),
            signed(member, "party.applied@1", profile),
            signed(world.operator, "party.admitted@1", admission),
        ]
    )
    assert all(isinstance(one, Receipt) for one in outcomes), outcomes
    await sequencer.stop()
    return member, world.operator


async def fill(dsn: str, actor: Actor, entries: int) -> None:
    """Append events until the log has at least `entries`."""
    sequencer = sequencer_of(dsn)
    await sequencer.start()
    missing = entries - await size_of(dsn)
    for start in range(0, missing, STEP):
        for body in batches(actor, -(-min(STEP, missing - start) // BATCH)):
            await sequencer.submit(intake.read_batch(body))
        if missing > STEP:
            print(f"filled {start + STEP} of {missing}", file=sys.stderr)
    await sequencer.stop()


async def size_of(dsn: str) -> int:
    """Return the log's size."""
    connection = await connect(dsn)
    size = await connection.fetchval("select size from head")
    await connection.close()
    return int(size)
