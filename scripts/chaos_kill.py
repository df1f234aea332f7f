"""Kill a service or the database under load, at random and at each named place; print JSON.

Rounds go through every place with either victim, then through random moments, and begin again.
"""

import argparse
import asyncio
import itertools
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parent.parent
PATHS = [str(ROOT / "src"), str(ROOT / "tests"), str(ROOT / "tests" / "journeys")]
sys.path[:0] = PATHS
os.environ["PYTHONPATH"] = os.pathsep.join(PATHS)  # for the process that services are forks of

from killing import Campaign, Counts  # noqa: E402 -- found on the path above

from dataexchange.failpoint import POINTS  # noqa: E402

VICTIMS = ("service", "database")
SERIES = 15
PLAN = [*itertools.product(POINTS, VICTIMS), *((None, victim) for victim in VICTIMS * 4)]


async def run(rounds: int, seed: int) -> None:
    """Run `rounds`, each `SERIES` of them on a new log."""
    plan = list(itertools.islice(itertools.cycle(PLAN), rounds))
    counts = Counts()
    for start in range(0, rounds, SERIES):
        await series(counts, seed + start, plan[start : start + SERIES])
    seconds = sorted(counts.recovery_seconds)
    found = {
        **vars(counts),
        "recovery_seconds": {"median": statistics.median(seconds), "max": seconds[-1]},
        "seed": seed,
    }
    print(json.dumps(found, indent=1))


async def series(counts: Counts, seed: int, plan: Sequence[tuple[str | None, str]]) -> None:
    """Run the rounds of `plan` on one log, and add up what they find."""
    with tempfile.TemporaryDirectory(prefix="dataexchange-chaos-") as folder:
        campaign = Campaign(Path(folder), seed)
        before = counts.acknowledged
        campaign.counts = counts
        try:
            await campaign.begin()
            for point, victim in plan:
                await (campaign.at(point, victim) if point else campaign.at_random(victim))
                found = f"lost {counts.lost}, twice {counts.twice}, unsound {counts.unsound}"
                done = f"round {counts.rounds}: {point or 'random'}, {victim}: {found}"
                print(time.strftime("%H:%M:%S"), done, file=sys.stderr)
        finally:
            await campaign.end()
        counts.acknowledged = before + len(campaign.journal.acknowledged)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    asyncio.run(run(chosen.rounds, chosen.seed))
