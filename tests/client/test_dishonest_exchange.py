"""An exchange that lies to its clients: with true entries, true proofs and other content."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from bundles import POLICY, checkpoint
from dataexchange.client.exchange_client import (
    ContentDiffersError,
    ExchangeClient,
    ExchangeRefusedError,
)
from dataexchange.client.export import export
from dataexchange.errors import IntegrityError
from dataexchange.ledger import merkle
from dataexchange.ledger.policy import Policy
from dataexchange.ledger.proof import TlogProof
from dataexchange.rules import Role
from world import ORIGIN, World


class Exchange:
    """Answers as it is told to, from a true log."""

    def __init__(self) -> None:
        world = World()
        for _ in range(3):
            world.join(Role.PROVIDER)
        self.bodies = [one.body for one in world.entries]
        self.leaves = [one.leaf for one in world.entries]
        self.answers: dict[str, bytes] = {}

    def proof(self, index: int) -> bytes:
        path = tuple(merkle.inclusion_proof(self.leaves, index))
        return TlogProof(index, path, checkpoint(self.bodies)).encode()

    def client(self) -> ExchangeClient:
        def answer(request: httpx.Request) -> httpx.Response:
            return httpx.Response(200, content=self.answers[request.url.path])

        transport = httpx.MockTransport(answer)
        return ExchangeClient(httpx.AsyncClient(transport=transport, base_url="http://liar.test"))


def contents(folder: Path) -> list[bytes]:
    return [path.read_bytes() for path in folder.iterdir()]


async def proven(exchange: Exchange, index: int) -> bytes:
    client = exchange.client()
    return (await client.proven(index, Policy.parse(POLICY), ORIGIN)).entry


async def test_what_is_true_is_proven() -> None:
    exchange = Exchange()
    for index, body in enumerate(exchange.bodies):
        exchange.answers = {
            f"/v1/entries/{index}": body,
            f"/v1/entries/{index}/proof": exchange.proof(index),
        }
        assert await proven(exchange, index) == body


@pytest.mark.parametrize(
    "lie",
    [
        pytest.param(lambda e: (e.bodies[2], e.proof(2)), id="another entry with its own proof"),
        pytest.param(lambda e: (e.bodies[2], e.proof(1)), id="another entry"),
        pytest.param(lambda e: (e.bodies[1], e.proof(2)), id="another proof"),
        pytest.param(lambda e: (e.bodies[1] + b" ", e.proof(1)), id="other bytes"),
        pytest.param(
            lambda e: (e.bodies[1], e.proof(1).replace(b"index 1", b"index 2")), id="other index"
        ),
        pytest.param(lambda e: (e.bodies[1], b""), id="no proof"),
        pytest.param(lambda e: (e.bodies[1], e.proof(1)[:-4] + b"AAA\n"), id="a forged checkpoint"),
    ],
)
async def test_a_true_answer_to_another_question_is_no_proof(
    lie: Callable[[Exchange], tuple[bytes, bytes]],
) -> None:
    exchange = Exchange()
    entry, proof = lie(exchange)
    exchange.answers = {"/v1/entries/1": entry, "/v1/entries/1/proof": proof}
    with pytest.raises(IntegrityError):
        await proven(exchange, 1)


@pytest.mark.parametrize("how", ["of/card_x", "delivered/delivery_x"])
async def test_content_that_is_not_what_was_asked_for_is_not_kept(tmp_path: Path, how: str) -> None:
    exchange, to = Exchange(), tmp_path / "file"
    asked = hashlib.sha256(b"true").hexdigest()
    kind, key = how.split("/")
    client = exchange.client()
    fetch = client.get_content if kind == "of" else client.get_delivered
    to.write_bytes(b"what was there before")
    exchange.answers = {f"/v1/content/{asked}/{how}": b"false"}
    with pytest.raises(ContentDiffersError):
        await fetch(asked, key, to)
    assert contents(tmp_path) == [b"what was there before"]
    exchange.answers = {f"/v1/content/{asked}/{how}": b"true"}
    assert await fetch(asked, key, to) == 4
    assert contents(tmp_path) == [b"true"]


@pytest.mark.parametrize("body", [b"", b"<html>bad gateway</html>", b"[]", b"null", b"1", b"\xff"])
async def test_an_answer_that_is_no_problem_document_is_told_by_its_status(body: bytes) -> None:
    transport = httpx.MockTransport(lambda request: httpx.Response(502, content=body))
    client = ExchangeClient(httpx.AsyncClient(transport=transport, base_url="http://proxy.test"))
    with pytest.raises(ExchangeRefusedError) as caught:
        await client.fetch("/v1/log")
    assert caught.value.code == "http.502"


async def test_an_export_asks_for_no_content_but_what_payloads_name(tmp_path: Path) -> None:
    from bundles import bundle_of

    world = World()
    asked: list[str] = []
    members = bundle_of([one.body for one in world.entries]).members

    async def fetch(path: str) -> bytes:
        return members[path.removeprefix("/")]

    async def content(sha256: str) -> bytes | None:
        asked.append(sha256)
        return None

    assert await export(fetch, tmp_path / "bundle.zip", content) == 1
    opened = world.entries[0].submission.payload
    assert asked == [opened.rules_hash]  # type: ignore[attr-defined]
