"""SIGKILL under load: no acknowledged event is lost, none is there twice, the chain is sound."""

from pathlib import Path

import pytest
from killing import Campaign


@pytest.mark.parametrize("victim", ["service", "database"])
async def test_no_acknowledged_event_is_lost_when_something_is_killed(
    tmp_path: Path, victim: str
) -> None:
    campaign = Campaign(tmp_path, seed=7)
    try:
        await campaign.begin()
        kill = campaign.kill_service if victim == "service" else campaign.kill_database
        for _ in range(2):
            await campaign.round(kill)
    finally:
        await campaign.end()
    counts = campaign.counts
    assert counts.rounds == 2
    assert counts.acknowledged > 20
    assert (counts.lost, counts.twice) == (0, 0)
