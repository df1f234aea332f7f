"""The operating system's account that runs the embedded PostgreSQL, and what it may reach.

PostgreSQL refuses to run as root. Started by root, the server runs as an account that exists
already and has no rights (`nobody`); nothing is added to the system and no folder is opened wider.
"""

import os
import pwd
from dataclasses import dataclass
from pathlib import Path

from dataexchange.errors import UnavailableError

_UNPRIVILEGED_NAMES = ("nobody", "daemon")


class EmbeddedPostgresError(UnavailableError):
    """The embedded PostgreSQL cannot serve; says why and what to do, in Chinese and English."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(zh, en)
        self.zh = zh
        self.en = en

    def __str__(self) -> str:
        return f"{self.zh}\n{self.en}"


class AccountError(EmbeddedPostgresError):
    """No account of the operating system can run the server."""


@dataclass(frozen=True, slots=True)
class ServerAccount:
    """Who runs the server. `switched` where that is not who runs this process."""

    uid: int
    gid: int
    switched: bool

    def may_enter(self, folder: Path) -> bool:
        """Tell whether the account may walk through `folder`."""
        return self._may(folder, os.X_OK)

    def may_reach(self, path: Path) -> bool:
        """Tell whether the account may enter every folder above `path` and read `path` itself."""
        # In order from the top: what lies below a closed folder cannot even be asked about.
        if not all(map(self.may_enter, reversed(path.parents))):
            return False
        return self._may(path, os.R_OK | os.X_OK if path.is_dir() else os.R_OK)

    def owns(self, path: Path) -> bool:
        """Tell whether `path` belongs to the account."""
        return path.lstat().st_uid == self.uid

    def _may(self, path: Path, wanted: int) -> bool:
        if not self.switched:
            return os.access(path, wanted)
        status = path.stat()
        shift = 6 if status.st_uid == self.uid else 3 if status.st_gid == self.gid else 0
        return (status.st_mode >> shift) & wanted == wanted


def account_for(cluster: Path) -> ServerAccount:
    """Return the account that runs the server of `cluster`, which need not exist yet.

    An ordinary user runs it as himself. Root runs it as the cluster's owner, or as an unprivileged
    account where there is no cluster yet.
    """
    if os.geteuid() != 0:
        return _current_account()
    if cluster.exists() and (status := cluster.stat()).st_uid != 0:
        return ServerAccount(status.st_uid, status.st_gid, switched=True)
    return _unprivileged_account()


def _account_name(uid: int) -> str | None:
    """Return the name of the account `uid`, or None where the system lists none."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return None


def _current_account() -> ServerAccount:
    uid = os.geteuid()
    if _account_name(uid) is None:
        raise AccountError(
            f"用户号 {uid} 不在 /etc/passwd 中, PostgreSQL 无法以其身份运行。"
            "请换用已有用户, 或用 DATAEXCHANGE_DATABASE_URL 指定一个数据库。",
            f"User id {uid} is not in /etc/passwd, so PostgreSQL cannot run as it. "
            "Use an existing user, or name a database in DATAEXCHANGE_DATABASE_URL.",
        )
    return ServerAccount(uid, os.getegid(), switched=False)


def _unprivileged_account() -> ServerAccount:
    for name in _UNPRIVILEGED_NAMES:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return ServerAccount(entry.pw_uid, entry.pw_gid, switched=True)
    raise AccountError(
        "PostgreSQL 不能以 root 运行, 而系统中没有 nobody 用户。"
        "请以普通用户运行, 或用 DATAEXCHANGE_DATABASE_URL 指定一个数据库。",
        "PostgreSQL does not run as root, and this system has no user `nobody`. "
        "Run as an ordinary user, or name a database in DATAEXCHANGE_DATABASE_URL.",
    )
