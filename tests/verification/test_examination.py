"""An entry is one sequence of bytes: any other spelling, at any place of it, is its own fault."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from bundles import POLICY, SIGNER, bundle_of
from dataexchange.client.typeid import new_id
from dataexchange.ledger.entry import ENTRY_SIZE_MAX
from dataexchange.rules import Role
from dataexchange.verification import UnsoundError, verify_bundle
from steps_pipeline import elements
from world import World

Change = Callable[[bytes], bytes]


@pytest.fixture(scope="module")
def bodies() -> list[bytes]:
    world = World(log_keys=[SIGNER.vkey])
    member = world.join(Role.PROVIDER)
    for _ in range(3):
        said = {"asset": new_id("asset"), "level": "enterprise", "elements": elements()}
        world.do(member, "resource.registered@1", **said)
    return [one.body for one in world.entries]


def swap(old: bytes, new: bytes) -> Change:
    def change(body: bytes) -> bytes:
        assert old in body
        return new.join(body.rsplit(old, 1))

    return change


def without(name: str) -> Change:
    def change(body: bytes) -> bytes:
        said = json.loads(body)
        del said[name]
        return json.dumps(said, separators=(",", ":"), sort_keys=True, ensure_ascii=False).encode()

    return change


@pytest.mark.parametrize(
    "change",
    [
        swap(b'"v":1}', b'"v":2}'),
        swap(b'"v":1}', b'"v":1.0}'),
        swap(b'"v":1}', b'"v":1,"w":1}'),
        swap(b'"v":1}', b'"v":1}\n'),
        swap(b'"v":1}', b'"v":1}}'),
        swap(b'"v":1}', b'"v": 1}'),
        swap(b',"v":1}', b',"v":1,"v":1}'),
        swap(b'"subjects":{', b'"subjects":{"\xff":{"prev":"","seq":1},'),
        swap(b'"subjects":{', b'"subjects":{"x":{"prev":"","seq":1},'),
        swap(b'"subjects":{', b'"subjects":{"x":' + b"[" * 5_000 + b"]" * 5_000 + b","),
        swap(b'{"index":3', b'{"index":"3"'),
        swap(b'{"index":3', b'{"index":-3'),
        swap(b'{"index":3', b'{"index":3,"index":3'),
        swap(b'{"index":3', b' {"index":3'),
        swap(b'"recorded_at":"20', b'"recorded_at":"19'),
        swap(b'Z","signature"', b'","signature"'),
        swap(b'Z","signature"', b'+00:00","signature"'),
        swap(b'"signature":{', b'"signature":{"batch":null,'),
        swap(b'"suite"', b'"suite" '),
        swap(b'"statement":{', b'"statement":null,"statement":{'),
        swap(b'"statement":{', b'"statement": {'),
        swap(b'"payload":{', b'"payload":{"a":' + b"[" * 5_000 + b"]" * 5_000 + b","),
        *map(without, ("index", "prev", "recorded_at", "signature", "statement", "subjects", "v")),
        lambda body: body[:-1],
        lambda body: b"",
        lambda body: b"null",
        lambda body: b"\xff" * 100,
        lambda body: body + b" " * (ENTRY_SIZE_MAX - len(body)),
    ],
)
def test_an_entry_spelt_in_any_other_way_is_the_first_at_fault(
    bodies: list[bytes], tmp_path: Path, change: Change
) -> None:
    path = bundle_of([*bodies[:3], change(bodies[3]), *bodies[4:]]).write(tmp_path / "bundle.zip")
    with pytest.raises(UnsoundError) as caught:
        verify_bundle(path, POLICY)
    assert caught.value.index == 3
    assert caught.value.code.startswith(("entry.", "signature.", "rule."))
