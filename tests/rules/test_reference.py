"""Names of aggregates: TypeIDs of a kind."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from dataexchange.client.typeid import encode_id, new_id
from dataexchange.rules import reference
from dataexchange.rules.reference import AssetId, kind_of

ASSET: TypeAdapter[str] = TypeAdapter(AssetId)


@given(st.integers(0, 2**128 - 1))
def test_every_typeid_of_the_kind_is_a_name(number: int) -> None:
    name = encode_id("asset", number)
    assert ASSET.validate_python(name) == name
    assert kind_of(name) == "asset"


@pytest.mark.parametrize(
    "name",
    [
        new_id("party"),
        "asset_8" + "0" * 25,
        "asset_" + "0" * 25,
        "asset_" + "0" * 27,
        "asset_" + "i" * 26,
        "ASSET_" + "0" * 26,
        " asset_" + "0" * 26,
        "asset_" + "0" * 26 + "\n",
    ],
)
def test_other_names_are_refused(name: str) -> None:
    with pytest.raises(ValidationError):
        ASSET.validate_python(name)


def test_the_schema_shows_which_aggregate_is_named() -> None:
    assert ASSET.json_schema()["x-aggregate"] == "asset"


@pytest.mark.parametrize(
    ("key", "kind"),
    [("version/asset_1/2", "version"), ("policy/exchange", "policy"), ("", ""), ("/x", "")],
)
def test_the_kind_of_a_key_is_its_leading_letters(key: str, kind: str) -> None:
    assert kind_of(key) == kind


def test_kinds_are_letters_and_each_has_one_alias() -> None:
    marks = [
        mark.kind
        for name, alias in vars(reference).items()
        if name.endswith("Id")
        for mark in alias.__metadata__
    ]
    assert len(set(marks)) == len(marks) > 20
    assert all(re.fullmatch("[a-z]+", kind) for kind in marks)
