"""Named places at which a trial of reliability kills a process; nothing happens there otherwise.

`DATAEXCHANGE_FAILPOINT=NAME[:N[:PID]]` sends SIGKILL at the N-th pass of the place NAME, to this
process or to the one with that id: a database's, say.
"""

import os
import signal

POINTS = (
    "sequencer.taken",
    "sequencer.locked",
    "sequencer.applied",
    "sequencer.written",
    "sequencer.committed",
    "sequencer.answering",
    "publisher.locked",
    "publisher.grown",
    "publisher.signed",
    "publisher.committed",
    "tile.kept",
    "witnessing.asking",
    "witnessing.cosigned",
    "witnessing.kept",
    "witnessing.publishing",
    "witnessing.published",
    "files.drafted",
    "files.linked",
    "files.tiled",
    "files.bundled",
    "files.replacing",
    "files.replaced",
    "files.pruned",
)
# Of a witness, which is a process of its own and another's.
WITNESS_POINTS = ("witness.written", "witness.remembered")


def arm(asked: str) -> None:
    """Ask for a kill as the variable does; an empty text asks for none."""
    global _name, _left, _victim
    _name, count, pid = f"{asked}::".split(":")[:3]
    _left, _victim = int(count or 1), int(pid or os.getpid())


def reach(name: str) -> None:
    """Pass the place `name`; where it is the one that was asked for, the kill is sent."""
    if name == _name:
        _pass()


def _pass() -> None:
    global _left  # noqa: PLW0603
    _left -= 1
    if _left == 0:
        os.kill(_victim, signal.SIGKILL)


_name, _left, _victim = "", 0, 0
arm(os.environ.get("DATAEXCHANGE_FAILPOINT", ""))
