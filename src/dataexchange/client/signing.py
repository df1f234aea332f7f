"""Build and sign statements. Private keys live here, with their owner, and go nowhere else."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from dataexchange.client.typeid import new_id
from dataexchange.ledger import merkle, signature, statement
from dataexchange.ledger.signature import PublicKey, Signature, encode_base64
from dataexchange.ledger.statement import Statement
from dataexchange.ledger.suites import SUITES, SuiteName

LIFE = timedelta(hours=1)


class SigningKey:
    """An actor's private key, of any suite."""

    def __init__(self, suite: SuiteName, secret: bytes) -> None:
        opened = SUITES[suite].open(secret)
        self.seed = secret
        self.public = PublicKey(suite, opened.public)
        self.id = self.public.id
        self._sign = opened.sign

    @classmethod
    def generate(cls, suite: SuiteName = "ed25519") -> "SigningKey":
        """Return a new key from the system's randomness."""
        return cls(suite, SUITES[suite].generate())

    @classmethod
    def from_seed(cls, seed: bytes, suite: SuiteName = "ed25519") -> "SigningKey":
        """Return the key of a 32-byte seed or secret; `ValueError` where it is none."""
        return cls(suite, seed)

    def sign(self, message: bytes) -> bytes:
        """Return the 64-byte signature over `message`, as the key's suite signs it."""
        return self._sign(message)


@dataclass(frozen=True, slots=True)
class Actor:
    """A party that signs: its id, its key, and the log that it writes to."""

    party: str
    key: SigningKey
    log: str

    def state(
        self,
        event: str,
        payload: Mapping[str, Any],
        *,
        at: datetime | None = None,
        life: timedelta = LIFE,
        id: str | None = None,  # noqa: A002 -- the statement's own word
        expects: Mapping[str, int] | None = None,
        linked: Iterable[str] = (),
        sealed: Mapping[str, str] | None = None,
    ) -> Statement:
        """Return a statement of `event` (`name@version`) with `payload`, not signed yet."""
        moment = at if at is not None else datetime.now(UTC)
        body = statement.build(
            {
                "actor": self.party,
                "event": event,
                "expects": dict(expects or {}),
                "id": id or new_id("evt"),
                "key": self.key.id,
                "linked": list(linked),
                "log": self.log,
                "not_after": statement.format_time(moment + life),
                "occurred_at": statement.format_time(moment),
                "payload": dict(payload),
                "sealed": dict(sealed or {}),
            }
        )
        return Statement.parse(body)

    def sign(self, stated: Statement) -> Signature:
        """Return this actor's signature over one statement."""
        message = signature.pre_authentication(signature.STATEMENT_TYPE, stated.body)
        return Signature(self.key.public.suite, encode_base64(self.key.sign(message)))

    def sign_whole(self, stated: Sequence[Statement]) -> Signature:
        """Return the one signature under which a batch of statements is sent."""
        leaves = [merkle.leaf_hash(one.body) for one in stated]
        message = signature.batch_message(self.log, self.key.id, len(leaves), merkle.root(leaves))
        return Signature(self.key.public.suite, encode_base64(self.key.sign(message)))

    def sign_batch(self, stated: Sequence[Statement]) -> list[Signature]:
        """Return one signature per statement, all resting on a single signing of their tree."""
        leaves = [merkle.leaf_hash(one.body) for one in stated]
        return signature.batch_signatures(self.sign_whole(stated), leaves)
