"""Judge the rows of `map_node`: each is named by its hash, and no committed map lacks one."""

from collections.abc import Iterable, Iterator
from contextlib import suppress

from dataexchange.database.log_store import Connection
from dataexchange.database.map_store import holding
from dataexchange.exchange.check.fault import Findings, Place
from dataexchange.ledger.verifiable_map import MapError, decode_tile

PART = 1_000


async def check_map_nodes(
    connection: Connection, roots: Iterable[bytes], findings: Findings
) -> None:
    """Compare each row with its name, then walk the maps of `roots`, which the replay gave."""
    altered: set[bytes] = set()
    async for row in connection.cursor("select name, body from map_node", prefetch=PART):
        if not _is_named(row["name"], row["body"]):
            altered.add(row["name"])
            findings.wrong(
                _place(row["name"], "body"), "与其哈希名不符", "is not what its name is the hash of"
            )
    await _walk(connection, set(roots), altered, findings)


async def _walk(
    connection: Connection, wanted: set[bytes], altered: set[bytes], findings: Findings
) -> None:
    """Name the nodes that are missing, level by level; what is below one is not known."""
    seen: set[bytes] = set()
    while wanted:
        seen |= wanted
        below: set[bytes] = set()
        for names in _parts(sorted(wanted)):
            rows = await connection.fetch(_READ, names)
            bodies = {row["name"]: row["body"] for row in rows}
            for name in names:
                if name not in bodies:
                    findings.missing(_place(name))
                elif name not in altered:
                    below.update(_below(name, bodies[name]))
        wanted = below - seen


def _parts(names: list[bytes]) -> Iterator[list[bytes]]:
    for at in range(0, len(names), PART):
        yield names[at : at + PART]


def _is_named(name: bytes, body: bytes | None) -> bool:
    """Tell whether `body` is the tile or the holding of that name."""
    for read in (decode_tile, holding):
        with suppress(MapError, IndexError):
            return body is not None and bool(read(name, body))
    return False


def _below(name: bytes, body: bytes) -> Iterator[bytes]:
    """Yield the names that a tile rests on; a value rests on nothing."""
    try:
        yield from (slot[-32:] for slot in decode_tile(name, body) if slot)
    except (MapError, IndexError):
        return


def _place(name: bytes, column: str | None = None) -> Place:
    return Place("map_node", f"name={name.hex()}", column)


_READ = "select name, body from map_node where name = any($1)"
