"""Entry 0 opens the log; parameters and rules change by events after it."""

from collections.abc import Callable
from typing import Any

import pytest

from dataexchange.client.signing import Actor
from dataexchange.errors import RefusedError
from dataexchange.identity.opening import LOG_KEY, Log
from dataexchange.identity.party import Party, PartyKind
from dataexchange.ledger.cosignature import MLDSA44Signer
from dataexchange.ledger.entry import NO_PREVIOUS
from dataexchange.ledger.note import Ed25519Signer, SignatureType
from dataexchange.registry.catalogue import RULES_VERSION, catalogue
from dataexchange.registry.tail import Tail
from dataexchange.rules import POLICY_KEY, Policy, Role
from world import LOG_SIGNER, ORIGIN, PARAMETERS, START, World

Change = Callable[[World, dict[str, Any]], None]


def opening(world: World, operator: Actor, regulator: Actor) -> dict[str, Any]:
    return {
        "origin": ORIGIN,
        "operator": world.profile(operator, Role.OPERATOR, number=1),
        "regulators": [world.profile(regulator, Role.REGULATOR, number=2)],
        "log_keys": [LOG_SIGNER.vkey],
        "parameters": PARAMETERS,
        "rules_version": RULES_VERSION,
        "rules_hash": catalogue().rules_hash,
    }


def open_anew(change: Change | None = None) -> Tail:
    """Open an empty log with a payload that `change` has changed."""
    world = World()
    operator, regulator = world.actor(), world.actor()
    payload = opening(world, operator, regulator)
    if change is not None:
        change(world, payload)
    tail = Tail(ORIGIN)
    tail.append(world.submission(operator, "log.opened@1", **payload), START)
    return tail


def test_entry_0_sets_the_operator_the_regulators_and_the_parameters() -> None:
    tail = open_anew()
    log, policy = tail.held[LOG_KEY].state, tail.held[POLICY_KEY].state
    assert isinstance(log, Log)
    assert isinstance(policy, Policy)
    assert (log.origin, policy.version, tail.size) == (ORIGIN, 1, 1)
    operator = tail.held[log.operator].state
    assert isinstance(operator, Party)
    assert (operator.status, operator.roles) == ("active", (Role.OPERATOR,))


def test_a_log_is_opened_once() -> None:
    world = World()
    payload = opening(world, world.operator, world.actor())
    world.refuses("log.not_first", world.operator, "log.opened@1", **payload)


def test_nothing_comes_before_the_opening() -> None:
    world = World()
    actor = world.actor()
    submission = world.submission(actor, "party.applied@1", **world.profile(actor, Role.BUYER))
    tail = Tail(ORIGIN)
    with pytest.raises(RefusedError) as caught:
        tail.append(submission, START)
    assert caught.value.code == "log.not_first"
    assert (tail.size, tail.prev) == (0, NO_PREVIOUS)


def operator_without_its_role(world: World, payload: dict[str, Any]) -> None:
    payload["operator"]["roles"] = ["provider"]


def operator_that_regulates_itself(world: World, payload: dict[str, Any]) -> None:
    payload["operator"]["roles"] = ["operator", "regulator"]


def operator_that_is_a_person(world: World, payload: dict[str, Any]) -> None:
    payload["operator"]["party_kind"] = PartyKind.NATURAL_PERSON.value
    del payload["operator"]["name"], payload["operator"]["credit_code"]


def regulator_that_trades(world: World, payload: dict[str, Any]) -> None:
    payload["regulators"][0]["roles"] = ["regulator", "buyer"]


def regulator_twice(world: World, payload: dict[str, Any]) -> None:
    payload["regulators"] *= 2


def another_operator(world: World, payload: dict[str, Any]) -> None:
    payload["operator"] = world.profile(world.actor(), Role.OPERATOR, number=3)


def another_key(world: World, payload: dict[str, Any]) -> None:
    payload["operator"]["key"] = world.actor().key.id


def a_name_that_is_another_logs(world: World, payload: dict[str, Any]) -> None:
    payload["origin"] = "example.test/other"
    payload["log_keys"] = [Ed25519Signer("example.test/other", bytes(32)).vkey]


def rules_of_another_version(world: World, payload: dict[str, Any]) -> None:
    payload["rules_version"] = "0.9.0"


def rules_of_another_hash(world: World, payload: dict[str, Any]) -> None:
    payload["rules_hash"] = "0" * 64


def a_key_of_another_log(world: World, payload: dict[str, Any]) -> None:
    payload["log_keys"] = [Ed25519Signer("example.test/other", bytes(32)).vkey]


def a_witness_for_a_log_key(world: World, payload: dict[str, Any]) -> None:
    payload["log_keys"] = [Ed25519Signer(ORIGIN, bytes(32), SignatureType.COSIGNATURE).vkey]


def a_key_that_is_none(world: World, payload: dict[str, Any]) -> None:
    payload["log_keys"] = ["example.test/log+00000000+AAAA"]


def no_ed25519_key(world: World, payload: dict[str, Any]) -> None:
    payload["log_keys"] = [MLDSA44Signer(ORIGIN, bytes(32)).vkey]


def a_log_key_twice(world: World, payload: dict[str, Any]) -> None:
    payload["log_keys"] *= 2


@pytest.mark.parametrize(
    ("code", "change"),
    [
        ("event.mismatch", a_name_that_is_another_logs),
        ("rules.unknown", rules_of_another_version),
        ("rules.unknown", rules_of_another_hash),
        ("log.key_unfit", a_key_of_another_log),
        ("log.key_unfit", a_witness_for_a_log_key),
        ("log.key_unfit", a_key_that_is_none),
        ("log.key_unfit", no_ed25519_key),
        ("log.key_known", a_log_key_twice),
        ("log.roles_at_opening", operator_without_its_role),
        ("log.roles_at_opening", operator_that_regulates_itself),
        ("log.roles_at_opening", operator_that_is_a_person),
        ("log.roles_at_opening", regulator_that_trades),
        ("event.mismatch", regulator_twice),
        ("party.not_concerned", another_operator),
        ("event.mismatch", another_key),
    ],
)
def test_an_opening_that_would_leave_no_honest_authority_is_refused(
    code: str, change: Change
) -> None:
    with pytest.raises(RefusedError) as caught:
        open_anew(change)
    assert caught.value.code == code


def parameters(world: World, version: int, **changes: Any) -> dict[str, Any]:
    return {"version": version, "parameters": {**PARAMETERS, **changes}, "basis": "理事会决议"}


def test_the_operator_sets_parameters_as_the_next_version() -> None:
    world = World()
    payload = parameters(world, 2, quality_score_min="0.8")
    world.do(world.operator, "policy.set@1", **payload)
    policy = world.state(Policy, POLICY_KEY)
    assert (policy.version, policy.quality_score_min) == (2, "0.8")


@pytest.mark.parametrize("version", [1, 3])
def test_a_version_of_the_parameters_is_not_skipped_or_repeated(version: int) -> None:
    world = World()
    world.refuses("policy.not_next", world.operator, "policy.set@1", **parameters(world, version))


def test_a_member_sets_no_parameters_and_activates_no_rules() -> None:
    world = World()
    member = world.join(Role.PROVIDER)
    world.refuses("role.missing", member, "policy.set@1", **parameters(world, 2))
    rules = {"version": "1.1.0", "hash": "a" * 64}
    world.refuses("role.missing", member, "rules.activated@1", **rules)


def test_rules_that_this_software_does_not_know_are_not_activated() -> None:
    world = World()
    known = catalogue().rules_hash
    for version, digest in (("1.1.0", known), (RULES_VERSION, "a" * 64)):
        world.refuses(
            "rules.unknown", world.operator, "rules.activated@1", version=version, hash=digest
        )
    world.do(world.operator, "rules.activated@1", version=RULES_VERSION, hash=known)
    assert world.state(Log, LOG_KEY).rules_hash == known
