"""The lender's check: an honest title is proven, and no changed one ever is."""

import itertools
import json
import random
import zipfile
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import anchor_receipts
import pytest
import pytest_asyncio

from bundles import SIGNER, Members, checkpoint
from dataexchange.ledger.checkpoint import Checkpoint, sign_checkpoint
from dataexchange.ledger.note import Ed25519Signer, Note, VerifierKey, sign_note
from dataexchange.ledger.policy import Policy
from dataexchange.ledger.proof import TlogProof
from dataexchange.verification import UnsoundError, UnusableError
from dataexchange.verification.anchor_pass import UNJUDGED, AnchorFindings, Roots
from dataexchange.verification.title import verify_title
from dataexchange.verification.title_entries import proven
from dataexchange.verification.title_members import Dossier, Shelf, pack, pack_json, unpack
from exchanges import POLICY_FILE
from scripted import b64, run_cases
from titles import Titled, new_regulator_key, titled
from world import World

if TYPE_CHECKING:
    from dataexchange.database.embedded import EmbeddedPostgres

pytestmark = pytest.mark.asyncio(loop_scope="module")
MUTANTS_MIN = 1_000
KEYS = {
    "signer": SIGNER,
    "rotated": Ed25519Signer(SIGNER.name, b"\x0a" * 32),  # announced, then retired
    "stranger": Ed25519Signer(SIGNER.name, b"\x0b" * 32),  # never announced
}


class Honest(NamedTuple):
    """Bundles as the holder got them, and the exchange they are from.

    `earlier` is of an earlier map, `anchored` has the receipt of an anchor.
    """

    title: Titled
    members: Members
    earlier: Members
    anchored: Members


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def honest(
    postgres: "EmbeddedPostgres", tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Honest]:
    from databases import migrated_template, new_database

    folder = tmp_path_factory.mktemp("title")
    template = await migrated_template(postgres)
    async with (
        new_database(postgres, template=template) as addresses,
        titled(addresses, folder) as title,
    ):
        operator, why = title.names["operator"], {"vkey": KEYS["rotated"].vkey, "reason": "轮换"}
        title.door.world.do(operator, "log.key_added@1", **why)
        await title.door.tell()
        await title.commit_map()
        earlier = await members(title, folder)
        title.door.world.do(operator, "log.key_retired@1", **why)
        order = {"asset": title.asset, "order_number": "JG-1", "reason": "核查"}
        title.door.world.do(title.names["regulator"], "asset.frozen@1", **order)
        await title.door.tell()
        committed = await title.commit_map()
        await title.confirm_map(committed, title.names["regulator"])
        now = await members(title, folder)
        bodies = [one.body for one in title.door.world.entries]
        for size in (len(bodies) - 4, 10_000):  # the second is of more than there is
            keep_receipt(folder, receipt_of(bodies, size=size))
        yield Honest(title, now, earlier, await members(title, folder))


def receipt_of(bodies: list[bytes], **changes: Any) -> dict[str, Any]:
    return anchor_receipts.receipt(bodies, **changes) | {"previous_size": 2} | changes


def keep_receipt(folder: Path, said: dict[str, Any]) -> None:
    """Put a receipt where the anchoring worker would."""
    kept = folder / "anchors" / "receipts"
    kept.mkdir(parents=True, exist_ok=True)
    name = f"{said['size']:020d}-{anchor_receipts.BLOCK[:16]}.json"
    (kept / name).write_text(json.dumps(said))


async def members(title: Titled, folder: Path) -> Members:
    path = folder / "bundle.zip"
    path.write_bytes(await title.bundle(also=title.guarantee))
    return Members(unpack(path))


def fault(mutant: Members, folder: Path) -> UnsoundError | UnusableError | None:
    try:
        verify_title(mutant.write(folder / "mutant.zip"), POLICY_FILE)
    except (UnsoundError, UnusableError) as found:
        return found
    return None


async def test_the_title_is_what_the_ledger_holds_and_no_more(
    honest: Honest, tmp_path: Path
) -> None:
    verdict = verify_title(honest.members.write(tmp_path / "title.zip"), POLICY_FILE)
    title, held = honest.title, honest.title.door.world.held_states()
    assert verdict.asset == held[title.asset]
    assert [lien.by for lien in verdict.asset.liens] == [title.pledge]
    assert verdict.asset.freezes == ("JG-1",)
    assert {title.pledge, title.valuation, title.cover, title.guarantee} <= verdict.states.keys()
    assert all(held[key] == state for key, state in verdict.states.items())
    assert [one.regulator for one in verdict.confirmed] == [title.names["regulator"].party]
    assert verdict.names[verdict.asset.holder]
    assert any("not covered" in en for _, en in verdict.warnings)
    chained = {
        index
        for one in title.door.world.entries
        for index in [one.index]
        if title.asset in one.subjects and one.index < verdict.covers
    }
    assert chained <= {int(name[6:]) for name in honest.members.members if name[:6] == "entry/"}


async def test_zip_and_json_are_judged_alike(honest: Honest, tmp_path: Path) -> None:
    (tmp_path / "title.json").write_bytes(pack_json(honest.members.members))
    (tmp_path / "title.zip").write_bytes(pack(honest.members.members))
    verdicts = [verify_title(tmp_path / f"title.{form}", POLICY_FILE) for form in ("json", "zip")]
    assert verdicts[0] == verdicts[1]


async def test_the_newest_receipt_of_an_anchor_comes_with_the_title(
    honest: Honest, tmp_path: Path
) -> None:
    path = honest.anchored.write(tmp_path / "title.zip")
    verdict = verify_title(path, POLICY_FILE)
    ((anchored, shown),) = verdict.anchors
    assert (anchored.size, shown) == (verdict.size - 4, "compared")
    assert UNJUDGED in verdict.warnings
    added = honest.anchored.members.keys() - honest.members.members.keys()
    assert {one.partition("/")[0] for one in added} == {"anchors", "consistency"}
    assert len(added) == 3
    judged = verify_title(path, POLICY_FILE, anchors=judging)
    assert [shown for _, shown in judged.anchors] == ["included"]
    (second,) = run_cases([{"check": "bundle", "path": str(path), "policy": b64(POLICY_FILE)}])
    assert second["verdict"] == "sound"


@pytest.mark.parametrize("spoiled", [b"", b"{}", b"\xff", None])
async def test_a_file_that_is_no_receipt_is_passed_over(
    honest: Honest, tmp_path: Path, spoiled: bytes | None
) -> None:
    (name,) = (one for one in honest.anchored.members if one.startswith("anchors/"))
    kept = honest.title.door.app.state.settings.anchors_path / "receipts"
    size = int(name[8:28]) + 1
    path = kept / f"{size:020d}-{anchor_receipts.BLOCK[:16]}.json"
    if spoiled is None:  # a receipt, but another's than its name says
        path.write_bytes(honest.anchored.members[name])
    else:
        path.write_bytes(spoiled)
    found = await members(honest.title, tmp_path)
    path.unlink()
    assert [one for one in found.members if one.startswith("anchors/")] == [name]


def judging(origin: str, receipts: Mapping[str, bytes], roots: Roots) -> AnchorFindings:
    """Stand in for a chain: the log's roots are known where the bundle proves them."""
    assert origin == SIGNER.name
    ((_, data),) = receipts.items()
    said = json.loads(data)
    assert roots.holds(said["size"], bytes.fromhex(said["root"][2:]))
    assert roots.holds(said["size"] - 1, bytes(32)) is None
    return AnchorFindings(dict.fromkeys(receipts, "included"))


async def test_a_receipt_that_is_not_of_this_log_makes_a_title_unsound_to_both_verifiers(
    honest: Honest, tmp_path: Path
) -> None:
    given = honest.anchored
    (name,) = (one for one in given.members if one.startswith("anchors/"))
    said = json.loads(given.members[name])
    size = said["size"]
    spoiled: list[tuple[str, dict[str, bytes | None]]] = [
        (code, {name: json.dumps({**said, **changes}).encode()})
        for code, changes in anchor_receipts.SPOILED
        if changes.get("previous_size") != 5
    ]
    proof = given.members[f"consistency/{size}"]
    spoiled += [
        ("anchor.root", {f"consistency/{size}": None}),
        ("anchor.root", {f"consistency/{size}": b"[]"}),
        ("anchor.consistency", {"consistency/2": None}),
        ("anchor.consistency", {"consistency/2": proof}),
        ("bundle.unknown_member", {name: None}),
        ("bundle.unknown_member", {"consistency/7": proof}),
        ("bundle.unknown_member", {"anchors/latest.json": given.members[name]}),
    ]
    for at, (_, changes) in enumerate(spoiled):
        given.having(changes).write(tmp_path / f"{at}.zip")
    paths = [tmp_path / f"{at}.zip" for at in range(len(spoiled))]
    theirs = run_cases(
        {"check": "bundle", "path": str(one), "policy": b64(POLICY_FILE)} for one in paths
    )
    for (code, changes), path, second in zip(spoiled, paths, theirs, strict=True):
        with pytest.raises(UnsoundError) as caught:
            verify_title(path, POLICY_FILE)
        assert (caught.value.code, second["code"]) == (code, code), changes


async def test_without_a_policy_nothing_can_be_judged(honest: Honest, tmp_path: Path) -> None:
    path = honest.members.write(tmp_path / "title.zip")
    for policy in (None, b"nonsense"):
        with pytest.raises(UnusableError):
            verify_title(path, policy)
    (tmp_path / "bad.zip").write_bytes(b"PK")
    with pytest.raises(UnsoundError):
        verify_title(tmp_path / "bad.zip", POLICY_FILE)


async def test_a_confirmation_by_a_key_that_entry_0_does_not_name_is_not_counted(
    honest: Honest, tmp_path: Path
) -> None:
    title = honest.title
    newcomer = new_regulator_key(title.door.world)
    await title.door.tell()
    await title.confirm_map(await title.commit_map(), newcomer)
    path = tmp_path / "title.zip"
    path.write_bytes(await title.bundle())
    alone = verify_title(path, POLICY_FILE)
    assert not alone.confirmed
    assert alone.confirmations_unknown == 1
    known = verify_title(path, POLICY_FILE, regulator_keys=[newcomer.key.id])
    assert [one.regulator for one in known.confirmed] == [newcomer.party]


async def test_a_second_checkpoint_of_the_same_size_shows_a_fork(
    honest: Honest, tmp_path: Path
) -> None:
    path = honest.members.write(tmp_path / "title.zip")
    note = honest.members.members["checkpoint"]
    assert verify_title(path, POLICY_FILE, known_checkpoint=note)
    size = int(note.split(b"\n")[1])
    other = sign_checkpoint(Checkpoint(SIGNER.name, size, bytes(32)), SIGNER)
    with pytest.raises(UnsoundError, match="forked"):
        verify_title(path, POLICY_FILE, known_checkpoint=other)
    more = sign_checkpoint(Checkpoint(SIGNER.name, size + 1, bytes(32)), SIGNER)
    verdict = verify_title(path, POLICY_FILE, known_checkpoint=more)
    assert any("cannot be compared" in en for _, en in verdict.warnings)


async def test_no_changed_title_is_ever_sound(honest: Honest, tmp_path: Path) -> None:
    count, wrong = 0, []
    for name, mutant in mutants(honest, seed=20_261_124):
        count += 1
        if fault(mutant, tmp_path) is None:
            wrong.append(name)
    assert count >= MUTANTS_MIN
    assert wrong == []


async def test_the_second_verifier_agrees_on_every_changed_title(
    honest: Honest, tmp_path: Path
) -> None:
    names, paths = ["zip", "json"], [tmp_path / "title.zip", tmp_path / "title.json"]
    honest.members.write(paths[0])
    paths[1].write_bytes(pack_json(honest.members.members))
    for name, mutant in mutants(honest, seed=20_261_124):  # none of which is sound to ours
        names.append(name)
        paths.append(mutant.write(tmp_path / f"{len(paths)}.zip"))
    policy = b64(POLICY_FILE)
    found = run_cases({"check": "bundle", "path": str(p), "policy": policy} for p in paths)
    sound = [name for name, said in zip(names, found, strict=True) if said["verdict"] == "sound"]
    assert sound == ["zip", "json"]
    ours = verify_title(paths[0], POLICY_FILE)
    for said in found[:2]:
        assert (said["origin"], said["size"], said["covers"]) == (
            ours.origin,
            ours.size,
            ours.covers,
        )
        assert said["proven"] == sorted(ours.states)
        assert [one["index"] for one in said["confirmed"]] == [one.index for one in ours.confirmed]
        assert len(said["warnings"]) == len(ours.warnings)


@pytest.mark.parametrize(
    ("signed", "believed"),
    [
        ("now: signer rotated", "signer"),
        ("now: signer stranger", "signer stranger"),
        ("earlier: rotated", "rotated"),
    ],
)
async def test_a_checkpoint_counts_by_a_key_that_the_log_announced(
    honest: Honest, tmp_path: Path, signed: str, believed: str
) -> None:
    path, policy = resigned(honest, signed).write(tmp_path / "title.zip"), believing(believed)
    (second,) = run_cases([{"check": "bundle", "path": str(path), "policy": b64(policy)}])
    assert second["verdict"] == "sound"
    assert verify_title(path, policy).size == second["size"]


@pytest.mark.parametrize(
    ("signed", "believed"),
    [
        ("now: stranger", "stranger"),
        ("now: rotated", "rotated"),
        ("now: signer rotated", "signer rotated"),
        ("earlier: stranger", "signer stranger"),
    ],
)
async def test_a_checkpoint_by_a_key_never_announced_or_retired_is_not_believed(
    honest: Honest, tmp_path: Path, signed: str, believed: str
) -> None:
    path, policy = resigned(honest, signed).write(tmp_path / "title.zip"), believing(believed)
    (second,) = run_cases([{"check": "bundle", "path": str(path), "policy": b64(policy)}])
    with pytest.raises(UnsoundError) as caught:
        verify_title(path, policy)
    assert caught.value.code == second["code"] == "log.key_not_announced"


def believing(names: str) -> bytes:
    """Return a policy that believes these keys, and asks no witness."""
    return "".join(
        (*(f"log {KEYS[one].vkey}\n" for one in names.split()), "quorum none\n")
    ).encode()


def resigned(honest: Honest, told: str) -> Members:
    """Return a bundle under the same checkpoint, signed by others: `now: signer rotated`."""
    when, _, names = told.partition(": ")
    given = honest.earlier if when == "earlier" else honest.members
    signed = Checkpoint.parse(Note.parse(given.members["checkpoint"]).text)
    note = sign_note(signed.text(), [KEYS[one] for one in names.split()])
    changed = {"checkpoint": note}
    for name, data in given.members.items():
        if name.startswith("proof/"):
            proof = TlogProof.parse(data)
            changed[name] = TlogProof(proof.index, proof.path, note).encode()
    return given.having(changed)


async def test_an_entry_of_another_log_proves_nothing_in_this_one() -> None:
    """A regulator's word in one log is not its word in another, whoever copies it over."""
    bodies = [entry.body for entry in World().entries]
    signer = Ed25519Signer("other.test/log", b"\x07" * 32)
    note = checkpoint(bodies, signer)
    proof = TlogProof(0, (), note).encode()
    shelf = Shelf({"entry/0": bodies[0], "proof/0": proof})
    with pytest.raises(UnsoundError, match="wrong_log"):
        proven(shelf, [0], note=note, policy=Policy.of_log(VerifierKey.parse(signer.vkey)))


def mutants(honest: Honest, seed: int) -> Iterator[tuple[str, Members]]:
    """Yield bundles that are not what the exchange gave, and what was done to them."""
    chance = random.Random(seed)
    yield from _bytes(honest.members, chance)
    yield from _members(honest.members)
    yield from _dossiers(honest)
    yield from _mixed(honest)


def _bytes(given: Members, chance: random.Random) -> Iterator[tuple[str, Members]]:
    for name, data in given.members.items():
        for at in chance.sample(range(len(data)), min(8, len(data))):
            changed = data[:at] + bytes([data[at] ^ 1 << chance.randrange(8)]) + data[at + 1 :]
            yield f"bit of {name} at {at}", given.having({name: changed})
        yield f"{name} cut short", given.having({name: data[:-1]})
        yield f"{name} with more", given.having({name: data + b"\n"})


def _members(given: Members) -> Iterator[tuple[str, Members]]:
    for name in given.members:
        yield f"without {name}", given.having({name: None})
    entries = [name.partition("/")[2] for name in given.members if name.startswith("entry/")]
    for index in entries:
        yield f"without {index}", given.having({f"entry/{index}": None, f"proof/{index}": None})
    keys = [name.partition("/")[2] for name in given.members if name.startswith("state/")]
    for key, other in itertools.pairwise(keys):
        swapped = {
            f"{kind}/{one}": given.members[f"{kind}/{two}"]
            for kind in ("map", "state")
            for one, two in ((key, other), (other, key))
        }
        yield f"{key} and {other} swapped", given.having(swapped)
    for name in ("notes.txt", "entry/7/8", "entry/00", "state/none", "map/none", "tile/0/000"):
        yield f"with {name}", given.having({name: b"{}"})


def _dossiers(honest: Honest) -> Iterator[tuple[str, Members]]:
    said = json.loads(honest.members.members["dossier"])
    pledge = honest.title.pledge
    for change in (
        {"asset": pledge},
        {"asset": honest.title.guarantee},
        {"also": []},
        {"also": [pledge, honest.title.guarantee]},
        {"also": [honest.title.unrelated]},
        {"map": said["confirmed"][0]},
        {"map": 0},
        {"confirmed": []},
        {"confirmed": [said["map"]]},
        {"confirmed": [0]},
        {"confirmed": said["confirmed"] * 2},
        {"also": said["also"] * 2},
        {"v": 2},
    ):
        changed = json.dumps({**said, **change}, sort_keys=True, separators=(",", ":"))
        yield f"dossier {change}", honest.members.having({"dossier": changed.encode()})


def _mixed(honest: Honest) -> Iterator[tuple[str, Members]]:
    """The newest map with what an earlier one held: before the freeze."""
    now, before = honest.members.members, honest.earlier.members
    asset = honest.title.asset
    old = {name: before[name] for name in (f"state/{asset}", f"map/{asset}")}
    yield "the asset before its freeze", honest.members.having(old)
    map_then = Dossier.parse(before["dossier"]).map
    dossier = json.loads(now["dossier"]) | {"map": map_then}
    text = json.dumps(dossier, sort_keys=True, separators=(",", ":")).encode()
    entries = {name: before[name] for name in before if name.startswith("entry/")}
    yield (
        "the earlier map under the new confirmation",
        honest.members.having({"dossier": text, **entries}),
    )
    stale = {name: data for name, data in before.items() if name.startswith(("map/", "state/"))}
    yield "all of the earlier map's proofs", honest.members.having(stale)


async def test_a_repeated_member_or_an_uncanonical_document_is_refused(
    honest: Honest, tmp_path: Path
) -> None:
    path = honest.members.write(tmp_path / "twice.zip")
    with pytest.warns(UserWarning, match="Duplicate name"), zipfile.ZipFile(path, "a") as archive:
        archive.writestr("checkpoint", b"again")
    with pytest.raises(UnsoundError, match="duplicate"):
        verify_title(path, POLICY_FILE)
    document = pack_json(honest.members.members)
    for wrong in (
        document + b"\n",
        document.replace(b'{"members":{', b'{"members":{"a":"b","a":"b",'),
    ):
        (tmp_path / "title.json").write_bytes(wrong)
        with pytest.raises(UnsoundError, match="damaged"):
            verify_title(tmp_path / "title.json", POLICY_FILE)
