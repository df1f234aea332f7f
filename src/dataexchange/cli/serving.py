"""Run the service in this process, or in several."""

import gc
import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import uvicorn
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dataexchange.cli.console import console
from dataexchange.cli.server import GC_THRESHOLD
from dataexchange.database.engine import DATABASE_ERRORS, reading_engine
from dataexchange.errors import DataExchangeError, UnavailableError
from dataexchange.exchange import mapper, secret_file
from dataexchange.exchange.mapper import MadeMap
from dataexchange.exchange.opening_keys import OpeningKeys
from dataexchange.exchange.rebuild import Rebuilt
from dataexchange.exchange.rebuild import rebuild as rebuild_states
from dataexchange.exchange.service import database, require_addresses
from dataexchange.settings import Settings


def run(
    *,
    host: str | None,
    port: int | None,
    workers: int,
    data_folder: Path | None,
    origin: str | None,
) -> None:
    """Serve until stopped. Options become the environment, which worker processes share."""
    _set("DATAEXCHANGE_DATA_FOLDER", data_folder)
    _set("DATAEXCHANGE_ORIGIN", origin)
    settings = Settings()
    require_addresses(settings)
    chosen_host = host or settings.host
    chosen_port = settings.port if port is None else port
    console.print(
        f"dataexchange · {settings.origin} · http://{chosen_host}:{chosen_port}"
        f" · 文档 docs http://{chosen_host}:{chosen_port}/docs",
        highlight=False,
    )
    with ExitStack() as stack:
        if settings.metrics_token_file is not None and workers > 1:
            # Where the processes' counters are added up; the name is the client library's.
            folder = TemporaryDirectory(prefix="dataexchange-metrics-")
            _set("PROMETHEUS_MULTIPROC_DIR", stack.enter_context(folder))
        uvicorn.run(
            "dataexchange.cli.serving:make_app",
            factory=True,
            host=chosen_host,
            port=chosen_port,
            workers=workers,
            loop="auto",
            http="auto",
            access_log=False,
            proxy_headers=False,
            log_level="info",
        )


def make_app() -> ASGIApp:
    """Return the application, with the garbage collector tuned for the hot path.

    What was made until now lives long, so it is frozen out of the collector's sight.
    """
    from dataexchange.api import create_app

    app = create_app()
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLD)
    return telling_why(app)


def telling_why(app: ASGIApp) -> ASGIApp:
    """Return `app`, which tells in one line why it does not start, where that is no fault here."""

    async def telling(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan":
            await app(scope, receive, send)
            return

        async def send_reason(message: Message) -> None:
            failure = sys.exc_info()[1]
            if message["type"] == "lifespan.startup.failed" and isinstance(
                failure, DataExchangeError | OSError
            ):
                message = {**message, "message": str(failure)}
            await send(message)

        await app(scope, receive, send_reason)

    return telling


async def rebuild(data_folder: Path | None, *, write: bool) -> Rebuilt:
    """Rebuild the states of the configured log; `UnavailableError` where there is none."""
    _set("DATAEXCHANGE_DATA_FOLDER", data_folder)
    async with database(Settings(), existing=True) as (owner_dsn, app_dsn):
        with _answering():
            return await rebuild_states(owner_dsn if write else app_dsn, write=write)


async def make_map(data_folder: Path | None, *, rest: float) -> MadeMap | None:
    """Make the map of the configured log; `UnavailableError` where there is none."""
    _set("DATAEXCHANGE_DATA_FOLDER", data_folder)
    async with database(Settings(), existing=True) as (_, dsn):
        engine = reading_engine(dsn)
        try:
            with _answering():
                return await mapper.make_map(engine, rest=rest)
        finally:
            await engine.dispose()


@contextmanager
def _answering() -> Iterator[None]:
    try:
        yield
    except DATABASE_ERRORS as error:
        raise UnavailableError(
            "数据库没有应答，或其中没有账本 / the database does not answer, or holds no log:"
            f" {type(error).__name__}"
        ) from error


def rekey(data_folder: Path | None) -> int:
    """Wrap the keys of openings under a new wrapping key; return their count."""
    _set("DATAEXCHANGE_DATA_FOLDER", data_folder)
    settings = Settings()
    keys = OpeningKeys.under(settings.opening_key_path, settings.opening_keys_path)
    return secret_file.replace(settings.opening_key_path, keys.wrap_anew)


def _set(name: str, value: object) -> None:
    if value is not None:
        os.environ[name] = str(value)
