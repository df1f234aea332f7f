"""De-identification, compliance and security controls."""

import steps_pipeline as steps
from dataexchange.asset.title import Asset
from dataexchange.asset.version import Version, version_key
from dataexchange.pipeline.protection import SecurityControls, security_key
from dataexchange.rules import Role
from world import World


def test_deidentification_is_recorded_of_a_version() -> None:
    world = World()
    resource = steps.registered_resource(world)
    steps.deidentify(world, resource)
    assert world.state(Version, version_key(resource.asset, 1)).deidentification_report is not None


def test_a_stranger_cannot_say_that_an_asset_was_deidentified() -> None:
    world = World()
    resource = steps.registered_resource(world)
    world.refuses(
        "service.not_commissioned",
        steps.government(world),
        "deidentification.recorded@1",
        asset=resource.asset,
        version=1,
        methods=["generalisation"],
        report=steps.digest("report"),
    )


def test_a_data_service_reviews_compliance() -> None:
    world = World()
    resource = steps.registered_resource(world)
    steps.review(world, resource.asset)
    assert world.state(Version, version_key(resource.asset, 1)).compliance == "passed"
    assert world.state(Asset, resource.asset).compliance_version == 1


def test_a_failed_review_is_no_compliance() -> None:
    world = World()
    resource = steps.registered_resource(world)
    steps.review(world, resource.asset, outcome="failed")
    assert world.state(Version, version_key(resource.asset, 1)).compliance == "failed"
    assert world.state(Asset, resource.asset).compliance_version == 0


def test_a_holder_cannot_review_its_own_compliance() -> None:
    world = World()
    both = world.join(Role.PROVIDER, Role.DATA_SERVICE)
    resource = steps.registered_resource(world, both, level="enterprise")
    world.refuses(
        "compliance.reviewer_is_holder",
        both,
        "compliance.reviewed@1",
        asset=resource.asset,
        version=1,
        outcome="passed",
        report=steps.digest("report"),
    )


def test_security_controls_are_set_by_the_holder() -> None:
    world = World()
    resource = steps.registered_resource(world)
    steps.set_controls(world, resource)
    assert world.state(SecurityControls, security_key(resource.asset)).level == 3
    assert world.state(Asset, resource.asset).controls_level == 3
    world.refuses(
        "asset.not_holder",
        steps.government(world),
        "security.control_set@1",
        asset=resource.asset,
        level=1,
        controls=["access_control"],
        evidence=steps.digest("evidence"),
    )
