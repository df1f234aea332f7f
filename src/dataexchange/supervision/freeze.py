"""Freeze orders 冻结: the regulator stops all dealing in an asset, and lets it go again."""

from dataexchange.asset.title import Asset, frozen, unfrozen
from dataexchange.rules import Changes, Event, Payload, Role, View, event
from dataexchange.rules.payload import Code, Line
from dataexchange.rules.reference import AssetId

DATA_SECURITY_LAW = "数据安全法 art. 6; domain: supervision"


class FreezeOrder(Payload):
    """An order about an asset, with its number and the reason."""

    asset: AssetId
    order_number: Code
    reason: Line


@event(
    "asset.frozen@1",
    by={Role.REGULATOR},
    zh="冻结资产",
    en="Freeze",
    clause=DATA_SECURITY_LAW,
    sealable=("details",),
)
def freeze(view: View, event: Event[FreezeOrder]) -> Changes:
    """Nothing can be listed, licensed, delivered, transferred or pledged until it is lifted."""
    return frozen(view.get(Asset, event.payload.asset), event.payload.order_number)


@event(
    "asset.unfrozen@1",
    by={Role.REGULATOR},
    zh="解除冻结",
    en="Unfreeze",
    clause=DATA_SECURITY_LAW,
    sealable=("details",),
)
def unfreeze(view: View, event: Event[FreezeOrder]) -> Changes:
    """Lift one order; others stay."""
    return unfrozen(view.get(Asset, event.payload.asset), event.payload.order_number)
