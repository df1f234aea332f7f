"""Authorised operation 授权运营: a holder lets another party operate its data, or delegates on."""

from typing import Annotated

from pydantic import Field

from dataexchange.asset.title import Asset, require_holder, require_no_incident
from dataexchange.asset.version import Version, version_key
from dataexchange.ledger.statement import format_time, parse_time
from dataexchange.pipeline.authorisation import (
    Operation,
    OperationMode,
    require_covered,
)
from dataexchange.pipeline.gate import require_governed
from dataexchange.pipeline.scenario import Scenario
from dataexchange.rules import Changes, Event, Payload, RefusalCode, Role, View, event
from dataexchange.rules.guard import require_actor, require_same, require_status
from dataexchange.rules.payload import Hash, Line, Moment, PositiveCount
from dataexchange.rules.reference import AssetId, OperationId, PartyId, ScenarioId

IN_PLACE_ONLY = RefusalCode(
    "operation.in_place_only",
    clause="domain: 不予开放 data are used in place, never delivered",
    zh="资产 {asset} 不予开放或属重要数据，只能授权原地使用",
    en="Asset {asset} is refused to the public or important; it may only be used in place",
    remedy_zh="mode 取 in_place。",
    remedy_en="Set mode to in_place.",
)
TERM_WRONG = RefusalCode(
    "operation.term_wrong",
    clause="公共数据资源授权运营实施规范(试行)",
    zh="授权期限须在当前时间之后、且不超过上级授权的期限 {limit}",
    en="The term must end after now, and not after that of the authorisation above it, {limit}",
)
NO_DELEGATION = RefusalCode(
    "operation.no_delegation",
    clause="公共数据资源授权运营实施规范(试行)",
    zh="授权 {operation} 不允许再授权，或再授权超出其使用方式",
    en="Operation {operation} does not allow this to be delegated",
    kind="forbidden",
)


class AssetVersion(Payload):
    """An asset, and the version by which its governance is checked."""

    asset: AssetId
    version: PositiveCount


class OperationAuthorised(Payload):
    """An authorisation by the holder of all the assets, or under an operation above it."""

    operation: OperationId
    party: PartyId
    assets: Annotated[tuple[AssetVersion, ...], Field(min_length=1, max_length=16)]
    mode: OperationMode
    scope: Annotated[Line, Field(description="What may be made of the data, and for whom")]
    scenario: ScenarioId | None = None
    parent: Annotated[OperationId | None, Field(description="二级授权: the one above it")] = None
    may_delegate: bool = False
    until: Moment
    agreement: Annotated[Hash, Field(description="SHA-256 of the agreement 授权运营协议")]


class OperationAccepted(Payload):
    """The operating party's consent to exactly the authorisation that `proposal` names."""

    operation: OperationId
    proposal: Annotated[Hash, Field(description="Leaf hash of operation.authorised")]


class OperationEnded(Payload):
    """The end of an authorisation before its term."""

    operation: OperationId
    reason: Line


@event(
    "operation.authorised@1",
    by={Role.PROVIDER, Role.OPERATOR, Role.DATA_SERVICE},
    zh="授权运营",
    en="Authorise an operation",
    clause="公共数据资源授权运营实施规范(试行)",
    also=lambda payload, actor: (
        version_key(named.asset, named.version) for named in payload.assets
    ),
    sealable=("terms",),
)
def authorise(view: View, event: Event[OperationAuthorised]) -> Changes:
    """Offer a party the operation of governed assets; it runs once that party accepts."""
    given = event.payload
    view.require_new(given.operation)
    names = tuple(named.asset for named in given.assets)
    require_same("assets", len(set(names)), len(names))
    parent = _parent(view, event)
    for named in given.assets:
        _require_operable(view, named, event, parent)
    if given.scenario is not None:
        require_status(view.get(Scenario, given.scenario), "open")
    return Operation(
        id=given.operation,
        grantor=event.actor,
        party=given.party,
        assets=names,
        mode=given.mode,
        scope=given.scope,
        scenario=given.scenario,
        parent=given.parent,
        may_delegate=given.may_delegate,
        status="offered",
        since=format_time(event.recorded_at),
        until=given.until,
    )


@event(
    "operation.accepted@1",
    by={Role.PROVIDER, Role.OPERATOR, Role.DATA_SERVICE, Role.BUYER},
    zh="接受授权",
    en="Accept an operation",
    clause="公共数据资源授权运营实施规范(试行)",
)
def accept(view: View, event: Event[OperationAccepted]) -> Changes:
    """The operating party takes on the authorisation that it names by hash."""
    operation = view.get(Operation, event.payload.operation)
    require_status(operation, "offered")
    require_actor(event.actor, operation.party, operation.id)
    require_same("proposal", event.payload.proposal, view.head(operation.id))
    return operation.but(status="active", since=format_time(event.recorded_at))


@event(
    "operation.ended@1",
    by=set(Role),
    zh="终止授权",
    en="End an operation",
    clause="公共数据资源授权运营实施规范(试行)",
)
def end(view: View, event: Event[OperationEnded]) -> Changes:
    """The grantor, the operating party or a regulator ends an authorisation."""
    operation = view.get(Operation, event.payload.operation)
    require_status(operation, "offered", "active")
    if Role.REGULATOR not in event.roles:
        require_actor(event.actor, {operation.grantor, operation.party}, operation.id)
    return operation.but(status="ended")


def _parent(view: View, event: Event[OperationAuthorised]) -> Operation | None:
    """Return the authorisation above this one, if any; check the term against it."""
    given = event.payload
    parent = view.get(Operation, given.parent) if given.parent is not None else None
    until, limit = parse_time(given.until), parent.until if parent else None
    if until <= event.recorded_at or (limit is not None and until > parse_time(limit)):
        raise TERM_WRONG(limit=limit or "—")
    if parent is not None and (
        not parent.may_delegate
        or (parent.mode is OperationMode.IN_PLACE and given.mode is not parent.mode)
    ):
        raise NO_DELEGATION(operation=parent.id)
    return parent


def _require_operable(
    view: View, named: AssetVersion, event: Event[OperationAuthorised], parent: Operation | None
) -> None:
    asset = view.get(Asset, named.asset)
    if parent is None:
        require_holder(asset, event.actor)
    else:
        require_covered(parent, asset.id, party=event.actor, now=event.recorded_at)
    require_governed(view, asset, view.get(Version, version_key(asset.id, named.version)))
    require_no_incident(asset)
    guarded = asset.opening == "refused" or asset.grade == "important"
    if guarded and event.payload.mode is not OperationMode.IN_PLACE:
        raise IN_PLACE_ONLY(asset=asset.id)
