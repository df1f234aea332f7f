"""`doctor` and `rebuild`, for the operator, on a real database."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import asyncpg
import httpx
import pytest

from dataexchange.database.engine import DatabaseAddressError, require_address

if TYPE_CHECKING:
    from served import Served

Run = Callable[..., Any]


@pytest.fixture
def configured(opened: "Served", monkeypatch: pytest.MonkeyPatch) -> "Served":
    """The environment of a process on the same machine as the running service."""
    monkeypatch.setenv("DATAEXCHANGE_DATABASE_URL", opened.addresses.app)
    monkeypatch.setenv("DATAEXCHANGE_OWNER_DATABASE_URL", opened.addresses.owner)
    monkeypatch.setenv("DATAEXCHANGE_DATA_FOLDER", str(opened.folder))
    monkeypatch.setenv("DATAEXCHANGE_ORIGIN", "example.test/log")
    return opened


def execute(dsn: str, statement: str) -> None:
    async def run() -> None:
        connection = await asyncpg.connect(dsn)
        try:
            await connection.execute(statement)
        finally:
            await connection.close()

    asyncio.run(run())


def test_a_healthy_exchange_passes_the_doctors_look(configured: "Served", run: Run) -> None:
    ran = run("doctor")
    assert ran.status == 0, ran.out
    assert "✗" not in ran.out
    assert "fsync = " in ran.out
    assert "条目 entries: 1，表头 head: 1" in ran.out


def test_the_doctor_finds_a_key_that_others_may_read(configured: "Served", run: Run) -> None:
    key = configured.folder / "log.key"
    key.chmod(0o644)
    ran = run("doctor")
    assert ran.status == 1
    assert f"chmod 600 {key}" in ran.out


def test_the_doctor_finds_another_name_of_the_log(
    configured: "Served", run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATAEXCHANGE_ORIGIN", "example.test/other")
    ran = run("doctor")
    assert ran.status == 1
    assert "DATAEXCHANGE_ORIGIN" in ran.out


def test_the_doctor_says_what_would_help_where_no_database_answers(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DATAEXCHANGE_DATABASE_URL", "postgresql://nobody@127.0.0.1:9/none")
    monkeypatch.setenv("DATAEXCHANGE_DATA_FOLDER", str(tmp_path))
    ran = run("doctor")
    assert ran.status == 1
    assert "DATAEXCHANGE_DATABASE_URL" in ran.out


def test_states_that_follow_from_the_log_are_all_equal(configured: "Served", run: Run) -> None:
    ran = run("rebuild")
    assert ran.status == 0
    assert "全部一致 all equal" in ran.out


def test_a_state_that_was_tampered_with_is_found_and_replaced(
    configured: "Served", run: Run
) -> None:
    execute(configured.addresses.owner, "update aggregate set state = '{}' where kind = 'policy'")
    found = run("rebuild")
    assert found.status == 1
    assert "policy/exchange" in found.err
    assert run("rebuild").status == 1  # looking mends nothing
    assert run("rebuild", "--write").status == 0
    assert run("rebuild").status == 0


def test_a_database_that_fits_its_log_passes_the_check(configured: "Served", run: Run) -> None:
    configured.until_checkpoint(1)
    known = configured.folder / "known.checkpoint"
    known.write_text(httpx.get(f"{configured.url}/checkpoint").text)
    ran = run("check", "--known-checkpoint", known)
    assert ran.status == 0, ran.err
    assert "一致 SOUND" in ran.out


def test_a_change_by_the_owner_is_named_with_table_row_and_column(
    configured: "Served", run: Run
) -> None:
    change = "update aggregate set seq = seq + 1 where kind = 'policy'"
    execute(configured.addresses.owner, change)
    ran = run("check", "--database-url", configured.addresses.owner)
    assert ran.status == 1
    assert "aggregate · key=policy/exchange · seq" in ran.err
    assert "is 2, should be 1" in ran.err


def test_a_check_needs_a_policy_a_database_and_a_log(
    configured: "Served", run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    nonsense = tmp_path / "policy"
    nonsense.write_text("believe everything\n")
    assert run("check", "--policy", nonsense).status == 2
    assert run("check", "--database-url", "postgresql://nobody@127.0.0.1:9/none").status == 2
    assert run("check", "--known-checkpoint", tmp_path / "none").status == 2
    monkeypatch.setenv("DATAEXCHANGE_DATA_FOLDER", str(tmp_path / "elsewhere"))
    ran = run("check")
    assert ran.status == 2
    assert "--policy" in ran.err


def test_help_is_there_for_every_command(run: Run) -> None:
    ran = run("--help")
    assert ran.status == 0
    for command in (
        "serve",
        "keygen",
        "submit",
        "show",
        "export",
        "verify",
        "value",
        "doctor",
        "check",
    ):
        assert command in ran.out
        assert run(command, "--help").status == 0
    assert run("nosuch").status == 2


async def started(app: Any, error: type[Exception], told: str) -> list[dict[str, Any]]:
    """Start an application as its server does; return what it said."""
    said: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "lifespan.startup"}

    async def send(message: dict[str, Any]) -> None:
        said.append(message)

    with pytest.raises(error, match=told):
        await app({"type": "lifespan", "asgi": {}, "state": {}}, receive, send)
    return said


async def test_why_the_service_does_not_start_is_told_in_one_line(tmp_path: Path) -> None:
    from dataexchange.api import create_app
    from dataexchange.cli.serving import telling_why
    from dataexchange.settings import Settings

    url = "postgresql://somebody:secret@127.0.0.1:1/nothing"
    app = create_app(Settings(database_url=url, data_folder=tmp_path))
    (said,) = await started(telling_why(app), OSError, "127")
    assert said["type"] == "lifespan.startup.failed"
    assert "127.0.0.1" in said["message"]
    assert "Traceback" not in said["message"]
    assert "secret" not in said["message"]


MALFORMED = [
    "nonsense-secret",
    "postgresql://u:secret/x@127.0.0.1/db",
    "postgresql://u:secret@[::1/db",
    "postgresql://u:secret@127.0.0.1:99999/db",
    "mysql://u:secret@127.0.0.1/db",
    "postgresql://u:secret@127.0.0.1/db?colour=red",
    "",
]


@pytest.mark.parametrize("url", MALFORMED)
async def test_an_address_that_is_none_is_told_without_what_it_holds(
    tmp_path: Path, url: str
) -> None:
    from dataexchange.api import create_app
    from dataexchange.cli.serving import telling_why
    from dataexchange.settings import Settings

    app = create_app(Settings(database_url=url, data_folder=tmp_path))
    (said,) = await started(telling_why(app), DatabaseAddressError, "DATAEXCHANGE_DATABASE_URL")
    assert "is no PostgreSQL address" in said["message"]
    assert "secret" not in said["message"]
    assert "\n" not in said["message"]


@pytest.mark.parametrize("url", MALFORMED)
def test_every_command_on_the_database_tells_so(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, url: str
) -> None:
    monkeypatch.setenv("DATAEXCHANGE_DATABASE_URL", url)
    key, policy = tmp_path / "me.key", tmp_path / "policy"
    assert run("keygen", key).status == 0
    policy.write_text("quorum none\n")
    check = ("check", "--policy", policy, "--database-url", url)
    for words in (("rebuild",), ("map", "commit", "--key", key), ("doctor",), ("serve",), check):
        ran = run(*words)
        assert ran.status in (1, 2), words
        assert "is no PostgreSQL address" in " ".join((ran.out + ran.err).split()), words
        assert "secret" not in ran.out + ran.err


def test_an_address_by_socket_folder_is_one() -> None:
    require_address("postgresql:///name?host=/run/postgresql", "X")
    require_address("postgres://u:p%40@[::1]:5433/name", "X")


def test_a_folder_without_a_log_is_told_of_and_left_alone(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("DATAEXCHANGE_DATABASE_URL", raising=False)
    key, folder = tmp_path / "me.key", tmp_path / "empty"
    folder.mkdir()
    assert run("keygen", key).status == 0
    for words in (("rebuild",), ("map", "commit", "--key", key)):
        ran = run(*words, "--data-folder", folder)
        assert (ran.status, "holds no log" in " ".join(ran.err.split())) == (2, True), ran.err
        assert list(folder.iterdir()) == []


@pytest.mark.parametrize("command", ["serve", "witness"])
def test_a_port_is_a_port(run: Run, command: str) -> None:
    ran = run(command, "--port", 99_999, *(("--key", "k") if command == "witness" else ()))
    assert (ran.status, "65535" in ran.err) == (2, True), ran.err


def test_a_variable_that_does_not_fit_is_told_of(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DATAEXCHANGE_PORT", "abc")
    ran = run("serve", "--data-folder", tmp_path)
    assert (ran.status, "port" in ran.err) == (2, True), ran.err
