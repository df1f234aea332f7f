"""The application: doors on an exchange that lives as long as the application does."""

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from dataexchange import __version__
from dataexchange.api import (
    anchors,
    content,
    describe,
    dossier,
    dry_run,
    health,
    log,
    market,
    openapi,
    openings,
    problem,
    registers,
    tiles,
    valuations,
)
from dataexchange.api.cross_site import OpenToPages
from dataexchange.api.head import HeadAsGet
from dataexchange.api.metrics import CountedRequests, Instruments, MetricsDoor, counting
from dataexchange.api.write_door import WriteDoor, batch, one, several
from dataexchange.database.engine import DATABASE_ERRORS
from dataexchange.errors import DataExchangeError, RefusalCode
from dataexchange.exchange.clock import Clock
from dataexchange.exchange.service import Exchange, running
from dataexchange.settings import Settings

REQUEST_INVALID = RefusalCode(
    "request.invalid",
    clause="api/openapi.json",
    zh="请求参数有误：{reason}",
    en="The request does not fit: {reason}",
    kind="malformed",
)
NOTHING_HERE = RefusalCode(
    "request.no_such_path",
    clause="api/openapi.json",
    zh="没有这个地址",
    en="There is nothing at this address",
    remedy_zh="见 /docs 或 api/openapi.json。",
    remedy_en="See /docs or api/openapi.json.",
    kind="missing",
)
METHOD_NOT_ALLOWED = RefusalCode(
    "request.method_not_allowed",
    clause="RFC 9110 section 15.5.6",
    zh="此地址不接受这种方法",
    en="This address does not take this method",
    remedy_zh="可用的方法见响应头 Allow。",
    remedy_en="The Allow header names those that it takes.",
    kind="malformed",
)
WRITE_DOORS = {"/v1/events": one, "/v1/events/batch": batch, "/v1/events/several": several}
_log = logging.getLogger(__name__)


class Application(FastAPI):
    """FastAPI, with the write doors in front of it."""

    write_doors: Mapping[str, ASGIApp] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request: what is posted to a write door goes there, all else to FastAPI."""
        if scope["type"] == "http" and scope["method"] == "POST":
            door = self.write_doors.get(scope["path"])
            if door is not None:
                return await door(scope, receive, send)
        return await super().__call__(scope, receive, send)


def create_app(settings: Settings | None = None, clock: Clock | None = None) -> FastAPI:
    """Return the application for `settings` (default: the environment's) and `clock`."""
    chosen = settings or Settings()
    instruments = Instruments() if chosen.metrics_token_file is not None else None

    @asynccontextmanager
    async def lifespan(app: Application) -> AsyncIterator[None]:
        async with running(chosen, clock) as exchange, counting(exchange, instruments):
            app.state.exchange = exchange
            _open_write_doors(app, exchange, chosen, instruments)
            yield

    app = Application(
        title="dataexchange",
        summary="数据资产流通与估值账本 Data-asset trading and valuation ledger",
        version=__version__,
        lifespan=lifespan,
        generate_unique_id_function=lambda route: route.name,
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
    )
    app.state.settings = chosen
    if instruments is not None and chosen.metrics_token_file is not None:
        app.add_middleware(CountedRequests, instruments=instruments)
        door = MetricsDoor(chosen.metrics_token_file, instruments, lambda: app.state.exchange)
        app.router.routes.append(Route("/metrics", door.answer, methods=["GET"]))
    app.state.dry_runs = asyncio.Semaphore(dry_run.AT_ONCE_MAX)
    parts = (
        anchors,
        describe,
        dossier,
        log,
        openings,
        dry_run,
        content,
        tiles,
        health,
        valuations,
        market,
    )
    for module in parts:
        app.include_router(module.router)
    app.include_router(registers.make_router())
    app.add_middleware(HeadAsGet)
    app.add_middleware(OpenToPages)
    app.add_exception_handler(DataExchangeError, problem.on_error)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    app.add_exception_handler(HTTPException, _on_http)
    for failure in DATABASE_ERRORS:
        app.add_exception_handler(failure, _on_failure)
    app.add_exception_handler(Exception, problem.on_error)
    _complete_openapi(app)
    return app


def _open_write_doors(
    app: Application, exchange: Exchange, settings: Settings, instruments: Instruments | None
) -> None:
    doors = {
        path: WriteDoor(handler(exchange.reception), settings.body_bytes_max)
        for path, handler in WRITE_DOORS.items()
    }
    for path, door in doors.items():  # for what else is asked at these addresses
        app.router.routes.append(Route(path, door, methods=["POST"]))
    # What goes to a door does not pass the middleware.
    app.write_doors = doors if instruments is None else _counted(doors, instruments)


def _counted(doors: Mapping[str, ASGIApp], instruments: Instruments) -> dict[str, ASGIApp]:
    return {path: CountedRequests(door, instruments, path) for path, door in doors.items()}


async def _on_invalid(_request: Request, error: Exception) -> Response:
    faults = error.errors() if isinstance(error, RequestValidationError) else []
    reason = "; ".join(f"{'.'.join(map(str, f['loc']))}: {f['msg']}" for f in faults[:5])
    return problem.response(REQUEST_INVALID(reason=reason))


async def _on_http(request: Request, error: Exception) -> Response:
    """Answer for the router: nothing at this address, or not by this method."""
    if not isinstance(error, HTTPException):
        raise error
    if error.status_code != 405:
        return problem.response(NOTHING_HERE(), dict(error.headers or {}))
    return problem.response(METHOD_NOT_ALLOWED(), {"Allow": _allowed(request, error)})


def _allowed(request: Request, error: HTTPException) -> str:
    """Return all methods of the address; the router names those of its first route alone."""
    here = getattr(request.scope.get("route"), "path", None)
    routes = (route for route in content.router.routes if isinstance(route, APIRoute))
    named = {name for route in routes if route.path == here for name in route.methods or ()}
    named |= set((error.headers or {}).get("Allow", "").split(", ")) - {""}
    return ", ".join(sorted(named | {"HEAD"} if "GET" in named else named))


async def _on_failure(_request: Request, error: Exception) -> Response:
    """Answer for a database that does not answer; any other failure of it is a fault of ours."""
    if not _is_outage(error):
        raise error
    _log.warning("the database does not answer: %s", type(error).__name__)
    return problem.response(problem.UNAVAILABLE())


def _is_outage(error: Exception) -> bool:
    """Tell whether a connection broke or could not be had; drivers raise unwrapped only then."""
    if not isinstance(error, SQLAlchemyError) or isinstance(error, PoolTimeoutError):
        return True
    if isinstance(error, OperationalError | InterfaceError):
        return True
    # Without a statement it was the connecting that failed.
    return isinstance(error, DBAPIError) and (
        error.connection_invalidated or error.statement is None
    )


def _complete_openapi(app: FastAPI) -> None:
    base = app.openapi

    def complete() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = openapi.document(app, base())
        return app.openapi_schema

    app.openapi = complete  # type: ignore[method-assign]
