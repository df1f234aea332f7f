"""The exchange as one thing that is started and stopped: database, sequencer, publisher."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncEngine

from dataexchange.content.store import FolderStore
from dataexchange.database.engine import connect, reading_engine
from dataexchange.database.migrate import migrate
from dataexchange.exchange.clock import Clock
from dataexchange.exchange.log_key import load_or_make
from dataexchange.exchange.publisher import Publisher
from dataexchange.exchange.sequencer import Sequencer
from dataexchange.exchange.valuer import Valuer
from dataexchange.ledger.note import Signer
from dataexchange.settings import Settings


@dataclass(frozen=True, slots=True)
class Exchange:
    """What the doors work with."""

    origin: str
    dsn: str
    clock: Clock
    engine: AsyncEngine
    sequencer: Sequencer
    publisher: Publisher
    signer: Signer
    content: FolderStore
    valuer: Valuer


@asynccontextmanager
async def database(settings: Settings) -> AsyncIterator[tuple[str, str]]:
    """Provide the (owner, app) DSNs of the configured database, or of an embedded one."""
    if settings.database_url is not None:
        yield settings.owner_database_url or settings.database_url, settings.database_url
        return
    from dataexchange.database.embedded import OWNER_ROLE, EmbeddedPostgres

    embedded = EmbeddedPostgres(settings.data_folder / "postgres")
    await asyncio.to_thread(embedded.start)
    try:
        yield embedded.dsn(OWNER_ROLE), embedded.dsn()
    finally:
        await asyncio.to_thread(embedded.stop)


@asynccontextmanager
async def running(settings: Settings, clock: Clock | None = None) -> AsyncIterator[Exchange]:
    """Run an exchange for as long as the context lasts, on the system's clock or a given one."""
    async with AsyncExitStack() as stack:
        owner_dsn, app_dsn = await stack.enter_async_context(database(settings))
        await migrate(owner_dsn)
        clock = clock or Clock()
        engine = reading_engine(app_dsn)
        stack.push_async_callback(engine.dispose)
        sequencer = Sequencer(lambda: connect(app_dsn), settings.origin, clock)
        await sequencer.start()
        signer = load_or_make(settings.log_key_path, settings.origin)
        publisher = Publisher(engine, signer)
        await publisher.start()
        stack.push_async_callback(publisher.stop)
        stack.push_async_callback(sequencer.stop)
        content = FolderStore(_content_folder(settings))
        valuer = Valuer(settings.preview_seconds_max)
        stack.push_async_callback(valuer.close)
        yield Exchange(
            settings.origin, app_dsn, clock, engine, sequencer, publisher, signer, content, valuer
        )


def _content_folder(settings: Settings) -> Path:
    folder = settings.data_folder / "content"
    folder.mkdir(parents=True, exist_ok=True)
    return folder
