"""Who may read which register. What is not listed as public is for the parties it names.

The operator and regulators read everything; the operator runs the database anyhow.
"""

import re
from collections.abc import Collection

from dataexchange.rules import Role

READS_ALL = frozenset({Role.OPERATOR, Role.REGULATOR})
# An appraiser is bound to secrecy (资产评估法 art. 13): it reads what others paid, not who paid it.
READS_PRICES = READS_ALL | {Role.APPRAISER}

# The open catalogue, who takes part, and what the exchange says of itself.
PUBLIC_KINDS = frozenset(
    {
        "asset",
        "auction",
        "calendar",
        "card",
        "catalogue",
        "ceiling",
        "commitment",
        "confirmation",
        "group",
        "indicators",
        "listing",
        "log",
        "map",
        "operation",
        "party",
        "plan",
        "policy",
        "report",
        "scenario",
        "version",
    }
)


# What the operator must know to do its part, though no aggregate names it.
FOR_THE_OPERATOR = frozenset({"party.applied@1", "withdrawal.requested@1"})


def may_read(
    kind: str, parties: Collection[str], reader: str | None, roles: Collection[Role]
) -> bool:
    """Tell whether `reader` may read an aggregate of `kind` that names `parties`."""
    if kind in PUBLIC_KINDS or not READS_ALL.isdisjoint(roles):
        return True
    # Who is not admitted yet could have applied under an id that others were to use.
    return bool(roles) and reader in parties


def asset_of(key: str, state: bytes) -> str | None:
    """Return the asset that an aggregate belongs to, whose holder may read it as a party may."""
    found = _KEY_OF_ASSET.match(key)
    if found is None and key.startswith("consent_"):
        # Who processes personal data must be able to show the consent (个人信息保护法 art. 14).
        found = _STATE_OF_ASSET.search(state.decode())
    return found[1] if found else None


_ASSET = "(asset_[0-7][0-9a-hjkmnp-tv-z]{25})"
_KEY_OF_ASSET = re.compile(rf"[a-z]+/{_ASSET}(?:/|$)")
_STATE_OF_ASSET = re.compile(rf'"asset":"{_ASSET}"')
