"""One event against the states it names: freshness, authority, expectation, then its rule.

The sequencer and the verifier both ask here, so that what the exchange accepted is exactly what a
regulator's replay accepts.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

from dataexchange.errors import RefusalCode
from dataexchange.identity.opening import NOT_FIRST, LogOpened, RulesActivated
from dataexchange.identity.party import Party
from dataexchange.ledger.statement import Statement
from dataexchange.rules import (
    POLICY_KEY,
    Event,
    EventType,
    Held,
    Payload,
    Policy,
    Role,
    State,
    View,
)
from dataexchange.rules.guard import require_same
from dataexchange.rules.refusal import (
    EXPECTATION_FAILED,
    EXPIRED,
    FROM_THE_FUTURE,
    KEY_NOT_VALID,
    NOT_FOUND,
    PARTY_NOT_ACTIVE,
    ROLE_MISSING,
    STATE_FULL,
    WRONG_LOG,
)
from dataexchange.rules.state import STATE_SIZE_MAX

if TYPE_CHECKING:
    from dataexchange.registry.submission import Submission

OPENING = "log.opened@1"

RULES_UNKNOWN = RefusalCode(
    "rules.unknown",
    clause="architecture: rules have versions",
    zh="本软件所行规则为 {version}（{hash}），而非所写的版本",
    en="The rules of this software are {version} ({hash}), not those that are named",
    remedy_zh="填写 GET /v1/log 所示的规则版本与哈希。",
    remedy_en="Name the version and hash that GET /v1/log shows.",
)


def decide(
    submission: "Submission",
    held: Mapping[str, Held],
    *,
    origin: str,
    index: int,
    recorded_at: datetime,
) -> tuple[State, ...]:
    """Return the states that the event changes, or raise the refusal.

    `held` has every touched key, the actor's party and the policy.
    """
    statement, event_type = submission.statement, submission.type
    _require_log(statement, origin)
    if (index == 0) != (event_type.name == OPENING):
        raise NOT_FIRST()
    if index > 0:
        _require_fresh(statement, held, recorded_at)
    roles = _require_authority(statement, event_type, held)
    _require_own_rules(submission.payload, origin)
    named = {key: held[key] for key in submission.touched}
    named[POLICY_KEY] = held[POLICY_KEY]
    _require_expected(statement, named)
    event = Event(
        payload=submission.payload,
        actor=statement.fields.actor,
        key=statement.fields.key,
        roles=roles,
        index=index,
        recorded_at=recorded_at,
        occurred_at=statement.occurred_at,
    )
    return _settled(event_type.rule(View(named), event), submission.touched)


def encode_state(state: State) -> bytes:
    """Return the canonical bytes of `state`; refuse a state that has grown too large."""
    encoded = state.encode()
    if len(encoded) > STATE_SIZE_MAX:
        raise STATE_FULL(key=state.id, limit=STATE_SIZE_MAX)
    return encoded


def _require_log(statement: Statement, origin: str) -> None:
    if statement.fields.log != origin:
        raise WRONG_LOG(named=statement.fields.log, origin=origin)


def _require_own_rules(payload: Payload, origin: str) -> None:
    """Refuse a log of another name, and rules that whoever decides here does not know."""
    if not isinstance(payload, _NAMES_RULES):
        return
    from dataexchange.registry.catalogue import RULES_VERSION, catalogue

    if isinstance(payload, LogOpened):
        require_same("origin", payload.origin, origin)
        named = (payload.rules_version, payload.rules_hash)
    else:
        named = (payload.version, payload.hash)
    if named != (RULES_VERSION, catalogue().rules_hash):
        raise RULES_UNKNOWN(version=RULES_VERSION, hash=catalogue().rules_hash)


def _require_fresh(statement: Statement, held: Mapping[str, Held], now: datetime) -> None:
    policy = held[POLICY_KEY].state
    if not isinstance(policy, Policy):
        raise NOT_FOUND(key=POLICY_KEY)
    life = _seconds(policy.statement_life_seconds_max)
    if now > statement.not_after or statement.not_after - statement.occurred_at > life:
        raise EXPIRED(not_after=statement.fields.not_after)
    if statement.occurred_at > now + _seconds(policy.clock_skew_seconds_max):
        raise FROM_THE_FUTURE(occurred_at=statement.fields.occurred_at)


def _require_authority(
    statement: Statement, event_type: EventType, held: Mapping[str, Held]
) -> frozenset[Role]:
    """Return the actor's roles; an event that anyone may sign checks its signer in its rule."""
    if not event_type.by:
        return frozenset()
    actor = statement.fields.actor
    party = held[actor].state if actor in held else None
    if not isinstance(party, Party):
        raise PARTY_NOT_ACTIVE(party=actor, status="unknown")
    if party.status != "active":
        raise PARTY_NOT_ACTIVE(party=actor, status=party.status)
    if not party.holds_valid(statement.fields.key):
        raise KEY_NOT_VALID(key=statement.fields.key, party=actor)
    roles = frozenset(party.roles)
    if not roles & event_type.by:
        raise ROLE_MISSING(event=event_type.name, needed=", ".join(sorted(event_type.by)))
    return roles


def _require_expected(statement: Statement, named: Mapping[str, Held]) -> None:
    # Only what the event names may be expected: what else a process happens to hold, a replay
    # may not, and it would refuse what the exchange accepted.
    for key, expected in statement.fields.expects.items():
        found = named.get(key)
        seq = found.seq if found is not None else None
        if seq != expected:
            raise EXPECTATION_FAILED(key=key, seq=seq, expected=expected)


def _settled(changes: State | tuple[State, ...], touched: tuple[str, ...]) -> tuple[State, ...]:
    """Check that the rule changed only what the event touches, each once."""
    states = changes if isinstance(changes, tuple) else (changes,)
    keys = {state.id for state in states}
    if len(keys) != len(states) or not keys.issubset(touched):
        raise AssertionError(f"the rule changed {keys}; the event touches {list(touched)}")
    return states


@lru_cache(maxsize=64)
def _seconds(count: int) -> timedelta:
    return timedelta(seconds=count)


_NAMES_RULES = LogOpened | RulesActivated
