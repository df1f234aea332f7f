"""The application: doors on an exchange that lives as long as the application does."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from dataexchange import __version__
from dataexchange.api import content, describe, health, log, openapi, problem, registers, tiles
from dataexchange.api.write_door import WriteDoor, batch, one, several
from dataexchange.errors import DataExchangeError, RefusalCode
from dataexchange.exchange import intake
from dataexchange.exchange.batch import Receipt
from dataexchange.exchange.clock import Clock
from dataexchange.exchange.dry_run import preview
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
    zh="没有这个地址或方法",
    en="There is nothing at this address for this method",
    remedy_zh="见 /docs 或 api/openapi.json。",
    remedy_en="See /docs or api/openapi.json.",
    kind="missing",
)


def create_app(settings: Settings | None = None, clock: Clock | None = None) -> FastAPI:
    """Return the application for `settings` (default: the environment's) and `clock`."""
    chosen = settings or Settings()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with running(chosen, clock) as exchange:
            app.state.exchange = exchange
            _open_write_door(app, exchange, chosen)
            yield

    app = FastAPI(
        title="dataexchange",
        summary="数据资产流通与估值账本 Data-asset trading and valuation ledger",
        version=__version__,
        lifespan=lifespan,
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
    )
    app.state.settings = chosen
    for module in (describe, log, content, tiles, health):
        app.include_router(module.router)
    app.include_router(registers.make_router())
    app.add_api_route(
        "/v1/events/dry-run",
        _dry_run,
        methods=["POST"],
        tags=["events"],
        summary="试算 What would the rules say?",
        response_model=None,
    )
    app.add_exception_handler(DataExchangeError, problem.on_error)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    app.add_exception_handler(HTTPException, _on_http)
    app.add_exception_handler(Exception, problem.on_error)
    _complete_openapi(app)
    return app


def _open_write_door(app: FastAPI, exchange: Exchange, settings: Settings) -> None:
    doors = {"": one, "/batch": batch, "/several": several}
    for path, handler in doors.items():
        door = WriteDoor(handler(exchange.sequencer), settings.body_bytes_max)
        # First in line: the hot path is matched before anything else.
        app.router.routes.insert(0, Route(f"/v1/events{path}", door, methods=["POST"]))


async def _dry_run(request: Request) -> Response:
    """Say what the rules would answer to a signed event now, and what it would change."""
    exchange: Exchange = request.app.state.exchange
    previewed = await preview(exchange, intake.read_one(await request.body()))
    if isinstance(previewed.outcome, Receipt):
        return JSONResponse({"accepted": True, "states": previewed.states})
    return problem.response(previewed.outcome)


async def _on_invalid(_request: Request, error: Exception) -> Response:
    faults = error.errors() if isinstance(error, RequestValidationError) else []
    reason = "; ".join(f"{'.'.join(map(str, f['loc']))}: {f['msg']}" for f in faults[:5])
    return problem.response(REQUEST_INVALID(reason=reason))


async def _on_http(_request: Request, error: Exception) -> Response:
    answer = problem.response(NOTHING_HERE())
    if isinstance(error, HTTPException):
        answer.status_code = error.status_code
        answer.headers.update(error.headers or {})
    return answer


def _complete_openapi(app: FastAPI) -> None:
    base = app.openapi

    def complete() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = openapi.document(app, base())
        return app.openapi_schema

    app.openapi = complete  # type: ignore[method-assign]
