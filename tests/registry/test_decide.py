"""What every event is held to before its rule."""

import pytest

from dataexchange.client.typeid import new_id
from dataexchange.errors import RefusedError
from dataexchange.registry import submission
from dataexchange.registry.tail import Tail
from dataexchange.rules import Role
from world import ORIGIN, World


def test_an_expectation_is_met_or_not_whatever_else_the_process_holds() -> None:
    """Else the exchange accepts what a replay, which never saw the refused event, refuses."""
    world = World()
    actor, stranger = world.join(Role.PROVIDER), new_id("party")
    world.refuses(
        "aggregate.not_found", world.operator, "party.reinstated@1", party=stranger, reason="r"
    )
    assert stranger in world.tail.held
    left = {"party": actor.party}
    stated = actor.state("party.left@1", left, at=world.now, expects={stranger: 0})
    submitted = submission.read(stated, actor.sign(stated))
    replay = Tail(ORIGIN)
    for one in world.entries:
        replay.append(one.submission, one.recorded_at)
    assert stranger not in replay.held
    for tail in (world.tail, replay):
        with pytest.raises(RefusedError) as caught:
            tail.append(submitted, world.now)
        assert caught.value.code == "statement.expectation_failed"


def test_the_actor_the_policy_and_what_the_event_names_may_be_expected() -> None:
    world = World()
    actor = world.join(Role.PROVIDER)
    expects = {actor.party: 2, "policy/exchange": 1}
    stated = actor.state("party.left@1", {"party": actor.party}, at=world.now, expects=expects)
    world.tail.append(submission.read(stated, actor.sign(stated)), world.now)
