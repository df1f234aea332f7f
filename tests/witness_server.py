"""A witness on a real port, for tests of who asks it: it can be stopped, slowed and set back."""

import socket
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import uvicorn

from dataexchange.ledger.note import Ed25519Signer, SignatureType, VerifierKey
from dataexchange.witness.judgement import known_logs
from dataexchange.witness.memory import Memory
from dataexchange.witness.service import create_app
from dataexchange.witness.witness import Witness

PATIENCE_SECONDS = 20


class SlowSigner(Ed25519Signer):
    """A witness's key that takes `pause_seconds` to sign."""

    pause_seconds = 0.0

    def sign(self, message: bytes) -> bytes:
        """Sign in good time."""
        time.sleep(self.pause_seconds)
        return super().sign(message)


@dataclass
class ServedWitness:
    """A witness of `logs` that remembers in `folder`; `up` runs it, the port stays the same."""

    folder: Path
    name: str
    logs: Sequence[str]
    seed: bytes = b"\x21" * 32
    port: int = field(default=0)

    def __post_init__(self) -> None:
        self.signer = SlowSigner(self.name, self.seed, SignatureType.COSIGNATURE)
        with socket.create_server(("127.0.0.1", self.port)) as listener:
            self.port = listener.getsockname()[1]

    @property
    def url(self) -> str:
        """Where it answers while it is up."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def line(self) -> str:
        """Its line in a policy."""
        return f"witness {self.name} {self.signer.vkey} {self.url}\n"

    @contextmanager
    def up(self) -> Iterator[Witness]:
        """Serve for as long as the context lasts."""
        memory = Memory(self.folder / f"{self.name}.sqlite", self.signer.vkey)
        logs = known_logs(map(VerifierKey.parse, self.logs))
        witness = Witness([self.signer], logs, memory, lambda: int(time.time()))
        config = uvicorn.Config(
            create_app(witness), port=self.port, log_level="error", lifespan="off", ws="none"
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run)
        thread.start()
        until = time.monotonic() + PATIENCE_SECONDS
        while not server.started and time.monotonic() < until:
            time.sleep(0.02)
        try:
            yield witness
        finally:
            server.should_exit = True
            thread.join(PATIENCE_SECONDS)


def policy_of(log: str, witnesses: Sequence[ServedWitness], threshold: int) -> str:
    """Return a policy that asks for `threshold` of `witnesses`."""
    names = " ".join(one.name for one in witnesses)
    lines = "".join(one.line for one in witnesses)
    if threshold == 0:
        return f"log {log}\n{lines}quorum none\n"
    return f"log {log}\n{lines}group all-of-them {threshold} {names}\nquorum all-of-them\n"
