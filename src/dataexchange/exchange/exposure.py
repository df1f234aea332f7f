"""The exposure window: for how long an entry stood on the operator's word alone.

From an entry's time to the first cosignature, by any witness, of a checkpoint that covers it. What
is measured is the oldest entry of each step from one cosigned size to the next: the worst case.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from statistics import median

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from dataexchange.database import cosignature_store, reading
from dataexchange.database.tables import EntryRow
from dataexchange.ledger.entry import Entry

STEPS_MAX = 200


@dataclass(frozen=True, slots=True)
class Exposure:
    """The last `steps` windows, and what is not cosigned now: how many, and since when."""

    steps: int
    p50_seconds: float | None
    max_seconds: float | None
    cosigned_size: int
    uncosigned: int
    waiting_seconds: float


async def measure(session: AsyncSession, now: datetime) -> Exposure:
    """Return the exposure of the log as of `now`."""
    head = await reading.head(session)
    covered = await cosignature_store.first_received(session, STEPS_MAX + 1)
    size = covered[-1][0] if covered else 0
    if covered and len(covered) <= STEPS_MAX:
        covered = [(0, covered[0][1]), *covered]
    recorded = await _recorded(session, [size, *(index for index, _ in covered)])
    windows = windows_seconds(covered, recorded)
    waiting = (now - recorded[size]).total_seconds() if size in recorded else 0.0
    return Exposure(
        steps=len(windows),
        p50_seconds=round(median(windows), 3) if windows else None,
        max_seconds=round(max(windows), 3) if windows else None,
        cosigned_size=size,
        uncosigned=max(head.size - size, 0),
        waiting_seconds=round(max(waiting, 0.0), 3),
    )


def windows_seconds(
    covered: Sequence[tuple[int, datetime]], recorded: Mapping[int, datetime]
) -> list[float]:
    """Return the window of the oldest entry of each step between cosigned sizes, ascending.

    `covered` holds (size, time of its first cosignature), ascending by size; `recorded` the times
    of the entries at those sizes.
    """
    covers = list(covered)
    for at in range(len(covers) - 2, -1, -1):
        # A greater size that was cosigned earlier covers these entries too.
        covers[at] = (covers[at][0], min(covers[at][1], covers[at + 1][1]))
    return [
        max((cosigned_at - recorded[index]).total_seconds(), 0.0)
        for (index, _), (_, cosigned_at) in pairwise(covers)
        if index in recorded
    ]


async def _recorded(session: AsyncSession, indexes: Sequence[int]) -> dict[int, datetime]:
    query = select(EntryRow.index, EntryRow.body).where(col(EntryRow.index).in_(indexes))
    return {index: Entry.parse(body).recorded_at for index, body in await session.exec(query)}
