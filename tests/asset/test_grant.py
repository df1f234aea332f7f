"""A grant lets a party use an asset while the contract behind it runs."""

from datetime import UTC, datetime, timedelta

from dataexchange.asset.grant import ended, grant_key, granted
from dataexchange.ledger.statement import format_time

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def test_a_grant_allows_derivation_to_its_party_until_it_ends() -> None:
    until = format_time(NOW + timedelta(days=1))
    grant = granted("asset_1", "licence_1", party="party_1", derivation=True, until=until)
    assert grant.id == grant_key("asset_1", "licence_1") == "grant/asset_1/licence_1"
    assert grant.allows_derivation("party_1", NOW)
    assert not grant.allows_derivation("party_2", NOW)
    assert not grant.allows_derivation("party_1", NOW + timedelta(days=1))
    assert not ended(grant).allows_derivation("party_1", NOW)
    assert not grant.but(derivation=False).allows_derivation("party_1", NOW)


def test_a_grant_without_an_end_runs_on() -> None:
    grant = granted("asset_1", "licence_1", party="party_1", derivation=False, until=None)
    assert grant.is_running(NOW + timedelta(days=36_500))
    assert not grant.allows_derivation("party_1", NOW)
