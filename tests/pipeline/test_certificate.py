"""Electronic certificates are issued by public bodies, presented, and revoked."""

from datetime import timedelta
from typing import Any

import steps_pipeline as steps
from dataexchange.client.signing import Actor
from dataexchange.client.typeid import new_id
from dataexchange.ledger.statement import format_time
from dataexchange.pipeline.certificate import Certificate
from dataexchange.rules import Role
from world import World


def certificate(**changes: Any) -> dict[str, Any]:
    return {
        "certificate": new_id("certificate"),
        "certificate_type": "business_licence",
        "subject": steps.digest("salt and subject"),
        "credential": steps.digest("credential"),
        **changes,
    }


def issued(world: World, days: int | None = None) -> tuple[Actor, dict[str, Any]]:
    issuer = steps.government(world)
    until = {"until": format_time(world.now + timedelta(days=days))} if days else {}
    payload = certificate(**until)
    world.do(issuer, "certificate.issued@1", **payload)
    named = {"certificate": payload["certificate"]}
    return issuer, named


def presentation(named: dict[str, Any]) -> dict[str, Any]:
    return {**named, "purpose": "开户", "presentation": steps.digest("presentation")}


def test_a_certificate_is_presented_to_anyone() -> None:
    world = World()
    _, named = issued(world, days=30)
    world.do(world.join(Role.LENDER), "certificate.presented@1", **presentation(named))
    assert world.state(Certificate, named["certificate"]).presentations == 1


def test_a_company_issues_no_certificate() -> None:
    world = World()
    company = world.join(Role.PROVIDER)
    world.refuses("certificate.issuer_unfit", company, "certificate.issued@1", **certificate())


def test_an_expired_certificate_is_neither_issued_nor_presented() -> None:
    world = World()
    issuer, named = issued(world, days=30)
    past = certificate(until=format_time(world.now - timedelta(days=1)))
    world.refuses("certificate.expired", issuer, "certificate.issued@1", **past)
    world.advance(days=31)
    lender = world.join(Role.LENDER)
    world.refuses("certificate.expired", lender, "certificate.presented@1", **presentation(named))


def test_only_the_issuer_revokes_and_a_revoked_certificate_is_not_presented() -> None:
    world = World()
    issuer, named = issued(world)
    ended = {**named, "reason": "注销"}
    world.refuses("party.not_concerned", steps.government(world), "certificate.revoked@1", **ended)
    world.do(issuer, "certificate.revoked@1", **ended)
    world.refuses(
        "aggregate.wrong_status",
        world.join(Role.LENDER),
        "certificate.presented@1",
        **presentation(named),
    )


def test_a_certificate_is_revoked_once() -> None:
    world = World()
    issuer, named = issued(world)
    world.do(issuer, "certificate.revoked@1", **named, reason="注销")
    world.refuses("aggregate.wrong_status", issuer, "certificate.revoked@1", **named, reason="注销")
