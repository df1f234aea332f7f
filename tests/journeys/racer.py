"""One of several processes that race: submits all statements of a file at once, prints the codes.

python racer.py DSN ORIGIN NOW FILE
"""

import asyncio
import sys
from datetime import datetime
from pathlib import Path

from dataexchange.database.engine import connect
from dataexchange.exchange import intake
from dataexchange.exchange.batch import Receipt
from dataexchange.exchange.clock import Clock
from dataexchange.exchange.sequencer import Sequencer


class Stopped(Clock):
    """A clock that stands still."""

    def __init__(self, moment: datetime) -> None:
        super().__init__()
        self._moment = moment

    def now(self) -> datetime:
        return self._moment


async def race(dsn: str, origin: str, now: str, file: str) -> None:
    sequencer = Sequencer(lambda: connect(dsn), origin, Stopped(datetime.fromisoformat(now)))
    await sequencer.start()
    lines = await asyncio.to_thread(Path(file).read_bytes)
    submissions = [intake.read_one(line) for line in lines.splitlines()]
    await asyncio.to_thread(sys.stdin.readline)  # all start on one word
    tasks = [asyncio.create_task(sequencer.submit([one])) for one in submissions]
    for one, task in zip(submissions, tasks, strict=True):
        (outcome,) = await task
        code = "ok" if isinstance(outcome, Receipt) else getattr(outcome, "code", repr(outcome))
        print(one.type.name, code)  # noqa: T201 -- read by the test
    await sequencer.stop()


if __name__ == "__main__":
    asyncio.run(race(*sys.argv[1:]))
