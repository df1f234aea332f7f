"""Kill the service under load, every third round the database too; print the counts as JSON."""

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT / "src"), str(ROOT / "tests"), str(ROOT / "tests" / "journeys")]

from killing import Campaign  # noqa: E402 -- found on the path above


async def run(rounds: int, seed: int) -> None:
    """Run a campaign of `rounds`."""
    with tempfile.TemporaryDirectory(prefix="dataexchange-chaos-") as folder:
        campaign = Campaign(Path(folder), seed)
        try:
            await campaign.begin()
            for number in range(rounds):
                database = number % 3 == 2
                await campaign.round(campaign.kill_database if database else campaign.kill_service)
                print(f"round {number + 1}/{rounds}", file=sys.stderr)
        finally:
            await campaign.end()
        counts = asdict(campaign.counts)
        seconds = sorted(counts.pop("recovery_seconds"))
        counts["recovery_seconds_median"] = statistics.median(seconds)
        counts["recovery_seconds_max"] = seconds[-1]
        counts["seed"] = seed
        print(json.dumps(counts))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    asyncio.run(run(chosen.rounds, chosen.seed))
