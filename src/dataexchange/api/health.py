"""Liveness and readiness."""

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from sqlalchemy.exc import SQLAlchemyError

from dataexchange.api.dependencies import Session, TheExchange
from dataexchange.database import reading

router = APIRouter(prefix="/health", tags=["health"])


@router.get("/live", summary="存活 Alive")
async def live() -> dict[str, str]:
    """The process answers."""
    return {"status": "ok"}


@router.get("/ready", summary="就绪 Ready")
async def ready(exchange: TheExchange, session: Session) -> JSONResponse:
    """The database answers, the sequencer runs, and checkpoints keep up."""
    try:
        size = (await reading.head(session)).size
    except (SQLAlchemyError, OSError):
        return JSONResponse({"status": "database unreachable"}, status_code=503)
    if not exchange.sequencer.is_running:
        return JSONResponse({"status": "sequencer stopped"}, status_code=503)
    return JSONResponse(
        {"status": "ok", "size": size, "checkpoint": exchange.publisher.published_size}
    )
