"""Keys of checkpoints are announced and retired by the operator's events."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataexchange.identity.log_keys import KEYS_MAX, RETIRED_MAX
from dataexchange.identity.opening import LOG_KEY, Log
from dataexchange.ledger.cosignature import MLDSA44Signer
from dataexchange.ledger.note import Ed25519Signer, SignatureType, VerifierKey
from dataexchange.rules import Role
from dataexchange.rules.state import STATE_SIZE_MAX
from world import LOG_SIGNER, ORIGIN, World

FIRST = LOG_SIGNER.vkey
WHY = "年度轮换"


def vkey(number: int, origin: str = ORIGIN) -> str:
    return Ed25519Signer(origin, bytes([number]) * 32).vkey


KEY_10 = VerifierKey.parse(vkey(10))


def quantum(number: int) -> str:
    return MLDSA44Signer(ORIGIN, bytes([number]) * 32).vkey


def add(world: World, key: str) -> None:
    world.do(world.operator, "log.key_added@1", vkey=key, reason=WHY)


def retire(world: World, key: str) -> None:
    world.do(world.operator, "log.key_retired@1", vkey=key, reason=WHY)


def in_use(world: World) -> dict[str, int]:
    return world.state(Log, LOG_KEY).keys.valid


def test_a_key_follows_another_and_both_are_in_use_between() -> None:
    world = World()
    add(world, vkey(1))
    assert in_use(world) == {FIRST: 0, vkey(1): 1}
    retire(world, FIRST)
    assert in_use(world) == {vkey(1): 1}
    assert list(world.state(Log, LOG_KEY).keys.retired.values()) == [2]


def test_a_second_scheme_stands_beside_the_first() -> None:
    world = World()
    add(world, quantum(1))
    assert set(in_use(world)) == {FIRST, quantum(1)}
    retire(world, quantum(1))


def test_a_key_that_was_announced_or_retired_is_not_announced_again() -> None:
    world = World()
    again = {"reason": WHY, "vkey": FIRST}
    world.refuses("log.key_known", world.operator, "log.key_added@1", **again)
    add(world, vkey(1))
    retire(world, FIRST)
    world.refuses("log.key_known", world.operator, "log.key_added@1", **again)


def test_one_ed25519_key_stays_in_use() -> None:
    world = World()
    gone = {"reason": WHY, "vkey": FIRST}
    world.refuses("log.key_last", world.operator, "log.key_retired@1", **gone)
    add(world, quantum(1))
    world.refuses("log.key_last", world.operator, "log.key_retired@1", **gone)


def test_a_key_that_is_not_in_use_is_not_retired() -> None:
    world = World()
    unknown = {"reason": WHY, "vkey": vkey(1)}
    world.refuses("log.key_unknown", world.operator, "log.key_retired@1", **unknown)


@pytest.mark.parametrize(
    "unfit",
    [
        vkey(1, "example.test/other"),
        Ed25519Signer(ORIGIN, bytes(32), SignatureType.COSIGNATURE).vkey,
        vkey(1)[:-4],
        vkey(1).replace("+", "-", 1),
        "x",
        VerifierKey.parse(vkey(1)).vkey.upper(),
        "+".join(
            [ORIGIN, VerifierKey.parse(vkey(10)).key_id.hex().upper(), vkey(10).split("+")[2]]
        ),
    ],
)
def test_what_cannot_sign_this_logs_checkpoints_is_not_announced(unfit: str) -> None:
    world = World()
    world.refuses("log.key_unfit", world.operator, "log.key_added@1", vkey=unfit, reason=WHY)


def test_only_the_operator_announces_and_retires() -> None:
    world = World()
    for actor in (world.regulator, world.join(Role.PROVIDER)):
        for event, key in (("log.key_added@1", vkey(1)), ("log.key_retired@1", FIRST)):
            world.refuses("role.missing", actor, event, vkey=key, reason=WHY)


def test_the_keys_of_a_log_stay_small_however_often_they_change() -> None:
    """The largest keys, as many as may be in use, and every place for a retired one taken."""
    world = World()
    for number in range(RETIRED_MAX):
        add(world, vkey(number + 8))
        retire(world, FIRST if number == 0 else vkey(number + 7))
    for number in range(KEYS_MAX - 1):
        add(world, quantum(number))
    more = {"reason": WHY, "vkey": vkey(1)}
    world.refuses("log.too_many_keys", world.operator, "log.key_added@1", **more)
    gone = {"reason": WHY, "vkey": quantum(0)}
    world.refuses("log.too_many_keys", world.operator, "log.key_retired@1", **gone)
    assert len(world.state(Log, LOG_KEY).encode()) < STATE_SIZE_MAX


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.integers(1, 6)), max_size=12))
def test_whatever_is_announced_and_retired_one_key_is_in_use(acts: list[tuple[bool, int]]) -> None:
    world = World()
    for adding, number in acts:
        event = "log.key_added@1" if adding else "log.key_retired@1"
        try:
            world.do(world.operator, event, vkey=vkey(number), reason=WHY)
        except AssertionError:
            raise
        except Exception:  # noqa: BLE001 -- refusals are what the law is about
            continue
    assert 1 <= len(in_use(world)) <= KEYS_MAX
