"""Who may read which register. What is not listed as public is for the parties it names.

The operator and regulators read everything; the operator runs the database anyhow.
"""

from collections.abc import Collection

from dataexchange.rules import Role

READS_ALL = frozenset({Role.OPERATOR, Role.REGULATOR})

# The open catalogue, who takes part, and what the exchange says of itself.
PUBLIC_KINDS = frozenset(
    {
        "asset",
        "auction",
        "calendar",
        "card",
        "catalogue",
        "ceiling",
        "group",
        "indicators",
        "listing",
        "log",
        "operation",
        "party",
        "plan",
        "policy",
        "report",
        "scenario",
        "version",
    }
)


def may_read(
    kind: str, parties: Collection[str], reader: str | None, roles: Collection[Role]
) -> bool:
    """Tell whether `reader` may read an aggregate of `kind` that names `parties`."""
    if kind in PUBLIC_KINDS or not READS_ALL.isdisjoint(roles):
        return True
    return reader is not None and reader in parties
