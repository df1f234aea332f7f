"""SIGKILL at each place of an export: no file is half there or changed, the checkpoint is last."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import exporting
from dataexchange.failpoint import POINTS
from exporting import NumberedLog, export, published_size, visible

BEFORE, AFTER = 200, 600  # two tiles become full, one of them having been there in part
LOG = NumberedLog(AFTER)
PLACES = [one for one in POINTS if one.startswith("files.")]
LAST = {"files.replaced", "files.pruned"}


def run_export(folder: Path, size: int, failpoint: str) -> int:
    """Export in a process of its own; return its exit status."""
    env = {
        **os.environ,
        "DATAEXCHANGE_FAILPOINT": failpoint,
        "PYTHONPATH": os.pathsep.join(sys.path),
    }
    command = [sys.executable, exporting.__file__, str(folder), str(size)]
    return subprocess.run(command, env=env, check=False, timeout=60).returncode


@pytest.mark.parametrize("place", [*PLACES, "files.drafted:4", "files.linked:4"])
async def test_a_kill_leaves_whole_files_and_a_checkpoint_that_all_are_there_for(
    tmp_path: Path, place: str
) -> None:
    await export(tmp_path, NumberedLog(BEFORE))
    before = visible(tmp_path)
    assert run_export(tmp_path, AFTER, place) == -signal.SIGKILL
    is_published = place.partition(":")[0] in LAST
    assert published_size(tmp_path, LOG) == (AFTER if is_published else BEFORE)
    if not is_published:
        after = visible(tmp_path)
        assert all(after[path] == data for path, data in before.items())
    assert run_export(tmp_path, AFTER, "") == 0
    assert published_size(tmp_path, LOG) == AFTER


async def test_a_first_export_that_is_killed_before_its_checkpoint_shows_none(
    tmp_path: Path,
) -> None:
    assert run_export(tmp_path, AFTER, "files.replacing") == -signal.SIGKILL
    assert "checkpoint" not in visible(tmp_path)
    assert run_export(tmp_path, AFTER, "") == 0
    assert published_size(tmp_path, LOG) == AFTER
