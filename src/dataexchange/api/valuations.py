"""Previews of valuations: the figures that `dataexchange value` gives, and nothing is kept."""

import re
from typing import Any

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse
from sqlmodel.ext.asyncio.session import AsyncSession

from dataexchange.api.body import read_body
from dataexchange.api.dependencies import Session, TheExchange
from dataexchange.api.openapi import answering, taking
from dataexchange.database import reading
from dataexchange.database.reading import Reader
from dataexchange.exchange.service import Exchange
from dataexchange.rules import require_status
from dataexchange.rules.state import decode
from dataexchange.valuation.card_register import RuleCard
from dataexchange.valuation.document import SIZE_BYTES_MAX

router = APIRouter(tags=["valuation"])

EXAMPLE = {
    "card": "cost/1.0.0",
    "inputs": {
        "costs": [
            {"item": "preliminary", "amount": "150000"},
            {"item": "direct", "amount": "700000"},
            {"item": "indirect", "amount": "200000"},
            {"item": "tax", "amount": "150000"},
        ],
        "adjustment": "0.85",
    },
    "sources": {"costs": "审定财务报表 audited accounts", "adjustment": "质量报告 quality report"},
}
DOCUMENT: dict[str, Any] = {
    "type": "object",
    "description": "The input document that `dataexchange value` reads, in its exact bytes; JSON or"
    " YAML of at most 1 MiB. Figures as text or as numbers, which are read exactly.",
    "properties": {
        "card": {
            "type": "string",
            "description": "`cost`, `cost/1.0.0`, or the SHA-256 of a card published on this log",
        },
        "inputs": {"type": "object", "description": "as the card lists them"},
        "sources": {"type": "object"},
        "engagement": {"type": "object"},
        "sections": {
            "type": "array",
            "items": {"type": "object"},
            "description": "of a report by several methods, each naming its card; no `card` then",
        },
    },
    "example": EXAMPLE,
}
RESULT: dict[str, Any] = {
    "type": "object",
    "description": "What `dataexchange value --json` prints: exact figures as text",
    "required": ["document_sha256", "interval"],
    "properties": {
        "document_sha256": {"type": "string"},
        "valuation": {"$ref": "#/components/schemas/ValuationFigures"},
        "conclusion": {"$ref": "#/components/schemas/ValuationFigures"},
        "sections": {"type": "array", "items": {"type": "object"}},
        "interval": {"description": "P10, P50, P90 where the document asks for them"},
    },
}
_HASH = re.compile(rb"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])")
_CARDS_MAX = 500


@router.post(
    "/v1/valuations/preview",
    summary="试评 Preview a valuation",
    response_class=JSONResponse,
    responses=answering("application/json", RESULT),
    openapi_extra=taking("application/json", DOCUMENT),
)
async def preview_valuation(
    request: Request, exchange: TheExchange, session: Session
) -> JSONResponse:
    """Apply a rulebook card to inputs as `dataexchange value` does at the desk; keep nothing."""
    document = await read_body(request.scope, request.receive, SIZE_BYTES_MAX)
    named = {found.decode() for found in _HASH.findall(document)}
    cards = await _published(session, exchange, named) if named else {}
    await session.close()  # a long computation must not hold a connection
    return JSONResponse(await exchange.valuer.preview(document, cards))


async def _published(
    session: AsyncSession, exchange: Exchange, named: set[str]
) -> dict[str, bytes]:
    """Return the content of the cards of this log that are named by hash; refuse superseded ones.

    The log has few cards, a new version of a method now and then.
    """
    page = await reading.register(session, RuleCard.KIND, Reader(), limit=_CARDS_MAX)
    found: dict[str, bytes] = {}
    for card in (decode(RuleCard, row.state) for row in page.rows):
        if card.sha256 in named and card.sha256 in exchange.content:
            require_status(card, "current")
            file = await run_in_threadpool(exchange.content.open, card.sha256)
            with file:
                found[card.sha256] = await run_in_threadpool(file.read, SIZE_BYTES_MAX + 1)
    return found
