"""Judge the rows of `aggregate`: each column against the state that the replay ends in."""

from dataexchange.database.log_store import Connection, aggregate_row
from dataexchange.exchange.check.entries import Chain, EntriesPass, Row
from dataexchange.exchange.check.fault import Findings, Place
from dataexchange.rules import Held
from dataexchange.rules.reference import kind_of

PART = 1_000


async def check_aggregates(
    connection: Connection, entries: EntriesPass, findings: Findings
) -> None:
    """Compare all rows, and name those that are missing or too much."""
    missing = dict(entries.chains)
    cursor = await connection.cursor("select * from aggregate order by key")
    while rows := await cursor.fetch(PART):
        held = entries.held([row["key"] for row in rows])
        for row in rows:
            chain = missing.pop(row["key"], None)
            if entries.is_faulty(row["head_index"]):
                continue  # the entry that this row rests on cannot be read
            if chain is None:
                findings.surplus(_place(row["key"]))
            else:
                _compare(row, chain, held.get(row["key"]), findings)
    for key, chain in sorted(missing.items()):
        findings.missing(_place(key, chain.index))


def _compare(row: Row, chain: Chain, held: Held | None, findings: Findings) -> None:
    key = row["key"]
    expected = aggregate_row(key, held) if held is not None else _outline(key, chain)
    findings.compare(_place(key, chain.index), row, expected)


def _outline(key: str, chain: Chain) -> dict[str, object]:
    """Return the columns that follow from the chains alone, where the rules were not replayed."""
    expected = {
        "kind": kind_of(key),
        "seq": chain.seq,
        "head": chain.leaf,
        "head_index": chain.index,
        "first_index": chain.first,
    }
    return {name: value for name, value in expected.items() if value is not None}


def _place(key: str, index: int | None = None) -> Place:
    return Place("aggregate", f"key={key}", entry=index)
