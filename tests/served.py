"""A real service on a real port, for tests of what talks to it over HTTP."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import orjson
import uvicorn

from databases import Addresses
from dataexchange.api import create_app
from dataexchange.client import keyfile
from dataexchange.client.signing import Actor
from dataexchange.exchange.clock import Clock
from dataexchange.settings import Settings
from world import ORIGIN, World

PATIENCE_SECONDS = 20


@dataclass(frozen=True)
class Served:
    """A running service; `world` holds the operator and the regulator that its log opens with."""

    url: str
    addresses: Addresses
    folder: Path
    world: World

    @property
    def opening(self) -> dict[str, object]:
        """The payload with which the operator opens the log."""
        payload = self.world.entries[0].submission.statement.payload
        said: dict[str, object] = orjson.loads(payload)
        return said

    def key_file(self, actor: Actor, name: str) -> Path:
        """Return a key file of `actor`."""
        path = self.folder / f"{name}.key"
        if not path.exists():
            keyfile.save(actor, path)
        return path

    def until_checkpoint(self, size: int) -> None:
        """Wait until a checkpoint covers `size` entries."""
        until = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < until:
            found = httpx.get(f"{self.url}/checkpoint")
            if found.status_code == 200 and int(found.text.split("\n")[1]) >= size:
                return
            time.sleep(0.05)
        raise TimeoutError(f"no checkpoint of {size} entries")


@contextmanager
def serving(addresses: Addresses, folder: Path, clock: Clock | None = None) -> Iterator[Served]:
    """Serve a new log on a port of its own, on the system's clock or a given one."""
    settings = Settings(
        database_url=addresses.app,
        owner_database_url=addresses.owner,
        data_folder=folder,
        origin=ORIGIN,
    )
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(
        create_app(settings, clock), log_level="error", lifespan="on", ws="none"
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        _until_started(server)
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        vkeys = httpx.get(f"{url}/v1/log").json()["vkeys"]
        yield Served(url, addresses, folder, World(log_keys=vkeys))
    finally:
        server.should_exit = True
        thread.join(PATIENCE_SECONDS)
        listener.close()


def _until_started(server: uvicorn.Server) -> None:
    until = time.monotonic() + PATIENCE_SECONDS
    while not server.started:
        if time.monotonic() > until:
            raise TimeoutError("the service did not start")
        time.sleep(0.02)
