"""The sequencer: from a bounded queue to the log, in batches, each one transaction.

Any number of processes may run one. The lock on the head row is the safety; between batches a
sequencer keeps the line that it wrote, and while nobody else writes it appends in one round trip
by compare-and-swap on the head's size, and decides the next batch while the last is written. On a
miss it locks the head, reads, and applies again; and it keeps to the lock until it finds the head
where it left it, since what is applied to a tail that somebody else moves on is applied in vain.

Round trips per batch, whatever its size: 1 or 2 while alone, 4 under the lock, 1 more to answer
refusals while alone.
"""

import asyncio
import itertools
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeAlias

import asyncpg
import msgspec

from dataexchange.database import log_store
from dataexchange.database.log_store import Connection, Stored
from dataexchange.errors import RefusalCode, UnavailableError
from dataexchange.exchange.batch import Batch, Group, Outcome
from dataexchange.exchange.clock import Clock
from dataexchange.exchange.write_guard import WriteGuard
from dataexchange.failpoint import reach
from dataexchange.ledger.merkle import Frontier
from dataexchange.registry.submission import Submission
from dataexchange.registry.tail import Tail
from dataexchange.rules import POLICY_KEY

QUEUE_MAX = 20_000
BATCH_MAX = 1_000
ANSWERED_AT_ONCE = 32
HELD_MAX = 100_000
RETRY_SECONDS = (0.05, 0.2, 0.5, 1, 2, 4)
_LOST = (OSError, asyncpg.PostgresConnectionError, asyncpg.InterfaceError)

# Told of each batch: its answers, how long it took, and how many statements are queued now.
Watch: TypeAlias = Callable[[Sequence[Sequence[Outcome]], float, int], None]

_log = logging.getLogger(__name__)

QUEUE_FULL = RefusalCode(
    "exchange.busy",
    clause="docs/operator.md",
    zh="排队已满（{limit} 条），本陈述未被接受",
    en="The queue is full ({limit} statements); this one was not taken",
    remedy_zh="稍后以同一标识重试。",
    remedy_en="Try again shortly, with the same id.",
    kind="busy",
)


class StoppedError(UnavailableError):
    """The sequencer is stopping, or its database cannot be reached; ask again, same id."""


class _MovedError(Exception):
    """Somebody else wrote since the tail was read."""


@dataclass(slots=True, eq=False)
class _Line:
    """The log as this process alone extends it, ahead of what is written.

    `written` is the size that the database is known to have.
    """

    tail: Tail
    frontier: Frontier
    written: int


@dataclass(slots=True, eq=False)
class _Decided:
    """A batch that was applied to a line: what is written of it, and its outcomes."""

    line: _Line
    batch: Batch
    answers: list[list[Outcome]]
    frontier: Frontier
    size: int


class _Waiting(msgspec.Struct, frozen=True, eq=False):
    """What one caller submitted: its groups, how many statements they have, and its answer."""

    groups: Sequence[Group]
    count: int
    answer: "asyncio.Future[list[list[Outcome]]]"


class Sequencer:
    """Appends submissions to the log of `origin`, in the order in which they come."""

    def __init__(
        self,
        connect: Callable[[], Awaitable[Connection]],
        origin: str,
        clock: Clock,
        *,
        guard: WriteGuard | None = None,
        operator_key: str | None = None,
    ) -> None:
        self._connect = connect
        self._origin = origin
        self._clock = clock
        self._guard = guard or WriteGuard()
        self.operator_key = operator_key
        self.watch: Watch = lambda answers, seconds, queued: None
        self._queue: deque[_Waiting] = deque()
        self._queued = 0
        self._filled = asyncio.Event()
        self._stopping = False
        self._task: asyncio.Task[None] | None = None
        self._settling: asyncio.Task[None] | None = None
        self._deliveries: set[asyncio.Task[None]] = set()
        self._connection: Connection | None = None
        self._reader: Connection | None = None
        self._line: _Line | None = None
        self._left_at = -1  # the size of the log after the last batch of ours

    async def start(self) -> None:
        """Connect and begin to work."""
        connection = await self._connected()
        await log_store.open_head(connection, self._origin)
        self._task = asyncio.create_task(self._run(), name="sequencer")

    async def stop(self) -> None:
        """Finish what is queued, then stop."""
        self._stopping = True
        self._filled.set()
        if self._task is not None:
            await self._task
        await asyncio.gather(*self._deliveries)
        await self._disconnect()

    @property
    def is_running(self) -> bool:
        """Whether submissions are being worked on."""
        return self._task is not None and not self._task.done() and not self._stopping

    async def submit(self, submissions: Sequence[Submission]) -> list[Outcome]:
        """Append each of `submissions`, independently; return their outcomes in order."""
        answers = await self._enqueue([(submission,) for submission in submissions])
        return [outcome for (outcome,) in answers]

    async def submit_linked(self, group: Group) -> list[Outcome]:
        """Append all of `group`, contiguously, or none."""
        (outcomes,) = await self._enqueue([group])
        return outcomes

    def _enqueue(self, groups: Sequence[Group]) -> "asyncio.Future[list[list[Outcome]]]":
        if self._stopping:
            raise StoppedError("the exchange is stopping")
        self._guard.require_open()
        count = sum(len(group) for group in groups)
        if self._queued + count > QUEUE_MAX:
            raise QUEUE_FULL(limit=QUEUE_MAX)
        waiting = _Waiting(groups, count, asyncio.get_running_loop().create_future())
        self._queue.append(waiting)
        self._queued += count
        self._filled.set()
        return waiting.answer

    async def _run(self) -> None:
        while not (self._stopping and not self._queue):
            await self._filled.wait()
            line = self._line
            if line is None or len(line.tail.held) > HELD_MAX:
                await self._settled()
                if line is not None:  # too many aggregates are known; none is being written
                    line.tail.held.clear()
            waiting = self._take([])
            if not waiting:
                self._filled.clear()
                continue
            decided = await self._decide(waiting)
            await self._settled()
            if decided is None or decided.line is not self._line:
                decided = await self._decide(waiting)
            self._settling = asyncio.create_task(self._answer(waiting, decided))
        await self._settled()

    async def _settled(self) -> None:
        """Wait for the batch before."""
        if self._settling is not None:
            await self._settling

    def _take(self, taken: list[_Waiting]) -> list[_Waiting]:
        """Take what is queued along with what is `taken`: one at least, no more than a batch."""
        count = sum(one.count for one in taken)
        while self._queue and (not taken or count + self._queue[0].count <= BATCH_MAX):
            taken.append(self._queue.popleft())
            count += taken[-1].count
            self._queued -= taken[-1].count
        return taken

    async def _decide(self, waiting: list[_Waiting]) -> _Decided | None:
        """Apply a batch to our line, while the one before may still be being written.

        `None` where there is no line, or where it broke off. What is read here may be of before or
        of after that one: it touched none of it.
        """
        line = self._line
        if line is None:
            return None
        groups, tail, sizes = _groups(waiting), line.tail, (line.written, line.tail.size)
        if missing := tail.missing(_keys(groups)):
            read = await self._read(missing)
            if self._line is not line:
                return None
            if read is None or read.tail.size not in sizes:
                self._line = None
                return None
            tail.held.update(read.tail.held)
        batch = Batch(tail, self._clock.now(), operator_key=self.operator_key)
        answers = batch.apply(groups)
        line.frontier = line.frontier.extend(one.leaf for one in batch.appended)
        reach("sequencer.applied")
        return _Decided(line, batch, answers, line.frontier, tail.size)

    async def _read(self, keys: Iterable[str]) -> Stored | None:
        """Read aggregates beside a batch that is being written.

        `None` where that fails: it is tried again under the lock, and answered there.
        """
        try:
            if self._reader is None or self._reader.is_closed():
                self._reader = await self._connect()
            return await log_store.read(self._reader, keys)
        except Exception as error:  # noqa: BLE001 -- whatever failed is met again, and answered
            _log.warning("could not read ahead (%s)", type(error).__name__)
            return None

    async def _answer(self, waiting: list[_Waiting], decided: _Decided | None) -> None:
        """Give every caller its outcomes; a caller that went away changes nothing."""
        started = time.perf_counter()
        try:
            answers = await self._settle(waiting, decided)
        except Exception as error:  # noqa: BLE001 -- callers must be answered, whatever failed
            _log.exception("a batch was not written")
            self._line = None
            failure = error if isinstance(error, UnavailableError) else StoppedError(str(error))
            answers = [[failure] * len(group) for group in _groups(waiting)]
        self.watch(answers, time.perf_counter() - started, self._queued)
        delivery = asyncio.create_task(_deliver(waiting, answers))
        self._deliveries.add(delivery)
        delivery.add_done_callback(self._deliveries.discard)

    async def _settle(
        self, waiting: list[_Waiting], decided: _Decided | None
    ) -> list[list[Outcome]]:
        """Write a batch. Where the result of a commit is unknown, ask the log, by statement id."""
        for pause in (*RETRY_SECONDS, None):
            try:
                return await self._write(waiting, decided)
            except _LOST as error:
                await self._disconnect()
                if pause is None:
                    raise StoppedError("the database cannot be reached") from error
                _log.warning("the database went away (%s); trying again", type(error).__name__)
                await asyncio.sleep(pause)
        raise AssertionError("unreachable")

    async def _write(
        self, waiting: list[_Waiting], decided: _Decided | None
    ) -> list[list[Outcome]]:
        connection = await self._connected()
        reach("sequencer.taken")
        if decided is not None and decided.line is self._line:
            try:
                return await self._write_alone(connection, _groups(waiting), decided)
            except (_MovedError, asyncpg.UniqueViolationError):
                self._line = None
        await log_store.lock(connection)
        reach("sequencer.locked")
        try:
            # What came in while the lock was awaited is taken along.
            return await self._write_locked(connection, _groups(self._take(waiting)))
        except BaseException:
            self._line = None
            with suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                await connection.execute("rollback")
            raise

    async def _write_alone(
        self, connection: Connection, groups: list[Group], decided: _Decided
    ) -> list[list[Outcome]]:
        batch, answers = decided.batch, decided.answers
        if batch.appended and not await log_store.write(
            connection, batch.appended, decided.frontier
        ):
            raise _MovedError
        reach("sequencer.committed")
        decided.line.written = self._left_at = decided.size
        is_all_in = len(batch.appended) == sum(len(group) for group in groups)
        if not is_all_in and (refused := _refused(groups, answers)):
            # A refusal stands only on a current tail, and only for a statement not in before.
            read = await log_store.read(connection, (), refused)
            if not batch.appended and read.tail.size != decided.size:
                raise _MovedError
            batch.known = read.known
            answers = (
                [
                    batch.recall(group) or outcomes
                    for group, outcomes in zip(groups, answers, strict=True)
                ]
                if read.known
                else answers
            )
        return answers

    async def _write_locked(
        self, connection: Connection, groups: list[Group]
    ) -> list[list[Outcome]]:
        everyone = [submission for group in groups for submission in group]
        stored = await log_store.read(connection, _keys(groups), everyone)
        if stored.tail.size < self._left_at:
            # What was acknowledged is gone: another database answers now, and an older one.
            self._guard.close_behind(stored.tail.size, self._left_at)
            self._guard.require_open()
        is_alone = stored.tail.size == self._left_at
        batch = Batch(stored.tail, self._clock.now(), stored.known, self.operator_key)
        answers = batch.apply(groups)
        frontier = stored.frontier.extend(one.leaf for one in batch.appended)
        reach("sequencer.applied")
        if batch.appended and not await log_store.write(connection, batch.appended, frontier):
            raise StoppedError("the head moved under its lock")
        reach("sequencer.written")
        await connection.execute("commit")
        reach("sequencer.committed")
        self._left_at = stored.tail.size
        self._line = _Line(stored.tail, frontier, stored.tail.size) if is_alone else None
        return answers

    async def _connected(self) -> Connection:
        if self._connection is None or self._connection.is_closed():
            self._connection = await self._connect()
        return self._connection

    async def _disconnect(self) -> None:
        self._line = None
        for connection in (self._connection, self._reader):
            if connection is not None:
                with suppress(Exception):
                    connection.terminate()
        self._connection = self._reader = None


async def _deliver(waiting: list[_Waiting], answers: list[list[Outcome]]) -> None:
    """Give every caller its outcomes, some at a time.

    What those who were answered send next is on its way to the database while others are answered.
    """
    rest, given = iter(answers), 0
    for one in waiting:
        reach("sequencer.answering")
        outcomes = list(itertools.islice(rest, len(one.groups)))
        if not one.answer.done():
            one.answer.set_result(outcomes)
        given += one.count
        if given >= ANSWERED_AT_ONCE:
            given = 0
            await asyncio.sleep(0)


def _groups(waiting: Iterable[_Waiting]) -> list[Group]:
    return [group for one in waiting for group in one.groups]


def _keys(groups: Sequence[Group]) -> set[str]:
    keys = {key for group in groups for submission in group for key in submission.touched}
    return keys | {POLICY_KEY}


def _refused(groups: Sequence[Group], answers: list[list[Outcome]]) -> list[Submission]:
    return [
        submission
        for group, outcomes in zip(groups, answers, strict=True)
        for submission, outcome in zip(group, outcomes, strict=True)
        if isinstance(outcome, Exception)
    ]
