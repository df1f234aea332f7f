"""Cases for the verifier in JavaScript, many in one run of Node."""

import base64
import json
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest

PROJECT = Path(__file__).parents[1]
VERIFIER = PROJECT / "api" / "verify.mjs"
DRIVER = PROJECT / "tests" / "javascript" / "driver.mjs"


def b64(data: bytes) -> str:
    """Return `data` as a case carries bytes."""
    return base64.b64encode(data).decode()


def node() -> str:
    """Return the path of Node 20.12 or later; skip the test where there is none."""
    found = shutil.which("node")
    if found is None:
        pytest.skip("node is absent: the verifier in JavaScript is not tried")
    said = subprocess.run([found, "--version"], check=True, capture_output=True, text=True).stdout
    if tuple(int(part) for part in said.strip().lstrip("v").split(".")) < (20, 12):
        pytest.skip(f"node {said.strip()} has no raw inflate: the verifier needs 20.12")
    return found


def run_cases(cases: Iterable[Mapping[str, Any]]) -> list[Any]:
    """Return what the verifier says to each case; `check` names the function that is asked."""
    lines = "".join(json.dumps(case) + "\n" for case in cases)
    done = subprocess.run(
        [node(), str(DRIVER)], input=lines, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return [json.loads(line) for line in done.stdout.splitlines()]
