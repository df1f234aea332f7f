"""A whole exchange behind its HTTP door, in this process, on a real database."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import orjson
from fastapi import FastAPI

from databases import Addresses
from dataexchange.api import create_app
from dataexchange.client.exchange_client import ExchangeClient, access_token, signed
from dataexchange.client.signing import Actor
from dataexchange.exchange.clock import Clock
from dataexchange.exchange.service import Exchange
from dataexchange.ledger.log_key import PrivateKey
from dataexchange.ledger.note import SignatureType
from dataexchange.ledger.policy import Policy
from dataexchange.private_file import write_private
from dataexchange.rules import Role
from dataexchange.settings import Settings
from steps_guarantee import registered_pledge
from steps_market import settled_licence
from world import LOG_SIGNER, ORIGIN, World

POLICY_FILE = f"log {LOG_SIGNER.vkey}\nquorum none\n".encode()
POLICY = Policy.parse(POLICY_FILE)
SEED = b"\x07" * 32  # SIGNER's


class WorldClock(Clock):
    """The clock of a world: it moves when the world's story does."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self.world = world
        self.told: datetime | None = None

    def now(self) -> datetime:
        """Return the time of the entry that is being told again, or else the world's now."""
        return self.told or self.world.now


@dataclass
class Door:
    """An application that runs, a client for it, and the world whose parties use it."""

    app: FastAPI
    http: httpx.AsyncClient
    world: World
    clock: WorldClock
    names: dict[str, Actor] = field(default_factory=dict)

    @property
    def exchange(self) -> Exchange:
        """What the doors work with."""
        exchange = self.app.state.exchange
        assert isinstance(exchange, Exchange)
        return exchange

    def sign(self, actor: Actor, event: str, payload: dict[str, Any], **options: Any) -> bytes:
        """Return a request body for `/v1/events`."""
        return signed(actor, actor.state(event, payload, at=self.world.now, **options)).body

    async def submit(
        self, actor: Actor, event: str, payload: dict[str, Any], **options: Any
    ) -> httpx.Response:
        """Sign and send one event."""
        return await self.http.post(
            "/v1/events", content=self.sign(actor, event, payload, **options)
        )

    async def get(self, path: str, reader: Actor | None = None, **headers: str) -> httpx.Response:
        """Read `path` in the name of `reader`."""
        return await self.http.get(path, headers={**self.bearer(reader), **headers})

    def bearer(self, reader: Actor | None) -> dict[str, str]:
        """Return the header by which `reader` is known."""
        if reader is None:
            return {}
        return {"Authorization": f"Bearer {access_token(reader, self.world.now)}"}

    def client(self, actor: Actor | None = None) -> ExchangeClient:
        """Return the SDK's client for `actor`."""
        return ExchangeClient(self.http, actor, self.clock.now)

    async def tell(self) -> None:
        """Send every statement of the world's story at the time when it was recorded."""
        size = orjson.loads((await self.http.get("/v1/log")).content)["size"]
        for appended in self.world.entries[size:]:
            self.clock.told = appended.recorded_at
            one = appended.submission
            body = b'{"signature":%b,"statement":%b}' % (one.signature, one.statement.body)
            response = await self.http.post("/v1/events", content=body)
            assert response.status_code == 201, response.text
        self.clock.told = None
        await self.exchange.publisher.publish()


def keep_log_key(folder: Path) -> None:
    """Put the key of `bundles` where a service with this data folder finds it."""
    path = folder / "log.key"
    if not path.exists():
        write_private(path, PrivateKey(ORIGIN, SignatureType.ED25519, SEED).encode().encode())


@asynccontextmanager
async def opened_door(
    addresses: Addresses, folder: Path, world: World, **settings: Any
) -> AsyncIterator[Door]:
    """Run an application on a database; its log key is that of `bundles`."""
    keep_log_key(folder)
    chosen = Settings(
        database_url=addresses.app,
        owner_database_url=addresses.owner,
        data_folder=folder,
        origin=ORIGIN,
        **settings,
    )
    clock = WorldClock(world)
    app = create_app(chosen, clock)
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://exchange.test") as http:
            yield Door(app, http, world, clock)


def small_world() -> World:
    """Return a world that was opened, with nobody in it but the operator and a regulator."""
    return World()


def told_world() -> tuple[World, dict[str, Actor]]:
    """Return a world with a settled licence and a pledge in it, and its parties by name."""
    world = small_world()
    deal = settled_licence(world)
    pledged = registered_pledge(world)
    stranger = world.join(Role.PROVIDER, Role.BUYER)
    world.now += timedelta(minutes=1)
    return world, {
        "provider": deal.provider,
        "buyer": deal.buyer,
        "lender": pledged.lender,
        "stranger": stranger,
        "regulator": world.regulator,
        "operator": world.operator,
    }
