"""The log over HTTP: state, entries, proofs, and tiles byte for byte as C2SP has them."""

from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio

from bundles import SIGNER
from dataexchange.client.typeid import new_id
from dataexchange.ledger import merkle
from dataexchange.ledger.checkpoint import Checkpoint
from dataexchange.ledger.entry import Entry
from dataexchange.ledger.merkle import ProofError
from dataexchange.ledger.note import Note
from dataexchange.ledger.proof import verify_entry
from dataexchange.ledger.tile import decode_bundle, grow_tiles
from exchanges import POLICY, Door, opened_door, small_world
from problems import assert_problem
from world import ORIGIN

pytestmark = pytest.mark.asyncio(loop_scope="session")

SIZE = 600


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def long(postgres: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A log of 600 entries: two full tiles and a partial one."""
    from databases import migrated_template, new_database

    world = small_world()
    async with (
        new_database(postgres, template=await migrated_template(postgres)) as addresses,
        opened_door(addresses, tmp_path_factory.mktemp("long"), world) as door,
    ):
        await door.tell()
        stated = [
            world.operator.state(
                "party.grouped@1",
                {"party": world.regulator.party, "group": new_id("group"), "evidence": "x"},
                at=world.now,
                life=timedelta(days=1),
            )
            for _ in range(SIZE - 1)
        ]
        results = await door.client(world.operator).submit_batch(stated)
        assert results[-1]["index"] == SIZE - 1
        await door.exchange.publisher.publish()
        yield door


async def leaves(door: Door) -> list[bytes]:
    """Return the leaf hashes of the log, from its entries' own bytes."""
    found = []
    for path in ("000", "001", "002.p/88"):
        data = (await door.get(f"/tile/entries/{path}", door.world.operator)).content
        found += decode_bundle(data, 256 if len(path) == 3 else 88)
    return [merkle.leaf_hash(body) for body in found]


async def test_the_state_of_the_log_names_its_key_and_its_latest_checkpoint(long: Door) -> None:
    said = (await long.get("/v1/log")).json()
    assert (said["origin"], said["size"], said["vkeys"]) == (ORIGIN, SIZE, [SIGNER.vkey])
    assert said["checkpoint"].encode() == (await long.get("/checkpoint")).content


async def test_the_checkpoint_is_signed_and_of_the_entries(long: Door) -> None:
    response = await long.get("/checkpoint")
    assert response.headers["content-type"] == "text/plain; charset=utf-8"
    assert response.headers["cache-control"] == "no-cache"
    checkpoint = POLICY.verify(response.content).checkpoint
    assert (checkpoint.size, checkpoint.root) == (SIZE, merkle.root(await leaves(long)))
    assert Checkpoint.parse(Note.parse(response.content).text) == checkpoint


async def test_every_hash_tile_is_public_and_has_the_bytes_that_the_entries_give(
    long: Door,
) -> None:
    expected = grow_tiles(0, await leaves(long), lambda level, index, width: b"")
    count = 0
    for name, data in expected:
        response = await long.get(f"/{name.path}")
        assert response.content == data, name
        assert response.headers["content-type"] == "application/octet-stream"
        assert response.headers["cache-control"] == "max-age=604800, immutable"
        count += 1
    assert count == 4


@pytest.mark.parametrize("path", ["0/000", "0/002.p/88", "1/000.p/2"])
async def test_a_partial_tile_is_a_prefix_of_the_fuller_one(long: Door, path: str) -> None:
    full = (await long.get(f"/tile/{path}")).content
    base, _, width = path.partition(".p/")
    for part in {1, 2, int(width or 256) // 2, int(width or 256) - 1} - {0}:
        partial = await long.get(f"/tile/{base}.p/{part}")
        if part <= int(width or 255):
            assert partial.content == full[: part * 32]


async def test_entry_bundles_are_for_those_who_read_all_and_kept_from_shared_caches(
    long: Door,
) -> None:
    for path in ("entries/000", "entries/002.p/88", "entries/001.p/7"):
        assert_problem(await long.get(f"/tile/{path}"), 403, "tile.bundle_not_yours")
        for actor in (long.world.operator, long.world.regulator):
            response = await long.get(f"/tile/{path}", actor)
            assert response.headers["cache-control"] == "private, max-age=604800, immutable"
            width = int(path.partition(".p/")[2] or 256)
            bodies = decode_bundle(response.content, width)
            first = int(path.split("/")[1].split(".")[0]) * 256
            assert [Entry.parse(body).index for body in bodies] == list(range(first, first + width))


@pytest.mark.parametrize(
    ("accepted", "coding"),
    [
        ("gzip", "gzip"),
        ("br, GZIP;q=0.5, identity", "gzip"),
        ("gzip;q=1.000", "gzip"),
        ("identity", None),
        ("gzip;q=0", None),
        ("gzip; q=0.000, identity", None),
        ("br", None),
        ("", None),
    ],
)
async def test_entry_bundles_are_compressed_for_who_takes_that(
    long: Door, accepted: str, coding: str | None
) -> None:
    headers = {"Accept-Encoding": accepted}
    response = await long.get("/tile/entries/000", long.world.operator, **headers)
    assert response.headers.get("content-encoding") == coding
    assert response.headers["vary"] == "Authorization, Accept-Encoding"
    assert len(decode_bundle(response.content, 256)) == 256
    if coding is not None:
        assert int(response.headers["content-length"]) < len(response.content) / 2


@pytest.mark.parametrize("path", ["/checkpoint", "/tile/0/000", "/v1/log", "/tile/0/9", "/nothing"])
async def test_head_is_answered_with_the_headers_of_get(long: Door, path: str) -> None:
    got, head = await long.get(path), await long.http.head(path)
    assert head.status_code == got.status_code
    assert head.content == b""
    for name in ("content-type", "content-length", "cache-control"):
        assert head.headers.get(name) == got.headers.get(name)


async def test_what_takes_get_says_that_it_takes_head(long: Door) -> None:
    refused = await long.http.post("/checkpoint")
    assert (refused.status_code, refused.headers["allow"]) == (405, "GET, HEAD")
    refused = await long.http.head("/v1/events")
    assert (refused.status_code, refused.headers["allow"]) == (405, "POST")


@pytest.mark.parametrize(
    "path",
    [
        "0/003",
        "0/002",
        "0/002.p/89",
        "0/002.p/0",
        "0/002.p/256",
        "0/000.p/256",
        "0/00",
        "0/0",
        "0/0000",
        "0/x000/000",
        "0/x999/999",
        "0/x999/x999/x999/x999/x999/x999/999",
        "1/000",
        "1/000.p/3",
        "2/000.p/1",
        "64/000",
        "63/000.p/1",
        "-1/000",
        "00/000",
        "０/000",
        "0/000/",
        "0/000.p",
        "0/000.p/01",
        "0//000",
        "0/%00",
        "data/000",
        "",
        "/",
        "x",
        "x" * 5_000,
        "../checkpoint",
    ],
)
async def test_what_is_no_tile_of_this_log_is_not_found(long: Door, path: str) -> None:
    response = await long.get(f"/tile/{path}", long.world.operator)
    if path != "../checkpoint":
        assert_problem(response, 404, response.json()["code"])


@pytest.mark.parametrize("index", [0, 1, 254, 255, 256, 257, 511, 512, 598, 599])
async def test_the_proof_of_an_entry_verifies_and_fits_no_other_entry(
    long: Door, index: int
) -> None:
    operator = long.world.operator
    response = await long.get(f"/v1/entries/{index}/proof")
    assert response.headers["content-type"] == "text/plain; charset=utf-8"
    entry = (await long.get(f"/v1/entries/{index}", operator)).content
    proven = verify_entry(entry, response.content, POLICY, origin=ORIGIN)
    assert (proven.index, Entry.parse(entry).index) == (index, index)
    other = (await long.get(f"/v1/entries/{(index + 1) % SIZE}", operator)).content
    with pytest.raises(ProofError):
        verify_entry(other, response.content, POLICY, origin=ORIGIN)


@pytest.mark.asyncio(loop_scope="function")
async def test_proofs_follow_the_log_as_it_grows(door: Door) -> None:
    operator = door.world.operator
    for _ in range(3):
        group = {"party": operator.party, "group": new_id("group"), "evidence": "x"}
        appended = await door.submit(operator, "party.grouped@1", group)
        assert appended.status_code == 201, appended.text
        await door.exchange.publisher.publish()
        for index in (0, 1, appended.json()["index"]):
            entry = (await door.get(f"/v1/entries/{index}", operator)).content
            proof = (await door.get(f"/v1/entries/{index}/proof")).content
            proven = verify_entry(entry, proof, POLICY, origin=ORIGIN)
            assert proven.verified.checkpoint.size == appended.json()["index"] + 1


@pytest.mark.parametrize(
    ("old", "new"), [(1, 600), (255, 256), (256, 512), (257, 600), (599, 600), (3, 7)]
)
async def test_a_consistency_proof_connects_two_sizes(long: Door, old: int, new: int) -> None:
    hashes = await leaves(long)
    said = (await long.get(f"/v1/proofs/consistency?old={old}&new={new}")).json()
    merkle.verify_consistency(
        old,
        new,
        [bytes.fromhex(node) for node in said["path"]],
        old_root=merkle.root(hashes[:old]),
        root=merkle.root(hashes[:new]),
    )


async def test_sizes_that_no_proof_can_connect_are_refused(long: Door) -> None:
    for old, new in ((2, 1), (0, 601), (601, 601)):
        response = await long.get(f"/v1/proofs/consistency?old={old}&new={new}")
        assert_problem(response, 400, "proof.bad_sizes")
    for query in ("", "?old=1", "?old=-1&new=1", "?old=a&new=b", f"?old=1&new={2**70}"):
        assert_problem(await long.get(f"/v1/proofs/consistency{query}"), 400, "request.invalid")
    for equal in (0, 1, 600):
        said = (await long.get(f"/v1/proofs/consistency?old={equal}&new={equal}")).json()
        assert said["path"] == []


async def test_entries_are_listed_by_their_leaf_hashes_in_pages(long: Door) -> None:
    found: list[dict[str, Any]] = []
    start: int | None = 0
    while start is not None:
        page = (await long.get(f"/v1/entries?start={start}&limit=250")).json()
        found += page["items"]
        start = page["next"]
    assert [one["index"] for one in found] == list(range(SIZE))
    assert [one["leaf"] for one in found] == [leaf.hex() for leaf in await leaves(long)]
    assert (await long.get(f"/v1/entries?start={SIZE}")).json() == {"items": [], "next": None}


@pytest.mark.parametrize("suffix", ["", "/proof"])
async def test_an_entry_that_is_not_there_is_not_found(long: Door, suffix: str) -> None:
    operator = long.world.operator
    for index in (SIZE, 2**53 - 1):
        response = await long.get(f"/v1/entries/{index}{suffix}", operator)
        assert_problem(response, 404, "entry.not_found")
    for index in ("-1", str(2**53), "a", "1.5", "9" * 500, "%00", "1 2"):
        response = await long.get(f"/v1/entries/{index}{suffix}", operator)
        assert_problem(response, 400, "request.invalid")


async def test_health_is_told_without_a_token(long: Door) -> None:
    assert (await long.get("/health/live")).json() == {"status": "ok"}
    ready = (await long.get("/health/ready")).json()
    assert ready == {"status": "ok", "size": SIZE, "checkpoint": SIZE}
