"""Dossiers hold what belongs to an asset or a party, with its entries, and nothing of others."""

import pytest

from dataexchange.client.typeid import new_id
from dataexchange.ledger import canonical
from dataexchange.registry.catalogue import catalogue
from dataexchange.supervision.dossier import (
    Json,
    NotOnLedgerError,
    asset_dossier,
    party_dossier,
)
from dataexchange.supervision.stage import Stage, stage_of
from steps_guarantee import active_pledge
from steps_insurance import assessed_claim, cover_in_force
from steps_market import settled_licence
from steps_pipeline import ready_product
from steps_supervision import alert, records
from world import World


@pytest.fixture
def world() -> World:
    return World()


def entries(dossier: Json) -> dict[str, list[str]]:
    return {one["stage"]: [e["event"] for e in one["entries"]] for one in dossier["stages"]}


def test_an_asset_dossier_holds_its_whole_life(world: World) -> None:
    pledged = active_pledge(world)
    claimed = assessed_claim(world, cover_in_force(world, pledged.product))
    asset = pledged.product.asset
    raised = alert(world, claimed.claim, 1)
    world.do(world.operator, "alert.raised@1", **raised)
    dossier = asset_dossier(records(world), world.held_states(), asset)
    staged = entries(dossier)
    assert staged["application"] == ["product.developed@1"]
    assert {"quality.assessed@1", "rights.registered@1"} <= set(staged["governance"])
    assert {"valuation.commissioned@1", "valuation.issued@1"} <= set(staged["valuation"])
    assert {"pledge.drafted@1", "pledge.drawn@1"} <= set(staged["guarantee"])
    assert {"cover.incepted@1", "claim.assessed@1"} <= set(staged["insurance"])
    assert staged["supervision"] == ["alert.raised@1"]
    assert dossier["belongings"]["pledge"] == [{"key": pledged.pledge, "status": "ACTIVE"}]
    assert dossier["sources"] == [{"asset": pledged.product.source, "version": 1}]
    assert canonical.decode(canonical.encode(dossier)) == dossier


def test_an_asset_dossier_holds_nothing_of_another_asset(world: World) -> None:
    settled = settled_licence(world)
    other = ready_product(world)
    states = world.held_states()
    dossier = asset_dossier(records(world), states, other.asset)
    assert settled.licence not in str(dossier)
    assert "circulation" not in entries(dossier)
    source = asset_dossier(records(world), states, settled.product.source)
    assert source["products"] == [settled.product.asset]
    assert "listing" not in source["belongings"]


def test_each_line_names_the_entry_that_it_is(world: World) -> None:
    product = ready_product(world)
    dossier = asset_dossier(records(world), world.held_states(), product.asset)
    for stage in dossier["stages"]:
        for line in stage["entries"]:
            entry = world.entries[line["index"]].submission
            assert (entry.type.name, entry.actor) == (line["event"], line["actor"])


def test_a_party_dossier_holds_its_acts_deals_and_balance(world: World) -> None:
    deal = settled_licence(world)
    states = world.held_states()
    buyer = party_dossier(records(world), states, deal.buyer.party)
    assert buyer["assets"] == []
    assert {"key": deal.licence, "status": "finalised"} in buyer["belongings"]["licence"]
    assert "licence.finalised@1" in entries(buyer)["circulation"]
    assert entries(buyer)["membership"] == ["party.applied@1", "party.admitted@1"]
    provider = party_dossier(records(world), states, deal.provider.party)
    assert provider["assets"] == [deal.product.asset]
    assert provider["balance_fen"] > 0


def test_what_the_ledger_does_not_hold_has_no_dossier(world: World) -> None:
    states = world.held_states()
    for make, kind in ((asset_dossier, "asset"), (party_dossier, "party")):
        with pytest.raises(NotOnLedgerError):
            make(records(world), states, new_id(kind))


def test_every_event_belongs_to_a_stage_that_both_languages_name() -> None:
    assert {stage_of(name) for name in catalogue().events} == set(Stage)
    assert all(stage.label.zh and stage.label.en for stage in Stage)
