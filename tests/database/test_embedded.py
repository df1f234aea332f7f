"""The embedded PostgreSQL, for real: started, shared, killed, revived, by root and by others."""

import asyncio
import os
import pickle
import pwd
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg
import psutil
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from dataexchange.database.embedded import (
    APP_ROLE,
    DATABASE,
    OWNER_ROLE,
    SUPERUSER,
    EmbeddedPostgres,
    EmbeddedPostgresError,
    NotStartedError,
    ServerStartError,
)
from dataexchange.database.engine import sqlalchemy_url
from dataexchange.database.server_account import ServerAccount
from dataexchange.database.server_files import (
    FolderError,
    copy_server,
    installed_server,
    temporary_folder,
)
from dataexchange.errors import UnavailableError

if TYPE_CHECKING:
    from databases import Addresses

IS_ROOT = os.geteuid() == 0
root_only = pytest.mark.skipif(not IS_ROOT, reason="only root can act as other accounts")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a server that was started once and stopped."""
    folder = tmp_path_factory.mktemp("made") / "pg"
    with EmbeddedPostgres(folder):
        pass
    return folder


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Iterator[Path]:
    """A stopped server's folder of the test's own; its server is stopped at the end."""
    subprocess.run(["cp", "-a", made, tmp_path / "pg"], check=True)
    yield tmp_path / "pg"
    with EmbeddedPostgres(tmp_path / "pg"):
        pass


async def ask(dsn: str, question: str) -> object:
    connection = await asyncpg.connect(dsn)
    try:
        return await connection.fetchval(question)
    finally:
        await connection.close()


def kill_server(server: EmbeddedPostgres) -> None:
    assert server.pid is not None
    os.kill(server.pid, signal.SIGKILL)


# What it serves


async def test_the_app_logs_in_and_owns_nothing(postgres: EmbeddedPostgres) -> None:
    assert await ask(postgres.dsn(), "select current_user || '@' || current_database()") == (
        f"{APP_ROLE}@{DATABASE}"
    )
    owned = "select count(*) from pg_database d join pg_roles r on r.oid = d.datdba"
    assert await ask(postgres.dsn(), f"{owned} where rolname = current_user") == 0
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await ask(postgres.dsn(), "create table mine (x int)")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await ask(postgres.dsn(), f"set role {OWNER_ROLE}")


async def test_the_owner_makes_tables_and_may_act_as_the_app(postgres: EmbeddedPostgres) -> None:
    connection = await asyncpg.connect(postgres.dsn(OWNER_ROLE))
    await connection.execute("create table ours (x int); drop table ours")
    await connection.execute(f"set role {APP_ROLE}")
    assert await connection.fetchval("select current_user") == APP_ROLE
    await connection.close()


@pytest.mark.parametrize(
    "setting", ["fsync", "synchronous_commit", "full_page_writes", "data_checksums"]
)
async def test_it_is_durable_by_default(postgres: EmbeddedPostgres, setting: str) -> None:
    assert await ask(postgres.dsn(), f"show {setting}") == "on"


async def test_text_sorts_by_code_point_on_every_system(postgres: EmbeddedPostgres) -> None:
    order = await ask(
        postgres.dsn(), "select string_agg(x, '' order by x) from unnest('{b,B,数,a,据}'::text[]) x"
    )
    assert order == "".join(sorted("bB数a据"))


async def test_it_listens_on_no_port(postgres: EmbeddedPostgres) -> None:
    assert await ask(postgres.dsn(), "show listen_addresses") == ""
    assert postgres.pid is not None
    assert psutil.Process(postgres.pid).net_connections("inet") == []


async def test_sqlalchemy_reads_the_address_too(postgres: EmbeddedPostgres) -> None:
    engine = create_async_engine(sqlalchemy_url(postgres.dsn()))
    async with engine.connect() as connection:
        assert await connection.scalar(text("select current_user")) == APP_ROLE
    await engine.dispose()


async def test_a_fresh_database_is_empty_and_like_the_exchanges_own(
    fresh_database: "Addresses",
) -> None:
    tables = "select count(*) from information_schema.tables where table_schema = 'public'"
    assert await ask(fresh_database.owner, tables) == 0
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await ask(fresh_database.app, "create table mine (x int)")


# Start and stop


async def test_data_outlive_a_restart_and_the_address_stays_the_same(folder: Path) -> None:
    async with EmbeddedPostgres(folder) as server:
        address = server.dsn(OWNER_ROLE)
        await ask(address, "create table kept as select 42 as x")
    async with EmbeddedPostgres(folder) as server:
        assert server.dsn(OWNER_ROLE) == address
        assert await ask(address, "select x from kept") == 42


def test_a_stopped_server_leaves_no_process_and_no_socket(folder: Path) -> None:
    with EmbeddedPostgres(folder) as server:
        pid = server.pid
        socket_folder = Path(server.dsn().partition("host=")[2].partition("&")[0])
        assert socket_folder.exists()
    assert pid is not None
    with suppress(psutil.NoSuchProcess):
        psutil.Process(pid).wait(5)  # whoever adopted it may be slow to bury it
    assert not psutil.pid_exists(pid)
    assert not socket_folder.exists()
    assert server.pid is None
    server.stop()


def test_a_stop_waits_for_the_last_user(folder: Path) -> None:
    first, second = EmbeddedPostgres(folder), EmbeddedPostgres(folder)
    first.start()
    second.start()
    assert first.pid == second.pid
    first.stop()
    assert second.pid is not None
    assert asyncio.run(ask(second.dsn(), "select 1")) == 1
    second.stop()
    assert second.pid is None


def test_an_address_before_the_start_is_refused_in_both_languages(tmp_path: Path) -> None:
    with pytest.raises(NotStartedError) as caught:
        EmbeddedPostgres(tmp_path).dsn()
    assert "尚未启动" in caught.value.zh
    assert "not started" in caught.value.en
    assert isinstance(caught.value, UnavailableError)
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


def test_settings_reach_the_server(folder: Path) -> None:
    with EmbeddedPostgres(folder, settings={"max_connections": "17"}) as server:
        assert asyncio.run(ask(server.dsn(), "show max_connections")) == "17"


def test_a_server_that_cannot_start_says_why(folder: Path) -> None:
    server = EmbeddedPostgres(folder, settings={"shared_buffers": "nonsense"})
    with pytest.raises(ServerStartError) as caught:
        server.start()
    assert 'invalid value for parameter "shared_buffers"' in str(caught.value)
    assert "未能启动" in caught.value.zh
    with EmbeddedPostgres(folder) as repaired:
        assert repaired.pid is not None


# Several processes

IN_ANOTHER_PROCESS = """
import asyncio, asyncpg, os, signal, sys
from pathlib import Path
from dataexchange.database.embedded import EmbeddedPostgres, OWNER_ROLE
server = EmbeddedPostgres(Path(sys.argv[1]))
server.start()
async def insert():
    connection = await asyncpg.connect(server.dsn(OWNER_ROLE))
    await connection.execute(f"insert into t values ({os.getpid()})")
    await connection.close()
asyncio.run(insert())
print(server.pid, flush=True)
if sys.argv[2] == "die":
    os.kill(os.getpid(), signal.SIGKILL)
sys.stdin.read()
server.stop()
"""


def other_process(folder: Path, act: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", IN_ANOTHER_PROCESS, str(folder), act],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )


def test_processes_that_start_at_once_share_one_server(folder: Path) -> None:
    with EmbeddedPostgres(folder) as server:
        asyncio.run(ask(server.dsn(OWNER_ROLE), "create table t (pid int)"))
    others = [other_process(folder, "wait") for _ in range(3)]
    pids = {other.stdout.readline() for other in others if other.stdout}
    assert len(pids) == 1
    for other in others:
        other.communicate()
    assert [other.returncode for other in others] == [0, 0, 0]
    assert EmbeddedPostgres(folder).pid is None


def test_a_killed_user_leaves_a_server_that_the_next_one_takes_over(folder: Path) -> None:
    with EmbeddedPostgres(folder) as server:
        asyncio.run(ask(server.dsn(OWNER_ROLE), "create table t (pid int)"))
    killed = other_process(folder, "die")
    said, _ = killed.communicate()
    assert killed.returncode == -signal.SIGKILL
    with EmbeddedPostgres(folder) as server:
        assert server.pid == int(said)
        assert asyncio.run(ask(server.dsn(OWNER_ROLE), "select pid from t")) == killed.pid
    assert server.pid is None


# Killed servers


def test_a_killed_server_is_revived_with_all_that_was_committed(folder: Path) -> None:
    with EmbeddedPostgres(folder) as server:
        address = server.dsn(OWNER_ROLE)
        asyncio.run(ask(address, "create table kept as select generate_series(1, 1000) as x"))
        for _ in range(3):
            kill_server(server)
            server.start()
            assert server.dsn(OWNER_ROLE) == address
            assert asyncio.run(ask(address, "select count(*) from kept")) == 1000


def test_a_killed_server_does_not_keep_others_from_stopping(folder: Path) -> None:
    with EmbeddedPostgres(folder) as server:
        kill_server(server)
    assert server.pid is None


def test_a_pid_file_whose_number_was_given_to_another_process_is_not_believed(
    folder: Path,
) -> None:
    with EmbeddedPostgres(folder) as server:
        kill_server(server)
        stale = folder / "cluster" / "postmaster.pid"
        # Our own parent's id, as after a container's restart: PostgreSQL alone would refuse.
        lines = stale.read_text().splitlines()
        stale.write_text("\n".join([str(os.getpid()), *lines[1:]]) + "\n")
        assert server.pid is None
        server.start()
        assert server.pid not in (None, os.getpid())
        assert asyncio.run(ask(server.dsn(), "select 1")) == 1


def test_a_cluster_that_was_half_made_is_made_anew(tmp_path: Path) -> None:
    folder = tmp_path / "pg"
    draft = folder / "cluster.new"
    draft.mkdir(parents=True)
    (draft / "PG_VERSION").write_text("18\n")
    with EmbeddedPostgres(folder) as server:
        assert asyncio.run(ask(server.dsn(), "select 1")) == 1
    assert not draft.exists()


def test_what_is_prepared_is_whole_and_used_by_the_first_start(tmp_path: Path) -> None:
    server = EmbeddedPostgres(tmp_path)
    server.prepare()
    made = tmp_path / "cluster"
    assert made.exists()
    assert server.pid is None
    before = made.stat().st_ino
    server.prepare()
    with server:
        assert asyncio.run(ask(server.dsn(), "show fsync")) == "on"
    assert made.stat().st_ino == before


# Accounts


def test_callers_other_than_the_folders_owner_are_not_named(folder: Path) -> None:
    with EmbeddedPostgres(folder):
        named = (folder / "cluster" / "pg_ident.conf").read_text()
    assert named == f'exchange "{pwd.getpwuid(os.geteuid()).pw_name}" all\n'


def test_nothing_above_the_folder_is_opened_wider(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    above = {path: path.stat().st_mode for path in (closed, *closed.parents)}
    accounts = Path("/etc/passwd").read_bytes()
    with EmbeddedPostgres(closed / "pg") as server:
        assert asyncio.run(ask(server.dsn(), "select 1")) == 1
        socket_folder = Path(server.dsn().partition("host=")[2].partition("&")[0])
        assert stat.S_IMODE(socket_folder.stat().st_mode) == 0o700
    assert {path: path.stat().st_mode for path in (closed, *closed.parents)} == above
    assert Path("/etc/passwd").read_bytes() == accounts


@root_only
def test_roots_server_runs_without_roots_rights(folder: Path) -> None:
    with EmbeddedPostgres(folder) as server:
        assert server.pid is not None
        assert 0 not in psutil.Process(server.pid).uids()
        assert 0 not in psutil.Process(server.pid).gids()


@root_only
def test_the_account_that_runs_roots_server_may_not_connect(folder: Path) -> None:
    with EmbeddedPostgres(folder) as server:
        account = (folder / "cluster").stat().st_uid
        socket_path = server.dsn().partition("host=")[2].partition("&")[0]
        asked = subprocess.run(
            [installed_server() / "bin" / "psql", "-h", socket_path, "-U", SUPERUSER, "-c", "x"],
            user=account,
            extra_groups=[],
            cwd="/",
            capture_output=True,
            text=True,
            check=False,
        )
        assert 'Peer authentication failed for user "postgres"' in asked.stderr


@root_only
def test_root_serves_a_folder_that_an_ordinary_user_made(tmp_path: Path) -> None:
    with EmbeddedPostgres(tmp_path / "pg") as server:
        asyncio.run(ask(server.dsn(OWNER_ROLE), "create table kept as select 42 as x"))
    owner = (tmp_path / "pg" / "cluster").stat().st_uid
    os.chown(tmp_path / "pg", owner, -1)
    with EmbeddedPostgres(tmp_path / "pg") as server:
        assert server.pid is not None
        assert psutil.Process(server.pid).uids().real == owner
        assert asyncio.run(ask(server.dsn(OWNER_ROLE), "select x from kept")) == 42


@root_only
def test_root_copies_programs_that_the_servers_account_cannot_read(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hidden = tmp_path / "site-packages"
    (copy_server(hidden).parent / "__init__.py").touch()
    hidden.chmod(0o700)
    monkeypatch.syspath_prepend(str(hidden))
    with EmbeddedPostgres(folder) as server:
        assert server.pid is not None
        program = Path(psutil.Process(server.pid).exe())
        assert not program.is_relative_to(hidden)
        copied = program.stat().st_ino
        EmbeddedPostgres(folder).prepare()
        assert program.stat().st_ino == copied, "what runs was made again"
        assert asyncio.run(ask(server.dsn(), "select 1")) == 1
    assert not program.exists()


def test_a_folder_that_cannot_be_written_is_refused_with_the_way_out(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(EmbeddedPostgresError) as caught:
        EmbeddedPostgres(tmp_path / "taken").start()
    for message in (caught.value.zh, caught.value.en):
        assert "DATAEXCHANGE_DATABASE_URL" in message


# Socket folders


def own_account() -> ServerAccount:
    return ServerAccount(os.geteuid(), os.getegid(), switched=False)


def test_a_long_temporary_folder_is_passed_over_for_a_short_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = tmp_path / ("x" * 90)
    long.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(long))
    path = temporary_folder("socket", tmp_path, own_account())
    assert len(bytes(path / ".s.PGSQL.5432")) <= 107
    with socket.socket(socket.AF_UNIX) as probe:
        probe.bind(str(path / ".s.PGSQL.5432"))
    (path / ".s.PGSQL.5432").unlink()
    path.rmdir()


def test_a_socket_folder_that_someone_else_put_there_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with tempfile.TemporaryDirectory(dir="/tmp") as short:
        monkeypatch.setattr("tempfile.tempdir", short)
        usual = temporary_folder("socket", tmp_path, own_account())
        usual.rmdir()
        usual.symlink_to(tmp_path)
        other = temporary_folder("socket", tmp_path, own_account())
        assert other != usual
        assert other.lstat().st_uid == os.geteuid()
        assert not other.is_symlink()


def test_no_temporary_folder_is_an_error_that_names_the_way_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.access", lambda *_: False)
    with pytest.raises(FolderError, match="TMPDIR"):
        temporary_folder("socket", tmp_path, own_account())


# Figures


def test_the_first_start_takes_seconds_and_the_next_a_blink(tmp_path: Path) -> None:
    def start_seconds() -> float:
        started = time.perf_counter()
        with EmbeddedPostgres(tmp_path / "pg"):
            return time.perf_counter() - started

    first, following = start_seconds(), min(start_seconds() for _ in range(3))
    # Ten times what an idle machine of two cores takes: a busy one must pass, a wrong design not.
    assert first < 6
    assert following < 0.5
