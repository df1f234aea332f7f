"""Lineage 血缘 of a product: the sources that it is made of, each with a grant that covers the use.

A source may be used by its holder; by a party that an operation 授权运营 lets operate it; by a
licensee whose licence allows derivation; and by anyone where it is open without conditions.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import Annotated

from pydantic import Field

from dataexchange.asset.grant import GRANT_ENDED, Grant, grant_key
from dataexchange.asset.title import Asset, Source
from dataexchange.asset.version import Version, version_key
from dataexchange.pipeline.authorisation import Operation, require_covered
from dataexchange.pipeline.gate import require_governed, require_usable
from dataexchange.rules import Payload, RefusalCode, View
from dataexchange.rules.guard import require_same
from dataexchange.rules.payload import PositiveCount, Ratio
from dataexchange.rules.reference import AssetId, LicenceId, OperationId

WEIGHTS_WRONG = RefusalCode(
    "product.weights_wrong",
    clause="domain: shares to upstream resources by lineage weights",
    zh="各来源权重须大于零且合计恰为 1，现为 {total}",
    en="The sources' weights must each be above zero and sum to exactly 1, not {total}",
    remedy_zh="调整权重。",
    remedy_en="Mend the weights.",
)
SOURCE_TWICE = RefusalCode(
    "product.source_twice",
    clause="domain: lineage complete",
    zh="来源 {asset} 重复，或为产品自身",
    en="Source {asset} is listed twice, or is the product itself",
    kind="malformed",
)
NO_GRANT = RefusalCode(
    "product.no_grant",
    clause="数据二十条; domain: every source's grant covers the use",
    zh="{party} 对来源 {asset} 无使用依据：既非持有人，也无授权运营或许可，且该资源未无条件开放",
    en="{party} has no grant for source {asset}: it neither holds it nor names an operation or a"
    " licence, and the source is not open without conditions",
    remedy_zh="在来源中写明 operation 或 licence。",
    remedy_en="Name an operation or a licence with the source.",
    kind="forbidden",
)


class NamedSource(Payload):
    """A source pinned to a version, its weight, and what entitles the developer to it."""

    asset: AssetId
    version: PositiveCount
    weight: Ratio
    operation: OperationId | None = None
    licence: LicenceId | None = None


Sources = Annotated[tuple[NamedSource, ...], Field(min_length=1, max_length=16)]


def lineage_keys(sources: Iterable[NamedSource]) -> Iterator[str]:
    """Return the keys, beyond those named, that a check of `sources` reads."""
    for source in sources:
        yield version_key(source.asset, source.version)
        if source.licence is not None:
            yield grant_key(source.asset, source.licence)


@dataclass(frozen=True, slots=True)
class Use:
    """Who makes which product of the sources, for which scenario, and when."""

    party: str
    product: str
    scenario: str | None
    now: datetime


def require_lineage(view: View, use: Use, named: tuple[NamedSource, ...]) -> tuple[Source, ...]:
    """Return the sources of the product; refuse one that may not be used for it."""
    _require_weights(named)
    seen = {use.product}
    for source in named:
        if source.asset in seen:
            raise SOURCE_TWICE(asset=source.asset)
        seen.add(source.asset)
        _require_source(view, use, source)
    return tuple(
        Source(asset=source.asset, version=source.version, weight=source.weight) for source in named
    )


def _require_weights(named: tuple[NamedSource, ...]) -> None:
    weights = [Fraction(source.weight) for source in named]
    if sum(weights) != 1 or not all(weights):
        shown = " + ".join(source.weight for source in named)
        raise WEIGHTS_WRONG(total=shown)


def _require_source(view: View, use: Use, named: NamedSource) -> None:
    asset = view.get(Asset, named.asset)
    require_usable(asset)
    require_governed(view, asset, view.get(Version, version_key(asset.id, named.version)))
    if named.operation is not None:
        _require_operation(view.get(Operation, named.operation), use, asset)
    elif named.licence is not None:
        _require_licence(view, use, asset, named.licence)
    elif asset.holder != use.party and asset.opening != "unconditional":
        raise NO_GRANT(party=use.party, asset=asset.id)


def _require_operation(operation: Operation, use: Use, asset: Asset) -> None:
    require_covered(operation, asset.id, party=use.party, now=use.now)
    if operation.scenario is not None:
        require_same("scenario", use.scenario, operation.scenario)


def _require_licence(view: View, use: Use, asset: Asset, licence: str) -> None:
    grant = view.find(Grant, grant_key(asset.id, licence))
    if grant is None or not grant.allows_derivation(use.party, use.now):
        raise GRANT_ENDED(party=use.party, asset=asset.id, by=licence)
