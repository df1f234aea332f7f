"""States are canonical bytes that read back as they were."""

from hypothesis import given
from hypothesis import strategies as st

from dataexchange.registry.catalogue import catalogue
from dataexchange.rules import Parameters, Policy, State
from dataexchange.rules.state import decode


class Crate(State, frozen=True, kw_only=True):
    KIND = "crate"

    weight_grams: int
    label: str | None = None
    contents: dict[str, int] = {}


@given(st.integers(), st.none() | st.text(), st.dictionaries(st.text(), st.integers()))
def test_a_state_is_read_back_as_it_was(
    weight_grams: int, label: str | None, contents: dict[str, int]
) -> None:
    crate = Crate(id="crate_1", weight_grams=weight_grams % 2**63, label=label, contents=contents)
    contents_small = {name: value % 2**63 for name, value in contents.items()}
    crate = crate.but(contents=contents_small)
    assert decode(Crate, crate.encode()) == crate


def test_the_order_of_a_mapping_does_not_show_in_the_bytes() -> None:
    one = Crate(id="crate_1", weight_grams=1, contents={"a": 1, "b": 2})
    other = Crate(id="crate_1", weight_grams=1, contents={"b": 2, "a": 1})
    assert one.encode() == other.encode()


def test_what_is_as_it_began_is_left_out() -> None:
    assert Crate(id="crate_1", weight_grams=1).encode() == b'{"id":"crate_1","weight_grams":1}'


def test_a_change_leaves_the_state_that_it_came_from() -> None:
    before = Crate(id="crate_1", weight_grams=1)
    after = before.but(weight_grams=2)
    assert (before.weight_grams, after.weight_grams) == (1, 2)


def test_the_kinds_of_all_states_are_letters_as_in_their_keys() -> None:
    for kind, state in catalogue().states.items():
        assert kind.isascii()
        assert kind.isalpha()
        assert kind == kind.lower() == state.KIND


def test_the_policy_holds_every_parameter() -> None:
    fields = set(Policy.__struct_fields__) - {"id", "version"}
    assert fields == set(Parameters.model_fields)
