"""The witness's HTTP door: `POST /add-checkpoint`, `GET /<SHA-256 of the origin>/checkpoint`."""

import logging
import sqlite3

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from dataexchange.witness.protocol import (
    SIZE_TYPE,
    InconsistentError,
    MalformedRequestError,
    SizeConflictError,
    UnknownLogError,
    UntrustedCheckpointError,
    WitnessError,
)
from dataexchange.witness.witness import Witness

# 63 hashes and a note of a hundred ML-DSA-44 signatures would be larger; no log sends that.
BODY_BYTES_MAX = 128 * 1024
STATUS: dict[type[WitnessError], int] = {
    MalformedRequestError: 400,
    UntrustedCheckpointError: 403,
    UnknownLogError: 404,
    InconsistentError: 422,
}
_log = logging.getLogger(__name__)


def create_app(witness: Witness) -> Starlette:
    """Return the application that serves `witness`."""

    async def add_checkpoint(request: Request) -> Response:
        body = await _body(request)
        if body is None:
            return _text(f"a request is at most {BODY_BYTES_MAX} bytes", 413)
        try:
            lines = await run_in_threadpool(witness.add_checkpoint, body)
        except WitnessError as error:
            if isinstance(error, InconsistentError):
                # Signed by the log, so it may be evidence against it.
                _log.warning("not cosigned: %s: %r", error, body)
            return _refusal(error)
        return PlainTextResponse(lines)

    async def checkpoint(request: Request) -> Response:
        note = await run_in_threadpool(witness.last_note, request.path_params["origin_hash"])
        if note is None:
            return _text("no checkpoint of that log was cosigned here", 404)
        # For the pages of any site, as the log's own checkpoint is.
        headers = {"Cache-Control": "no-cache", "Access-Control-Allow-Origin": "*"}
        return PlainTextResponse(note, headers=headers)

    return Starlette(
        routes=[
            Route("/add-checkpoint", add_checkpoint, methods=["POST"]),
            Route("/{origin_hash}/checkpoint", checkpoint, methods=["GET"]),
        ],
        exception_handlers={sqlite3.Error: _unavailable},
    )


async def _unavailable(_request: Request, error: Exception) -> Response:
    """Answer where the memory cannot be had: nothing was cosigned."""
    _log.error("the witness's memory failed: %s", error)
    return _text("the witness's memory is not available; try again", 503)


async def _body(request: Request) -> bytes | None:
    """Return the request's body, or `None` as soon as it is too large."""
    parts: list[bytes] = []
    size = 0
    try:
        async for part in request.stream():
            parts.append(part)
            size += len(part)
            if size > BODY_BYTES_MAX:
                return None
    except ClientDisconnect:
        return b""
    return b"".join(parts)


def _refusal(error: WitnessError) -> Response:
    if isinstance(error, SizeConflictError):
        # Set as a header: a charset after the media type would make it another one.
        return Response(f"{error.size}\n", 409, {"Content-Type": SIZE_TYPE})
    return _text(str(error), STATUS[type(error)])


def _text(message: str, status: int) -> Response:
    return PlainTextResponse(message + "\n", status)
