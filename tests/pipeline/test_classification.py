"""Every field is graded, and the strictest grade wins."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import steps_pipeline as steps
from dataexchange.asset.title import Asset
from dataexchange.pipeline.classification import Classification, classification_key
from dataexchange.pipeline.grade import Grade, strictest
from dataexchange.rules import Role
from world import World

grades = st.lists(st.sampled_from(Grade), min_size=1)


@given(grades)
def test_the_strictest_grade_is_one_of_them_and_none_is_stricter(given_grades: list[Grade]) -> None:
    result = strictest(given_grades)
    assert result in given_grades
    assert all(grade.rank <= result.rank for grade in given_grades)


def test_one_important_field_makes_the_asset_important() -> None:
    world = World()
    resource = steps.registered_resource(world)
    steps.classify(world, resource, "important", public_level="L3")
    asset = world.state(Asset, resource.asset)
    assert (asset.grade, asset.public_level, asset.personal_data) == ("important", "L3", False)
    held = world.state(Classification, classification_key(resource.asset))
    assert (held.important_fields, held.general_fields, held.strictest_field) == (1, 2, "road")


def test_a_personal_field_marks_the_asset() -> None:
    world = World()
    resource = steps.registered_resource(world)
    payload = steps.grading(resource)
    payload["fields"][0]["personal"] = True
    world.do(resource.provider, "classification.assigned@1", **payload)
    assert world.state(Asset, resource.asset).personal_data


@pytest.mark.parametrize(
    ("code", "changes"),
    [
        ("field.names_differ", {"fields": [{"name": "road", "grade": "general"}]}),
        ("classification.level_unstated", {"public_level": None}),
        ("aggregate.not_found", {"version": 2}),
    ],
)
def test_a_grading_that_leaves_something_out_is_refused(code: str, changes: dict[str, Any]) -> None:
    world = World()
    resource = steps.registered_resource(world)
    world.refuses(
        code,
        resource.provider,
        "classification.assigned@1",
        **{**steps.grading(resource), **changes},
    )


def test_a_data_service_cannot_grade_for_the_holder() -> None:
    world = World()
    resource = steps.registered_resource(world)
    service = steps.staff(world, Role.DATA_SERVICE)
    world.refuses(
        "asset.not_holder", service, "classification.assigned@1", **steps.grading(resource)
    )


def test_only_a_regulator_lowers_a_grade() -> None:
    world = World()
    resource = steps.registered_resource(world)
    steps.classify(world, resource, "important")
    lower = steps.grading(resource)
    world.refuses("classification.lowered", resource.provider, "classification.assigned@1", **lower)
    world.do(world.regulator, "classification.assigned@1", **lower)
    assert world.state(Asset, resource.asset).grade == "general"


def test_the_holder_raises_a_grade_alone() -> None:
    world = World()
    resource = steps.registered_resource(world)
    steps.classify(world, resource)
    steps.classify(world, resource, "core")
    assert world.state(Asset, resource.asset).grade == "core"


def test_a_product_is_not_graded_below_its_sources_unless_deidentified() -> None:
    world = World()
    holder = steps.government(world)
    resource = steps.governed_resource(world, holder)
    steps.classify(world, resource, "important")
    steps.set_controls(world, resource)
    operator = world.join(Role.PROVIDER)
    operation = steps.authorise(world, resource, operator, mode="in_place")
    product = steps.operated_product(world, resource, operator, operation)
    graded = steps.grading(product, sources=[resource.asset])
    world.refuses("classification.below_sources", operator, "classification.assigned@1", **graded)
    steps.deidentify(world, product)
    world.do(operator, "classification.assigned@1", **graded)
    assert world.state(Asset, product.asset).grade == "general"


def test_a_product_names_all_its_sources_when_it_is_graded() -> None:
    world = World()
    product, _ = steps.developed_product(world)
    world.refuses(
        "event.mismatch", product.provider, "classification.assigned@1", **steps.grading(product)
    )
