"""A real PostgreSQL out of a wheel, for the folder it is given; no service, no port, no root.

The server listens on a Unix socket only and knows its callers by their operating system account
(`peer`), so there is no password to keep. It writes to its folder and to a socket folder in the
system's temporary folder, nowhere else. Durable by default: fsync, synchronous commit, checksums.

Several processes may share one folder: the first starts the server, the last stops it. Who uses it
is told by a lock that the kernel drops with the process, so a killed process leaves nothing to
clean; a killed server recovers at the next start.

    folder/cluster/         PostgreSQL's data, made whole under another name and then renamed
    folder/postgres.log     what the server says
    folder/start.lock       held while the server is started or stopped
    folder/users.lock       shared by everyone who uses the server
    folder/programs/        a copy of the programs, where root's server cannot read the wheel
"""

import asyncio
import contextlib
import fcntl
import os
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

from dataexchange.database.cluster import APP_ROLE, DATABASE, OWNER_ROLE, SUPERUSER, Cluster
from dataexchange.database.postmaster import Postmaster, adopt, read_postmaster
from dataexchange.database.server_account import (
    EmbeddedPostgresError,
    ServerAccount,
    account_for,
)
from dataexchange.database.server_files import (
    FolderError,
    copy_server,
    give,
    installed_server,
    is_usable_by,
    open_log,
    temporary_folder,
)

__all__ = [
    "APP_ROLE",
    "DATABASE",
    "OWNER_ROLE",
    "SUPERUSER",
    "EmbeddedPostgres",
    "EmbeddedPostgresError",
    "NotStartedError",
    "ServerStartError",
    "ServerStopError",
]

_PORT = 5432
_POLL_SECONDS = 0.005
_STOP_SECONDS_MAX = 30
_LOG_TAIL_BYTES = 2000
_STILL_IN_USE = "pre-existing shared memory block"


class ServerStartError(EmbeddedPostgresError):
    """PostgreSQL did not start; carries the end of its log."""


class ServerStopError(EmbeddedPostgresError):
    """PostgreSQL did not stop in time."""


class NotStartedError(EmbeddedPostgresError):
    """An address was asked for before the server was started."""


class EmbeddedPostgres:
    """The PostgreSQL server of one folder, shared by every process that starts it.

    `settings` are server settings for the start (`{"max_connections": "200"}`); they do not
    change a server that runs already. Blocking calls: in a coroutine use `async with`, or
    `asyncio.to_thread`.
    """

    def __init__(
        self,
        folder: Path,
        *,
        settings: Mapping[str, str] | None = None,
        start_seconds_max: float = 120,
    ) -> None:
        self.folder = folder.absolute()
        self._settings = dict(settings or {})
        self._start_seconds_max = start_seconds_max
        self._users_lock: int | None = None
        self._socket_folder: Path | None = None

    @property
    def is_made(self) -> bool:
        """Whether the folder holds a cluster."""
        return self._path.exists()

    def prepare(self) -> None:
        """Make the cluster where there is none yet; nothing is started.

        Raises `EmbeddedPostgresError`.
        """
        try:
            self._open_folder()
            with self._exclusive():
                if not self.is_made:
                    self._prepared_cluster()
        except OSError as error:
            raise _unusable(self.folder, error) from error

    def start(self) -> None:
        """Start the server, or join the one that runs; starting twice revives a killed one.

        Raises `EmbeddedPostgresError`.
        """
        try:
            self._open_folder()
            with self._exclusive():
                self._join()
                self._ensure_ready()
        except OSError as error:
            self._leave()
            raise _unusable(self.folder, error) from error
        except BaseException:
            self._leave()
            raise

    def stop(self) -> None:
        """Leave the server; stop it where nobody else uses it. Raises `ServerStopError`."""
        if self._users_lock is None:
            return
        with self._exclusive():
            self._leave()
            if self._is_unused():
                self._shut_down()

    def dsn(self, role: str = APP_ROLE, database: str = DATABASE) -> str:
        """Return the address for `role` in `database`, as asyncpg and libpq read it."""
        if self._socket_folder is None:
            raise NotStartedError(
                "数据库尚未启动: 请先调用 start()。",
                "The database is not started: call start() first.",
            )
        host = quote(str(self._socket_folder))
        return f"postgresql://{quote(role)}@/{quote(database)}?host={host}&port={_PORT}"

    @property
    def pid(self) -> int | None:
        """The process id of the server, None where it does not run."""
        postmaster = read_postmaster(self._path)
        return postmaster.pid if postmaster and postmaster.is_alive() else None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    async def __aenter__(self) -> Self:
        await asyncio.to_thread(self.start)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await asyncio.to_thread(self.stop)

    def _open_folder(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.folder = self.folder.resolve()

    @property
    def _path(self) -> Path:
        return self.folder / "cluster"

    @property
    def _log(self) -> Path:
        return self.folder / "postgres.log"

    # Who uses the server

    @contextlib.contextmanager
    def _exclusive(self) -> Iterator[None]:
        descriptor = _open_lock(self.folder / "start.lock")
        try:
            self._await_lock(descriptor)
            yield
        finally:
            os.close(descriptor)

    def _await_lock(self, descriptor: int) -> None:
        deadline = time.monotonic() + self._start_seconds_max
        while not _try_lock(descriptor, fcntl.LOCK_EX):
            if time.monotonic() > deadline:
                raise ServerStartError(
                    f"另一进程一直占用 {self.folder}/start.lock。",
                    f"Another process keeps holding {self.folder}/start.lock.",
                )
            time.sleep(_POLL_SECONDS)

    def _join(self) -> None:
        if self._users_lock is None:
            self._users_lock = _open_lock(self.folder / "users.lock")
            fcntl.flock(self._users_lock, fcntl.LOCK_SH)

    def _leave(self) -> None:
        if self._users_lock is not None:
            os.close(self._users_lock)
        self._users_lock = self._socket_folder = None

    def _is_unused(self) -> bool:
        descriptor = _open_lock(self.folder / "users.lock")
        try:
            return _try_lock(descriptor, fcntl.LOCK_EX)
        finally:
            os.close(descriptor)

    # Start

    def _ensure_ready(self) -> None:
        deadline = time.monotonic() + self._start_seconds_max
        while time.monotonic() < deadline:
            postmaster = self._live_postmaster()
            if postmaster is None:
                self._launch(deadline)
            elif postmaster.answers():
                self._socket_folder = postmaster.socket_folder
                return
            time.sleep(_POLL_SECONDS)
        raise self._start_error()

    def _live_postmaster(self) -> Postmaster | None:
        postmaster = read_postmaster(self._path)
        if postmaster is None or postmaster.is_alive():
            return postmaster
        # Its server was killed. PostgreSQL itself would refuse to start where an unrelated
        # process has been given the same id since, as happens in every restarted container.
        (self._path / "postmaster.pid").unlink(missing_ok=True)
        return None

    def _launch(self, deadline: float) -> None:
        """Start the server and wait until it is ready, has to be tried again, or has failed."""
        log = open_log(self._log)
        try:
            said_before = os.fstat(log).st_size
            cluster = self._prepared_cluster()
            server = cluster.serve(self._start_settings(cluster.account), log=log)
        finally:
            os.close(log)
        adopt(server)
        if self._await_ready(server, deadline):
            return
        # A killed server's children take a moment to notice; until then the next one waits.
        if _STILL_IN_USE not in self._said(since=said_before):
            raise self._start_error(since=said_before)

    def _await_ready(self, server: "subprocess.Popen[bytes]", deadline: float) -> bool:
        while server.poll() is None and time.monotonic() < deadline:
            postmaster = read_postmaster(self._path)
            if postmaster and postmaster.pid == server.pid and postmaster.is_ready:
                return True
            time.sleep(_POLL_SECONDS)
        return False

    def _prepared_cluster(self) -> Cluster:
        account = account_for(self._path)
        programs = installed_server()
        if not is_usable_by(account, programs):
            programs = copy_server(self._programs_folder(account))
        cluster = Cluster(self._path, account, programs)
        cluster.create()
        cluster.name_callers([os.geteuid(), self.folder.stat().st_uid])
        return cluster

    def _programs_folder(self, account: ServerAccount) -> Path:
        if account.may_reach(self.folder):
            return self.folder / "programs"
        outside = temporary_folder("programs", self.folder, account)
        outside.chmod(0o755)
        return outside / "programs"

    def _start_settings(self, account: ServerAccount) -> dict[str, str]:
        socket_folder = temporary_folder("socket", self.folder, account)
        give(socket_folder, account, mode=0o700)
        for left_over in socket_folder.iterdir():
            left_over.unlink()
        return {
            **self._settings,
            "port": str(_PORT),
            "listen_addresses": "",
            "unix_socket_directories": str(socket_folder),
            "unix_socket_permissions": "0700",
        }

    # Stop

    def _shut_down(self) -> None:
        postmaster = self._live_postmaster()
        if postmaster is None:
            return
        if not postmaster.terminate(seconds_max=_STOP_SECONDS_MAX):
            raise ServerStopError(
                f"PostgreSQL (进程 {postmaster.pid}) 未能停止。",
                f"PostgreSQL (process {postmaster.pid}) did not stop.",
            )
        self._clear_temporary(postmaster.socket_folder)

    def _clear_temporary(self, socket_folder: Path | None) -> None:
        if socket_folder is not None:
            shutil.rmtree(socket_folder, ignore_errors=True)
        account = account_for(self._path)
        if not account.may_reach(self.folder):
            shutil.rmtree(self._programs_folder(account).parent, ignore_errors=True)

    # What the server said

    def _said(self, *, since: int) -> str:
        with self._log.open("rb") as log:
            log.seek(since)
            return log.read().decode(errors="replace")

    def _start_error(self, *, since: int = 0) -> ServerStartError:
        tail = self._said(since=since)[-_LOG_TAIL_BYTES:].strip()
        return ServerStartError(
            f"PostgreSQL 未能启动, 日志见 {self._log}:\n{tail}",
            f"PostgreSQL did not start; its log is {self._log}, its last lines are above.",
        )


def _open_lock(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT, 0o600)


def _try_lock(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _unusable(folder: Path, error: OSError) -> FolderError:
    return FolderError(
        f"无法在 {folder} 使用内嵌的 PostgreSQL ({error})。"
        "请换一个目录或用户, 或用 DATAEXCHANGE_DATABASE_URL 指定一个数据库。",
        f"The embedded PostgreSQL cannot use {folder} ({error}). "
        "Use another folder or user, or name a database in DATAEXCHANGE_DATABASE_URL.",
    )
