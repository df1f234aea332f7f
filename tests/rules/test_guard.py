"""Small checks that rules of every room make."""

import pytest

from dataexchange.errors import RefusedError
from dataexchange.rules import State, require_actor, require_same, require_status


class Door(State, frozen=True, kw_only=True):
    KIND = "door"

    status: str


def refusal(check: object, *arguments: object) -> RefusedError:
    assert callable(check)
    with pytest.raises(RefusedError) as caught:
        check(*arguments)
    assert "{" not in caught.value.zh + caught.value.en + caught.value.remedy_en
    return caught.value


def test_a_status_is_one_of_those_allowed() -> None:
    door = Door(id="door_1", status="ajar")
    require_status(door, "open", "ajar")
    error = refusal(require_status, door, "open", "shut")
    assert error.code == "aggregate.wrong_status"
    assert error.facts == {"key": "door_1", "status": "ajar", "needed": "open | shut"}


def test_an_actor_is_the_one_or_one_of_those_expected() -> None:
    require_actor("party_1", "party_1", "door_1")
    require_actor("party_1", {"party_1", "party_2"}, "door_1")
    assert refusal(require_actor, "party_3", ["party_1"], "door_1").code == "party.not_concerned"
    assert refusal(require_actor, "party_1", "party_12", "door_1").code == "party.not_concerned"


def test_what_is_named_is_what_is_held() -> None:
    require_same("asset", "asset_1", "asset_1")
    assert refusal(require_same, "asset", "asset_1", "asset_2").code == "event.mismatch"
    assert refusal(require_same, "asset", "asset_1", None).code == "event.mismatch"
