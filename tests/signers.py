"""Signer processes for tests: real ones, on a socket in a folder of their own."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from dataexchange.exchange.log_key import create
from dataexchange.ledger.note import SignatureType
from world import ORIGIN

PATIENCE_SECONDS = 20


@dataclass(frozen=True)
class Site:
    """Where a signer has its keys, its memory and its socket."""

    folder: Path
    vkeys: tuple[str, ...]

    @property
    def socket(self) -> Path:
        return self.folder / "s"

    @property
    def command(self) -> list[str]:
        program = "from dataexchange.cli import main; main()"
        keys = [part for name in ("a", "b") for part in ("--key", str(self.folder / name))]
        places = ["--socket", str(self.socket), "--store", str(self.folder / "store")]
        return [sys.executable, "-c", program, "signer", *keys, *places, "--origin", ORIGIN]

    @contextmanager
    def running(self, *more: str) -> Iterator[subprocess.Popen[str]]:
        """Run the process until the context ends."""
        pipe = subprocess.PIPE
        with subprocess.Popen([*self.command, *more], stdout=pipe, stderr=pipe, text=True) as it:
            try:
                self._until_it_answers(it)
                yield it
            finally:
                it.terminate()

    def _until_it_answers(self, process: subprocess.Popen[str]) -> None:
        until = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < until and process.poll() is None:
            with socket.socket(socket.AF_UNIX) as probe:
                if probe.connect_ex(str(self.socket)) == 0:
                    return
            time.sleep(0.05)
        raise TimeoutError("the signer did not start")


def made_site(folder: Path) -> Site:
    """Return the site of a signer with a new key of each scheme."""
    kinds = {"a": SignatureType.ED25519, "b": SignatureType.ML_DSA_44}
    made = [create(folder / name, ORIGIN, kind).vkey for name, kind in kinds.items()]
    return Site(folder, tuple(made))
