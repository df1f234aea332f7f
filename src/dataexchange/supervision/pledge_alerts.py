"""Alert rules of pledges: an asset pledged again, and more secured than its value allows.

A refused event leaves no entry, so an attempt shows where it was drafted.
"""

from collections.abc import Iterator
from decimal import ROUND_FLOOR

from dataexchange.asset.title import Asset
from dataexchange.guarantee.pledge import Pledge
from dataexchange.rules import POLICY_KEY, Policy
from dataexchange.rules.payload import decimal
from dataexchange.supervision.alert import AlertKind
from dataexchange.supervision.finding import Finding, Limits, found
from dataexchange.supervision.record import History, Record
from dataexchange.supervision.trade_alerts import appraisal_at

_ENDS = ("pledge.released@1", "pledge.realised@1")


def pledged_again(history: History, limits: Limits) -> Iterator[Finding]:
    """Find pledges drafted for another lender while an asset is under a registered one."""
    standing: dict[str, dict[str, Record]] = {}
    for record in history.each("pledge.drafted@1", "pledge.registered@1", *_ENDS):
        on_asset = standing.setdefault(record.payload["asset"], {})
        if record.event == "pledge.registered@1":
            on_asset[record.payload["pledge"]] = record
        elif record.event == "pledge.released@1":
            on_asset.pop(record.payload["pledge"], None)
        elif record.event == "pledge.realised@1":
            on_asset.clear()
        else:
            yield from _second(history, record, on_asset)


def over_pledged(history: History, limits: Limits) -> Iterator[Finding]:
    """Find assets that secure more than the highest loan-to-value ratio of the value in force.

    Without a valuation in force the value is zero: nobody knows what the security is worth.
    """
    policy = history.find(Policy, POLICY_KEY)
    for asset in history.all(Asset):
        if policy is None or not asset.liens:
            continue
        appraised = appraisal_at(history, asset.id, history.records[-1])
        value_fen, entries = (appraised.value_fen, appraised.entries) if appraised else (0, ())
        ceiling = (decimal(policy.loan_to_value_max) * value_fen).to_integral_value(ROUND_FLOOR)
        if asset.secured_fen > ceiling:
            yield found(
                AlertKind.OVER_PLEDGED,
                asset.id,
                (*(lien.registered_index for lien in asset.liens), *entries),
                secured_fen=asset.secured_fen,
                ceiling_fen=int(ceiling),
            )


def _second(history: History, drafted: Record, standing: dict[str, Record]) -> Iterator[Finding]:
    lender = drafted.payload["lender"]
    for key, registered in standing.items():
        first = history.find(Pledge, key)
        if first is not None and first.lender != lender:
            yield found(
                AlertKind.SECOND_PLEDGE,
                drafted.payload["asset"],
                (registered.index, drafted.index),
                first=key,
                second=drafted.payload["pledge"],
            )
