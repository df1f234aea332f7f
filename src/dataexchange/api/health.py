"""Liveness and readiness."""

from datetime import timedelta

import asyncpg
from fastapi import APIRouter
from fastapi.responses import JSONResponse
from sqlalchemy.exc import SQLAlchemyError

from dataexchange.api.dependencies import Session, TheExchange
from dataexchange.database import reading
from dataexchange.database.tables import HeadRow
from dataexchange.exchange.service import Exchange

CHECKPOINT_DELAY_MAX = timedelta(seconds=30)

router = APIRouter(prefix="/health", tags=["health"])


@router.get("/live", summary="存活 Alive")
async def live() -> dict[str, str]:
    """The process answers."""
    return {"status": "ok"}


@router.get("/ready", summary="就绪 Ready")
async def ready(exchange: TheExchange, session: Session) -> JSONResponse:
    """The database answers, the sequencer runs, and checkpoints keep up."""
    try:
        head = await reading.head(session)
        latest = await reading.latest_checkpoint(session)
    except (SQLAlchemyError, asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
        return JSONResponse({"status": "database unreachable"}, status_code=503)
    signed = latest.size if latest is not None else -1
    status = _status(exchange, head, signed)
    found = {"status": status, "size": head.size, "checkpoint": signed}
    return JSONResponse(found, status_code=200 if status == "ok" else 503)


def _status(exchange: Exchange, head: HeadRow, signed: int) -> str:
    if not exchange.sequencer.is_running:
        return "sequencer stopped"
    if head.recorded_at is None or signed >= head.size:
        return "ok"
    late = exchange.clock.now() - head.recorded_at > CHECKPOINT_DELAY_MAX
    return "checkpoints behind" if late else "ok"
