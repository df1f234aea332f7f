"""The service signs with the keys that its log has in use; whose log it is is no race."""

from pathlib import Path
from typing import Any

import pytest

from databases import Addresses
from dataexchange.errors import RefusedError
from dataexchange.exchange.log_key import LogKeyError, create, load, load_or_make
from dataexchange.ledger.note import Ed25519Signer, Note, NoteError, SignatureType, VerifierKey
from dataexchange.ledger.policy import Policy
from dataexchange.private_file import PrivateFileError
from dataexchange.verification.verdict import UnsoundError
from dataexchange.verification.verify import verify_bundle
from exchanges import Door, opened_door, small_world
from problems import assert_problem
from world import LOG_SIGNER, ORIGIN, World

FIRST = LOG_SIGNER.vkey
WHY = {"reason": "年度轮换"}


def policy(*vkeys: str) -> bytes:
    return "".join(f"log {vkey}\n" for vkey in vkeys).encode() + b"quorum none\n"


async def checkpoint(door: Door) -> bytes:
    await door.exchange.publisher.publish()
    return (await door.http.get("/checkpoint")).content


async def act(door: Door, event: str, vkey: str) -> None:
    answer = await door.submit(door.world.operator, event, {"vkey": vkey, **WHY})
    assert answer.status_code == 201, answer.text


async def bundle(door: Door, path: Path) -> Path:
    """Export the log as a regulator does."""
    from dataexchange.client.export import export

    client = door.client(door.world.regulator)

    async def no_content(sha256: str) -> None:
        return None

    await export(client.fetch, path, no_content)
    return path


async def test_a_new_key_signs_from_its_event_on_and_an_old_one_until_its_own(
    migrated_database: Addresses, tmp_path: Path
) -> None:
    second = create(tmp_path / "second.key", ORIGIN, SignatureType.ED25519).vkey
    quantum = create(tmp_path / "quantum.key", ORIGIN, SignatureType.ML_DSA_44).vkey
    first = tmp_path / "log.key"
    files = ":".join(str(tmp_path / name) for name in ("log.key", "second.key", "quantum.key"))
    async with opened_door(migrated_database, tmp_path, small_world(), log_key_file=files) as door:
        await door.tell()
        assert load(first, ORIGIN).vkey == FIRST
        alone = await checkpoint(door)
        assert len(Note.parse(alone).signatures) == 1
        await act(door, "log.key_added@1", second)
        await act(door, "log.key_added@1", quantum)
        three = await checkpoint(door)
        verified = Policy.parse(policy(FIRST, second, quantum)).verify(three)
        assert {key.vkey for key in verified.logs} == {FIRST, second, quantum}
        await act(door, "log.key_retired@1", FIRST)
        two = await checkpoint(door)
        with pytest.raises(NoteError):
            Policy.parse(policy(FIRST)).verify(two)
        both = policy(second, quantum)
        exported = await bundle(door, tmp_path / "log.zip")
        assert verify_bundle(exported, both, known_checkpoint=three).size == 4
        assert verify_bundle(exported, policy(quantum)).size == 4


async def test_a_service_without_a_key_in_use_takes_events_and_publishes_nothing(
    migrated_database: Addresses, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The operator who lost the key can announce another through the service."""
    async with opened_door(migrated_database, tmp_path, small_world()) as door:
        await door.tell()
        before = await checkpoint(door)
    stranger = create(tmp_path / "new.key", ORIGIN, SignatureType.ED25519).vkey
    world, chosen = door.world, {"log_key_file": tmp_path / "new.key"}
    async with opened_door(migrated_database, tmp_path, world, **chosen) as door:
        await door.submit(world.operator, "policy.set@1", _policy_set(world))
        assert await checkpoint(door) == before
        assert "no key of checkpoints" in caplog.text
        await act(door, "log.key_added@1", stranger)
        assert Policy.parse(policy(stranger)).verify(await checkpoint(door)).checkpoint.size == 3


def _policy_set(world: World) -> dict[str, Any]:
    from world import PARAMETERS

    return {"version": 2, "parameters": PARAMETERS, "basis": "理事会决议"}


@pytest.mark.parametrize("retired", [True, False])
def test_the_verifier_refuses_a_key_that_was_not_announced_or_was_retired(
    tmp_path: Path, retired: bool
) -> None:
    from bundles import bundle_of

    world = World()
    other = Ed25519Signer(ORIGIN, b"\x0a" * 32)
    if retired:
        world.do(world.operator, "log.key_added@1", vkey=other.vkey, **WHY)
        announced = [one.body for one in world.entries]
        verify_bundle(bundle_of(announced, other).write(tmp_path / "good.zip"), policy(other.vkey))
        world.do(world.operator, "log.key_retired@1", vkey=other.vkey, **WHY)
    bodies = [one.body for one in world.entries]
    path = bundle_of(bodies, other).write(tmp_path / "bad.zip")
    with pytest.raises(UnsoundError) as caught:
        verify_bundle(path, policy(other.vkey))
    assert caught.value.code == "log.key_not_announced"


async def test_only_the_operators_key_opens_a_log_that_names_it(
    migrated_database: Addresses, tmp_path: Path
) -> None:
    world, thief = small_world(), small_world()
    key = world.operator.key.id
    async with opened_door(migrated_database, tmp_path, world, operator_key=key) as door:
        stolen = _opening_request(thief)
        for path in ("/v1/events", "/v1/events/dry-run"):
            answer = await door.http.post(path, content=stolen)
            assert_problem(answer, 403, "log.opening_reserved")
        await door.tell()
        said = {"vkey": Ed25519Signer(ORIGIN, bytes(32)).vkey, **WHY}
        assert (await door.submit(world.operator, "log.key_added@1", said)).status_code == 201


def _opening_request(world: World) -> bytes:
    one = world.entries[0].submission
    return b'{"signature":%b,"statement":%b}' % (one.signature, one.statement.body)


async def test_an_operator_key_that_is_none_stops_the_start(
    migrated_database: Addresses, tmp_path: Path
) -> None:
    with pytest.raises(RefusedError) as caught:
        async with opened_door(
            migrated_database, tmp_path, small_world(), operator_key="the operator"
        ):
            pass
    assert caught.value.code == "signature.bad_key"


def test_a_key_file_is_made_once_and_read_by_all(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "log.key"
    (made,) = load_or_make([path], ORIGIN)
    (again,) = load_or_make([path], ORIGIN)
    assert made.vkey == again.vkey
    assert path.stat().st_mode & 0o777 == 0o600
    with pytest.raises(PrivateFileError):
        create(path, ORIGIN, SignatureType.ED25519)


def test_only_the_first_key_file_is_made(tmp_path: Path) -> None:
    with pytest.raises(PrivateFileError):
        load_or_make([tmp_path / "log.key", tmp_path / "second.key"], ORIGIN)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_a_key_file_that_others_may_touch_is_refused(tmp_path: Path, mode: int) -> None:
    create(tmp_path / "log.key", ORIGIN, SignatureType.ML_DSA_44)
    (tmp_path / "log.key").chmod(mode)
    with pytest.raises(PrivateFileError, match="chmod 600"):
        load_or_make([tmp_path / "log.key"], ORIGIN)


def test_a_file_that_holds_no_key_of_this_log_is_refused(tmp_path: Path) -> None:
    create(tmp_path / "other.key", "example.test/other", SignatureType.ED25519)
    create(tmp_path / "witness.key", ORIGIN, SignatureType.COSIGNATURE)
    (tmp_path / "none.key").write_bytes(b"\xff\xfe")
    (tmp_path / "none.key").chmod(0o600)
    for name in ("other", "witness", "none"):
        with pytest.raises(LogKeyError):
            load(tmp_path / f"{name}.key", ORIGIN)


def test_a_vkey_is_what_the_file_holds(tmp_path: Path) -> None:
    signer = create(tmp_path / "log.key", ORIGIN, SignatureType.ML_DSA_44)
    assert VerifierKey.parse(signer.vkey).type is SignatureType.ML_DSA_44
    assert load(tmp_path / "log.key", ORIGIN).vkey == signer.vkey
