"""The evaluation is the states' own figures, folded from entries alone."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dataexchange.asset.title import Asset
from dataexchange.guarantee.pledge import Pledge
from dataexchange.insurance.cover import Cover
from dataexchange.ledger import canonical
from dataexchange.ledger.statement import format_time
from dataexchange.market.licence import Licence
from dataexchange.registry.catalogue import catalogue
from dataexchange.rules import Role
from dataexchange.supervision.duty import Duty, is_overdue
from dataexchange.supervision.evaluation import COUNTED, evaluate
from dataexchange.supervision.rendering import render
from dataexchange.supervision.stock import MEMBERS
from steps_guarantee import PRINCIPAL_FEN, active_pledge, defaulted_pledge, guarantee_in_force
from steps_insurance import assessed_claim, cover_in_force
from steps_market import FEE_FEN, finalised_licence, proposed_transfer, settled_licence
from steps_pipeline import content, registered_resource
from steps_supervision import (
    alert,
    assigned_duty,
    calendar,
    condensed,
    confirmation,
    records,
    report_duty,
)
from steps_valuation import VALUE_FEN
from world import World


@pytest.fixture
def world() -> World:
    return World()


def evaluation(world: World, quarter: str = "2026Q1") -> dict[str, Any]:
    report: dict[str, Any] = canonical.decode(
        evaluate(condensed(world), quarter, len(world.entries))
    )
    return report


def busy(world: World) -> None:
    """Do something of every kind."""
    settled_licence(world)
    pledged = active_pledge(world)
    guarantee_in_force(world, pledged)
    assessed_claim(world, cover_in_force(world))
    owner = world.join(Role.PROVIDER)
    world.do(world.operator, "calendar.set@1", **calendar())
    kept, _ = assigned_duty(world, owner), assigned_duty(world, owner)
    report_duty(world, owner, kept)
    world.do(world.regulator, "duty.accepted@1", **confirmation(world, kept))
    order = {"asset": pledged.product.source, "order_number": "JG-1", "reason": "核查"}
    world.do(world.regulator, "asset.frozen@1", **order)
    world.do(world.operator, "alert.raised@1", **alert(world, owner.party, 1))
    world.advance(days=15)
    world.join(Role.BUYER)


def test_what_stands_is_what_the_states_say(world: World) -> None:
    busy(world)
    held = list(world.held_states().values())
    assets = [one for one in held if isinstance(one, Asset)]
    now = format_time(world.entries[-1].recorded_at)
    said = evaluation(world)["standing"]
    assert said["secured_fen"] == sum(asset.secured_fen for asset in assets) == PRINCIPAL_FEN
    assert said["pledges_standing"] == sum(len(asset.liens) for asset in assets) == 1
    assert said["assets_frozen"] == sum(bool(asset.freezes) for asset in assets) == 1
    assert said["resources"] + said["products"] == len(assets)
    assert said["assets_assessed"] == sum(a.latest_version == a.assessed_version for a in assets)
    assert said["opened"] == {"unconditional": sum(a.opening == "unconditional" for a in assets)}
    assert said["licences_in_force"] == sum(
        one.is_concluded and one.ended_at is None for one in held if isinstance(one, Licence)
    )
    assert said["policies_in_force"] == sum(
        one.status == "IN_FORCE" for one in held if isinstance(one, Cover)
    )
    assert said["duties_overdue"] == sum(
        is_overdue(one, now) for one in held if isinstance(one, Duty)
    )
    assert (said["duties_overdue"], said["duties_open"], said["alerts_open"]) == (1, 1, 1)
    assert (said["guarantees_in_force"], said["guaranteed_fen"]) == (1, PRINCIPAL_FEN // 2)
    assert (said["claims_open"], said["loans_outstanding"]) == (1, 1)


def test_the_condensed_entries_give_the_bytes_of_the_whole_ones(world: World) -> None:
    busy(world)
    size = len(world.entries)
    assert evaluate(condensed(world), "2026Q1", size) == evaluate(records(world), "2026Q1", size)


def test_turnover_is_what_buyers_put_up_for_what_was_concluded(world: World) -> None:
    deal = settled_licence(world)
    buyer = world.join(Role.PROVIDER)
    transfer = proposed_transfer(world, deal.product, buyer, 0)
    said = {"transfer": transfer, "asset": deal.product.asset, "holder": deal.provider.party}
    world.do(buyer, "title.transferred@1", **said, proposal=world.head(transfer))
    report = evaluation(world)
    assert report["amounts"]["turnover_fen"] == FEE_FEN
    seller, new_holder = (report["providers"][one.party] for one in (deal.provider, buyer))
    assert (seller["turnover_fen"], seller["licences_finalised"]) == (FEE_FEN, 1)
    assert (seller["products"], new_holder["products"]) == (0, 1)
    assert new_holder["quality_mean"] == "0.900000"


def test_amounts_are_those_of_the_quarter(world: World) -> None:
    active_pledge(world)
    amounts = evaluation(world)["amounts"]
    assert (amounts["valued_fen"], amounts["secured_fen"]) == (VALUE_FEN, PRINCIPAL_FEN)
    assert amounts["lent_fen"] == PRINCIPAL_FEN
    world.advance(days=120)
    world.join(Role.BUYER)
    later = evaluation(world, "2026Q2")
    assert set(later["amounts"].values()) == {0}
    assert later["standing"]["secured_fen"] == PRINCIPAL_FEN


def test_a_licence_that_expired_and_a_pledge_in_default_are_counted_as_what_they_are(
    world: World,
) -> None:
    deal = finalised_licence(world)
    assert evaluation(world)["standing"]["licences_in_force"] == 1
    world.advance(days=367)
    named = {"licence": deal.licence, "asset": deal.product.asset}
    world.do(deal.provider, "licence.expired@1", **named)
    pledged = defaulted_pledge(world)
    said = evaluation(world, "2028Q1")
    assert said["standing"]["licences_in_force"] == 0
    assert said["counts"]["pledges_defaulted"] == 1
    assert said["standing"]["loans_outstanding"] == 1
    assert world.state(Pledge, pledged.pledge).status == "DEFAULTED"


def test_an_unassessed_version_lowers_the_assessed_share(world: World) -> None:
    settled_licence(world)
    assert evaluation(world)["standing"]["assessed_share"] == "1.000000"
    resource = registered_resource(world)
    number_two = {"asset": resource.asset, "number": 2, "content": content(2)}
    world.do(resource.provider, "resource.version_added@1", **number_two)
    assert evaluation(world)["standing"]["assessed_share"] == "0.666667"


def test_the_time_from_a_listing_to_a_licence_is_measured(world: World) -> None:
    assert evaluation(world)["listing_to_licence_days_mean"] is None
    finalised_licence(world)
    days = evaluation(world)["listing_to_licence_days_mean"]
    assert days is not None
    assert 0 < float(days) < 0.01


@given(cut=st.integers(1, 40))
@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
def test_a_report_depends_on_the_entries_covered_and_no_other(settled: World, cut: int) -> None:
    whole = condensed(settled)
    assert evaluate(whole, "2026Q1", cut) == evaluate(whole[:cut], "2026Q1", cut)


@pytest.fixture(scope="module")
def settled() -> World:
    made = World()
    settled_licence(made)
    return made


def test_nothing_is_evaluated_of_an_empty_log() -> None:
    report = canonical.decode(evaluate([], "2026Q1", 1))
    assert (report["covers"], report["as_of"], report["standing"]) == (0, None, {})
    assert "2026Q1" in render(evaluate([], "2026Q1", 1), "zh")


def test_the_fold_reads_events_and_members_that_there_are() -> None:
    events = catalogue().events
    assert set(COUNTED.values()) <= set(events)
    for name, members in MEMBERS.items():
        assert members <= set(events[name].payload.model_fields), name


def test_the_report_is_rendered_in_each_language(world: World) -> None:
    busy(world)
    report = evaluate(condensed(world), "2026Q1", len(world.entries))
    zh, en = render(report, "zh"), render(report, "en")
    assert "| 成交许可 | 1 |" in zh
    assert "| Licences concluded | 1 |" in en
    assert "1,000.00" in en
    assert not any("\u4e00" <= letter <= "\u9fff" for letter in en)
