"""A whole exchange in memory, for tests of rules: real statements, real signatures, real entries.

world = World()
seller = world.join(Role.PROVIDER)
world.do(seller, "resource.registered@1", asset=…)
world.refuses("resource.exists", seller, "resource.registered@1", asset=…)
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import pytest

from dataexchange.client.signing import Actor, SigningKey
from dataexchange.client.typeid import new_id
from dataexchange.errors import RefusedError
from dataexchange.identity.credit_code import check_character
from dataexchange.identity.party import PartyKind
from dataexchange.ledger.note import Ed25519Signer
from dataexchange.registry import submission
from dataexchange.registry.catalogue import RULES_VERSION, catalogue
from dataexchange.registry.submission import Submission
from dataexchange.registry.tail import Appended, Tail
from dataexchange.rules import Role, State

ORIGIN = "example.test/log"
LOG_SIGNER = Ed25519Signer(ORIGIN, b"\x07" * 32)
START = datetime(2026, 1, 5, 1, 0, tzinfo=UTC)
S = TypeVar("S", bound=State)

PARAMETERS: dict[str, Any] = {
    "statement_life_seconds_max": 7 * 86_400,
    "clock_skew_seconds_max": 300,
    "objection_window_days": 5,
    "registration_validity_days": 1_095,
    "share_response_days": 14,
    "correction_days": 14,
    "appraisal_validity_days": 365,
    "appraisal_methods_min": 2,
    "loan_to_value_max": "0.5",
    "margin_cure_days": 10,
    "platform_fee_ratio": "0.02",
    "upstream_share_ratio": "0.1",
    "negotiation_lapse_days": 30,
    "delivery_acceptance_days": 7,
    "guarantee_multiple_max": "10",
    "guarantee_multiple_small_max": "15",
    "guarantee_single_ratio_max": "0.10",
    "guarantee_affiliated_ratio_max": "0.15",
    "claim_assessment_days": 30,
    "claim_payment_days": 10,
    "quality_score_min": "0.6",
    "public_data_profit_ratio_max": "0.05",
}


def credit_code(number: int) -> str:
    """Return a valid unified social credit code made of `number`."""
    first = f"91350100{number:09d}"
    return first + check_character(first)


class World:
    """An exchange whose clock only moves when told to."""

    def __init__(
        self,
        parameters: Mapping[str, Any] | None = None,
        log_keys: Sequence[str] = (LOG_SIGNER.vkey,),
    ) -> None:
        self.now = START
        self.tail = Tail(ORIGIN)
        self.entries: list[Appended] = []
        self.actors: dict[str, Actor] = {}
        self.operator = self.actor()
        self.regulator = self.actor()
        self.do(
            self.operator,
            "log.opened@1",
            origin=ORIGIN,
            operator=self.profile(self.operator, Role.OPERATOR, number=1),
            regulators=[self.profile(self.regulator, Role.REGULATOR, number=2)],
            log_keys=list(log_keys),
            parameters={**PARAMETERS, **(parameters or {})},
            rules_version=RULES_VERSION,
            rules_hash=catalogue().rules_hash,
        )

    def actor(self) -> Actor:
        actor = Actor(new_id("party"), SigningKey.generate(), ORIGIN)
        self.actors[actor.party] = actor
        return actor

    def profile(
        self,
        actor: Actor,
        *roles: Role,
        kind: PartyKind = PartyKind.PRIVATE,
        number: int | None = None,
        small_or_farm: bool = False,
    ) -> dict[str, Any]:
        """Return the profile with which `actor` applies."""
        return {
            "party": actor.party,
            "name": f"某单位 {len(self.entries)}",
            "credit_code": credit_code(number or 100 + len(self.entries)),
            "party_kind": kind.value,
            "roles": [role.value for role in roles],
            "key": actor.key.id,
            "small_or_farm": small_or_farm,
        }

    def join(self, *roles: Role, kind: PartyKind = PartyKind.PRIVATE, **profile: Any) -> Actor:
        """Return an admitted party with `roles`."""
        actor = self.actor()
        self.do(actor, "party.applied@1", **self.profile(actor, *roles, kind=kind, **profile))
        self.do(
            self.operator, "party.admitted@1", party=actor.party, roles=[r.value for r in roles]
        )
        return actor

    def submission(self, actor: Actor, event: str, /, **payload: Any) -> Submission:
        """Return `actor`'s signed submission of `event`, its signature checked."""
        stated = actor.state(event, payload, at=self.now)
        signed = actor.sign(stated)
        stated.verify(signed)
        return submission.read(stated, signed)

    def do(self, actor: Actor, event: str, /, **payload: Any) -> Appended:
        """Append `event`; a refusal is raised."""
        appended = self.tail.append(self.submission(actor, event, **payload), self.now)
        self.entries.append(appended)
        self.now += timedelta(seconds=1)
        return appended

    def refuses(self, code: str, actor: Actor, event: str, /, **payload: Any) -> RefusedError:
        """Assert that `event` is refused with `code` and changes nothing."""
        before = (self.tail.size, self.tail.prev, self.held_states())
        with pytest.raises(RefusedError) as caught:
            self.do(actor, event, **payload)
        assert caught.value.code == code, f"{caught.value.code}: {caught.value.en}"
        assert "{" not in caught.value.zh + caught.value.en
        assert (self.tail.size, self.tail.prev, self.held_states()) == before
        return caught.value

    def held_states(self) -> dict[str, State]:
        """Return every state that the log holds now."""
        return {key: held.state for key, held in self.tail.held.items() if held.state is not None}

    def state(self, kind: type[S], key: str) -> S:
        """Return the state of `key`."""
        state = self.tail.held[key].state
        assert isinstance(state, kind)
        return state

    def head(self, key: str) -> str:
        """Return the leaf hash (hex) of the last entry about `key`."""
        return self.tail.held[key].head

    def advance(self, **delta: float) -> None:
        """Let time pass: `advance(days=6)`."""
        self.now += timedelta(**delta)
