"""Commissions 委托: whom the holder lets assess, review or de-identify its asset, and until when.

Without one, any data service could bring down an asset of a rival by a bad score.
"""

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from dataexchange.asset.title import Asset, require_holder
from dataexchange.identity.party import Party
from dataexchange.ledger.statement import parse_time
from dataexchange.rules import Changes, Event, Payload, RefusalCode, Role, State, View, event
from dataexchange.rules.guard import require_status
from dataexchange.rules.payload import Line, Moment
from dataexchange.rules.reference import AssetId, PartyId

NOT_COMMISSIONED = RefusalCode(
    "service.not_commissioned",
    clause="民法典 art. 919; domain: data_service",
    zh="{party} 未受委托对资产 {asset} 提供 {service} 服务，或委托已届满",
    en="{party} has no running commission for {service} of asset {asset}",
    remedy_zh="由持有人提交 service.commissioned。",
    remedy_en="Have the holder submit service.commissioned.",
    kind="forbidden",
)
NOT_A_SERVICE = RefusalCode(
    "service.not_a_service",
    clause="domain: data_service",
    zh="{party} 不具备 data_service 角色",
    en="{party} does not have the data_service role",
    kind="forbidden",
)
COMMISSION_PAST = RefusalCode(
    "service.commission_past",
    clause="民法典 art. 919",
    zh="委托期限 {until} 已过",
    en="The commission would end at {until}, which has passed",
)


class Service(StrEnum):
    """What a data service does to an asset."""

    QUALITY = "quality"  # 质量评估
    COMPLIANCE = "compliance"  # 合规审查
    DEIDENTIFICATION = "deidentification"  # 去标识化


class Commission(State, frozen=True, kw_only=True):
    """What `party` may do to `asset` until `until`; its key is `commission/<asset>/<party>`."""

    KIND = "commission"

    asset: str
    party: str
    holder: str
    services: tuple[Service, ...]
    until: str
    ended: bool = False

    def covers(self, asset: Asset, service: Service, now: datetime) -> bool:
        """Tell whether the asset's present holder lets the party do `service` now."""
        running = not self.ended and now < parse_time(self.until)
        return running and service in self.services and self.holder == asset.holder


class ServiceCommissioned(Payload):
    """A holder's commission to a data service; it takes the place of an earlier one."""

    asset: AssetId
    party: PartyId
    services: Annotated[tuple[Service, ...], Field(min_length=1, max_length=3)]
    until: Moment


class CommissionEnded(Payload):
    """The end of a commission; what was done under it stands."""

    asset: AssetId
    party: PartyId
    reason: Line


def commission_key(asset: str, party: str) -> str:
    """Return the key of the commission of `party` for `asset`."""
    return f"commission/{asset}/{party}"


@event(
    "service.commissioned@1",
    by={Role.PROVIDER, Role.DATA_SERVICE},
    zh="委托数据服务",
    en="Commission a data service",
    clause="民法典 art. 919",
    also=lambda payload, actor: (commission_key(payload.asset, payload.party),),
    sealable=("terms",),
)
def commission(view: View, event: Event[ServiceCommissioned]) -> Changes:
    """The holder lets a data service assess, review or de-identify its asset."""
    given = event.payload
    asset = view.get(Asset, given.asset)
    require_status(asset, "registered")
    require_holder(asset, event.actor)
    party = view.get(Party, given.party)
    require_status(party, "active")
    if Role.DATA_SERVICE not in party.roles:
        raise NOT_A_SERVICE(party=party.id)
    if parse_time(given.until) <= event.recorded_at:
        raise COMMISSION_PAST(until=given.until)
    return Commission(
        id=commission_key(asset.id, party.id),
        asset=asset.id,
        party=party.id,
        holder=asset.holder,
        services=given.services,
        until=given.until,
    )


@event(
    "service.ended@1",
    by={Role.PROVIDER, Role.DATA_SERVICE},
    zh="终止委托",
    en="End a commission",
    clause="民法典 art. 933",
    also=lambda payload, actor: (commission_key(payload.asset, payload.party),),
)
def end(view: View, event: Event[CommissionEnded]) -> Changes:
    """The holder ends its commission at any time."""
    given = event.payload
    require_holder(view.get(Asset, given.asset), event.actor)
    return view.get(Commission, commission_key(given.asset, given.party)).but(ended=True)


def require_commissioned(
    view: View, asset: Asset, service: Service, *, actor: str, now: datetime
) -> None:
    """Refuse unless `actor` holds `asset`, or is commissioned by its holder for `service`."""
    if actor == asset.holder:
        return
    held = view.find(Commission, commission_key(asset.id, actor))
    if held is None or not held.covers(asset, service, now):
        raise NOT_COMMISSIONED(party=actor, asset=asset.id, service=service)
