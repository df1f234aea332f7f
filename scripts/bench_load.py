"""Load for the benchmarks: signed events of about 1 KB, and callers that send and time them."""

import asyncio
import gc
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT / "src"), str(ROOT / "tests"), str(ROOT / "scripts")]

from dataexchange.client.exchange_client import signed  # noqa: E402 -- found on the path above
from dataexchange.client.signing import Actor  # noqa: E402
from dataexchange.client.typeid import new_id  # noqa: E402
from dataexchange.ledger.entry import encode_signature  # noqa: E402
from steps_pipeline import elements  # noqa: E402

BATCH = 100
ABSTRACT = "全市路段逐时平均车速，按日更新，供公交调度与城市配送使用。" * 3
Row = dict[str, Any]
Send = Callable[[bytes], Awaitable[object]]


def resource() -> tuple[str, dict[str, Any]]:
    """Return an event that registers a resource; as a statement it has about 1 KB."""
    said = {
        "asset": new_id("asset"),
        "level": "enterprise",
        "elements": elements(abstract=ABSTRACT),
    }
    return "resource.registered@1", said


def bodies(actor: Actor, count: int) -> list[bytes]:
    """Return `count` requests of one event, each under its own signature."""
    return [signed(actor, actor.state(*resource())).body for _ in range(count)]


def batches(actor: Actor, count: int) -> list[bytes]:
    """Return `count` requests of 100 events under one signature."""
    made = []
    for _ in range(count):
        stated = [actor.state(*resource()) for _ in range(BATCH)]
        texts = b",".join(one.body for one in stated)
        signature = encode_signature(actor.sign_whole(stated))
        made.append(b'{"signature":%b,"statements":[%b]}' % (signature, texts))
    return made


def row(
    what: str, callers: int, rate: float, seconds: list[float] | None = None, *, each: int = 1
) -> Row:
    """Return one line of the table; `seconds` are the latencies of its calls of `each` events."""
    ordered = sorted(seconds or ())
    return {
        "what": what,
        "callers": callers,
        "each": each,
        "events_per_second": round(rate),
        "p50_ms": _at(ordered, 50),
        "p99_ms": _at(ordered, 99),
    }


def _at(ordered: list[float], percent: int) -> float | None:
    """Return the latency in ms that `percent` of the calls do not exceed."""
    if not ordered:
        return None
    return round(ordered[min(len(ordered) - 1, len(ordered) * percent // 100)] * 1e3, 2)


async def drive(
    what: str,
    work: list[bytes],
    senders: list[Send],
    *,
    each: int,
    seconds: float,
    stagger_seconds: float = 0,
) -> Row:
    """Let every one of `senders` send `work`, of `each` events, until it or the time is used up.

    They begin one after another; what is sent before all have begun is not counted.
    """
    pending: Iterator[bytes] = iter(work)
    latencies: list[float] = []
    gc.collect()
    started = time.perf_counter() + stagger_seconds * len(senders)

    async def caller(number: int, send: Send) -> None:
        await asyncio.sleep(stagger_seconds * number)
        for body in pending:
            begun = time.perf_counter()
            if begun > started + seconds:
                return
            await send(body)
            if begun >= started:
                latencies.append(time.perf_counter() - begun)

    await asyncio.gather(*(caller(number, send) for number, send in enumerate(senders)))
    elapsed = time.perf_counter() - started
    return row(what, len(senders), len(latencies) * each / elapsed, latencies, each=each)


class Wire(asyncio.Protocol):
    """One kept-alive HTTP connection that sends a request and waits for its answer: no more."""

    def __init__(self) -> None:
        self._answer: asyncio.Future[bytes] | None = None
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport: Any = transport

    def data_received(self, data: bytes) -> None:
        """Take part of an answer."""
        self._buffer += data
        head, separator, body = self._buffer.partition(b"\r\n\r\n")
        if not separator:
            return
        length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        if len(body) < length or self._answer is None:
            return
        self._buffer = b""
        if head[9:12] not in {b"200", b"201"} or b'"problem"' in body:
            self._answer.set_exception(RuntimeError(f"{head[:60]!r} {body[:300]!r}"))
        else:
            self._answer.set_result(body)

    def connection_lost(self, error: Exception | None) -> None:
        """Fail the call that waits."""
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(error or ConnectionResetError("closed by the service"))

    async def ask(self, request: bytes) -> bytes:
        """Send a request and return the body of its answer."""
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return await self._answer


def poster(port: int, path: bytes) -> Send:
    """Return what posts to `path` of a local service, over a connection of its own."""

    def request(body: bytes) -> bytes:
        return (
            b"POST %b HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
            b"Content-Length: %d\r\n\r\n%b" % (path, len(body), body)
        )

    return _sender(port, request)


def getter(port: int) -> Callable[[bytes], Awaitable[bytes]]:
    """Return what reads a path of a local service, over a connection of its own."""
    return _sender(port, lambda path: b"GET %b HTTP/1.1\r\nHost: x\r\n\r\n" % path)


def _sender(port: int, request: Callable[[bytes], bytes]) -> Callable[[bytes], Awaitable[bytes]]:
    """Return what sends the request made of its argument; it connects at its first call."""
    wires: list[Wire] = []

    async def send(what: bytes) -> bytes:
        if not wires:
            loop = asyncio.get_running_loop()
            wires.append((await loop.create_connection(Wire, "127.0.0.1", port))[1])
        return await wires[0].ask(request(what))

    return send
