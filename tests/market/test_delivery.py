"""What is delivered is what was committed to; the buyer has its time to inspect it."""

from dataclasses import replace
from typing import Any

import pytest

import steps_market
from dataexchange.asset.title import Asset, frozen
from dataexchange.client.typeid import new_id
from dataexchange.market.delivery import Delivery
from dataexchange.market.licence import Licence
from dataexchange.registry.tail import Held
from dataexchange.rules import Role
from steps_market import (
    Deal,
    accepted_licence,
    agreed_licence,
    completed_delivery,
    content_root,
    finalised_licence,
    started_delivery,
    step,
)
from world import World


@pytest.fixture
def world() -> World:
    return World()


def completion(world: World, deal: Deal, **changes: Any) -> dict[str, Any]:
    return step(deal, **{"version": 1, "content_root": content_root(world, deal), **changes})


def rejection(world: World, deal: Deal) -> dict[str, Any]:
    return step(deal, content_root="0" * 64, reason="内容不符")


def stopped(deal: Deal) -> dict[str, Any]:
    return {"delivery": deal.delivery, "reason": "维护"}


def test_a_delivery_ends_with_a_receipt_of_the_committed_content(world: World) -> None:
    deal = accepted_licence(world)
    held = world.state(Delivery, deal.delivery)
    assert (held.status, held.dsp_state) == ("accepted", "COMPLETED")
    assert held.content_root == content_root(world, deal)
    assert world.state(Licence, deal.licence).served == "accepted"


def test_other_content_than_the_licensed_versions_is_refused(world: World) -> None:
    deal = started_delivery(world)
    payload = completion(world, deal, content_root="0" * 64)
    world.refuses("delivery.wrong_content", deal.provider, "delivery.completed@1", **payload)


def test_another_version_than_the_licensed_one_is_refused(world: World) -> None:
    deal = started_delivery(world)
    payload = completion(world, deal, version=2)
    world.refuses("event.mismatch", deal.provider, "delivery.completed@1", **payload)


def test_a_receipt_for_other_content_is_refused(world: World) -> None:
    deal = completed_delivery(world)
    payload = step(deal, content_root="0" * 64)
    world.refuses("delivery.wrong_content", deal.buyer, "delivery.accepted@1", **payload)


def test_nothing_is_delivered_before_the_licence_is_in_force(world: World) -> None:
    deal = replace(agreed_licence(world), delivery=new_id("delivery"))
    world.refuses("aggregate.wrong_status", deal.buyer, "delivery.requested@1", **step(deal))


def test_nothing_is_delivered_after_the_term_announced_or_not(world: World) -> None:
    deal = replace(finalised_licence(world), delivery=new_id("delivery"))
    world.advance(days=366)
    world.refuses("licence.term_over", deal.buyer, "delivery.requested@1", **step(deal))


def test_only_the_licensee_asks_and_only_the_provider_serves(world: World) -> None:
    deal = replace(finalised_licence(world), delivery=new_id("delivery"))
    stranger = world.join(Role.BUYER, Role.PROVIDER)
    world.refuses("party.not_concerned", stranger, "delivery.requested@1", **step(deal))
    world.do(deal.buyer, "delivery.requested@1", **step(deal))
    world.refuses("party.not_concerned", stranger, "delivery.started@1", **step(deal))


def test_a_frozen_asset_is_not_delivered(world: World) -> None:
    deal = started_delivery(world)
    held = world.tail.held[deal.product.asset]
    state = frozen(world.state(Asset, deal.product.asset), "2026-1")
    world.tail.held[deal.product.asset] = Held(held.seq, held.head, state)
    payload = completion(world, deal)
    world.refuses("asset.frozen", deal.provider, "delivery.completed@1", **payload)


def test_a_delivery_rests_and_goes_on(world: World) -> None:
    deal = started_delivery(world)
    world.do(deal.buyer, "delivery.suspended@1", **stopped(deal))
    world.refuses(
        "aggregate.wrong_status",
        deal.provider,
        "delivery.completed@1",
        **completion(world, deal),
    )
    world.do(deal.provider, "delivery.resumed@1", **step(deal))
    world.do(deal.provider, "delivery.completed@1", **completion(world, deal))


def test_a_complete_delivery_is_not_terminated(world: World) -> None:
    deal = completed_delivery(world)
    world.refuses("aggregate.wrong_status", deal.buyer, "delivery.terminated@1", **stopped(deal))


def test_a_terminated_delivery_is_final(world: World) -> None:
    deal = started_delivery(world)
    world.do(deal.buyer, "delivery.terminated@1", **stopped(deal))
    assert world.state(Delivery, deal.delivery).dsp_state == "TERMINATED"
    world.refuses("aggregate.wrong_status", deal.provider, "delivery.resumed@1", **step(deal))


def test_a_buyer_may_reject_in_time_and_not_later(world: World) -> None:
    deal = completed_delivery(world)
    late = completed_delivery(world, finalised_licence(world, steps_market.another(world, deal)))
    world.do(deal.buyer, "delivery.rejected@1", **rejection(world, deal))
    assert world.state(Licence, deal.licence).served == "rejected"
    world.advance(days=8)
    world.refuses(
        "delivery.accepted_by_silence", late.buyer, "delivery.rejected@1", **rejection(world, late)
    )


def test_a_rejected_delivery_may_be_made_good_by_another(world: World) -> None:
    deal = completed_delivery(world)
    world.do(deal.buyer, "delivery.rejected@1", **rejection(world, deal))
    again = accepted_licence(world, deal)
    assert world.state(Licence, again.licence).served == "accepted"


def test_a_second_delivery_waits_for_the_answer_to_the_first(world: World) -> None:
    deal = completed_delivery(world)
    second = started_delivery(world, deal)
    world.refuses(
        "delivery.one_unanswered",
        second.provider,
        "delivery.completed@1",
        **completion(world, second),
    )
    world.do(
        deal.buyer, "delivery.accepted@1", **step(deal, content_root=content_root(world, deal))
    )
    world.do(second.provider, "delivery.completed@1", **completion(world, second))


def test_what_was_accepted_stays_accepted(world: World) -> None:
    second = completed_delivery(world, accepted_licence(world))
    world.do(second.buyer, "delivery.rejected@1", **rejection(world, second))
    assert world.state(Licence, second.licence).served == "accepted"


def test_what_was_accepted_by_silence_stays_accepted(world: World) -> None:
    deal = completed_delivery(world)
    world.advance(days=8)
    second = completed_delivery(world, deal)
    world.do(second.buyer, "delivery.rejected@1", **rejection(world, second))
    assert world.state(Licence, second.licence).served == "accepted"


def test_the_steps_of_a_delivery_follow_each_other(world: World) -> None:
    deal = started_delivery(world)
    root = content_root(world, deal)
    wrong: list[tuple[Any, str, dict[str, Any]]] = [
        (deal.provider, "started", step(deal)),
        (deal.provider, "resumed", step(deal)),
        (deal.buyer, "accepted", step(deal, content_root=root)),
        (deal.buyer, "rejected", rejection(world, deal)),
    ]
    for actor, verb, payload in wrong:
        world.refuses("aggregate.wrong_status", actor, f"delivery.{verb}@1", **payload)
    world.do(deal.provider, "delivery.suspended@1", **stopped(deal))
    world.refuses("aggregate.wrong_status", deal.buyer, "delivery.suspended@1", **stopped(deal))


def test_strangers_take_no_step_of_a_delivery(world: World) -> None:
    deal = started_delivery(world)
    stranger = world.join(Role.BUYER, Role.PROVIDER)
    for verb, payload in (
        ("suspended", stopped(deal)),
        ("terminated", stopped(deal)),
        ("completed", completion(world, deal)),
    ):
        world.refuses("party.not_concerned", stranger, f"delivery.{verb}@1", **payload)
    world.do(deal.provider, "delivery.suspended@1", **stopped(deal))
    world.refuses("party.not_concerned", stranger, "delivery.resumed@1", **step(deal))
    world.do(deal.provider, "delivery.resumed@1", **step(deal))
    world.do(deal.provider, "delivery.completed@1", **completion(world, deal))
    receipt = step(deal, content_root=content_root(world, deal))
    world.refuses("party.not_concerned", stranger, "delivery.accepted@1", **receipt)


def test_a_delivery_is_not_answered_in_the_name_of_another_licence(world: World) -> None:
    deal = completed_delivery(world)
    other = finalised_licence(world, steps_market.another(world, deal))
    root = content_root(world, deal)
    payload = {**step(deal, content_root=root), "licence": other.licence}
    world.refuses("event.mismatch", deal.buyer, "delivery.accepted@1", **payload)


def test_a_delivery_begun_in_the_term_is_not_completed_after_it(world: World) -> None:
    deal = started_delivery(world)
    payload = completion(world, deal)
    world.advance(days=366)
    world.refuses("licence.term_over", deal.provider, "delivery.completed@1", **payload)


def test_an_asset_in_an_incident_is_not_delivered(world: World) -> None:
    deal = started_delivery(world)
    held = world.tail.held[deal.product.asset]
    state = world.state(Asset, deal.product.asset).but(incidents=("incident_x",))
    world.tail.held[deal.product.asset] = Held(held.seq, held.head, state)
    payload = completion(world, deal)
    world.refuses("asset.incident_open", deal.provider, "delivery.completed@1", **payload)
