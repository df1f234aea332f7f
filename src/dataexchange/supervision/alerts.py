"""Alert rules 预警规则: pure functions over the log, each with the entries that raised it.

    for finding in unraised(find_all(records, states), states):
        finding.kind, finding.subject, finding.entries, finding.said

Nothing here refuses or changes anything: an authority reads a finding and may raise an alert.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping

from dataexchange.rules import State
from dataexchange.supervision.alert import AlertRaised
from dataexchange.supervision.clock_alerts import (
    claim_clock_missed,
    correction_clock_missed,
    duty_overdue,
    opening_plan_missed,
    share_clock_missed,
)
from dataexchange.supervision.finding import Finding, Limits
from dataexchange.supervision.pledge_alerts import over_pledged, pledged_again
from dataexchange.supervision.record import History, Record
from dataexchange.supervision.staleness_alerts import stale_product, stale_quality
from dataexchange.supervision.trade_alerts import (
    deal_within_group,
    price_far_from_value,
    title_in_circle,
)

__all__ = ["RULES", "Finding", "Limits", "find_all", "misnamed", "unraised"]

USUAL = Limits()
Rule = Callable[[History, Limits], Iterator[Finding]]

RULES: tuple[Rule, ...] = (
    price_far_from_value,
    deal_within_group,
    title_in_circle,
    pledged_again,
    over_pledged,
    stale_quality,
    stale_product,
    opening_plan_missed,
    claim_clock_missed,
    share_clock_missed,
    correction_clock_missed,
    duty_overdue,
)


def find_all(
    records: Iterable[Record],
    states: Mapping[str, State],
    limits: Limits = USUAL,
    rules: Iterable[Rule] = RULES,
) -> list[Finding]:
    """Return what `rules` find in a log and the states it led to, by the last entry of each."""
    history = History.of(records, states)
    if not history.records:
        return []
    found = [finding for rule in rules for finding in rule(history, limits)]
    return sorted(found, key=lambda one: (one.entries[-1], one.kind.value, one.subject))


def unraised(findings: Iterable[Finding], states: Mapping[str, State]) -> list[Finding]:
    """Return the findings that nobody has put on record yet."""
    return [finding for finding in findings if finding.key not in states]


def misnamed(raised: AlertRaised, leaf_of: Callable[[int], str]) -> list[int]:
    """Return the entries that `raised` names by a wrong leaf hash; `leaf_of` gives the right one.

    A rule cannot read entries, so the verifier asks this of every alert that it replays.
    """
    return [one.index for one in raised.entries if leaf_of(one.index) != one.leaf]
