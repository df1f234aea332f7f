"""A rule sees the aggregates that its event names, and nothing else."""

import pytest

from dataexchange.errors import RefusedError
from dataexchange.rules import Held, State, View

HEAD = "ab" * 32


class Boat(State, frozen=True, kw_only=True):
    KIND = "boat"

    crew: int = 0


class Train(State, frozen=True, kw_only=True):
    KIND = "train"


VIEW = View(
    {
        "boat_1": Held(3, HEAD, Boat(id="boat_1", crew=2), index=9, first_index=4),
        "boat_2": Held(0, "0" * 64, None),
    }
)


def test_a_state_is_found_and_got() -> None:
    assert VIEW.find(Boat, "boat_1") == VIEW.get(Boat, "boat_1") == Boat(id="boat_1", crew=2)
    assert VIEW.head("boat_1") == HEAD


def test_a_state_that_is_not_there_is_none_or_a_refusal() -> None:
    assert VIEW.find(Boat, "boat_2") is None
    with pytest.raises(RefusedError) as caught:
        VIEW.get(Boat, "boat_2")
    assert caught.value.code == "aggregate.not_found"


def test_an_aggregate_that_was_not_named_is_a_fault_and_no_refusal() -> None:
    for ask in (VIEW.head, VIEW.require_new, lambda key: VIEW.find(Boat, key)):
        with pytest.raises(KeyError):
            ask("boat_3")


def test_a_state_of_another_kind_is_a_fault() -> None:
    with pytest.raises(TypeError, match="not a Train"):
        VIEW.find(Train, "boat_1")


def test_only_what_has_no_state_is_new() -> None:
    VIEW.require_new("boat_2")
    with pytest.raises(RefusedError) as caught:
        VIEW.require_new("boat_2", "boat_1")
    assert caught.value.code == "aggregate.exists"


def test_a_view_without_a_policy_is_refused_when_it_is_asked_for() -> None:
    with pytest.raises(KeyError):
        _ = VIEW.policy
