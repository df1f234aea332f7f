"""A log, and a witness that knows it."""

from pathlib import Path

import pytest

from dataexchange.ledger.note import VerifierKey
from dataexchange.witness.judgement import known_logs
from dataexchange.witness.memory import Memory
from dataexchange.witness.witness import Witness
from foreign_log import WITNESS, ForeignLog

NOW_SECONDS = 1_800_000_000


@pytest.fixture
def log() -> ForeignLog:
    return ForeignLog.of(40)


@pytest.fixture
def witness(log: ForeignLog, tmp_path: Path) -> Witness:
    logs = known_logs([VerifierKey.parse(log.signer.vkey)])
    memory = Memory(tmp_path / "witness.sqlite", WITNESS.vkey)
    return Witness([WITNESS], logs, memory, lambda: NOW_SECONDS)
