"""Alert rules of clocks: opening plans, claims, shares, corrections and duties that came too late.

Each finding names the entry that started the clock, so it is the same before and after an answer.
"""

from collections.abc import Iterator

from dataexchange.insurance.claim import Claim
from dataexchange.ledger.statement import format_time
from dataexchange.pipeline.correction import Correction
from dataexchange.pipeline.plan import Plan
from dataexchange.pipeline.sharing import Share
from dataexchange.rules.time import day_of
from dataexchange.supervision.alert import AlertKind
from dataexchange.supervision.duty import Duty, is_overdue
from dataexchange.supervision.finding import Finding, Limits, found
from dataexchange.supervision.record import History

_STARTS = {
    "assessment": ("claim.documented@1", "claim.reopened@1"),
    "interim": ("claim.documented@1",),
    "payment": ("claim.agreed@1",),
}
_IN_ASSESSMENT = ("DOCUMENTED", "RESERVED", "PENDING", "REOPENED")


def opening_plan_missed(history: History, limits: Limits) -> Iterator[Finding]:
    """Find opening plans whose day passed without the opening, or before it."""
    today = day_of(history.now).isoformat()
    for plan in history.all(Plan):
        if plan.late or (plan.status == "planned" and plan.by < today):
            yield found(
                AlertKind.OPENING_PLAN_MISSED,
                plan.id,
                _started(history, plan.id, "opening.planned@1"),
                by=plan.by,
                state_zh="逾期完成" if plan.late else "尚未完成",
                state_en="it came late" if plan.late else "it has not come",
            )


def claim_clock_missed(history: History, limits: Limits) -> Iterator[Finding]:
    """Find claims assessed, paid in part, or paid after the law's time (保险法 arts. 23, 25)."""
    now = format_time(history.now)
    for claim in history.all(Claim):
        missed: dict[tuple[int, ...], list[str]] = {}
        for clock in sorted({*claim.clocks_missed, *_run_out(claim, now)}):
            missed.setdefault(_started(history, claim.id, *_STARTS[clock]), []).append(clock)
        for start, clocks in missed.items():
            yield found(AlertKind.CLAIM_CLOCK_MISSED, claim.id, start, clock=", ".join(clocks))


def share_clock_missed(history: History, limits: Limits) -> Iterator[Finding]:
    """Find requests to share that were answered late, or are late and unanswered."""
    now = format_time(history.now)
    for share in history.all(Share):
        if share.is_late or (share.status == "requested" and share.due_at < now):
            start = _started(history, share.id, "share.requested@1")
            yield found(AlertKind.SHARE_CLOCK_MISSED, share.id, start, due_at=share.due_at)


def correction_clock_missed(history: History, limits: Limits) -> Iterator[Finding]:
    """Find reports of errors that were answered late, or are late and unanswered."""
    now = format_time(history.now)
    for one in history.all(Correction):
        if one.is_late or (one.answered_at is None and one.due_at < now):
            start = _started(history, one.id, "data.error_reported@1")
            yield found(AlertKind.CORRECTION_CLOCK_MISSED, one.id, start, due_at=one.due_at)


def duty_overdue(history: History, limits: Limits) -> Iterator[Finding]:
    """Find duties that are, or were, due and not reported."""
    now = format_time(history.now)
    for duty in history.all(Duty):
        if duty.lapses or duty.is_late or is_overdue(duty, now):
            start = _started(history, duty.id, "duty.assigned@1")
            yield found(AlertKind.DUTY_OVERDUE, duty.id, start, due_at=duty.due_at)


def _run_out(claim: Claim, now: str) -> Iterator[str]:
    """Return the clocks of a claim that have run out while nothing stopped them."""
    if claim.status in _IN_ASSESSMENT:
        if claim.assess_by is not None and claim.assess_by < now:
            yield "assessment"
        if claim.interim_by is not None and claim.interim_by < now and not claim.paid_fen:
            yield "interim"
    if claim.status == "AGREED" and claim.pay_by is not None and claim.pay_by < now:
        yield "payment"


def _started(history: History, key: str, *starts: str) -> tuple[int, ...]:
    """Return the entry that started the clock of `key`, the last one where it was started anew."""
    start = history.last(key, *starts)
    return () if start is None else (start.index,)
