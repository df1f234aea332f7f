"""`GET /metrics` for Prometheus: for who shows the token in the operator's file, and off without.

What a process counts costs a dictionary entry for a request and a few for a batch; the second
that follows brings it to the instruments, which several processes share in files (the client's
multiprocess mode). What the database or a folder knows is read when somebody asks (`standing`).
"""

import asyncio
import hmac
import os
from collections import Counter as Counts
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

import psutil
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import Metric
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from prometheus_client.registry import Collector
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dataexchange.api.standing import standing
from dataexchange.errors import DataExchangeError, RefusedError, UnavailableError
from dataexchange.exchange.batch import Outcome, Receipt
from dataexchange.exchange.service import Exchange
from dataexchange.identity.access import TOKEN_WRONG
from dataexchange.private_file import read_private

TOKEN_LENGTH_MIN = 16
FLUSH_SECONDS = 1.0
MULTIPROCESS_FOLDER = "PROMETHEUS_MULTIPROC_DIR"
METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"))
_COUNTS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000)
_SECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10)


class MetricsTokenError(DataExchangeError):
    """The file with the token of metrics holds none."""


class Asked(NamedTuple):
    """What a request was, as it is counted; `route` is the pattern, so there are few."""

    route: str
    method: str
    status: int


class Instruments:
    """What one process counts; `requests` waits for the next `flush`."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests: Counts[Asked] = Counts()
        self._http = Counter(
            "dataexchange_http_requests",
            "Requests answered",
            ["route", "method", "status"],
            registry=self.registry,
        )
        self._outcomes = Counter(
            "dataexchange_statements",
            "Statements by outcome",
            ["outcome"],
            registry=self.registry,
        )
        self._sizes = Histogram(
            "dataexchange_batch_statements",
            "Statements in a batch",
            buckets=_COUNTS,
            registry=self.registry,
        )
        self._seconds = Histogram(
            "dataexchange_batch_seconds",
            "Writing a batch, up to its commit",
            buckets=_SECONDS,
            registry=self.registry,
        )
        self._queue = Gauge(
            "dataexchange_queue_statements",
            "Statements queued",
            registry=self.registry,
            multiprocess_mode="livesum",
        )

    def batch(self, answers: Sequence[Sequence[Outcome]], seconds: float, queued: int) -> None:
        """Count a batch of the sequencer's."""
        outcomes = Counts(outcome_of(one) for group in answers for one in group)
        for outcome, count in outcomes.items():
            self._outcomes.labels(outcome).inc(count)
        self._sizes.observe(outcomes.total())
        self._seconds.observe(seconds)
        self._queue.set(queued)

    def flush(self) -> None:
        """Bring what was counted since the last time to the instruments."""
        counted, self.requests = self.requests, Counts()
        for asked, count in counted.items():
            self._http.labels(asked.route, asked.method, str(asked.status)).inc(count)


def outcome_of(outcome: Outcome) -> str:
    """Return `accepted`, `repeated`, or the kind of the refusal."""
    if isinstance(outcome, Receipt):
        return "repeated" if outcome.repeated else "accepted"
    if isinstance(outcome, RefusedError):
        return outcome.refusal.kind
    return "unavailable" if isinstance(outcome, UnavailableError) else "fault"


class CountedRequests:
    """ASGI middleware that counts requests by route, method and status."""

    def __init__(self, app: ASGIApp, instruments: Instruments, route: str | None = None) -> None:
        self._app = app
        self._instruments = instruments
        self._only_route = route

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and count its answer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def counting(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._count(scope, message["status"])
            await send(message)

        try:
            await self._app(scope, receive, counting)
        except Exception:
            self._count(scope, 500)
            raise

    def _count(self, scope: Scope, status: int) -> None:
        method = scope["method"] if scope["method"] in METHODS else "other"
        self._instruments.requests[Asked(self._only_route or _route(scope), method, status)] += 1


def _route(scope: Scope) -> str:
    """Return the pattern that matched; plain routes are their own."""
    if (route := scope.get("route")) is not None:
        return str(route.path)
    return str(scope["path"]) if "endpoint" in scope and not scope.get("path_params") else "none"


class MetricsDoor:
    """Answers `GET /metrics`."""

    def __init__(
        self, token_file: Path, instruments: Instruments, exchange: Callable[[], Exchange]
    ) -> None:
        self._token = _token(token_file)
        self._instruments = instruments
        self._exchange = exchange

    async def answer(self, request: Request) -> Response:
        """Return all metrics in the format that is asked for."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        is_known = hmac.compare_digest(token.strip().encode(), self._token)
        if scheme.lower() != "bearer" or not is_known:
            raise TOKEN_WRONG(reason="not the token in the operator's file")
        self._instruments.flush()
        receipts = request.app.state.settings.anchors_path / "receipts"
        state = await standing(self._exchange(), receipts)
        encode, media_type = choose_encoder(request.headers.get("accept", ""))
        body = await asyncio.to_thread(encode, _Joined(self._instruments.registry, state))
        return Response(body, headers={"Content-Type": media_type, "Cache-Control": "no-store"})


class _Joined(Collector):
    """What this process counted, or all that share a folder did, and the state."""

    def __init__(self, own: CollectorRegistry, state: Sequence[Metric]) -> None:
        self._own = own
        self._state = state

    def collect(self) -> Iterable[Metric]:
        """Yield every family."""
        folder = os.environ.get(MULTIPROCESS_FOLDER)
        if folder is None:
            yield from self._own.collect()
        else:
            _forget_the_dead(Path(folder))
            # The client ships these two without types.
            shared = MultiProcessCollector(None)  # type: ignore[no-untyped-call]
            yield from shared.collect()  # type: ignore[no-untyped-call]
        yield from self._state


def _forget_the_dead(folder: Path) -> None:
    """Drop gauges of processes that ended; what they counted stays."""
    for path in folder.glob("gauge_live*_*.db"):
        pid = int(path.stem.rsplit("_", 1)[1])
        if not psutil.pid_exists(pid):
            mark_process_dead(pid)  # type: ignore[no-untyped-call]


@asynccontextmanager
async def counting(exchange: Exchange, instruments: Instruments | None) -> AsyncIterator[None]:
    """Count batches, and flush once a second, for as long as the context lasts."""
    if instruments is None:
        yield
        return

    async def keep_on() -> None:
        while True:
            await asyncio.sleep(FLUSH_SECONDS)
            instruments.flush()

    exchange.sequencer.watch = instruments.batch
    task = asyncio.create_task(keep_on(), name="metrics")
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        instruments.flush()


def _token(path: Path) -> bytes:
    token = read_private(path).strip()
    if len(token) < TOKEN_LENGTH_MIN:
        raise MetricsTokenError(
            f"{path} 中的令牌须至少 {TOKEN_LENGTH_MIN} 字节 / needs a token of at least"
            f" {TOKEN_LENGTH_MIN} bytes"
        )
    return token
