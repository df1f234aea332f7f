"""What the witness remembers, between processes and across kills."""

import multiprocessing
import os
import signal
import time
from multiprocessing.connection import Connection
from pathlib import Path
from threading import Thread

import pytest

from dataexchange.ledger.checkpoint import Checkpoint
from dataexchange.ledger.note import Ed25519Signer, SignatureType, VerifierKey
from dataexchange.witness import InconsistentError, SizeConflictError, WitnessError
from dataexchange.witness.judgement import known_logs
from dataexchange.witness.memory import ForgetfulError, Memory
from dataexchange.witness.witness import Witness
from foreign_log import WITNESS, ForeignLog

LOG = ForeignLog.of(40)
FORK = LOG.fork(9)
PROCESSES = multiprocessing.get_context("spawn")


class SlowSigner(Ed25519Signer):
    """A signer that says when it was asked, and takes its time."""

    def __init__(self, told: Connection, pause_seconds: float) -> None:
        super().__init__(WITNESS.name, b"\x02" * 32, SignatureType.COSIGNATURE)
        self._told, self._pause_seconds = told, pause_seconds

    def sign(self, message: bytes) -> bytes:
        self._told.send("signing")
        time.sleep(self._pause_seconds)
        return super().sign(message)


def witness_at(path: Path, signer: Ed25519Signer = WITNESS) -> Witness:
    logs = known_logs([VerifierKey.parse(LOG.signer.vkey)])
    return Witness([signer], logs, Memory(path, WITNESS.vkey), lambda: 1_800_000_000)


def cosign_and_hang(path: Path, told: Connection, body: bytes, pause_seconds: float) -> None:
    """In a process of its own: cosign, tell so, and never answer."""
    witness_at(path, SlowSigner(told, pause_seconds)).add_checkpoint(body)
    told.send("kept")
    time.sleep(60)


def killed_after(path: Path, body: bytes, word: str, pause_seconds: float = 0) -> None:
    """Run a witness in another process and kill it once it has said `word`."""
    here, there = PROCESSES.Pipe()
    process = PROCESSES.Process(target=cosign_and_hang, args=(path, there, body, pause_seconds))
    process.start()
    assert process.pid is not None
    while here.recv() != word:
        pass
    os.kill(process.pid, signal.SIGKILL)
    process.join()


def test_a_kill_before_the_commit_leaves_the_old_memory(tmp_path: Path) -> None:
    path = tmp_path / "memory"
    witness_at(path).add_checkpoint(LOG.request(0, 10).encode())
    killed_after(path, LOG.request(10, 20).encode(), "signing", pause_seconds=60)
    # That signature never left the process, so the other history may still come.
    assert witness_at(path).add_checkpoint(LOG.request(10, 30).encode())


def test_a_kill_between_commit_and_answer_leaves_the_new_memory(tmp_path: Path) -> None:
    path = tmp_path / "memory"
    witness_at(path).add_checkpoint(LOG.request(0, 9).encode())
    killed_after(path, LOG.request(9, 20).encode(), "kept")
    witness = witness_at(path)
    with pytest.raises(SizeConflictError) as conflict:
        witness.add_checkpoint(FORK.request(9, 20).encode())
    assert conflict.value.size == 20
    with pytest.raises(InconsistentError):
        witness.add_checkpoint(FORK.request(20, 20).encode())
    assert witness.add_checkpoint(LOG.request(20, 20).encode())


def test_of_two_heads_at_once_one_is_signed(tmp_path: Path) -> None:
    """The slower decision holds the lock, so the other is judged by what it leaves."""
    path = tmp_path / "memory"
    witness_at(path).add_checkpoint(LOG.request(0, 9).encode())
    here, there = PROCESSES.Pipe()
    slow = Thread(
        target=lambda: witness_at(path, SlowSigner(there, 0.5)).add_checkpoint(
            LOG.request(9, 20).encode()
        )
    )
    slow.start()
    assert here.recv() == "signing"
    with pytest.raises(SizeConflictError) as conflict:
        witness_at(path).add_checkpoint(FORK.request(9, 20).encode())
    slow.join()
    assert conflict.value.size == 20


def test_a_decision_that_raises_changes_nothing(tmp_path: Path) -> None:
    memory = Memory(tmp_path / "memory", "key")
    memory.update(LOG.origin, lambda last: LOG.signed(5))

    def refuse(last: Checkpoint | None) -> bytes:
        assert last == LOG.checkpoint(5)
        raise WitnessError("no")

    with pytest.raises(WitnessError):
        memory.update(LOG.origin, refuse)
    memory.update(LOG.origin, lambda last: LOG.signed(last.size if last else 0))


def test_a_memory_is_of_one_key(tmp_path: Path) -> None:
    Memory(tmp_path / "memory", "one")
    Memory(tmp_path / "memory", "one")
    with pytest.raises(ForgetfulError):
        Memory(tmp_path / "memory", "another")


def test_every_commit_is_synced(tmp_path: Path) -> None:
    memory = Memory(tmp_path / "memory", "one")
    with memory._connected() as connection:
        assert connection.execute("pragma journal_mode").fetchone() == ("wal",)
        assert connection.execute("pragma synchronous").fetchone() == (2,)


def test_what_is_no_file_is_no_memory(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("x" * 200)
    for path in (tmp_path, tmp_path / "text", tmp_path / "text" / "memory"):
        with pytest.raises(ForgetfulError, match="cannot be a memory"):
            Memory(path, WITNESS.vkey)
