"""The sequencer on a real PostgreSQL: batches, retries, other writers, callers that go away."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import asyncpg
import orjson
import pytest

from dataexchange.client.typeid import new_id
from dataexchange.database.engine import connect
from dataexchange.errors import RefusedError
from dataexchange.exchange.batch import Batch, Group, Outcome, Receipt
from dataexchange.exchange.clock import Clock
from dataexchange.exchange.rebuild import rebuild
from dataexchange.exchange.sequencer import Sequencer, StoppedError
from dataexchange.ledger.entry import Entry
from dataexchange.registry.submission import Submission
from dataexchange.rules import Role
from live import Live, opened, signed
from world import ORIGIN


@asynccontextmanager
async def sequencing(dsn: str) -> AsyncIterator[Sequencer]:
    sequencer = Sequencer(lambda: connect(dsn), ORIGIN, Clock())
    await sequencer.start()
    try:
        yield sequencer
    finally:
        await sequencer.stop()


@pytest.fixture
async def live(app_dsn: str) -> AsyncIterator[Live]:
    async with sequencing(app_dsn) as sequencer:
        yield await opened(sequencer, app_dsn)


@asynccontextmanager
async def head_locked(dsn: str) -> AsyncIterator[None]:
    """Keep everyone from writing."""
    connection = await connect(dsn)
    await connection.execute("begin; select 1 from head for update")
    try:
        yield
    finally:
        await connection.close()


@pytest.fixture
async def decided(live: Live, monkeypatch: pytest.MonkeyPatch) -> "asyncio.Queue[int]":
    """How many groups each batch had that was applied to a tail."""
    await live.submit(live.grouping())  # so that the sequencer keeps a line
    counts: asyncio.Queue[int] = asyncio.Queue()
    apply = Batch.apply

    def counting(batch: Batch, groups: list[Group]) -> list[list[Outcome]]:
        counts.put_nowait(len(groups))
        return apply(batch, groups)

    monkeypatch.setattr(Batch, "apply", counting)
    return counts


async def _two_batches(
    live: Live, decided: "asyncio.Queue[int]"
) -> list["asyncio.Task[list[Outcome]]"]:
    """Submit two batches of two, the second when the first is decided; wait until both are."""
    answers = []
    for _ in range(2):
        answers.append(asyncio.create_task(live.submit(live.grouping(), live.grouping())))
        assert await asyncio.wait_for(decided.get(), 5) == 2
    return answers


def codes(outcomes: list[Outcome]) -> list[str]:
    return ["ok" if isinstance(one, Receipt) else getattr(one, "code", "?") for one in outcomes]


async def test_accepted_events_stand_in_the_log_in_order(live: Live) -> None:
    outcomes = await live.submit(*(live.grouping() for _ in range(300)))
    assert codes(outcomes) == ["ok"] * 300
    bodies = await live.bodies()
    assert [Entry.parse(body).index for body in bodies] == list(range(len(bodies)))
    assert [one.body for one in outcomes if isinstance(one, Receipt)] == bodies[-300:]


async def test_the_same_statement_again_gets_the_first_answer(live: Live) -> None:
    event = live.grouping()
    (first,) = await live.submit(event)
    await live.submit(live.grouping())
    (again,) = await live.submit(event)
    assert isinstance(first, Receipt)
    assert isinstance(again, Receipt)
    assert again.repeated
    assert (again.index, again.leaf, again.body) == (first.index, first.leaf, first.body)


async def test_the_same_statement_twice_in_one_batch_is_one_entry(live: Live) -> None:
    event = live.grouping()
    first, second = await live.submit(event, event)
    assert isinstance(first, Receipt)
    assert isinstance(second, Receipt)
    assert (first.repeated, second.repeated) == (False, True)
    assert first.index == second.index


async def test_two_actors_may_use_one_id_in_one_batch(live: Live) -> None:
    event = live.grouping()
    (first,) = await live.submit(event)
    payload = {"party": live.member.party, "group": new_id("group"), "evidence": "extract"}
    others = signed(live.member, "party.grouped@1", payload, id=event.id)
    again, refused = await live.submit(event, others)
    assert isinstance(first, Receipt)
    assert isinstance(again, Receipt)
    assert (again.index, again.repeated) == (first.index, True)
    assert codes([refused]) == ["role.missing"]


async def test_an_id_with_other_bytes_is_refused(live: Live) -> None:
    event = live.grouping()
    await live.submit(event)
    assert codes(await live.submit(live.grouping(id=event.id))) == ["statement.id_reused"]


async def test_a_repeated_statement_that_would_now_be_refused_gets_its_first_answer(
    live: Live,
) -> None:
    applied, admitted = live.application()
    assert codes(await live.submit(applied, admitted)) == ["ok", "ok"]
    assert codes(await live.submit(admitted)) == ["ok"]


async def test_a_refused_event_takes_no_index(live: Live) -> None:
    size = len(await live.bodies())
    bad, good = live.grouping(party=new_id("party")), live.grouping()
    assert codes(await live.submit(bad, good, bad)) == [
        "aggregate.not_found",
        "ok",
        "aggregate.not_found",
    ]
    assert len(await live.bodies()) == size + 1


async def test_linked_events_stand_or_fall_together(live: Live) -> None:
    ids = (new_id("evt"), new_id("evt"))
    good = live.grouping(id=ids[0], linked=ids)
    bad = live.grouping(id=ids[1], linked=ids, party=new_id("party"))
    size = len(await live.bodies())
    outcomes = await live.sequencer.submit_linked((good, bad))
    assert codes(outcomes) == ["statement.linked_refused", "aggregate.not_found"]
    assert len(await live.bodies()) == size
    ids = (new_id("evt"), new_id("evt"))
    pair = tuple(live.grouping(id=one, linked=ids) for one in ids)
    first = await live.sequencer.submit_linked(pair)
    assert codes(first) == ["ok", "ok"]
    again = await live.sequencer.submit_linked(pair)
    assert [one.index for one in again if isinstance(one, Receipt)] == [size, size + 1]


async def test_two_sequencers_write_one_chain(live: Live, app_dsn: str) -> None:
    async with sequencing(app_dsn) as other:

        async def write(sequencer: Sequencer) -> list[Outcome]:
            found: list[Outcome] = []
            for _ in range(20):
                found += await sequencer.submit([live.grouping() for _ in range(5)])
            return found

        results = await asyncio.gather(*(write(one) for one in (live.sequencer, other) * 3))
    assert {code for outcomes in results for code in codes(outcomes)} == {"ok"}
    rebuilt = await rebuild(app_dsn)
    assert rebuilt.differing == ()
    assert rebuilt.entries == len(await live.bodies())


async def test_a_refusal_is_never_given_from_an_outdated_tail(live: Live, app_dsn: str) -> None:
    party = live.application()
    (await live.submit(live.grouping()))  # this sequencer now keeps its tail
    async with sequencing(app_dsn) as other:
        assert codes(await other.submit(list(party))) == ["ok", "ok"]
    event = live.grouping(party=party[0].actor)
    assert codes(await live.submit(event)) == ["ok"]


async def test_a_caller_that_goes_away_changes_nothing(live: Live) -> None:
    event = live.grouping()
    task = asyncio.create_task(live.sequencer.submit([event]))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    (outcome,) = await live.submit(event)
    assert isinstance(outcome, Receipt)
    assert codes(await live.submit(live.grouping())) == ["ok"]


@pytest.mark.parametrize("moment", ["before", "after"])
async def test_an_unknown_commit_is_settled_by_statement_id(
    live: Live, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    """The connection dies at the write: before it reached the server, or after it was done."""
    from dataexchange.database import log_store

    write = log_store.write
    broken = False

    async def dying(*arguments: object) -> bool:
        nonlocal broken
        if broken:
            return await write(*arguments)  # type: ignore[arg-type]
        broken = True
        if moment == "after":
            await write(*arguments)  # type: ignore[arg-type]
        raise asyncpg.ConnectionDoesNotExistError("the connection is gone")

    event = live.grouping()
    monkeypatch.setattr(log_store, "write", dying)
    (outcome,) = await live.submit(event)
    assert isinstance(outcome, Receipt)
    bodies = await live.bodies()
    assert sum(event.id.encode() in body for body in bodies) == 1


async def test_the_next_batch_is_decided_while_the_last_is_written(
    live: Live, app_dsn: str, decided: "asyncio.Queue[int]"
) -> None:
    async with head_locked(app_dsn):
        answers = await _two_batches(live, decided)
        assert not any(one.done() for one in answers)
    first, second = await asyncio.gather(*answers)
    assert codes([*first, *second]) == ["ok"] * 4
    indexes = [one.index for one in (*first, *second) if isinstance(one, Receipt)]
    assert indexes == list(range(indexes[0], indexes[0] + 4))


async def test_what_was_decided_ahead_is_decided_again_when_another_wrote_first(
    live: Live, app_dsn: str, decided: "asyncio.Queue[int]"
) -> None:
    async with sequencing(app_dsn) as other:
        async with head_locked(app_dsn):
            others = asyncio.create_task(other.submit([live.grouping()]))
            await asyncio.sleep(0.2)  # it waits for the head before we do
            answers = await _two_batches(live, decided)
        written = await asyncio.gather(others, *answers)
    assert [codes(one) for one in written] == [["ok"], ["ok"] * 2, ["ok"] * 2]
    assert (await rebuild(app_dsn)).differing == ()
    ids = [Entry.parse(body).statement.fields.id for body in await live.bodies()]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("moment", ["before", "after"])
async def test_a_connection_lost_under_a_batch_decided_ahead_loses_and_doubles_nothing(
    live: Live, decided: "asyncio.Queue[int]", monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    from dataexchange.database import log_store

    write, may_die = log_store.write, asyncio.Event()

    async def dying(*arguments: object) -> bool:
        monkeypatch.setattr(log_store, "write", write)
        await may_die.wait()
        if moment == "after":
            await write(*arguments)  # type: ignore[arg-type]
        raise asyncpg.ConnectionDoesNotExistError("the connection is gone")

    monkeypatch.setattr(log_store, "write", dying)
    answers = await _two_batches(live, decided)
    may_die.set()
    first, second = await asyncio.gather(*answers)
    assert codes([*first, *second]) == ["ok"] * 4
    ids = [Entry.parse(body).statement.fields.id for body in await live.bodies()]
    assert len(ids) == len(set(ids))
    assert (await rebuild(live.dsn)).differing == ()


async def test_a_write_that_the_database_refuses_fails_its_own_batch_alone(
    live: Live, decided: "asyncio.Queue[int]", monkeypatch: pytest.MonkeyPatch
) -> None:
    from dataexchange.database import log_store

    write, may_fail = log_store.write, asyncio.Event()

    async def failing(*_: object) -> bool:
        monkeypatch.setattr(log_store, "write", write)
        await may_fail.wait()
        raise asyncpg.DiskFullError("no space left on device")

    monkeypatch.setattr(log_store, "write", failing)
    answers = await _two_batches(live, decided)
    may_fail.set()
    first, second = await asyncio.gather(*answers)
    assert [type(one) for one in first] == [StoppedError] * 2
    assert codes(second) == ["ok"] * 2
    assert (await rebuild(live.dsn)).differing == ()


async def test_aggregates_that_were_let_go_are_read_again(
    live: Live, app_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dataexchange.exchange import sequencer

    monkeypatch.setattr(sequencer, "HELD_MAX", 1)
    for _ in range(3):
        answers = await asyncio.gather(*(live.submit(live.grouping()) for _ in range(20)))
        assert {code for one in answers for code in codes(one)} == {"ok"}
    assert (await rebuild(app_dsn)).differing == ()


async def test_the_number_of_round_trips_does_not_depend_on_the_batch(
    live: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    await live.submit(live.grouping())
    counted = await _round_trips(live, monkeypatch, 1)
    assert counted == await _round_trips(live, monkeypatch, 500) <= 2


async def test_a_fault_in_a_rule_costs_only_its_own_event(
    live: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dataexchange.registry.tail import Tail

    append: Callable[..., object] = Tail.append
    bad = live.grouping()

    def failing(tail: Tail, submission: Submission, now: object) -> object:
        if submission is bad:
            raise ZeroDivisionError
        return append(tail, submission, now)

    monkeypatch.setattr(Tail, "append", failing)
    good, failed, other = await live.submit(live.grouping(), bad, live.grouping())
    assert codes([good, other]) == ["ok", "ok"]
    assert not isinstance(failed, Receipt | RefusedError)


async def test_the_queue_is_bounded(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    from dataexchange.exchange import sequencer

    monkeypatch.setattr(sequencer, "QUEUE_MAX", 3)
    with pytest.raises(RefusedError) as caught:
        await live.submit(*(live.grouping() for _ in range(4)))
    assert caught.value.code == "exchange.busy"


async def test_states_rebuilt_from_the_log_are_byte_equal_and_repair_the_rows(
    live: Live, app_dsn: str, owner_dsn: str
) -> None:
    await live.submit(*(live.grouping() for _ in range(50)))
    owner = await asyncpg.connect(owner_dsn)
    await owner.execute("update aggregate set state = '{}' where kind = 'party'")
    await owner.execute("delete from aggregate where kind = 'policy'")
    await owner.close()
    found = await rebuild(app_dsn)
    assert len(found.differing) == 4
    await rebuild(owner_dsn, write=True)
    assert (await rebuild(app_dsn)).differing == ()


async def _round_trips(live: Live, monkeypatch: pytest.MonkeyPatch, count: int) -> int:
    """Count the queries that one batch of `count` sends."""
    from dataexchange.database import log_store

    counted = 0

    def counting(
        call: Callable[..., Awaitable[object]],
    ) -> Callable[..., Awaitable[object]]:
        async def counted_call(*arguments: object) -> object:
            nonlocal counted
            counted += 1
            return await call(*arguments)

        return counted_call

    with monkeypatch.context() as patch:
        for name in ("read", "lock", "write"):
            patch.setattr(log_store, name, counting(getattr(log_store, name)))
        assert codes(await live.submit(*(live.grouping() for _ in range(count)))) == ["ok"] * count
    return counted


async def test_the_log_cannot_be_changed_by_the_apps_role(live: Live, app_dsn: str) -> None:
    connection = await connect(app_dsn)
    for attempt in (
        "update entry set actor = 'x'",
        "delete from entry",
        "truncate entry",
        "delete from checkpoint",
        "delete from head",
        "alter table entry disable trigger all",
        "drop table entry",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(attempt)
    await connection.close()


async def test_not_even_the_owner_changes_the_log_by_mistake(live: Live, owner_dsn: str) -> None:
    connection = await asyncpg.connect(owner_dsn)
    for attempt in ("update entry set actor = 'x'", "delete from entry", "truncate entry"):
        with pytest.raises(asyncpg.RaiseError):
            await connection.execute(attempt)
    await connection.close()


def test_the_opening_is_what_the_world_of_tests_opens_with() -> None:
    from world import World

    opening = orjson.loads(World().entries[0].submission.statement.payload)
    assert opening["origin"] == ORIGIN
    assert Role.OPERATOR.value in opening["operator"]["roles"]
