"""Load a file into a locked database engine.

DuckDB loads one path. It may reach no other file, no network and no extension, and its
configuration is locked before it sees a byte of the file. Columns are called c0, c1, …: a name
or a value from the file never becomes SQL. Only queries written here and in the neighbouring
modules run; what comes from outside goes in as parameters.
"""

# ruff: noqa: S608 - SQL is put together from parts of ours; values from outside are bound.

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import duckdb

from dataexchange.content.chunks import FileDigest
from dataexchange.content.delimited import COLUMNS_MAX
from dataexchange.content.encoding import REPLACEMENT
from dataexchange.content.reading import (
    NO_HEADER,
    TEXT_BYTES_MAX,
    UNREADABLE,
    Declared,
    Delivered,
    ReadFacts,
    bring_in,
)
from dataexchange.errors import IntegrityError, UnavailableError

_MEMORY_LIMIT: Final = "1GB"
_THREADS: Final = 2
# A record of 2²² characters takes up to four bytes for each, and quotes double.
_LINE_BYTES_MAX: Final = 1 << 25
_CONFIGURATION: Final[dict[str, str | bool | int | float | list[str]]] = {
    "allow_community_extensions": False,
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "memory_limit": _MEMORY_LIMIT,
    "threads": _THREADS,
}


class TableError(IntegrityError):
    """The engine did not load what was read; a fault of ours, never of the file."""


class EngineError(UnavailableError):
    """The engine ran out of memory or disk; nothing was measured."""


@dataclass(frozen=True, slots=True)
class Table:
    """A loaded file: the text of every cell is in table `raw`, columns c0, c1, …, empty as NULL.

    `physical_types` are the types stored in a Parquet file, VARCHAR throughout for text.
    """

    connection: duckdb.DuckDBPyConnection
    names: tuple[str, ...]
    physical_types: tuple[str, ...]
    rows: int
    digest: FileDigest
    facts: ReadFacts

    def fetch(
        self, sql: str, parameters: Mapping[str, object] | None = None
    ) -> list[tuple[Any, ...]]:
        """Return the rows of a query written by us; values from outside go in as parameters."""
        with _engine_faults():
            return self.connection.execute(sql, dict(parameters or {})).fetchall()


@contextmanager
def _engine_faults() -> Iterator[None]:
    try:
        yield
    except (duckdb.OutOfMemoryException, duckdb.IOException) as error:
        raise EngineError("测量引擎资源不足 / the engine is out of memory or disk") from error


@contextmanager
def open_table(
    path: Path, declared: Declared | None = None, *, text_bytes_max: int = TEXT_BYTES_MAX
) -> Iterator[Table]:
    """Load the file for the time of the block.

    Refuses with `content.empty_file`, `content.no_header`, `content.unknown_format`,
    `content.unreadable` or `content.too_large`.
    """
    with tempfile.TemporaryDirectory(prefix="dataexchange-") as name:
        folder = Path(name)
        delivered = bring_in(
            path, folder, declared=declared or Declared(), text_bytes_max=text_bytes_max
        )
        connection = _locked(folder, delivered.loadable)
        try:
            with _engine_faults():
                table = _load(connection, delivered)
            yield table
        finally:
            connection.close()


def _locked(folder: Path, path: Path) -> duckdb.DuckDBPyConnection:
    """Return an engine that can read `path`, work in `folder`, and do nothing else outside."""
    connection = duckdb.connect(str(folder / "table.duckdb"), config=_CONFIGURATION)
    for setting, value in (("temp_directory", str(folder / "spill")), ("TimeZone", "UTC")):
        connection.execute(f"SET {setting} = {_literal(value)}")
    connection.execute(f"SET allowed_paths = [{_literal(str(path))}]")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")
    return connection


def _load(connection: duckdb.DuckDBPyConnection, delivered: Delivered) -> Table:
    if delivered.facts.format == "parquet":
        names, types = _load_parquet(connection, delivered.loadable)
    else:
        names = delivered.names
        types = ("VARCHAR",) * len(names)
        _load_plain(connection, delivered.loadable, len(names))
    counted: tuple[int] = connection.execute("SELECT count(*) FROM raw").fetchall()[0]
    (rows,) = counted
    if delivered.facts.format != "parquet" and rows != delivered.rows:
        raise TableError(f"{delivered.rows} records were read, {rows} loaded")
    return Table(connection, names, types, rows, delivered.digest, delivered.facts)


def _load_plain(connection: duckdb.DuckDBPyConnection, path: Path, width: int) -> None:
    columns = ", ".join(f"'c{position}': 'VARCHAR'" for position in range(width))
    # One thread: the order of the records is measured too.
    connection.execute(
        f"CREATE TABLE raw AS SELECT * FROM read_csv($path, columns = {{{columns}}},"
        " auto_detect = false, header = false, delim = ',', quote = '\"', escape = '\"',"
        rf" new_line = '\r\n', parallel = false, max_line_size = {_LINE_BYTES_MAX},"
        f" buffer_size = {2 * _LINE_BYTES_MAX})",
        {"path": str(path)},
    )


def _load_parquet(
    connection: duckdb.DuckDBPyConnection, path: Path
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    parameters = {"path": str(path)}
    try:
        described = connection.execute(
            "DESCRIBE SELECT * FROM read_parquet($path)", parameters
        ).fetchall()
        if len(described) > COLUMNS_MAX:
            raise NO_HEADER(columns_max=COLUMNS_MAX)
        given = ", ".join(f"p{position}" for position in range(len(described)))
        texts = ", ".join(
            # What reading does to delimited text is done here too: no NUL, empty is nothing.
            f"nullif(replace(CAST(p{position} AS VARCHAR), chr(0), '{REPLACEMENT}'), '')"
            f" AS c{position}"
            for position in range(len(described))
        )
        connection.execute(
            f"CREATE TABLE raw AS SELECT {texts} FROM read_parquet($path) AS given({given})",
            parameters,
        )
    except duckdb.Error as error:
        # The engine's own words may name the private folder.
        raise UNREADABLE(reason=type(error).__name__) from error
    names = tuple(str(row[0]).replace("\0", REPLACEMENT) for row in described)
    return names, tuple(str(row[1]) for row in described)


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
