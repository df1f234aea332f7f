"""The exchange's clock. It stamps entries, so a jump far ahead would poison the log for good."""

import time
from datetime import UTC, datetime, timedelta

from dataexchange.errors import UnavailableError

JUMP_MAX = timedelta(minutes=5)


class ClockJumpedError(UnavailableError):
    """The system's clock moved far away from where the steady clock says it should be."""


class Clock:
    """Wall time in UTC, checked against the steady clock that ran since the start.

    After a jump of more than five minutes it refuses to tell the time; a restart of the service is
    the operator's confirmation of the new time.
    """

    def __init__(self) -> None:
        self._started_at = datetime.now(UTC)
        self._started_steady = time.monotonic()

    def now(self) -> datetime:
        """Return the time in UTC; raise `ClockJumpedError` after a jump."""
        now = datetime.now(UTC)
        expected = self._started_at + timedelta(seconds=time.monotonic() - self._started_steady)
        if abs(now - expected) > JUMP_MAX:
            raise ClockJumpedError(
                f"the clock says {now:%F %T}, {expected:%F %T} expected;"
                " set it right, or restart the service to confirm the new time"
            )
        return now
