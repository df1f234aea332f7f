"""`witness-keygen` and `witness`, as an operator runs them: two workers, killed and started."""

import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner

from dataexchange.cli import program
from dataexchange.failpoint import WITNESS_POINTS
from dataexchange.ledger.cosignature import verifier_for
from dataexchange.ledger.note import VerifierKey, parse_signatures
from dataexchange.witness.key_file import create
from foreign_log import ForeignLog

RUN = "from dataexchange.cli import main; main()"
SEED = 20_261_124


def test_keygen_prints_the_vkey_that_policies_name(tmp_path: Path) -> None:
    done = CliRunner().invoke(
        program("witness"), ["witness-keygen", str(tmp_path / "w.key"), "--name", "w.test"]
    )
    assert done.exit_code == 0
    assert VerifierKey.parse(done.stdout.strip()).name == "w.test"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ([], "no log is named"),
        (["--log", "rubbish"], "cannot be read"),
        (["--logs", "/nowhere"], "cannot be read"),
    ],
)
def test_a_witness_without_logs_says_so(tmp_path: Path, options: list[str], said: str) -> None:
    create(tmp_path / "w.key", "w")
    command = [sys.executable, "-c", RUN, "witness", "--key", str(tmp_path / "w.key"), *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 2
    assert said in done.stderr


@contextmanager
def served(
    folder: Path, port: int, *, workers: int = 2, failpoint: str = ""
) -> Iterator["subprocess.Popen[bytes]"]:
    """Run the command with its workers, in a process group of its own."""
    options = ["--key", "w.key", "--logs", "policy", "--port", str(port)]
    options += ["--workers", str(workers)]
    process = subprocess.Popen(
        [sys.executable, "-c", RUN, "witness", *options],
        cwd=folder,
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "DATAEXCHANGE_FAILPOINT": failpoint},
    )
    try:
        until = time.monotonic() + 60
        while time.monotonic() < until:
            try:
                httpx.get(f"http://127.0.0.1:{port}/", timeout=5)
                break
            except httpx.HTTPError:
                time.sleep(0.1)
        yield process
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def push(log: ForeignLog, url: str, seed: int, got: list[tuple[int, bytes]]) -> None:
    """Push a log's growth until the witness is gone; put (size, lines) of what it cosigned."""
    choose, known = random.Random(seed), 0
    with httpx.Client(base_url=url, timeout=5) as http:
        while True:
            size = min(known + choose.randint(0, 2), len(log.leaves))
            try:
                body = log.request(known, size).encode()
                answer = http.post("/add-checkpoint", content=body)
            except httpx.HTTPError:
                return
            if answer.status_code == 200:
                got.append((size, answer.content))
                known = size
            elif answer.status_code == 409:
                known = min(int(answer.content), len(log.leaves))


def test_two_workers_killed_at_random_under_two_histories_sign_only_one(tmp_path: Path) -> None:
    log = ForeignLog.of(3_000)
    logs = [log, log.fork(1), log.fork(40), log.fork(400)]
    vkey = create(tmp_path / "w.key", "witness.test/w").vkey
    (tmp_path / "policy").write_text(f"log {log.signer.vkey}\nquorum none\n")
    verifier, choose = verifier_for(VerifierKey.parse(vkey)), random.Random(SEED)
    signed: dict[int, set[bytes]] = {}
    for _round in range(3):
        port = free_port()
        url = f"http://127.0.0.1:{port}"
        with served(tmp_path, port) as process, ThreadPoolExecutor(len(logs)) as pool:
            got: list[list[tuple[int, bytes]]] = [[] for _ in logs]
            for of, answers in zip(logs, got, strict=True):
                pool.submit(push, of, url, choose.randrange(1 << 30), answers)
            enough, until = choose.randint(10, 60), time.monotonic() + 30
            while sum(map(len, got)) < enough and time.monotonic() < until:
                time.sleep(0.01)
            os.killpg(process.pid, signal.SIGKILL)
            pool.shutdown()
            for of, answers in zip(logs, got, strict=True):
                for size, lines in answers:
                    text = of.checkpoint(size).text()
                    (signature,) = parse_signatures(lines)
                    assert verifier.verify(text, signature.value)
                    signed.setdefault(size, set()).add(text)
    assert len(signed) > 10
    assert all(len(texts) == 1 for texts in signed.values())


@pytest.mark.parametrize("place", WITNESS_POINTS)
def test_a_witness_killed_as_it_cosigns_never_cosigns_another_root_of_that_size(
    tmp_path: Path, place: str
) -> None:
    log = ForeignLog.of(9)
    fork = log.fork(7)
    create(tmp_path / "w.key", "witness.test/w")
    (tmp_path / "policy").write_text(f"log {log.signer.vkey}\nquorum none\n")
    port = free_port()

    def ask(of: ForeignLog, old: int, size: int) -> httpx.Response:
        url = f"http://127.0.0.1:{port}/add-checkpoint"
        return httpx.post(url, content=of.request(old, size).encode(), timeout=10)

    with served(tmp_path, port, workers=1):
        assert ask(log, 0, 5).status_code == 200
    with served(tmp_path, port, workers=1, failpoint=place) as process:
        with pytest.raises(httpx.TransportError):
            ask(log, 5, 8)
        assert process.wait(10) == -signal.SIGKILL
    with served(tmp_path, port, workers=1):
        other, again = ask(fork, 5, 8), ask(log, 5, 8)
        # Nobody has seen its first cosignature; where it was remembered, it binds all the same.
        is_bound = place == "witness.remembered"
        assert (other.status_code, again.status_code) == ((409, 409) if is_bound else (200, 409))
        kept, lost = (log, fork) if is_bound else (fork, log)
        assert ask(kept, 8, 8).status_code == 200
        assert ask(lost, 8, 8).status_code in (409, 422)
