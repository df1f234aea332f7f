"""Previews of valuations, made by a few worker processes: bounded in time, memory and number."""

import asyncio
import json
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from dataexchange.errors import RefusalCode

WORKERS_MAX = 2
PATIENCE_SECONDS = 2.0
LINE_BYTES_MAX = 64 << 20

BUSY = RefusalCode(
    "valuation.preview_busy",
    clause="docs/appraiser.md, previews",
    zh="试评人数已满",
    en="As many previews run as this service makes at once",
    remedy_zh="稍后重试，或用 `dataexchange value` 在本机计算。",
    remedy_en="Try again shortly, or compute at your desk with `dataexchange value`.",
    kind="busy",
)
TOO_HEAVY = RefusalCode(
    "valuation.preview_too_heavy",
    clause="docs/appraiser.md, previews",
    zh="此项计算超出试评的时间（{seconds} 秒）或内存上限",
    en="This takes more than the {seconds} seconds, or the memory, that a preview has",
    remedy_zh="减少模拟次数或数据点，或用 `dataexchange value` 在本机计算。",
    remedy_en="Ask for fewer draws or points, or compute at your desk with `dataexchange value`.",
)
NOT_TEXT = RefusalCode(
    "valuation.document_not_text",
    clause="docs/appraiser.md, previews",
    zh="文件须为 UTF-8 文本（JSON 或 YAML）",
    en="The document is text in UTF-8, JSON or YAML",
    kind="malformed",
)


class Valuer:
    """Worker processes, started when first needed and replaced when one was ended."""

    def __init__(self, seconds_max: float) -> None:
        self._seconds_max = seconds_max
        self._idle: list[Process] = []
        self._free = asyncio.Semaphore(WORKERS_MAX)

    async def preview(self, document: bytes, cards: Mapping[str, bytes]) -> dict[str, Any]:
        """Return the result of `document`; a refusal is raised, the service's own ones as well."""
        try:
            asked = {
                "document": document.decode(),
                "cards": {sha256: content.decode() for sha256, content in cards.items()},
            }
        except UnicodeDecodeError as error:
            raise NOT_TEXT() from error
        async with self._turn():
            answer = json.loads(await self._ask(json.dumps(asked).encode() + b"\n"))
        if "refused" in answer:
            raise _refusal(**answer["refused"])()
        result: dict[str, Any] = answer["result"]
        return result

    async def close(self) -> None:
        """End all workers."""
        for worker in self._idle:
            await _end(worker)
        self._idle.clear()

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                await self._free.acquire()
        except TimeoutError as error:
            raise BUSY() from error
        try:
            yield
        finally:
            self._free.release()

    async def _ask(self, question: bytes) -> bytes:
        worker = self._idle.pop() if self._idle else await _start()
        answered = False
        try:
            async with asyncio.timeout(self._seconds_max):
                answer = await _exchange(worker, question)
            answered = answer.endswith(b"\n")
        except (TimeoutError, ConnectionError, ValueError):
            pass  # too slow, ended for want of memory, or more than is ever read
        finally:
            # Also where the asker went away: a worker in the middle of a question is of no use.
            if answered:
                self._idle.append(worker)
            else:
                await _end(worker)
        if not answered:
            raise TOO_HEAVY(seconds=f"{self._seconds_max:g}")
        return answer


async def _start() -> Process:
    threads = {f"{library}_NUM_THREADS": "1" for library in ("OMP", "OPENBLAS", "MKL")}
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "dataexchange.exchange.valuation_worker",
        stdin=PIPE,
        stdout=PIPE,
        env={**os.environ, **threads},
        limit=LINE_BYTES_MAX,
    )


async def _exchange(worker: Process, question: bytes) -> bytes:
    if worker.stdin is None or worker.stdout is None:
        raise AssertionError("workers have pipes")
    worker.stdin.write(question)
    await worker.stdin.drain()
    return await worker.stdout.readline()


async def _end(worker: Process) -> None:
    if worker.returncode is None:
        worker.kill()
    await worker.wait()


def _refusal(**told: Any) -> RefusalCode:
    # Its texts are filled in already: a brace in them is a brace.
    texts = {
        name: text.replace("{", "{{").replace("}", "}}")
        for name, text in told.items()
        if name in ("zh", "en", "remedy_zh", "remedy_en")
    }
    return RefusalCode(**{**told, **texts})
