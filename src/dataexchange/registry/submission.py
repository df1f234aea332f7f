"""A submission: a signed statement that is well formed, of a known type, with its payload read."""

import msgspec

from dataexchange.ledger import entry
from dataexchange.ledger.sealing import Opening
from dataexchange.ledger.signature import Signature
from dataexchange.ledger.statement import Statement
from dataexchange.registry.catalogue import catalogue
from dataexchange.rules import EventType, Payload
from dataexchange.rules.sealable import require_sealable


class SealedBox(msgspec.Struct, frozen=True):
    """An opening as it is kept: encrypted under a key that `key_id` names."""

    field: str
    key_id: str
    box: bytes


class Submission(msgspec.Struct, frozen=True, gc=False):
    """Parsed once, at the door; the rules have not been asked yet.

    `openings` came along with the statement; `boxes` are what is written of them with its entry.
    """

    statement: Statement
    signature: bytes
    type: EventType
    payload: Payload
    touched: tuple[str, ...]
    openings: tuple[Opening, ...] = ()
    boxes: tuple[SealedBox, ...] = ()

    @property
    def id(self) -> str:
        """The statement's id, the idempotency key for ever."""
        return self.statement.fields.id

    @property
    def actor(self) -> str:
        """The party that signs."""
        return self.statement.fields.actor


def read(statement: Statement, signature: Signature) -> Submission:
    """Return the submission of `statement`, its type and payload known; the signature unchecked."""
    return read_encoded(statement, entry.encode_signature(signature))


def read_encoded(statement: Statement, signature: bytes) -> Submission:
    """Return the submission as `read` does; the signature is given in canonical bytes."""
    event = catalogue().event(statement.fields.event)
    payload = event.parse(statement.payload)
    if sealed := statement.fields.sealed:
        require_sealable(event.name, event.sealable, sealed, payload)
    touched = event.touched(payload, statement.fields.actor)
    return Submission(statement, signature, event, payload, touched)
