"""`evidence` and `prices` against a running exchange whose market has traded."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import httpx
import pytest
import yaml

from bundles import POLICY
from dataexchange.valuation import value
from steps_evidence import Market, traded

if TYPE_CHECKING:
    from databases import Addresses
    from served import Served

Run = Callable[..., Any]


class Traded(NamedTuple):
    """The service, and who dealt there."""

    service: "Served"
    market: Market

    @property
    def asking(self) -> tuple[object, ...]:
        """The appraiser's arguments."""
        key = self.service.key_file(self.market.appraiser, "appraiser")
        return ("--key", key, "--url", self.service.url)


@pytest.fixture
def shown(migrated_database: "Addresses", tmp_path: Path) -> Iterator[Traded]:
    """A service that was told the story at its own times, and lives in the present since."""
    from exchanges import WorldClock, keep_log_key, small_world
    from served import serving

    market = traded(small_world())
    clock = WorldClock(market.world)
    keep_log_key(tmp_path)
    with serving(migrated_database, tmp_path, clock) as service, httpx.Client() as http:
        for appended in market.world.entries:
            clock.told = appended.recorded_at
            one = appended.submission
            body = b'{"signature":%b,"statement":%b}' % (one.signature, one.statement.body)
            assert http.post(f"{service.url}/v1/events", content=body).status_code == 201
        clock.told = datetime.now(UTC)
        service.until_checkpoint(len(market.world.entries))
        yield Traded(service, market)


def test_evidence_is_shown_proven_and_taken_to_the_market_card(
    shown: Traded, tmp_path: Path, run: Run
) -> None:
    policy = tmp_path / "policy"
    policy.write_bytes(POLICY)
    ran = run("evidence", "--category", "transport", "--policy", policy, *shown.asking)
    assert ran.status == 0, ran.err
    assert [ran.out.count(kind) for kind in ("licence", "exclusive", "title")] == [2, 1, 1]
    assert "4 项包含证明均成立" in ran.err

    kept = run("evidence", "--kind", "licence", "--as", "json", *shown.asking)
    items = json.loads(kept.out)
    assert [item["price_fen"] for item in items] == [100_000, 100_000]

    base = ("--base-date", shown.market.world.now.date())
    made = run("evidence", "--kind", "licence", "--as", "comparables", *base, *shown.asking)
    dataset = {"name": "A", **yaml.safe_load(made.out)}
    assert value("market", {"datasets": [dataset]}).yuan == "1000.00"

    early = run("evidence", "--as", "json", "--base-date", "2025-12-31", *shown.asking)
    assert json.loads(early.out) == []

    other = tmp_path / "other"
    other.write_text("log example.test/log+c5e3b5d2+AQ==\nquorum none\n")
    assert run("evidence", "--policy", other, *shown.asking).status == 2
    assert run("evidence", "--policy", tmp_path / "none", *shown.asking).status == 2


def test_prices_are_shown_to_anyone_as_far_as_they_are_public(shown: Traded, run: Run) -> None:
    asset, url = shown.market.valued.asset, ("--url", shown.service.url)
    ran = run("prices", asset, *url)
    assert ran.status == 0
    assert [("listed" in ran.out), ("repriced" in ran.out)] == [True, True]
    assert "700.00" in ran.out
    told = json.loads(run("prices", asset, "--json", *shown.asking).out)
    assert [one["what"] for one in told] == ["licensed", "repriced", "listed"]
    missing = run("prices", "asset_01k9m3e3xkf2v8n5q7r1s4t6w8", *url)
    assert missing.status == 1
