"""Files that only their owner may read: keys. Refused where others may; never overwritten."""

import os
import secrets
import stat
from pathlib import Path

from dataexchange.errors import DataExchangeError

SIZE_MAX_BYTES = 8_192


class PrivateFileError(DataExchangeError):
    """A private file that cannot be used, or that others can."""


class FileTakenError(PrivateFileError):
    """A private file is to be made where there is one."""


def read_private(path: Path) -> bytes:
    """Return the bytes of a plain file of ours (0600 or tighter): what is checked is what is read.

    `PrivateFileError` otherwise.
    """
    try:
        # NONBLOCK: a pipe in its place must not hang the program.
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        raise PrivateFileError(f"{path} 无法打开 / cannot be opened: {error.strerror}") from error
    try:
        _require_private(os.fstat(descriptor), path)
        return os.read(descriptor, SIZE_MAX_BYTES)
    finally:
        os.close(descriptor)


def write_private(path: Path, data: bytes) -> None:
    """Write a new file (0600), whole and on disk when it appears; none is ever overwritten.

    `FileTakenError` where there is one, `PrivateFileError` where it cannot be written.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.link(temporary, path)  # the first of several processes wins
    except FileExistsError as error:
        raise FileTakenError(f"{path} 已存在，不会覆盖 / exists, not overwritten") from error
    except OSError as error:
        raise PrivateFileError(f"{path} 无法写入 / cannot be written: {error.strerror}") from error
    finally:
        temporary.unlink(missing_ok=True)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Put on disk which files `folder` has."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _require_private(status: os.stat_result, path: Path) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise PrivateFileError(f"{path} 不是普通文件 / is not a plain file")
    if status.st_uid != os.geteuid():
        raise PrivateFileError(f"{path} 属于他人 / belongs to another user")
    if status.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise PrivateFileError(
            f"{path} 的权限过宽，请执行 chmod 600 / is open to others; run: chmod 600 {path}"
        )
