"""Judge the rows of `sealed_opening` and `content_erasure` against the entries that they rest on.

What a box holds only its key can tell, which is outside of the database; whoever opens one compares
it with the commitment in the entry. An erasure that the log orders may still be pending.
"""

from collections.abc import Mapping
from typing import Any

import orjson

from dataexchange.database.log_store import Connection
from dataexchange.exchange.check.entries import Row
from dataexchange.exchange.check.fault import Findings, Place, key_of

PART = 1_000


async def check_erasures(connection: Connection, findings: Findings) -> None:
    """Compare each row with its entry and with the one that orders its erasure."""
    async for row in connection.cursor(_OPENINGS, prefetch=PART):
        key = key_of({name: row[name] for name in ("statement_id", "actor", "field")})
        _judge_opening(row, Place("sealed_opening", key), findings)
    async for row in connection.cursor(_ERASURES, prefetch=PART):
        place = Place("content_erasure", key_of({"index": row["index"]}), entry=row["index"])
        said = _payload(row["body"], "content.erased@1")
        if said is None:
            findings.surplus(place)
            continue
        expected = {
            "sha256": bytes.fromhex(said["content"]),
            "ordered": said["ground"] == "ordered",
        }
        findings.compare(place, row, expected)


def _judge_opening(row: Row, place: Place, findings: Findings) -> None:
    sealed = orjson.loads(row["body"])["statement"].get("sealed", {}) if row["body"] else {}
    if row["field"] not in sealed:
        findings.surplus(place)
        return
    place = place._replace(entry=row["index"])
    if row["erased_by"] is not None:
        said = _payload(row["order"], "opening.erased@1")
        asked = (said["index"], said["sealed_by"], said["field"]) if said else None
        if asked != (row["index"], row["actor"], row["field"]):
            wrong = place._replace(column="erased_by")
            findings.wrong(wrong, "该条目未要求删除它", "that entry does not order its erasure")
    is_erased = row["erased_by"] is not None
    odd = [column for column in ("key_id", "box") if (row[column] is None) != is_erased]
    for column in ["erased_by"] if len(odd) == 2 else odd:
        findings.wrong(
            place._replace(column=column),
            "既不完整，也未删除",
            "neither whole nor erased",
        )


def _payload(body: bytes | None, event: str) -> Mapping[str, Any] | None:
    statement = orjson.loads(body)["statement"] if body else {}
    payload: Mapping[str, Any] | None = statement.get("payload")
    return payload if statement.get("event") == event else None


_OPENINGS = """
select o.*, e.index, e.body, x.body as order
  from sealed_opening o
  left join entry e on e.statement_id = o.statement_id and e.actor = o.actor
  left join entry x on x.index = o.erased_by
"""
_ERASURES = "select c.*, e.body from content_erasure c left join entry e on e.index = c.index"
