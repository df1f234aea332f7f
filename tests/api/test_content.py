"""Content at the door: kept by its hash, and handed to those whom the log entitles to it."""

import asyncio
import hashlib
import re
from collections.abc import AsyncIterator
from typing import Any

import pytest

from dataexchange.client.signing import Actor
from exchanges import Door
from problems import assert_problem
from steps_pipeline import digest, file_bytes

pytestmark = pytest.mark.asyncio(loop_scope="session")

ABSENT = "ab" * 32


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


async def put(told: Door, data: bytes, by: str | Actor = "operator", **options: Any) -> Any:
    chosen = options.pop("sha256", None) or sha256(data)
    headers = told.bearer(told.names.get(by) if isinstance(by, str) else by)
    return await told.http.put(f"/v1/content/{chosen}", content=data, headers=headers, **options)


def holding(told: Door, kind: str, sha256: str) -> str:
    """Return the key of an aggregate of `kind` whose state names a hash."""
    return next(
        key
        for key, state in told.world.held_states().items()
        if kind == state.KIND and sha256.encode() in state.encode()
    )


async def test_content_is_kept_and_comes_back_byte_for_byte(told: Door) -> None:
    data = bytes(range(256)) * 20_000
    response = await put(told, data)
    assert response.status_code == 201
    assert response.json() == {"sha256": sha256(data), "size_bytes": len(data)}
    assert (await put(told, data)).status_code == 201
    back = await told.get(f"/v1/content/{sha256(data)}", told.world.regulator)
    assert back.content == data
    assert back.headers["content-length"] == str(len(data))
    assert back.headers["content-type"] == "application/octet-stream"
    assert back.headers["cache-control"].startswith("private")
    assert back.headers["x-content-type-options"] == "nosniff"


async def test_content_may_come_in_pieces_and_may_be_empty(told: Door) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for number in range(100):
            yield b"%d" % number

    whole = b"".join([b"%d" % number for number in range(100)])
    headers = told.bearer(told.names["stranger"])
    response = await told.http.put(
        f"/v1/content/{sha256(whole)}", content=pieces(), headers=headers
    )
    assert response.json()["size_bytes"] == len(whole)
    assert (await put(told, b"")).json()["size_bytes"] == 0


async def test_another_method_is_answered_with_all_that_serve(told: Door) -> None:
    for path, allow in ((ABSENT, "GET, HEAD, PUT"), (f"{ABSENT}/of/x", "GET, HEAD")):
        response = await told.http.delete(f"/v1/content/{path}")
        assert_problem(response, 405, "request.method_not_allowed")
        assert response.headers["allow"] == allow


async def test_content_of_another_hash_is_refused_and_not_kept(told: Door) -> None:
    assert_problem(await put(told, b"one", sha256=sha256(b"other")), 400, "content.hash_differs")
    for name in (sha256(b"one"), sha256(b"other")):
        response = await told.get(f"/v1/content/{name}", told.world.operator)
        assert_problem(response, 404, "content.not_found")


async def test_only_parties_may_put_content(told: Door) -> None:
    response = await put(told, b"data", "nobody")
    assert_problem(response, 401, "access.needed")
    assert response.headers["www-authenticate"] == "Bearer"
    assert (await put(told, b"data", "stranger")).status_code == 201


async def test_content_beyond_the_limit_is_refused_as_it_comes(
    told: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(told.app.state.settings, "content_bytes_max", 1_000)
    assert (await put(told, b"x" * 1_000)).status_code == 201
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while True:
            sent += 500
            yield b"x" * 500

    headers = told.bearer(told.world.operator)
    response = await told.http.put(f"/v1/content/{ABSENT}", content=endless(), headers=headers)
    assert_problem(response, 413, "content.too_large")
    assert sent == 1_500


@pytest.mark.parametrize(
    "name", ["", "x", "AB" * 32, "ab" * 31, "ab" * 33, "%00", "..%2f..", "é" * 64, "０" * 64]
)
async def test_a_name_that_is_no_hash_is_refused(told: Door, name: str) -> None:
    operator = told.world.operator
    for response in (
        await told.http.put(f"/v1/content/{name}", content=b"", headers=told.bearer(operator)),
        await told.get(f"/v1/content/{name}", operator),
        await told.get(f"/v1/content/{name}/of/{operator.party}", operator),
        await told.get(f"/v1/content/{name}/delivered/{operator.party}", operator),
    ):
        assert response.status_code in {400, 404}
        assert_problem(response, response.status_code)


def proposal(told: Door) -> bytes:
    """Return bytes whose SHA-256 the licence names: a leaf is a hash like any other."""
    (agreed,) = (
        one for one in told.world.entries if one.submission.type.name == "licence.agreed@1"
    )
    proposed = agreed.submission.payload.proposal  # type: ignore[attr-defined]
    (body,) = (one.body for one in told.world.entries if one.leaf.hex() == proposed)
    return b"\0" + body


def signer_of(told: Door, event: str, sha256: str) -> Actor:
    """Return who signed the `event` that names a hash."""
    submissions = (entry.submission for entry in told.world.entries)
    named = (one for one in submissions if sha256.encode() in one.statement.payload)
    return told.world.actors[next(one.actor for one in named if one.type.name == event)]


async def only_for(told: Door, kind: str, event: str, data: bytes, *allowed: str) -> None:
    """Assert that content that an aggregate of `kind` names is for `allowed` and nobody else.

    It is for nobody but those who read all before the signer of `event`, who names it, puts it in.
    """
    name, key = sha256(data), holding(told, kind, sha256(data))
    await put(told, data, "stranger")
    for reader in told.names.values():
        response = await told.get(f"/v1/content/{name}/of/{key}", reader)
        assert_problem(response, 404, "content.not_found")
    await put(told, data, signer_of(told, event, name))
    for reader in ("nobody", "stranger", "lender", "provider", "buyer", "operator", "regulator"):
        actor = told.names.get(reader)
        response = await told.get(f"/v1/content/{name}/of/{key}", actor)
        if reader in allowed:
            assert response.content == data, reader
            continue
        hidden = assert_problem(response, 404, "content.not_found")
        absent = (await told.get(f"/v1/content/{ABSENT}/of/{key}", actor)).json()
        assert hidden["en"].replace(name, "") == absent["en"].replace(ABSENT, "")


async def test_what_a_licence_names_is_for_its_parties_and_those_who_read_all(told: Door) -> None:
    parties = ("provider", "buyer", "operator", "regulator")
    await only_for(told, "licence", "licence.agreed@1", proposal(told), *parties)


async def test_a_rulebook_card_is_for_anyone(told: Door) -> None:
    card = next(s for s in told.world.held_states().values() if s.KIND == "card")
    everyone = ("nobody", "stranger", "lender", "provider", "buyer", "operator", "regulator")
    assert digest(card.method) == card.sha256  # type: ignore[attr-defined]
    method: str = card.method  # type: ignore[attr-defined]
    await only_for(told, "card", "card.published@1", method.encode(), *everyone)


async def test_a_quality_report_is_for_the_holder_of_the_asset(told: Door) -> None:
    version = next(s for s in told.world.held_states().values() if s.KIND == "version")
    asset = told.world.held_states()[version.asset]  # type: ignore[attr-defined]
    told.names["holder"] = told.world.actors[asset.holder]  # type: ignore[attr-defined]
    report = f"report {version.asset} {version.number}".encode()  # type: ignore[attr-defined]
    allowed = ("assessor", "holder", "operator", "regulator")
    told.names["assessor"] = told.world.actors[version.assessor]  # type: ignore[attr-defined]
    await only_for(told, "version", "quality.assessed@1", report, *allowed)


async def test_a_hash_that_the_aggregate_does_not_name_is_not_found(told: Door) -> None:
    await put(told, b"unrelated")
    for key in (
        told.names["provider"].party,
        "party_x",
        "a%00b",
        "x" * 400,
        "é",
        "policy/exchange",
    ):
        path = f"/v1/content/{sha256(b'unrelated')}/of/{key}"
        response = await told.get(path, told.world.operator)
        assert_problem(response, 404, "content.not_found")


@pytest.mark.parametrize("name", ["nobody", "stranger", "provider", "buyer"])
async def test_content_by_hash_alone_is_for_those_who_read_all(told: Door, name: str) -> None:
    await put(told, b"by hash")
    response = await told.get(f"/v1/content/{sha256(b'by hash')}", told.names.get(name))
    assert_problem(response, 404, "content.not_found")


async def test_damaged_content_is_never_handed_out(told: Door) -> None:
    data = b"to be damaged"
    await put(told, data)
    path = told.app.state.settings.data_folder / "content/objects"
    path = path / sha256(data)[:2] / sha256(data)
    path.write_bytes(data[::-1])
    response = await told.get(f"/v1/content/{sha256(data)}", told.world.operator)
    assert_problem(response, 500, "exchange.fault")


def delivered_file(told: Door) -> tuple[str, str]:
    """Return the delivery and the hash of a file that the delivered version lists."""
    delivery = next(k for k, s in told.world.held_states().items() if s.KIND == "delivery")
    state = told.world.held_states()[delivery]
    version = told.world.held_states()[f"version/{state.asset}/{state.version}"]  # type: ignore[attr-defined]
    body = told.world.entries[version.added_index].body  # type: ignore[attr-defined]
    (found, *_) = re.findall(rb'"sha256":"([0-9a-f]{64})"', body)
    return delivery, found.decode()


async def test_a_delivered_file_is_for_the_parties_to_the_delivery(told: Door) -> None:
    delivery, name = delivered_file(told)
    path, data = f"/v1/content/{name}/delivered/{delivery}", file_bytes()
    assert sha256(data) == name
    # Whoever else has put it in: the version is not opened by that.
    await put(told, data, "stranger")
    assert_problem(await told.get(path, told.names["buyer"]), 404, "content.not_found")
    await put(told, data, "provider")
    for reader in ("provider", "buyer", "regulator"):
        assert (await told.get(path, told.names[reader])).content == data
    for reader in ("nobody", "stranger", "lender"):
        response = await told.get(
            f"/v1/content/{name}/delivered/{delivery}", told.names.get(reader)
        )
        assert_problem(response, 404, "content.not_found")
    for other in (told.names["buyer"].party, "licence_x", "a%00b"):
        response = await told.get(f"/v1/content/{name}/delivered/{other}", told.names["buyer"])
        assert_problem(response, 404, "content.not_found")


async def test_a_stream_holds_no_connection_to_the_database(told: Door) -> None:
    """Else as many slow uploads as the pool has connections would stop every read."""
    told_to_go = asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield b"slow"
        await told_to_go.wait()

    headers = told.bearer(told.world.operator)
    uploads = [
        asyncio.create_task(
            told.http.put(f"/v1/content/{sha256(b'slow')}", content=slow(), headers=headers)
        )
        for _ in range(20)
    ]
    await asyncio.sleep(0.3)
    async with asyncio.timeout(5):
        assert (await told.get("/v1/parties")).status_code == 200
    told_to_go.set()
    assert {response.status_code for response in await asyncio.gather(*uploads)} == {201}
