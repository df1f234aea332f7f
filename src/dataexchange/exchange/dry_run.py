"""What would the rules say? The same reading and the same rules as an append, and no write."""

from dataclasses import dataclass
from typing import Any

import orjson

from dataexchange.database import log_store
from dataexchange.database.engine import connect
from dataexchange.errors import RefusedError
from dataexchange.exchange.batch import Batch, Outcome, Receipt
from dataexchange.exchange.service import Exchange
from dataexchange.registry.submission import Submission
from dataexchange.rules import POLICY_KEY


@dataclass(frozen=True, slots=True)
class Preview:
    """The outcome as it would be now, and the states that the event would leave."""

    outcome: Outcome
    states: dict[str, Any]


async def preview(exchange: Exchange, submission: Submission) -> Preview:
    """Ask the rules about `submission` as of now; nothing is kept, nothing is promised."""
    connection = await connect(exchange.dsn)
    try:
        keys = {*submission.touched, POLICY_KEY}
        stored = await log_store.read(connection, keys, [submission])
    finally:
        await connection.close()
    batch = Batch(stored.tail, exchange.clock.now(), stored.known, exchange.sequencer.operator_key)
    ((outcome,),) = batch.apply([(submission,)])
    if isinstance(outcome, RefusedError | Receipt) and batch.appended:
        held = batch.appended[0].subjects
        states = {key: orjson.loads(one.state.encode()) for key, one in held.items() if one.state}
        return Preview(outcome, states)
    return Preview(outcome, {})
