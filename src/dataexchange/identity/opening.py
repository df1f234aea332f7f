"""Entry 0: the log is opened, with its operator, its regulators and its parameters."""

from typing import Annotated

from pydantic import Field

from dataexchange.identity.log_keys import LogKeys, announced
from dataexchange.identity.party import Party, PartyKind, PartyProfile, party_of
from dataexchange.rules import (
    POLICY_KEY,
    Changes,
    Event,
    Parameters,
    Payload,
    Policy,
    RefusalCode,
    Role,
    State,
    View,
    event,
    require_actor,
    require_same,
)
from dataexchange.rules.payload import Code, Hash, Line, PositiveCount, Vkey

LOG_KEY = "log/exchange"

NOT_FIRST = RefusalCode(
    "log.not_first",
    clause="domain: log.opened",
    zh="log.opened 只能是第 0 条",
    en="log.opened can only be entry 0",
    kind="conflict",
)
ROLES_AT_OPENING = RefusalCode(
    "log.roles_at_opening",
    clause="domain: log.opened",
    zh="开账时运营机构须具备 operator 角色，监管机构须具备且仅具备 regulator 角色",
    en="At the opening the operator holds the operator role, and regulators only regulator",
)
POLICY_NOT_NEXT = RefusalCode(
    "policy.not_next",
    clause="architecture: parameters live in one aggregate",
    zh="参数版本应为 {needed}，而非 {version}",
    en="The next version of the parameters is {needed}, not {version}",
    kind="conflict",
)


class Log(State, frozen=True, kw_only=True):
    """The log itself: its name, the keys that sign its checkpoints, the rules in force."""

    KIND = "log"

    origin: str
    operator: str
    keys: LogKeys
    rules_version: str
    rules_hash: str


class LogOpened(Payload):
    """All that must be known before anyone can act."""

    origin: Line
    operator: PartyProfile
    regulators: Annotated[tuple[PartyProfile, ...], Field(min_length=1, max_length=8)]
    log_keys: Annotated[
        tuple[Vkey, ...], Field(min_length=1, max_length=4, description="vkeys of checkpoints")
    ]
    parameters: Parameters
    rules_version: Code
    rules_hash: Hash


class PolicySet(Payload):
    """New parameters, in force from this entry's index."""

    version: PositiveCount
    parameters: Parameters
    basis: Annotated[Line, Field(description="The decision or norm that this follows")]


class RulesActivated(Payload):
    """A version of the rules comes into force."""

    version: Code
    hash: Hash


@event(
    "log.opened@1",
    by=(),
    zh="开立账本",
    en="Open the log",
    clause="architecture: entry 0",
    also=lambda payload, actor: (LOG_KEY, POLICY_KEY),
)
def open_log(view: View, event: Event[LogOpened]) -> Changes:
    """Admit the operator and the regulators, and set the parameters."""
    opened = event.payload
    if event.index != 0:
        raise NOT_FIRST()
    require_actor(event.actor, opened.operator.party, LOG_KEY)
    require_same("key", opened.operator.key, event.key)
    if opened.operator.party_kind is PartyKind.NATURAL_PERSON or not (
        Role.OPERATOR in opened.operator.roles and Role.REGULATOR not in opened.operator.roles
    ):
        raise ROLES_AT_OPENING()
    if any(profile.roles != (Role.REGULATOR,) for profile in opened.regulators):
        raise ROLES_AT_OPENING()
    parties = (opened.operator, *opened.regulators)
    require_same("parties", len({profile.party for profile in parties}), len(parties))
    log = Log(
        id=LOG_KEY,
        origin=opened.origin,
        operator=opened.operator.party,
        keys=announced(opened.log_keys, opened.origin),
        rules_version=opened.rules_version,
        rules_hash=opened.rules_hash,
    )
    members: tuple[Party, ...] = tuple(
        party_of(profile, status="active", index=event.index) for profile in parties
    )
    return (log, Policy.of(opened.parameters, version=1), *members)


@event(
    "policy.set@1",
    by={Role.OPERATOR},
    zh="设定参数",
    en="Set the exchange's parameters",
    clause="architecture: parameters are events",
    also=lambda payload, actor: (POLICY_KEY,),
)
def set_policy(view: View, event: Event[PolicySet]) -> Changes:
    """The operator sets all parameters anew, as the next version."""
    needed = view.policy.version + 1
    if event.payload.version != needed:
        raise POLICY_NOT_NEXT(version=event.payload.version, needed=needed)
    return Policy.of(event.payload.parameters, needed)


@event(
    "rules.activated@1",
    by={Role.OPERATOR},
    zh="启用规则版本",
    en="Activate a version of the rules",
    clause="architecture: rules have versions",
    also=lambda payload, actor: (LOG_KEY,),
)
def activate_rules(view: View, event: Event[RulesActivated]) -> Changes:
    """Name the rules that entries after this one follow."""
    log = view.get(Log, LOG_KEY)
    return log.but(rules_version=event.payload.version, rules_hash=event.payload.hash)
