"""SIGKILL under load: no acknowledged event is lost, none is there twice, the chain is sound."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from killing import Campaign

import dataexchange
from dataexchange.failpoint import POINTS, WITNESS_POINTS


@pytest.mark.parametrize("victim", ["service", "database"])
async def test_no_acknowledged_event_is_lost_when_something_is_killed(
    tmp_path: Path, victim: str
) -> None:
    campaign = Campaign(tmp_path, seed=7)
    try:
        await campaign.begin()
        await campaign.at_random(victim)
        await campaign.at("sequencer.committed", victim)
    finally:
        await campaign.end()
    counts = campaign.counts
    assert counts.rounds == 2
    assert counts.not_reached == []
    assert counts.acknowledged > 20
    assert (counts.lost, counts.twice, counts.unsound) == (0, 0, 0)


async def test_witnesses_and_readers_are_told_one_history_whenever_a_service_is_killed(
    tmp_path: Path,
) -> None:
    places = [one for one in POINTS if one.startswith("witnessing.")] + ["files.replacing"]
    campaign = Campaign(tmp_path, seed=7)
    try:
        await campaign.begin()
        for place in places:
            await campaign.at(place, "service")
        shown = await campaign.until_all_is_cosigned()
    finally:
        await campaign.end()
    counts = campaign.counts
    assert counts.rounds == len(places)
    assert counts.not_reached == []
    assert shown > counts.acknowledged
    assert (counts.lost, counts.twice, counts.unsound) == (0, 0, 0)


@pytest.mark.parametrize("asked", ["tile.kept", "tile.kept:2"])
def test_a_process_dies_at_the_pass_that_was_asked_for(asked: str) -> None:
    name, _, count = asked.partition(":")
    passes = (
        f"from dataexchange.failpoint import reach; [(reach({name!r}), print(n)) for n in range(3)]"
    )
    ran = subprocess.run(
        [sys.executable, "-u", "-c", passes],
        env={
            **os.environ,
            "DATAEXCHANGE_FAILPOINT": asked,
            "PYTHONPATH": os.pathsep.join(sys.path),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == -signal.SIGKILL
    assert len(ran.stdout.split()) == int(count or 1) - 1


def test_every_named_place_is_in_the_code_once_or_more() -> None:
    source = Path(dataexchange.__file__).parent
    code = "".join(path.read_text() for path in source.rglob("*.py"))
    assert set(re.findall(r'reach\("([a-z.]+)"\)', code)) == {*POINTS, *WITNESS_POINTS}
