"""One cluster of the embedded PostgreSQL: made once, whole or not at all, then served."""

import contextlib
import os
import pwd
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from dataexchange.database.server_account import EmbeddedPostgresError, ServerAccount
from dataexchange.database.server_files import FolderError, give
from dataexchange.private_file import sync_folder

SUPERUSER = "postgres"
OWNER_ROLE = "dataexchange_owner"
APP_ROLE = "dataexchange_app"
DATABASE = "dataexchange"

_INITDB_OPTIONS = (
    f"--username={SUPERUSER}",
    "--auth=peer",
    "--encoding=UTF8",
    # Sorts by code point on every system and in every version, so no index is ever out of order.
    "--locale=C",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
    "--data-checksums",
    "--set=timezone=UTC",
    "--set=log_timezone=UTC",
)
# The app's role owns nothing and may only connect; migrations grant it what it needs.
# The owner may act as the app, so that one address serves to migrate and to run.
_FIRST_STATEMENTS = f"""\
CREATE ROLE {OWNER_ROLE} LOGIN;
CREATE ROLE {APP_ROLE} LOGIN;
GRANT {APP_ROLE} TO {OWNER_ROLE};
CREATE DATABASE {DATABASE} OWNER {OWNER_ROLE};
REVOKE ALL ON DATABASE {DATABASE} FROM PUBLIC;
GRANT CONNECT ON DATABASE {DATABASE} TO {APP_ROLE};
"""
_WHO_MAY_CONNECT = """\
# Callers are known by their operating system account; see pg_ident.conf.
local all         all peer map=exchange
local replication all peer map=exchange
"""
_ENVIRONMENT = {"LC_ALL": "C", "TZ": "UTC", "PATH": "/usr/local/bin:/usr/bin:/bin"}


class ClusterError(EmbeddedPostgresError):
    """PostgreSQL could not make a cluster; carries what it said."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """PostgreSQL's data at `path`, owned by `account` and served by the programs in `programs`."""

    path: Path
    account: ServerAccount
    programs: Path

    def create(self) -> None:
        """Make the cluster with its roles and its database, where it does not exist yet."""
        if self.path.exists():
            return
        draft = self.path.with_suffix(".new")
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(mode=0o700)
        give(draft, self.account, mode=0o700)
        with reached(draft, self.account) as reach:
            # Nobody relies on a draft: all of it goes to the disk at once, before it is renamed.
            folder = f"--pgdata={reach.name}"
            self._run("initdb", folder, "--no-sync", *_INITDB_OPTIONS, reach=reach)
            (draft / "pg_hba.conf").write_text(_WHO_MAY_CONNECT, encoding="utf-8")
            settings = ("-c", "exit_on_error=on", "-c", "fsync=off")
            single = ("--single", "-D", reach.name, *settings, SUPERUSER)
            self._run("postgres", *single, reach=reach, statements=_FIRST_STATEMENTS)
            self._run("initdb", folder, "--sync-only", reach=reach)
        draft.rename(self.path)
        sync_folder(self.path.parent)

    def name_callers(self, uids: Sequence[int]) -> None:
        """Let the operating system's accounts `uids` connect as any role, and nobody else."""
        names = sorted({pwd.getpwuid(uid).pw_name for uid in uids})
        lines = [f'exchange "{name}" all\n' for name in names]
        (self.path / "pg_ident.conf").write_text("".join(lines), encoding="utf-8")

    def serve(self, settings: Mapping[str, str], *, log: int) -> "subprocess.Popen[bytes]":
        """Start the server with `settings`; what it says goes to the descriptor `log`."""
        options = [word for item in settings.items() for word in ("-c", "=".join(item))]
        with reached(self.path, self.account) as reach:
            words = ("postgres", "-D", reach.name, *options)
            return self._spawn(words, reach, stdin=subprocess.DEVNULL, stdout=log)

    def _run(self, *words: str, reach: "Reach", statements: str = "") -> None:
        process = self._spawn(words, reach, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        said, _ = process.communicate(statements.encode())
        if process.returncode != 0:
            tail = said.decode(errors="replace").strip()[-2000:]
            raise ClusterError(
                f"无法在 {self.path} 建立数据库 ({words[0]}):\n{tail}",
                f"No database could be made at {self.path} ({words[0]}); it said the above.",
            )

    def _spawn(
        self, words: Sequence[str], reach: "Reach", *, stdin: int, stdout: int
    ) -> "subprocess.Popen[bytes]":
        switched = self.account.switched
        return subprocess.Popen(  # noqa: S603 - our own programs and words
            [str(self.programs / "bin" / words[0]), *words[1:]],
            stdin=stdin,
            stdout=stdout,
            stderr=subprocess.STDOUT,
            cwd="/",
            env=_ENVIRONMENT,
            pass_fds=reach.handles,
            # Not to be stopped by a Ctrl-C meant for us.
            start_new_session=True,
            user=self.account.uid if switched else None,
            group=self.account.gid if switched else None,
            extra_groups=() if switched else None,
        )


@dataclass(frozen=True, slots=True)
class Reach:
    """A `name` by which the server's account reaches a folder, with the `handles` it inherits."""

    name: str
    handles: tuple[int, ...] = field(default=())


@contextlib.contextmanager
def reached(folder: Path, account: ServerAccount) -> Iterator[Reach]:
    """Give a name by which `account` reaches `folder`, which belongs to it.

    Root's folders often lie where others may not walk (`/root`, mode 0700). Rather than opening
    those to everyone, root opens the folder and the server inherits the handle: Linux resolves
    `/proc/self/fd/N` without walking the folders above, and the server never leaves its own.
    """
    if all(account.may_enter(parent) for parent in folder.parents):
        yield Reach(str(folder))
        return
    if not Path("/proc/self/fd").exists():
        raise FolderError(
            f"运行 PostgreSQL 的用户无法进入 {folder.parent}。请换一个目录, "
            "或用 DATAEXCHANGE_DATABASE_URL 指定一个数据库。",
            f"The account that runs PostgreSQL cannot enter {folder.parent}. Use another folder, "
            "or name a database in DATAEXCHANGE_DATABASE_URL.",
        )
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield Reach(f"/proc/self/fd/{handle}", (handle,))
    finally:
        os.close(handle)
