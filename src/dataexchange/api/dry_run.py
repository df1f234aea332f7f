"""What would the rules say? A signed event is tried, and nothing of it is kept."""

from typing import Any

import orjson
from fastapi import APIRouter, Request
from pydantic import BaseModel

from dataexchange.api.body import read_body
from dataexchange.api.dependencies import Session, TheExchange
from dataexchange.api.openapi import taking
from dataexchange.database import reading
from dataexchange.database.log_store import parties_in
from dataexchange.exchange import intake
from dataexchange.exchange.batch import Receipt
from dataexchange.exchange.dry_run import preview
from dataexchange.registry.submission import Submission
from dataexchange.registry.visibility import may_read
from dataexchange.rules.reference import kind_of

router = APIRouter(tags=["events"])

# Each holds a connection of its own; the sequencer's must never have to wait for them.
AT_ONCE_MAX = 4


class WouldAccept(BaseModel):
    """The rules would accept the event now; `states` are those it would leave that you may read."""

    accepted: bool
    states: dict[str, Any]


@router.post(
    "/v1/events/dry-run",
    summary="试算 What would the rules say?",
    openapi_extra=taking("application/json", {"$ref": "#/components/schemas/Submission"}),
)
async def dry_run(request: Request, exchange: TheExchange, session: Session) -> WouldAccept:
    """Say what the rules would answer to a signed event now, and what it would change."""
    bytes_max = request.app.state.settings.body_bytes_max
    submitted = intake.read_one(await read_body(request.scope, request.receive, bytes_max))
    async with request.app.state.dry_runs:
        previewed = await preview(exchange, submitted)
    if not isinstance(previewed.outcome, Receipt):
        raise previewed.outcome
    states = await _visible(session, submitted, previewed.states)
    return WouldAccept(accepted=True, states=states)


async def _visible(
    session: Session, submitted: Submission, states: dict[str, Any]
) -> dict[str, Any]:
    """Return those of `states` that the actor may read: an event can change others' as well."""
    party = await reading.party(session, submitted.actor)
    roles = frozenset(party.roles) if party is not None else frozenset()
    return {
        key: state
        for key, state in states.items()
        if may_read(kind_of(key), _named(key, state), submitted.actor, roles)
    }


def _named(key: str, state: Any) -> list[str]:
    return parties_in(key.encode() + orjson.dumps(state))
