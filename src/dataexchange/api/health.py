"""Liveness, readiness, and how far witnesses have followed."""

from datetime import datetime, timedelta
from typing import Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from dataexchange.api import problem
from dataexchange.api.dependencies import Session, TheExchange
from dataexchange.database import cosignature_store, reading
from dataexchange.database.engine import DATABASE_ERRORS
from dataexchange.database.tables import HeadRow
from dataexchange.exchange import exposure
from dataexchange.exchange.service import Exchange

CHECKPOINT_DELAY_MAX = timedelta(seconds=30)

router = APIRouter(prefix="/health", tags=["health"])


class WitnessHealth(BaseModel):
    """One witness: the size that it cosigned last, when, and what is wrong with it now."""

    name: str
    size: int
    received_at: datetime | None
    trouble: str


class WitnessesHealth(BaseModel):
    """The exposure window in seconds, from an entry to its first cosignature by anybody.

    `p50_seconds` and `max_seconds` are of the oldest entry of each of the last `steps` steps from
    one cosigned size to the next; `waiting_seconds` is the age of the oldest of the `uncosigned`.
    `published` is the size of the checkpoint that met the quorum last.
    """

    quorum: str
    published: int
    cosigned: int
    uncosigned: int
    waiting_seconds: float
    steps: int
    p50_seconds: float | None
    max_seconds: float | None
    witnesses: list[WitnessHealth]


@router.get("/live", summary="存活 Alive")
async def live() -> dict[str, str]:
    """The process answers."""
    return {"status": "ok"}


@router.get("/ready", summary="就绪 Ready")
async def ready(exchange: TheExchange, session: Session) -> JSONResponse:
    """The database answers, the sequencer runs, and checkpoints keep up.

    `read-only` is ready, for reads alone: `problem` says why nothing is written.
    """
    try:
        head = await reading.head(session)
        latest = await reading.latest_checkpoint(session)
    except DATABASE_ERRORS:
        return JSONResponse({"status": "database unreachable"}, status_code=503)
    signed = latest.size if latest is not None else -1
    refusal = exchange.guard.refusal
    status = "read-only" if refusal is not None else _status(exchange, head, signed)
    found: dict[str, Any] = {"status": status, "size": head.size, "checkpoint": signed}
    if refusal is not None:
        found["problem"] = problem.problem(refusal)
    return JSONResponse(found, status_code=200 if status in ("ok", "read-only") else 503)


@router.get("/witnesses", summary="见证 Witnesses and the exposure window")
async def witnesses(exchange: TheExchange, session: Session) -> WitnessesHealth:
    """What each witness cosigned last, and for how long entries stand on our word alone."""
    measured = await exposure.measure(session, exchange.clock.now())
    published = await cosignature_store.published_checkpoint(session, exchange.policy)
    sites = exchange.witnessing.sites if exchange.witnessing is not None else []
    found = []
    for site in sites:
        last = await cosignature_store.last_of(session, site.vkey)
        size, at = (last.size, last.received_at) if last is not None else (-1, None)
        found.append(WitnessHealth(name=site.name, size=size, received_at=at, trouble=site.trouble))
    return WitnessesHealth(
        quorum=exchange.policy.quorum if exchange.policy is not None else "none",
        published=published.size if published is not None else -1,
        cosigned=measured.cosigned_size,
        uncosigned=measured.uncosigned,
        waiting_seconds=measured.waiting_seconds,
        steps=measured.steps,
        p50_seconds=measured.p50_seconds,
        max_seconds=measured.max_seconds,
        witnesses=found,
    )


def _status(exchange: Exchange, head: HeadRow, signed: int) -> str:
    if not exchange.sequencer.is_running:
        return "sequencer stopped"
    if head.recorded_at is None or signed >= head.size:
        return "ok"
    late = exchange.clock.now() - head.recorded_at > CHECKPOINT_DELAY_MAX
    return "checkpoints behind" if late else "ok"
