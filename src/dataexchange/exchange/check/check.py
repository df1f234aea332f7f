"""The check of a database: what every table holds, against what a replay of the entries gives.

1. The tables are those of this program, guarded as `database/classification.py` says.
2. The log, block by block: bytes, hashes, copies, chains, every rule; tiles and checkpoints along
   with it, each against the entries up to there.
3. Head, aggregates, schema version: against the end of the replay.
4. Checkpoints known from outside: the same history, and not behind.

It reads one snapshot, writes nothing, and needs SELECT only. Memory holds the states of the
aggregates and the ids of statements, never the log.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from dataexchange.database.classification import TABLES
from dataexchange.database.defence import missing_columns, weaknesses
from dataexchange.database.log_store import Connection
from dataexchange.database.schema import newest_version
from dataexchange.database.tables import HeadRow
from dataexchange.errors import DataExchangeError, IntegrityError
from dataexchange.exchange.check.aggregates import check_aggregates
from dataexchange.exchange.check.checkpoints import CheckpointsPass
from dataexchange.exchange.check.cosignatures import CosignaturesPass
from dataexchange.exchange.check.entries import (
    Block,
    EntriesPass,
    Row,
    extended,
    previous_leaf,
    stated_index,
)
from dataexchange.exchange.check.erasures import check_erasures
from dataexchange.exchange.check.fault import Findings, Place, key_of
from dataexchange.exchange.check.maps import check_map_nodes
from dataexchange.exchange.check.tiles import TilesPass
from dataexchange.ledger.checkpoint import Checkpoint
from dataexchange.ledger.merkle import Frontier
from dataexchange.ledger.policy import Policy
from dataexchange.ledger.statement import parse_time
from dataexchange.ledger.tile import TILE_WIDTH
from dataexchange.verification.map_pass import map_sizes
from dataexchange.verification.verdict import UnusableError

GAP_MAX = 1_000_000  # missing entries in a row, beyond which nothing after them is placed
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Checked:
    """What was checked, and what was found."""

    origin: str
    size: int
    checkpoint_size: int | None
    rows: Mapping[str, int]
    findings: Findings

    @property
    def is_sound(self) -> bool:
        """Whether nothing was found."""
        return self.findings.count == 0


async def check(
    connection: Connection,
    policy: Policy,
    *,
    known: Sequence[bytes] = (),
    guarded: bool = True,
    progress: Progress = lambda done, total: None,
) -> Checked:
    """Check the database behind `connection`, which is in a transaction of its own.

    `known` are checkpoints from outside (notes); `guarded` also asks for triggers and privileges.
    `UnusableError` where there is no log to judge.
    """
    if not policy.logs:
        raise UnusableError("验证策略没有 log 行 / the policy names no log")
    findings = Findings()
    if guarded:
        for weakness in await weaknesses(connection):
            findings.wrong(Place(weakness.table), weakness.zh, weakness.en)
    lacking = await missing_columns(connection)
    for one in lacking:
        findings.wrong(Place(one.table), one.zh, one.en)
    if lacking:
        return Checked("", 0, None, {}, findings)
    rows = {name: await _count(connection, name) for name in TABLES}
    if not any(rows[name] for name in ("entry", "head", "checkpoint")) and not known:
        raise UnusableError("此数据库中没有账本 / there is no log in this database")
    checker = _Checker(connection, policy, [_outside(policy, note) for note in known], findings)
    await checker.run(rows["entry"], progress)
    return Checked(checker.origin, checker.size, checker.checkpoint_size, rows, findings)


class _Checker:
    """One check; the passes hold what each table is judged by."""

    def __init__(
        self,
        connection: Connection,
        policy: Policy,
        known: Sequence[Checkpoint],
        findings: Findings,
    ) -> None:
        self._connection = connection
        self._policy = policy
        self._known = known
        self._findings = findings
        self._head: Row | None = None
        self.origin = policy.logs[0].name
        self.size = 0

    @property
    def checkpoint_size(self) -> int | None:
        """The size of the last checkpoint kept."""
        last = self._checkpoints.last
        return last["size"] if last is not None else None

    async def run(self, count: int, progress: Progress) -> None:
        """Judge every table."""
        published = await self._connection.fetchval(_PUBLISHED) or 0
        await self._read_head(count, published)
        published = max(published, *(one.size for one in self._known), 0)
        maps = await self._connection.fetch(_MAPS)
        sizes = map_sizes(row["body"] for row in maps if row["body"] is not None)
        self._entries = EntriesPass(self.origin, sizes, self._findings)
        self._tiles = TilesPass(self._connection, min(published, self.size), self._findings)
        self._checkpoints = CheckpointsPass(
            self._connection,
            self._policy,
            self.origin,
            known=self._known,
            findings=self._findings,
        )
        self._cosignatures = CosignaturesPass(self._connection, self.origin, self._findings)
        await find_repeated(self._connection, self._findings)
        await self._judge_checkpoints(-1, 0, [])
        at = 0
        while at < self.size:
            at = await self._block(at)
            progress(at, self.size)
        self._entries.finish()
        await self._beyond()
        await self._tiles.finish()
        self._checkpoints.finish(self.size)
        await self._cosignatures.finish(self._policy, self.size)
        self._judge_head()
        await check_aggregates(self._connection, self._entries, self._findings)
        await check_map_nodes(self._connection, self._entries.map_roots, self._findings)
        if all(fault.place.table != "entry" for fault in self._findings.faults):
            await check_erasures(self._connection, self._findings)
        await self._judge_version()

    async def _read_head(self, count: int, published: int) -> None:
        """Find the head, the log's name, and how many entries there should be."""
        rows = await self._connection.fetch("select * from head order by log")
        if not rows:
            self._findings.missing(Place("head", "log=1"))
        for row in rows[1:]:
            self._findings.surplus(Place("head", f"log={row['log']}"))
        self._head = rows[0] if rows else None
        names = [key.name for key in self._policy.logs]
        if self._head is not None and self._head["origin"] in names:
            self.origin = self._head["origin"]
        sizes = [count]
        if self._head is not None:
            sizes = [self._head["size"], *_frontier_size(self._head["frontier"]), count]
        size = Counter(sizes).most_common(1)[0][0] or 0
        # A head behind its own checkpoints was put back.
        self.size = size if size >= published else max(count, published)

    async def _block(self, at: int) -> int:
        """Judge the entries from `at` to the end of their tile; return where they end."""
        end = min((at // TILE_WIDTH + 1) * TILE_WIDTH, self.size)
        rows: dict[int, Row] = {}
        for row in await self._connection.fetch(_ENTRIES, at, end):
            # Where two rows claim one place, the one whose bytes say so too.
            if row["index"] not in rows or stated_index(row["body"]) == row["index"]:
                rows[row["index"]] = row
        following = rows.pop(end, None)
        before = self._entries.frontier
        if rows:
            hashes = await self._tiles.kept(at // TILE_WIDTH) if end % TILE_WIDTH == 0 else []
            after = previous_leaf(following["body"]) if following is not None else None
            if end == self.size:
                after = self._head["last"] if self._head is not None else None
            leaves = self._entries.take(Block(at, end, rows, after, hashes[at % TILE_WIDTH :]))
        else:
            found = await self._connection.fetchval(_NEXT, end)
            end = min(found, self.size) if found is not None else self.size
            self._entries.skip(at, end)
            if end - at > GAP_MAX:
                self._tiles.stop()
            leaves = [None] * min(end - at, GAP_MAX)
        await self._judge_checkpoints(at, end, leaves, before)
        await self._tiles.take(leaves)
        return end

    async def _judge_checkpoints(
        self,
        start: int,
        end: int,
        leaves: Sequence[bytes | None],
        before: Frontier | None = Frontier(),  # noqa: B008 -- it is frozen
    ) -> None:
        """Judge what signs a size in `(start, end]`; `leaves` are those from `start` on."""

        def at(size: int) -> Frontier | None:
            return extended(before, leaves[: size - max(start, 0)])

        for row in await self._connection.fetch(_CHECKPOINTS, start, end):
            await self._checkpoints.take(row, at(row["size"]), self._entries.log_keys(row["size"]))
        for row in await self._connection.fetch(_COSIGNATURES, start, end):
            self._cosignatures.take(row, at(row["size"]))
        for known in self._known:
            if start < known.size <= end:
                self._checkpoints.require_known(known.size, at(known.size))

    async def _beyond(self) -> None:
        """Name entries and checkpoints beyond the log's end."""
        for row in await self._connection.fetch(_BEYOND_ENTRIES, self.size):
            self._findings.surplus(Place("entry", f"index={row['index']}", entry=row["index"]))
        for row in await self._connection.fetch(_BEYOND_CHECKPOINTS, self.size):
            await self._checkpoints.take(row, None, self._entries.log_keys(row["size"]))
            self._findings.surplus(Place("checkpoint", f"size={row['size']}"))

    def _judge_head(self) -> None:
        if self._head is None:
            return
        entries = self._entries
        expected: dict[str, object] = {"log": 1, "origin": self.origin, "size": self.size}
        if entries.last is not None:
            expected["last"] = entries.last
        if entries.frontier is not None:
            expected["frontier"] = entries.frontier.to_bytes()
        if entries.recorded_at is not None:
            expected["recorded_at"] = parse_time(entries.recorded_at)
        elif self.size == 0:
            expected["recorded_at"] = None
        self._findings.compare(Place("head", "log=1"), self._head, expected)

    async def _judge_version(self) -> None:
        newest = newest_version()
        rows = await self._connection.fetch("select version_num from alembic_version")
        for row in rows:
            place = Place("alembic_version", f"version_num={row['version_num']}")
            self._findings.compare(place, row, {"version_num": newest})
        if len(rows) != 1:
            place = Place("alembic_version", f"version_num={newest}")
            self._findings.wrong(place, f"有 {len(rows)} 行", f"there are {len(rows)} rows")


async def find_repeated(connection: Connection, findings: Findings) -> None:
    """Name keys that stand twice, as they can where a constraint was dropped."""
    for table in HeadRow.metadata.tables.values():
        columns = ", ".join(column.name for column in table.primary_key)
        query = _TWICE.format(table=table.name, columns=columns)
        for row in await connection.fetch(query):
            findings.wrong(Place(table.name, key_of(row)), "此行重复", "the row stands there twice")


def _outside(policy: Policy, note: bytes) -> Checkpoint:
    try:
        return policy.verify(note).checkpoint
    except IntegrityError as error:
        raise UnusableError(
            f"已知检查点不符合验证策略 / the known checkpoint does not meet the policy: {error}"
        ) from error


def _frontier_size(data: bytes | None) -> Iterable[int]:
    """Yield the size that a frontier states, if its bytes are one."""
    try:
        yield Frontier.from_bytes(data or b"").size
    except DataExchangeError:
        return


async def _count(connection: Connection, table: str) -> int:
    return int(await connection.fetchval(f"select count(*) from {table}"))  # noqa: S608 -- ours


_ENTRIES = """
select index, body, leaf, statement_id, actor, subjects, previous from entry
 where index >= $1 and index <= $2 order by index
"""
_NEXT = "select min(index) from entry where index >= $1"
_PUBLISHED = "select max(size) from checkpoint where split_part(note, E'\\n', 2) = size::text"
_CHECKPOINTS = "select * from checkpoint where size > $1 and size <= $2 order by size"
_COSIGNATURES = """
select s.size, s.witness, s.line, exists (select from checkpoint c where c.size = s.size) as kept
  from cosignature s where s.size > $1 and s.size <= $2 order by s.size, s.witness
"""
_MAPS = "select body from entry where position('map.committed@1'::bytea in body) > 0"
_BEYOND_ENTRIES = "select index from entry where index < 0 or index >= $1 order by index"
_BEYOND_CHECKPOINTS = "select * from checkpoint where size < 0 or size > $1 order by size"
_TWICE = "select {columns} from {table} group by {columns} having count(*) > 1"
