"""Who may sign, and what of parties and keys: both verifiers refuse the same entries."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from bundles import POLICY, SIGNER, Act, Forger, bundle_of, forged
from dataexchange.client.signing import Actor, SigningKey
from dataexchange.ledger.signature import PublicKey
from dataexchange.registry import submission
from dataexchange.rules import Role
from dataexchange.verification import UnsoundError, verify_bundle
from scripted import b64, run_cases
from world import ORIGIN, PARAMETERS, World


class Cast:
    """A world with parties and keys in every state."""

    def __init__(self) -> None:
        world = self.world = World(log_keys=[SIGNER.vkey])
        self.operator, self.regulator = world.operator, world.regulator
        self.provider, self.buyer = world.join(Role.PROVIDER), world.join(Role.BUYER)
        self.applicant, self.suspended = world.actor(), world.join(Role.PROVIDER)
        self.left, self.rotated = world.join(Role.BUYER), world.join(Role.BUYER)
        self.stranger = world.actor()
        profile = world.profile(self.applicant, Role.PROVIDER, Role.REGULATOR)
        world.do(self.applicant, "party.applied@1", **profile)
        order = {"party": self.suspended.party, "reason": "r", "order_number": "n"}
        world.do(self.operator, "party.suspended@1", **order)
        world.do(self.left, "party.left@1", party=self.left.party)
        self.renewed = Actor(self.rotated.party, SigningKey.generate(), ORIGIN)
        change = {"old_key": self.rotated.key.id, "new_key": self.renewed.key.id}
        world.do(self.rotated, "key.rotated@1", party=self.rotated.party, **change)


def leaving(actor: Actor) -> Act:
    return actor, "party.left@1", {"party": actor.party}


def adding(actor: Actor, party: Actor, key: str | None = None) -> Act:
    added = {"party": party.party, "key": key or SigningKey.generate().id}
    return actor, "key.added@1", added


def admitting(by: Actor, party: Actor, *roles: str) -> Act:
    return by, "party.admitted@1", {"party": party.party, "roles": list(roles)}


def revoking(by: Actor, party: Actor, key: str) -> Act:
    return by, "key.revoked@1", {"party": party.party, "key": key, "reason": "r"}


def suspending(by: Actor, party: Actor) -> Act:
    return by, "party.suspended@1", {"party": party.party, "reason": "r", "order_number": "n"}


def applying(cast: Cast, actor: Actor, *roles: Role) -> Act:
    return actor, "party.applied@1", cast.world.profile(actor, *roles)


REFUSED: dict[str, Callable[[Cast], Act]] = {
    "an unknown party": lambda c: leaving(c.stranger),
    "an applicant": lambda c: leaving(c.applicant),
    "a suspended party": lambda c: leaving(c.suspended),
    "a party that left": lambda c: leaving(c.left),
    "a key that was rotated out": lambda c: leaving(c.rotated),
    "another party's key": lambda c: leaving(Actor(c.buyer.party, c.provider.key, ORIGIN)),
    "a key for another party": lambda c: adding(c.provider, c.buyer),
    "a key that was ended": lambda c: adding(c.renewed, c.renewed, c.rotated.key.id),
    "a key that is there": lambda c: adding(c.buyer, c.buyer, c.buyer.key.id),
    "a key that is no point": lambda c: adding(
        c.buyer, c.buyer, PublicKey("ed25519", b"\x02" + bytes(31)).id
    ),
    "a third party's revocation": lambda c: revoking(c.provider, c.buyer, c.buyer.key.id),
    "the last key": lambda c: revoking(c.operator, c.buyer, c.buyer.key.id),
    "a key that is not there": lambda c: revoking(c.operator, c.buyer, c.provider.key.id),
    "an admission by a provider": lambda c: admitting(c.provider, c.applicant, "provider"),
    "a role not applied for": lambda c: admitting(c.operator, c.applicant, "buyer"),
    "a regulator by the operator": lambda c: admitting(c.operator, c.applicant, "regulator"),
    "a second admission": lambda c: admitting(c.operator, c.buyer, "buyer"),
    "a second application": lambda c: applying(c, c.buyer, Role.BUYER),
    "an application to operate": lambda c: applying(c, c.stranger, Role.OPERATOR),
    "a suspension by a buyer": lambda c: suspending(c.buyer, c.provider),
    "the regulator's by the operator": lambda c: suspending(c.operator, c.regulator),
    "a second suspension": lambda c: suspending(c.operator, c.suspended),
    "a reinstatement of the active": lambda c: (
        c.operator,
        "party.reinstated@1",
        {"party": c.buyer.party, "reason": "r"},
    ),
    "parameters by a provider": lambda c: (
        c.provider,
        "policy.set@1",
        {"version": 2, "parameters": PARAMETERS, "basis": "b"},
    ),
    "a log key by a provider": lambda c: (
        c.provider,
        "log.key_added@1",
        {"vkey": SIGNER.vkey, "reason": "r"},
    ),
    "a log key twice": lambda c: (
        c.operator,
        "log.key_added@1",
        {"vkey": SIGNER.vkey, "reason": "r"},
    ),
    "a payload without its party": lambda c: (c.buyer, "party.left@1", {}),
    "a second opening": lambda c: (
        c.operator,
        "log.opened@1",
        c.world.entries[0].submission.payload.model_dump(mode="json"),
    ),
}
TAKEN: dict[str, Callable[[Cast], Act]] = {
    "a buyer's leave": lambda c: leaving(c.buyer),
    "the key rotated in": lambda c: leaving(c.renewed),
    "a second key": lambda c: adding(c.buyer, c.buyer),
    "an admission": lambda c: admitting(c.operator, c.applicant, "provider"),
    "a regulator by the regulator": lambda c: admitting(c.regulator, c.applicant, "regulator"),
    "the regulator's by the regulator": lambda c: suspending(c.regulator, c.regulator),
    "a reinstatement": lambda c: (
        c.operator,
        "party.reinstated@1",
        {"party": c.suspended.party, "reason": "r"},
    ),
    "new parameters": lambda c: (
        c.operator,
        "policy.set@1",
        {"version": 2, "parameters": PARAMETERS, "basis": "b"},
    ),
}


def judged(logs: dict[str, list[bytes]], folder: Path) -> dict[str, tuple[str, int | None]]:
    """Return both verifiers' verdict on each log, which must be one; with the entry at fault."""
    paths = {
        name: bundle_of(bodies).write(folder / f"{number}.zip")
        for number, (name, bodies) in enumerate(logs.items())
    }
    cases = ({"check": "bundle", "path": str(p), "policy": b64(POLICY)} for p in paths.values())
    theirs = [(said["verdict"], said.get("index")) for said in run_cases(cases)]
    ours = [_ours(path) for path in paths.values()]
    assert dict(zip(logs, theirs, strict=True)) == dict(zip(logs, ours, strict=True))
    return dict(zip(logs, ours, strict=True))


def _ours(path: Path) -> tuple[str, int | None]:
    try:
        verify_bundle(path, POLICY)
    except UnsoundError as fault:
        return "unsound", fault.index
    return "sound", None


def test_what_a_party_may_not_do_both_refuse_at_that_entry(tmp_path: Path) -> None:
    cast = Cast()
    logs = {name: forged(cast.world, act(cast)) for name, act in REFUSED.items()}
    at = len(cast.world.entries)
    assert judged(logs, tmp_path) == dict.fromkeys(REFUSED, ("unsound", at))


def test_what_a_party_may_do_both_take(tmp_path: Path) -> None:
    logs = {}
    for name, act in TAKEN.items():
        cast = Cast()
        actor, event, payload = act(cast)
        cast.world.do(actor, event, **payload)
        logs[name] = [one.body for one in cast.world.entries]
    assert judged(logs, tmp_path) == dict.fromkeys(TAKEN, ("sound", None))


def test_statements_out_of_their_time_or_place_both_refuse(tmp_path: Path) -> None:
    cast = Cast()
    world, act, hour = cast.world, leaving(cast.buyer), timedelta(hours=1)
    elsewhere = Actor(cast.buyer.party, cast.buyer.key, "other.test/log")
    logs = {
        "expired": forged(world, act, at=world.now - 3 * hour, life=hour),
        "from the future": forged(world, act, at=world.now + hour),
        "too long a life": forged(world, act, life=timedelta(days=8)),
        "another state expected": forged(world, act, expects={cast.buyer.party: 7}),
        "a group cut off": forged(world, act, id=FIRST, linked=[FIRST, SECOND]),
        "a group begun in its middle": forged(world, act, id=SECOND, linked=[FIRST, SECOND]),
        "for another log": forged(world, leaving(elsewhere)),
    }
    assert {verdict for verdict, _ in judged(logs, tmp_path).values()} == {"unsound"}


def test_a_linked_group_both_take_whole_and_in_its_order_only(tmp_path: Path) -> None:
    world = Cast().world
    member = world.join(Role.BUYER)
    stated = [
        member.state(event, payload, at=world.now, id=number, linked=[FIRST, SECOND])
        for number, (_, event, payload) in zip(
            (FIRST, SECOND), (adding(member, member), leaving(member)), strict=True
        )
    ]
    group = [submission.read(one, member.sign(one)) for one in stated]
    before = [one.body for one in world.entries]
    linked = [one.body for one in world.tail.append_linked(group, world.now)]
    *others, first, second = Forger.of([*before, *linked]).entries
    logs = {
        "whole": [*before, *linked],
        "in another order": Forger([*others, second, first]).bodies(),
        "with another between": Forger([*others[:-1], first, others[-1], second]).bodies(),
        "cut off": [*before, linked[0]],
        "its second alone": Forger([*others, second]).bodies(),
    }
    verdicts = judged(logs, tmp_path)
    assert [name for name, (verdict, _) in verdicts.items() if verdict == "sound"] == ["whole"]


FIRST, SECOND = "evt_01k9m3e3xkf2v8n5q7r1s4t601", "evt_01k9m3e3xkf2v8n5q7r1s4t602"
