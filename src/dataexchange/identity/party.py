"""Parties 主体: application, admission, suspension, and what kind of body a party is."""

from enum import StrEnum
from typing import Annotated

import msgspec
from pydantic import Field

from dataexchange.identity.credit_code import require_credit_code
from dataexchange.ledger.signature import PublicKey
from dataexchange.rules import (
    Changes,
    Event,
    Payload,
    RefusalCode,
    Role,
    State,
    View,
    event,
    require_actor,
    require_same,
    require_status,
)
from dataexchange.rules.payload import Code, Line
from dataexchange.rules.reference import GroupId, PartyId

KEYS_MAX = 16


class PartyKind(StrEnum):
    """What a party is by law; 行政事业单位 may not give security (财资〔2024〕1号)."""

    GOVERNMENT = "government"  # 行政机关
    PUBLIC_INSTITUTION = "public_institution"  # 事业单位
    PUBLIC_UTILITY = "public_utility"  # 公用企业
    STATE_OWNED = "state_owned"  # 国有企业
    PRIVATE = "private"  # 民营企业
    NATURAL_PERSON = "natural_person"  # 自然人


class Key(msgspec.Struct, frozen=True, omit_defaults=True):
    """A key of a party: valid from an index until, if ever, it is ended at another."""

    added_index: int
    ended_index: int | None = None
    reason: str | None = None
    compromised_from: str | None = None


class Party(State, frozen=True, kw_only=True):
    """A party, its roles, and every key it ever had."""

    KIND = "party"

    name: str | None
    credit_code: str | None
    party_kind: PartyKind
    roles: tuple[Role, ...]
    status: str  # applied | active | suspended | left
    keys: dict[str, Key]
    contact: str | None = None
    group: str | None = None
    small_or_farm: bool = False
    suspended_by: str | None = None

    def holds_valid(self, key_id: str) -> bool:
        """Tell whether `key_id` may sign for this party now."""
        key = self.keys.get(key_id)
        return key is not None and key.ended_index is None

    @property
    def is_public_body(self) -> bool:
        """Whether this is a 行政事业单位."""
        return self.party_kind in (PartyKind.GOVERNMENT, PartyKind.PUBLIC_INSTITUTION)


NAME_UNFIT = RefusalCode(
    "party.name_unfit",
    clause="个人信息保护法 art. 6; GB 32100-2015",
    zh="单位须写明名称与统一社会信用代码；自然人的姓名和证件号只能以密封承诺提交",
    en="A body states its name and credit code; a natural person's are given sealed, never plain",
    remedy_zh="自然人：去掉 name 与 credit_code，把它们放入 sealed。",
    remedy_en="For a natural person leave name and credit_code out and seal them.",
)
ROLE_NOT_APPLIED_FOR = RefusalCode(
    "party.role_not_applied_for",
    clause="domain: party.admitted",
    zh="角色 {roles} 不在申请之列",
    en="Roles {roles} were not applied for",
)
ROLE_RESERVED = RefusalCode(
    "party.role_reserved",
    clause="domain: log.opened",
    zh="运营机构和监管机构只能由创世条目或监管机构设立",
    en="Operators are set at the log's opening; regulators admit regulators",
)
SUSPENDED_BY_REGULATOR = RefusalCode(
    "party.suspended_by_regulator",
    clause="福建省数据流通交易管理办法(试行)",
    zh="主体 {party} 由监管机构暂停，只能由监管机构恢复",
    en="Party {party} was suspended by a regulator; only a regulator reinstates it",
    remedy_zh="请监管机构签署恢复。",
    remedy_en="Ask the regulator to sign the reinstatement.",
    kind="forbidden",
)
OPERATOR_STAYS = RefusalCode(
    "party.operator_stays",
    clause="domain: log.opened",
    zh="账本开立后运营机构不能退出：没有运营机构，账本无法继续",
    en="The operator cannot leave its log: without it the log cannot go on",
    kind="conflict",
)
AFFILIATED_ALREADY = RefusalCode(
    "party.group_unchanged",
    clause="国务院令683号 art. 16",
    zh="主体 {party} 已属于该关联组",
    en="Party {party} belongs to that group already",
    kind="conflict",
)


class PartyProfile(Payload):
    """What a party states of itself. `name` and `credit_code` are left out by natural persons."""

    party: PartyId
    name: Line | None = None
    credit_code: Annotated[str, Field(min_length=18, max_length=18)] | None = None
    party_kind: PartyKind
    roles: Annotated[tuple[Role, ...], Field(min_length=1, max_length=11)]
    contact: Line | None = None
    key: Annotated[str, Field(description="The key id (multibase) that the party will sign with")]
    small_or_farm: Annotated[
        bool, Field(description="小微企业或“三农”主体, for guarantee weights")
    ] = False


class PartyNamed(Payload):
    """An event about one party, with a reason."""

    party: PartyId
    reason: Line


class PartyAdmitted(Payload):
    """The admission of an applicant to some or all of the roles applied for."""

    party: PartyId
    roles: Annotated[tuple[Role, ...], Field(min_length=1, max_length=11)]


class PartyLeft(Payload):
    """A party's own leave."""

    party: PartyId


class PartyGrouped(Payload):
    """The group of affiliates 关联方 that a party belongs to, with the evidence's reference."""

    party: PartyId
    group: GroupId
    evidence: Code


class PartySuspended(PartyNamed):
    """A suspension, with the order's number."""

    order_number: Code


def party_of(profile: PartyProfile, *, status: str, index: int) -> Party:
    """Return the party that `profile` describes, with its first key; refuse unfit profiles."""
    natural = profile.party_kind is PartyKind.NATURAL_PERSON
    if natural == (profile.name is not None) or natural == (profile.credit_code is not None):
        raise NAME_UNFIT()
    if profile.credit_code is not None:
        require_credit_code(profile.credit_code)
    PublicKey.parse(profile.key)
    return Party(
        id=profile.party,
        name=profile.name,
        credit_code=profile.credit_code,
        party_kind=profile.party_kind,
        roles=tuple(sorted(set(profile.roles))),
        status=status,
        keys={profile.key: Key(added_index=index)},
        contact=profile.contact,
        small_or_farm=profile.small_or_farm,
    )


@event(
    "party.applied@1",
    by=(),
    zh="入场申请",
    en="Apply to join",
    clause="GB 32100-2015",
    sealable=("contact", "credit_code", "identity_number", "name"),
)
def apply(view: View, event: Event[PartyProfile]) -> Changes:
    """A party states who it is, signing with the key it brings."""
    profile = event.payload
    view.require_new(profile.party)
    require_actor(event.actor, profile.party, profile.party)
    require_same("key", profile.key, event.key)
    if Role.OPERATOR in profile.roles:
        raise ROLE_RESERVED()
    return party_of(profile, status="applied", index=event.index)


@event(
    "party.admitted@1",
    by={Role.OPERATOR, Role.REGULATOR},
    zh="准予入场",
    en="Admit a party",
    clause="福建省数据流通交易管理办法(试行)",
)
def admit(view: View, event: Event[PartyAdmitted]) -> Changes:
    """The operator admits; only a regulator admits a regulator."""
    party = view.get(Party, event.payload.party)
    require_status(party, "applied")
    roles = tuple(sorted(set(event.payload.roles)))
    if excess := set(roles) - set(party.roles):
        raise ROLE_NOT_APPLIED_FOR(roles=", ".join(sorted(excess)))
    if Role.REGULATOR in roles and Role.REGULATOR not in event.roles:
        raise ROLE_RESERVED()
    return party.but(status="active", roles=roles)


@event(
    "party.suspended@1",
    by={Role.REGULATOR, Role.OPERATOR},
    zh="暂停主体",
    en="Suspend a party",
    clause="福建省数据流通交易管理办法(试行)",
    sealable=("details",),
)
def suspend(view: View, event: Event[PartySuspended]) -> Changes:
    """A suspended party signs nothing until it is reinstated."""
    party = view.get(Party, event.payload.party)
    require_status(party, "active")
    if Role.REGULATOR in party.roles and Role.REGULATOR not in event.roles:
        raise ROLE_RESERVED()
    by = Role.REGULATOR if Role.REGULATOR in event.roles else Role.OPERATOR
    return party.but(status="suspended", suspended_by=by)


@event(
    "party.reinstated@1",
    by={Role.REGULATOR, Role.OPERATOR},
    zh="恢复主体",
    en="Reinstate a party",
    clause="福建省数据流通交易管理办法(试行)",
    sealable=("details",),
)
def reinstate(view: View, event: Event[PartyNamed]) -> Changes:
    """End a suspension; what a regulator ordered, a regulator lifts."""
    party = view.get(Party, event.payload.party)
    require_status(party, "suspended")
    if party.suspended_by == Role.REGULATOR and Role.REGULATOR not in event.roles:
        raise SUSPENDED_BY_REGULATOR(party=party.id)
    return party.but(status="active", suspended_by=None)


@event("party.left@1", by=set(Role), zh="退出", en="Leave", clause="domain: party.left")
def leave(view: View, event: Event[PartyLeft]) -> Changes:
    """A party leaves; its history stays."""
    require_actor(event.actor, event.payload.party, event.payload.party)
    party = view.get(Party, event.payload.party)
    if Role.OPERATOR in party.roles:
        raise OPERATOR_STAYS()
    return party.but(status="left")


@event(
    "party.grouped@1",
    by={Role.OPERATOR, Role.REGULATOR},
    zh="认定关联方",
    en="Record affiliation",
    clause="国务院令683号 art. 16",
)
def join_group(view: View, event: Event[PartyGrouped]) -> Changes:
    """Record the group of affiliates whose exposures are limited together."""
    party = view.get(Party, event.payload.party)
    if party.group == event.payload.group:
        raise AFFILIATED_ALREADY(party=party.id)
    return party.but(group=event.payload.group)
