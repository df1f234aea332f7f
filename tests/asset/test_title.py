"""The title register: who holds an asset, and what stands in the way."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataexchange.asset.title import (
    FREEZES_MAX,
    LIENS_MAX,
    Asset,
    AssetForm,
    Lien,
    cleared,
    encumbered,
    frozen,
    marked,
    released,
    require_dealable,
    require_holder,
    require_no_incident,
    transferred,
    unfrozen,
)
from dataexchange.errors import RefusedError


def asset(**changes: object) -> Asset:
    held = Asset(
        id="asset_1",
        form=AssetForm.PRODUCT,
        holder="party_seller",
        title="路段车速指数",
        status="registered",
        theme="transport",
        level="enterprise",
    )
    return held.but(**changes)


def lien(number: int = 1, holder: str = "party_lender", secured_fen: int = 100) -> Lien:
    return Lien(f"pledge_{number}", holder, secured_fen, number)


def code(error: pytest.ExceptionInfo[RefusedError]) -> str:
    assert "{" not in error.value.zh + error.value.en
    return error.value.code


def test_a_free_asset_passes_to_another_holder() -> None:
    assert transferred(asset(), "party_buyer", frozenset()).holder == "party_buyer"


def test_a_pledged_asset_cannot_be_sold_without_the_lenders_consent() -> None:
    pledged = encumbered(asset(), lien())
    with pytest.raises(RefusedError) as caught:
        transferred(pledged, "party_buyer", frozenset({"party_other"}))
    assert code(caught) == "asset.encumbered"


def test_every_lenders_consent_is_needed_and_the_liens_stay() -> None:
    pledged = encumbered(encumbered(asset(), lien()), lien(2, "party_bank"))
    with pytest.raises(RefusedError, match="pledge_2"):
        transferred(pledged, "party_buyer", frozenset({"party_lender"}))
    sold = transferred(pledged, "party_buyer", frozenset({"party_lender", "party_bank"}))
    assert (sold.holder, sold.liens) == ("party_buyer", pledged.liens)


@pytest.mark.parametrize(
    ("refusal", "changes"),
    [
        ("asset.frozen", {"freezes": ("order_1",)}),
        ("asset.under_objection", {"objections_open": 1}),
        ("asset.claim_open", {"claim_open": "registration_1"}),
        ("aggregate.wrong_status", {"status": "retired"}),
    ],
)
def test_an_asset_in_dispute_frozen_or_retired_is_not_transferred(
    refusal: str, changes: dict[str, object]
) -> None:
    with pytest.raises(RefusedError) as caught:
        transferred(asset(**changes), "party_buyer", frozenset())
    assert code(caught) == refusal


def test_dealing_needs_an_asset_that_is_registered_free_and_undisputed() -> None:
    require_dealable(asset(claim_open="registration_1"))
    for refusal, changes in (
        ("asset.retired", {"status": "retired"}),
        ("asset.frozen", {"freezes": ("order_1", "order_2")}),
        ("asset.under_objection", {"objections_open": 2}),
    ):
        with pytest.raises(RefusedError) as caught:
            require_dealable(asset(**changes))
        assert code(caught) == refusal


def test_the_holder_is_who_the_register_says() -> None:
    require_holder(asset(), "party_seller")
    with pytest.raises(RefusedError) as caught:
        require_holder(asset(), "party_buyer")
    assert code(caught) == "asset.not_holder"


@given(st.lists(st.integers(0, 10**12), max_size=LIENS_MAX))
def test_the_secured_sum_is_that_of_the_liens_and_falls_with_their_release(
    sums_fen: list[int],
) -> None:
    held = asset()
    for number, secured_fen in enumerate(sums_fen):
        held = encumbered(held, lien(number, secured_fen=secured_fen))
    assert held.secured_fen == sum(sums_fen)
    for number in range(len(sums_fen)):
        held = released(held, f"pledge_{number}")
        assert held.secured_fen == sum(sums_fen[number + 1 :])
    assert held == asset()


def test_priority_is_by_registration() -> None:
    held = encumbered(encumbered(asset(), lien(7)), lien(9))
    assert [one.registered_index for one in held.liens] == [7, 9]


def test_liens_have_a_limit() -> None:
    held = asset(liens=tuple(lien(number) for number in range(LIENS_MAX)))
    with pytest.raises(RefusedError) as caught:
        encumbered(held, lien(99))
    assert code(caught) == "asset.too_many_liens"


def test_each_order_freezes_and_only_its_end_unfreezes() -> None:
    held = frozen(frozen(asset(), "order_1"), "order_2")
    assert unfrozen(held, "order_1").freezes == ("order_2",)
    assert unfrozen(unfrozen(held, "order_1"), "order_2") == asset()


def test_an_order_freezes_once_and_ends_what_it_froze() -> None:
    with pytest.raises(RefusedError) as caught:
        frozen(frozen(asset(), "order_1"), "order_1")
    assert code(caught) == "asset.frozen_by_already"
    with pytest.raises(RefusedError) as caught:
        unfrozen(asset(), "order_1")
    assert code(caught) == "asset.not_frozen_by"
    full = asset(freezes=tuple(f"order_{number}" for number in range(FREEZES_MAX)))
    with pytest.raises(RefusedError) as caught:
        frozen(full, "order_more")
    assert code(caught) == "asset.frozen_by_already"


def test_an_incident_marks_until_it_is_cleared() -> None:
    held = marked(marked(asset(), "incident_1"), "incident_2")
    with pytest.raises(RefusedError) as caught:
        require_no_incident(held)
    assert code(caught) == "asset.incident_open"
    require_no_incident(cleared(cleared(held, "incident_2"), "incident_1"))
