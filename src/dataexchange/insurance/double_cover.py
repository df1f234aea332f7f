"""Double cover 重复保险: all covers of one party's interest in one asset, kept together.

保险法 art. 56: insurers of the same interest against the same peril bear a loss in proportion to
their sums insured. Each cover enters at its inception, so no insurer need be told of the others.
"""

from datetime import datetime, timedelta

import msgspec

from dataexchange.ledger.statement import format_time, parse_time
from dataexchange.rules import RefusalCode, State, View

COVERS_MAX = 32
KEPT_AFTER_END = timedelta(days=730)
"""As long as a loss may be claimed (保险法 art. 26)."""

TOO_MANY_COVERS = RefusalCode(
    "cover.too_many",
    clause="architecture: state rows stay small",
    zh="该资产上同一投保人的保单已达 {limit} 份",
    en="The policyholder has {limit} covers of this asset already",
)


class CoverEntry(msgspec.Struct, frozen=True):
    """One cover: its product, sum insured in 分, and period."""

    product: str
    sum_fen: int
    starts: str
    ends: str

    def runs_at(self, moment: datetime) -> bool:
        """Tell whether `moment` falls into the period."""
        return parse_time(self.starts) <= moment <= parse_time(self.ends)


class InsuredInterest(State, frozen=True, kw_only=True):
    """What a party has insured on an asset; its key is `insured/<asset>/<policyholder>`."""

    KIND = "insured"

    covers: dict[str, CoverEntry] = {}

    def sums_fen(self, product: str, moment: datetime) -> dict[str, int]:
        """Return the sum insured of every cover of `product` that ran at `moment`."""
        return {
            key: entry.sum_fen
            for key, entry in self.covers.items()
            if entry.product == product and entry.runs_at(moment)
        }


def interest_key(asset: str, policyholder: str) -> str:
    """Return the key of what `policyholder` has insured on `asset`."""
    return f"insured/{asset}/{policyholder}"


def interest_of(view: View, asset: str, policyholder: str) -> InsuredInterest:
    """Return what `policyholder` has insured on `asset`."""
    key = interest_key(asset, policyholder)
    return view.find(InsuredInterest, key) or InsuredInterest(id=key)


def entered(
    interest: InsuredInterest, cover: str, entry: CoverEntry, now: datetime
) -> InsuredInterest:
    """Return `interest` with a cover more (or changed); what ended too long ago falls out."""
    kept = {
        key: held
        for key, held in interest.covers.items()
        if now <= parse_time(held.ends) + KEPT_AFTER_END
    }
    if cover not in kept and len(kept) >= COVERS_MAX:
        raise TOO_MANY_COVERS(limit=COVERS_MAX)
    return interest.but(covers={**kept, cover: entry})


def ended(interest: InsuredInterest, cover: str, now: datetime) -> InsuredInterest:
    """Return `interest` with a cover that ends now."""
    entry = msgspec.structs.replace(interest.covers[cover], ends=format_time(now))
    return interest.but(covers={**interest.covers, cover: entry})


def struck(interest: InsuredInterest, cover: str) -> InsuredInterest:
    """Return `interest` without a cover, as if it had never been."""
    return interest.but(covers={k: v for k, v in interest.covers.items() if k != cover})
