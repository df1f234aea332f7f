"""The write door, in plain ASGI: signed bytes in, receipts or problems out.

It is in the OpenAPI document, and stands in front of FastAPI, whose own handling of a request costs
more than all the work that is done here (`docs/performance.md`).
"""

import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence

import orjson
from starlette.types import Receive, Scope, Send

from dataexchange.api import problem
from dataexchange.api.body import DisconnectedError, read_body
from dataexchange.errors import DataExchangeError
from dataexchange.exchange import intake
from dataexchange.exchange.batch import Outcome, Receipt
from dataexchange.exchange.reception import Reception

Answer = tuple[int, bytes, bytes]  # status, media type, body

JSON = b"application/json"
PROBLEM = problem.MEDIA_TYPE.encode()

# Of a body that is too large the rest is not read, so the connection cannot serve again.
_MORE_HEADERS = {413: ((b"connection", b"close"),), 503: ((b"retry-after", b"1"),)}
_log = logging.getLogger(__name__)


class WriteDoor:
    """An ASGI application for one path: reads a body, asks `handle`, sends its answer."""

    def __init__(self, handle: Callable[[bytes], Awaitable[Answer]], body_bytes_max: int) -> None:
        self._handle = handle
        self._body_bytes_max = body_bytes_max

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request. No exception leaves: what is not expected becomes a 500 problem."""
        try:
            body = await read_body(scope, receive, self._body_bytes_max)
            status, media_type, answer = await self._handle(body)
        except DisconnectedError:
            return
        except Exception as error:  # noqa: BLE001 -- a door always answers
            if not isinstance(error, DataExchangeError):
                _log.exception("the write door failed")
            status, media_type, answer = refused(error)
        headers = [(b"content-type", media_type), (b"content-length", b"%d" % len(answer))]
        headers.extend(_MORE_HEADERS.get(status, ()))
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": answer})


def one(reception: Reception) -> Callable[[bytes], Awaitable[Answer]]:
    """Return the handler of a single signed statement: 201, or 200 for one that was in before."""

    async def handle(body: bytes) -> Answer:
        (outcome,) = await reception.submit([intake.read_one(body)])
        if isinstance(outcome, Receipt):
            return (200 if outcome.repeated else 201), JSON, receipt(outcome, with_entry=True)
        return refused(outcome)

    return handle


def batch(reception: Reception) -> Callable[[bytes], Awaitable[Answer]]:
    """Return the handler of a batch under one signature: 200 with an answer for each."""

    async def handle(body: bytes) -> Answer:
        return results(await reception.submit(intake.read_batch(body)))

    return handle


def several(reception: Reception) -> Callable[[bytes], Awaitable[Answer]]:
    """Return the handler of several signed statements, linked ones all or none."""

    async def handle(body: bytes) -> Answer:
        submissions, linked = intake.read_several(body)
        if linked:
            return results(await reception.submit_linked(tuple(submissions)))
        return results(await reception.submit(submissions))

    return handle


def results(outcomes: Sequence[Outcome]) -> Answer:
    """Return the answer that holds one result for each outcome, in order."""
    return 200, JSON, b'{"results":[%b]}' % b",".join(_each(outcomes))


def receipt(outcome: Receipt, *, with_entry: bool) -> bytes:
    """Return a receipt as JSON; the entry's exact bytes are its `entry` member."""
    entry = b'"entry":%b,' % outcome.body if with_entry else b""
    repeated = b"true" if outcome.repeated else b"false"
    return b'{%b"index":%d,"leaf":"%b","repeated":%b}' % (
        entry,
        outcome.index,
        outcome.leaf.hex().encode(),
        repeated,
    )


def refused(error: Exception) -> Answer:
    """Return the answer for a refusal."""
    return problem.status_of(error), PROBLEM, problem.body_of(error)


def _each(outcomes: Iterable[Outcome]) -> Iterable[bytes]:
    for outcome in outcomes:
        if isinstance(outcome, Receipt):
            yield receipt(outcome, with_entry=False)
        else:
            yield b'{"problem":%b}' % orjson.dumps(problem.problem(outcome))
