"""The running server, as PostgreSQL's own `postmaster.pid` tells of it.

The file outlives a killed server, and its process id may since belong to another process; so the
process is looked at before the file is believed.
"""

import os
import signal
import socket
import struct
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

from dataexchange.database.server_files import SOCKET_NAME

_PID_LINE = 0
_SOCKET_FOLDER_LINE = 4
_STATUS_LINE = 7
_POLL_SECONDS = 0.005
_ANSWER_SECONDS_MAX = 5
# The first message of the protocol that needs no account: "do you speak TLS?"
_TLS_REQUEST = struct.pack("!ii", 8, 80877103)

# Servers that this process started: to be reaped here, whoever stops them.
_children: dict[int, "subprocess.Popen[bytes]"] = {}


@dataclass(frozen=True, slots=True)
class Postmaster:
    """What `postmaster.pid` says: the server's process, its socket folder, and its status."""

    cluster: Path
    pid: int
    socket_folder: Path | None
    is_ready: bool

    def is_alive(self) -> bool:
        """Tell whether the process still is the server of this cluster."""
        _reap()
        try:
            process = psutil.Process(self.pid)
            if process.status() == psutil.STATUS_ZOMBIE:
                return False
            return Path(process.cwd()).samefile(self.cluster)
        except psutil.NoSuchProcess:
            return False
        except psutil.AccessDenied:
            # Not ours to look at. PostgreSQL checks again when it starts.
            return psutil.Process(self.pid).name() == "postgres"

    def answers(self) -> bool:
        """Tell whether the server says that it is ready and answers on its socket."""
        if not self.is_ready or self.socket_folder is None:
            return False
        try:
            with socket.socket(socket.AF_UNIX) as probe:
                probe.settimeout(_ANSWER_SECONDS_MAX)
                probe.connect(str(self.socket_folder / SOCKET_NAME))
                probe.sendall(_TLS_REQUEST)
                return probe.recv(1) != b""
        except OSError:
            return False

    def terminate(self, *, seconds_max: float) -> bool:
        """Stop the server, first cleanly and then at once; tell whether it has gone.

        Neither way loses what was committed.
        """
        return any(
            self._signalled(signum, seconds_max) for signum in (signal.SIGINT, signal.SIGQUIT)
        )

    def _signalled(self, signum: signal.Signals, seconds_max: float) -> bool:
        deadline = time.monotonic() + seconds_max
        try:
            os.kill(self.pid, signum)
        except ProcessLookupError:
            return True
        while self.is_alive():
            if time.monotonic() > deadline:
                return False
            time.sleep(_POLL_SECONDS)
        return True


def read_postmaster(cluster: Path) -> Postmaster | None:
    """Return what `postmaster.pid` in `cluster` says, None where there is none yet."""
    try:
        lines = (cluster / "postmaster.pid").read_text(encoding="utf-8").splitlines()
        pid = int(lines[_PID_LINE])
    except (FileNotFoundError, IndexError, ValueError):
        return None
    folder = lines[_SOCKET_FOLDER_LINE] if len(lines) > _SOCKET_FOLDER_LINE else ""
    status = lines[_STATUS_LINE] if len(lines) > _STATUS_LINE else ""
    return Postmaster(cluster, pid, Path(folder) if folder else None, status.strip() == "ready")


def adopt(child: "subprocess.Popen[bytes]") -> None:
    """Remember a server that this process started, to reap it when it ends."""
    _reap()
    _children[child.pid] = child


def _reap() -> None:
    for pid in [pid for pid, child in _children.items() if child.poll() is not None]:
        del _children[pid]
