"""A right to use an asset that its holder gave to another party 使用权, by a licence or the like.

An upper room writes one when a contract takes effect and ends it when the contract ends. A product
may be developed from an asset on the strength of a grant that allows derivation.
"""

from datetime import datetime

from dataexchange.ledger.statement import parse_time
from dataexchange.rules import RefusalCode, State

GRANT_ENDED = RefusalCode(
    "grant.ended",
    clause="民法典 art. 509; domain: every source's grant covers the use",
    zh="{party} 依 {by} 对资产 {asset} 的使用权不存在、已失效或不含此项使用",
    en="{party} has no running right in asset {asset} under {by} that covers this",
    remedy_zh="取得允许加工衍生且在有效期内的许可。",
    remedy_en="Obtain a licence that allows derivation and is in force.",
    kind="conflict",
)


class Grant(State, frozen=True, kw_only=True):
    """What `by` (a licence) lets `party` do with `asset` until `until` (RFC 3339; none: open)."""

    KIND = "grant"

    asset: str
    by: str
    party: str
    derivation: bool
    until: str | None = None
    ended: bool = False

    def is_running(self, now: datetime) -> bool:
        """Tell whether the grant is in force now."""
        return not self.ended and (self.until is None or now < parse_time(self.until))

    def allows_derivation(self, party: str, now: datetime) -> bool:
        """Tell whether `party` may make products of the asset now."""
        return self.is_running(now) and self.derivation and self.party == party


def grant_key(asset: str, by: str) -> str:
    """Return the key of the grant of `asset` by the contract `by`."""
    return f"grant/{asset}/{by}"


def granted(asset: str, by: str, *, party: str, derivation: bool, until: str | None) -> Grant:
    """Return a new grant."""
    return Grant(
        id=grant_key(asset, by),
        asset=asset,
        by=by,
        party=party,
        derivation=derivation,
        until=until,
    )


def ended(grant: Grant) -> Grant:
    """Return `grant`, used up."""
    return grant.but(ended=True)
