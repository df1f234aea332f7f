"""Parts of a bundle's entries, worked on by any process that can read the file.

A part says where its entries are, not what they are, so next to nothing is sent to who works on it.
What comes back is bound to the log by its leaf hashes, whichever file was read.
"""

import os
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from typing import TypeVar

from dataexchange.ledger.tile import TILE_WIDTH
from dataexchange.verification.bundle import Bundle, Stamp

AHEAD = 12  # parts under work at one time; what is held in memory does not grow

Found = TypeVar("Found")


@dataclass(frozen=True, slots=True)
class Part:
    """The entries from `since` to before `until` of a log of `size`."""

    path: Path
    stamp: Stamp
    size: int
    since: int
    until: int

    @property
    def bundle(self) -> Bundle:
        """The bundle, which this process keeps open for the next part."""
        return _opened(self.path, self.stamp, os.getpid())

    def read(self) -> Iterator[list[bytes]]:
        """Yield the bytes of the entries, member by member."""
        return self.bundle.entries(self.size, self.since, self.until)


def parts(bundle: Bundle, size: int, since: int, until: int, *, members: int) -> Iterator[Part]:
    """Yield the parts of a range of a log of `size` in order, each of up to `members` members."""
    width = members * TILE_WIDTH
    while since < until:
        end = min(until, (since // width + 1) * width)
        yield Part(bundle.path, bundle.stamp, size, since, end)
        since = end


def worked(
    task: Callable[[Part], Found], of: Iterable[Part], executor: Executor | None
) -> Iterator[Found]:
    """Yield what `task` finds in each part, in order; `executor` works a few parts ahead."""
    if executor is None:
        yield from map(task, of)
        return
    coming, ahead = iter(of), deque[Future[Found]]()
    while True:
        ahead.extend(executor.submit(task, part) for part in islice(coming, AHEAD - len(ahead)))
        if not ahead:
            return
        yield ahead.popleft().result()


def processes(count: int) -> AbstractContextManager[Executor | None]:
    """Provide `count` processes, or none; to be called before the process has threads."""
    if not count:
        return nullcontext()
    # Forked processes start at once and share what is loaded; not every system can.
    can_fork = sys.platform == "linux" and threading.active_count() == 1
    method = "fork" if can_fork else "spawn"
    executor = ProcessPoolExecutor(count, get_context(method))
    executor.submit(int).result()  # they fork now
    return executor


@lru_cache(maxsize=1)
def _opened(path: Path, stamp: Stamp, process: int) -> Bundle:
    # Another file is another bundle; and a forked process must open its own, since the place
    # where an open file is read is shared with the process that it was forked from.
    return Bundle(path)
