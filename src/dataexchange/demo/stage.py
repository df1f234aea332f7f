"""The stage: an exchange that runs, a clock that can be moved, actors that sign, and a narrator."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from rich.markup import escape
from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.applications import Starlette

from dataexchange.api import create_app
from dataexchange.cli.console import console
from dataexchange.client import keyfile
from dataexchange.client.exchange_client import Accepted, ExchangeClient, ExchangeRefusedError
from dataexchange.client.signing import Actor, SigningKey
from dataexchange.client.typeid import new_id
from dataexchange.demo.witness import make_witness
from dataexchange.errors import DataExchangeError
from dataexchange.exchange.clock import Clock
from dataexchange.identity.credit_code import check_character
from dataexchange.ledger.suites import SuiteName
from dataexchange.settings import Settings

ORIGIN = "demo.localhost/dataexchange"


class DemoFailedError(DataExchangeError):
    """The demonstration did not come out as it must."""


class DemoClock(Clock):
    """A clock that runs as the system's does, ahead of it by what the story has skipped."""

    def __init__(self) -> None:
        super().__init__()
        self._ahead = timedelta(0)

    def now(self) -> datetime:
        """Return the story's time."""
        return super().now() + self._ahead

    def skip(self, days: float) -> None:
        """Let `days` pass."""
        self._ahead += timedelta(days=days)


@dataclass
class Stage:
    """Everything that the story is told with."""

    http: httpx.AsyncClient
    clock: DemoClock
    folder: Path
    operator: Actor
    engine: AsyncEngine
    started: float = field(default_factory=time.monotonic)
    refusals: list[tuple[str, str, str]] = field(default_factory=list)  # (what, code, zh)
    facts: dict[str, Any] = field(default_factory=dict)
    _clients: dict[str, ExchangeClient] = field(default_factory=dict)
    _parties: int = 0

    def say(self, zh: str, en: str) -> None:
        """Tell what has happened, with the seconds since the start."""
        elapsed = time.monotonic() - self.started
        console.print(
            f"[dim]{elapsed:6.1f}s[/] {escape(zh)} [dim]· {escape(en)}[/]", highlight=False
        )

    def chapter(self, zh: str, en: str) -> None:
        """Begin a chapter."""
        console.print(f"\n[bold cyan]■ {zh} · {en}[/]", highlight=False)

    def actor(self, name: str, suite: SuiteName = "ed25519") -> Actor:
        """Return a new actor, its key kept in a file of its own."""
        return new_actor(self.folder, name, suite)

    def client(self, actor: Actor) -> ExchangeClient:
        """Return the client of `actor`."""
        if actor.key.id not in self._clients:
            self._clients[actor.key.id] = ExchangeClient(self.http, actor, self.clock.now)
        return self._clients[actor.key.id]

    async def do(self, actor: Actor, event: str, /, **payload: Any) -> Accepted:
        """Have `actor` sign and submit an event."""
        return await self.client(actor).submit(event, payload)

    async def refused(
        self, what: str, code: str, actor: Actor, event: str, /, **payload: Any
    ) -> None:
        """Have `actor` try what the rules refuse with `code`, and tell of it."""
        try:
            await self.do(actor, event, **payload)
        except ExchangeRefusedError as refusal:
            zh = str(refusal.problem.get("zh"))
            self.refusals.append((what, refusal.code, zh))
            console.print(
                f"        [yellow]✗ {what}[/] → {refusal.code}：{escape(zh)}", highlight=False
            )
            if refusal.code != code:
                raise
            return
        raise AssertionError(f"{event} should have been refused: {what}")

    async def until_published(self) -> None:
        """Wait until the witness has cosigned all that was written; it follows within a second."""
        size = (await self.http.get("/v1/log")).json()["size"]
        for _ in range(300):
            note = await self.http.get("/checkpoint")
            if note.is_success and int(note.text.split("\n")[1]) >= size:
                return
            await asyncio.sleep(0.1)
        raise DemoFailedError("见证没有跟上 / the witness did not follow")

    async def state(self, actor: Actor, key: str) -> dict[str, Any]:
        """Return what the ledger holds of `key`."""
        return await self.client(actor).state(key)

    async def head(self, actor: Actor, key: str) -> str:
        """Return the leaf hash that a consent to `key` names."""
        return await self.client(actor).head(key)

    def profile(self, actor: Actor, name: str, kind: str, *roles: str) -> dict[str, Any]:
        """Return the profile of an organisation of the demonstration."""
        self._parties += 1
        first = f"91350100{self._parties:09d}"
        return {
            "party": actor.party,
            "name": f"{name}（演示）",
            "credit_code": first + check_character(first),
            "party_kind": kind,
            "roles": list(roles),
            "key": actor.key.id,
        }

    async def join(
        self, file: str, name: str, kind: str, *roles: str, suite: SuiteName = "ed25519"
    ) -> Actor:
        """Return an organisation that applied and was admitted."""
        actor = self.actor(file, suite)
        await self.do(actor, "party.applied@1", **self.profile(actor, name, kind, *roles))
        await self.do(self.operator, "party.admitted@1", party=actor.party, roles=list(roles))
        self.say(f"{name} 入场：{'、'.join(roles)}", f"{file} admitted")
        return actor

    async def second_key(self, actor: Actor) -> Actor:
        """Return the same party with a second key, for acts that need two signers."""
        key = SigningKey.generate()
        await self.do(actor, "key.added@1", party=actor.party, key=key.id)
        return Actor(actor.party, key, actor.log)


def new_actor(folder: Path, name: str, suite: SuiteName = "ed25519") -> Actor:
    """Return a new actor, its key kept in a file of its own."""
    actor = Actor(new_id("party"), SigningKey.generate(suite), ORIGIN)
    keyfile.save(actor, folder / "keys" / f"{name}.key")
    return actor


@asynccontextmanager
async def stage(folder: Path) -> AsyncIterator[Stage]:
    """Run an exchange of the demonstration's own and a witness of its log, over HTTP."""
    clock, operator = DemoClock(), new_actor(folder, "operator")
    settings = Settings(
        database_url=None,
        owner_database_url=None,
        data_folder=folder / "exchange",
        origin=ORIGIN,
        operator_key=operator.key.id,
        policy_file=folder / "witnessed-policy",
        port=_free_port(),
    )
    app, witness_port = create_app(settings, clock), _free_port()
    witness = make_witness(settings, f"http://127.0.0.1:{witness_port}")
    async with (
        _serving(witness, witness_port),
        _serving(app, settings.port),
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{settings.port}", timeout=120) as http,
    ):
        yield Stage(http, clock, folder, operator, app.state.exchange.engine)


@asynccontextmanager
async def _serving(app: Starlette, port: int) -> AsyncIterator[None]:
    """Serve `app` on `port` for as long as the context lasts."""
    config = uvicorn.Config(app, port=port, log_level="warning", access_log=False)
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve())
    while not server.started:
        if task.done():
            task.result()
            raise RuntimeError("a part of the demonstration did not start")
        await asyncio.sleep(0.05)
    try:
        yield
    finally:
        server.should_exit = True
        await task


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
