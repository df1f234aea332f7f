"""The worker while nodes are away, hang, or are the wrong ones: the whole loop, in real time."""

from __future__ import annotations

import asyncio
import signal
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from dataexchange.anchoring.chain import Chain
from dataexchange.anchoring.errors import ForkedLogError, RpcUnavailableError
from dataexchange.anchoring.plan import Schedule
from dataexchange.ledger import merkle

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from tests.anchoring.conftest import Bench

    from dataexchange.anchoring.worker import AnchorWorker

# A port of the discard service: nobody listens.
NOBODY = "http://127.0.0.1:9"
QUICK = Schedule(interval=timedelta(0), poll=timedelta(milliseconds=20))


@asynccontextmanager
async def running_worker(worker: AnchorWorker) -> AsyncIterator[asyncio.Task[None]]:
    stop = asyncio.Event()
    task = asyncio.create_task(worker.run(stop))
    try:
        yield task
    finally:
        stop.set()
        await asyncio.wait_for(asyncio.wait([task]), 5)


async def until(condition: Callable[[], Awaitable[bool]], seconds: float = 10) -> None:
    """Poll the condition: what it asks about lives in another process."""
    async with asyncio.timeout(seconds):
        while not await condition():  # noqa: ASYNC110 - no event to wait for
            await asyncio.sleep(0.02)


async def test_the_loop_anchors_stores_and_stops_when_told(bench: Bench) -> None:
    await bench.running.request("evm_setAutomine", True)
    top = bench.log.grow(5)
    async with running_worker(bench.worker(schedule=QUICK)) as task:
        await until(lambda: anchored(bench, top.size))
        await bench.mine(6)
        await until(lambda: stored(bench, 1))
    assert task.exception() is None


async def anchored(bench: Bench, size: int) -> bool:
    return (await bench.anchored()).size == size


async def stored(bench: Bench, count: int) -> bool:
    return len(await bench.store.receipts()) == count


async def test_an_endpoint_that_is_away_is_passed_over(bench: Bench) -> None:
    await bench.running.request("evm_setAutomine", True)
    top = bench.log.grow(5)
    two = Chain([NOBODY, bench.running.url])
    async with running_worker(bench.worker(schedule=QUICK, chain=two)):
        await until(lambda: anchored(bench, top.size))
    await two.close()


async def test_a_node_that_hangs_is_waited_for_and_then_used_again(bench: Bench) -> None:
    await bench.running.request("evm_setAutomine", True)
    top = bench.log.grow(5)
    impatient = Chain([bench.running.url], timeout_seconds=0.2)
    bench.running.process.send_signal(signal.SIGSTOP)
    async with running_worker(bench.worker(schedule=QUICK, chain=impatient)) as task:
        await asyncio.sleep(0.7)
        assert not task.done()
        bench.running.process.send_signal(signal.SIGCONT)
        await until(lambda: anchored(bench, top.size))
    await impatient.close()


async def test_nobody_at_all_is_an_outage_and_not_a_crash(bench: Bench) -> None:
    nobody = Chain([NOBODY])
    with pytest.raises(RpcUnavailableError) as caught:
        await bench.worker(chain=nobody).step()
    assert NOBODY not in str(caught.value)
    async with running_worker(bench.worker(schedule=QUICK, chain=nobody)) as task:
        await asyncio.sleep(0.1)
        assert not task.done()
    await nobody.close()


async def test_a_forked_log_ends_the_loop(bench: Bench) -> None:
    await bench.running.request("evm_setAutomine", True)
    top = bench.log.grow(5)
    async with running_worker(bench.worker(schedule=QUICK)) as task:
        await until(lambda: anchored(bench, top.size))
        bench.log.leaves[0] = merkle.leaf_hash(b"rewritten")
        bench.log.grow(1)
        await asyncio.wait([task], timeout=5)
        assert isinstance(task.exception(), ForkedLogError)
