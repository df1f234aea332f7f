"""Alert rules of the pipeline: versions nobody assessed, products behind their sources."""

from collections.abc import Iterator
from datetime import timedelta

from dataexchange.asset.title import Asset
from dataexchange.supervision.alert import AlertKind
from dataexchange.supervision.finding import Finding, Limits, found
from dataexchange.supervision.record import History, Record

_ADDS = ("resource.version_added@1", "product.version_added@1", "product.developed@1")


def stale_quality(history: History, limits: Limits) -> Iterator[Finding]:
    """Find assets whose latest version has waited too long for its assessment."""
    for asset in history.all(Asset):
        if asset.status == "retired" or asset.latest_version <= asset.assessed_version:
            continue
        added = _added(history, asset.id, asset.latest_version)
        if added is None or not _is_older(history, added, limits.assessment_days):
            continue
        assessed = history.last(asset.id, "quality.assessed@1")
        yield found(
            AlertKind.STALE_QUALITY,
            asset.id,
            (added.index, *(() if assessed is None else (assessed.index,))),
            version=asset.latest_version,
            assessed=asset.assessed_version,
            days=(history.now - added.recorded_at).days,
        )


def stale_product(history: History, limits: Limits) -> Iterator[Finding]:
    """Find products still made of a version that its source has long replaced 联动."""
    for product in history.all(Asset):
        made = _added(history, product.id, product.latest_version)
        if product.status == "retired" or made is None:
            continue
        for pinned in product.sources:
            replaced = _added(history, pinned.asset, pinned.version + 1)
            if replaced is not None and _is_older(history, replaced, limits.renewal_days):
                yield found(
                    AlertKind.STALE_PRODUCT,
                    product.id,
                    (made.index, replaced.index),
                    source=pinned.asset,
                    latest=pinned.version + 1,
                    pinned=pinned.version,
                )


def _added(history: History, asset: str, number: int) -> Record | None:
    """Return the entry that added version `number` of `asset`; a product begins with its first."""
    for record in history.naming(asset, *_ADDS):
        if record.payload["asset"] == asset and record.payload.get("number", 1) == number:
            return record
    return None


def _is_older(history: History, record: Record, days: int) -> bool:
    return history.now - record.recorded_at > timedelta(days=days)
