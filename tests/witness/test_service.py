"""The witness's HTTP door, and the client that asks it."""

from collections.abc import AsyncIterator
from dataclasses import replace

import httpx
import pytest

from dataexchange.ledger.checkpoint import sign_checkpoint
from dataexchange.ledger.cosignature import verifier_for
from dataexchange.ledger.note import Ed25519Signer, Note, SignatureType, VerifierKey
from dataexchange.witness import AddCheckpoint, InconsistentError, SizeConflictError
from dataexchange.witness.client import WitnessUnreachableError, add_checkpoint, last_checkpoint
from dataexchange.witness.protocol import checkpoint_path
from dataexchange.witness.service import BODY_BYTES_MAX, create_app
from dataexchange.witness.witness import Witness
from foreign_log import WITNESS, ForeignLog

KEYS = [verifier_for(VerifierKey.parse(WITNESS.vkey))]
URL = "http://witness.test"


@pytest.fixture
async def http(witness: Witness) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(create_app(witness))
    async with httpx.AsyncClient(transport=transport, base_url=URL) as client:
        yield client


def answering(status: int, content: bytes, kind: str = "text/plain") -> httpx.AsyncClient:
    """Return a client of a witness that always answers so."""
    answer = httpx.Response(status, content=content, headers={"Content-Type": kind})
    return httpx.AsyncClient(transport=httpx.MockTransport(lambda request: answer))


async def test_each_outcome_has_the_status_that_the_specification_gives_it(
    http: httpx.AsyncClient, log: ForeignLog
) -> None:
    stranger = ForeignLog("example.com/other", leaves=log.leaves)
    impostor = ForeignLog(seed=b"\x05" * 32, leaves=log.leaves)
    extended = sign_checkpoint(replace(log.checkpoint(15), extensions=("more",)), log.signer)
    steps = [
        (log.request(0, 10).encode(), 200),
        (log.request(5, 20).encode(), 409),
        (stranger.request(0, 10).encode(), 404),
        (impostor.request(0, 10).encode(), 403),
        (AddCheckpoint(10, (), log.signed(20)).encode(), 422),
        (AddCheckpoint(10, (), log.signed(9)).encode(), 400),
        (b"old 10\nrubbish", 400),
        (replace(log.request(10, 15), checkpoint=extended).encode(), 200),
        (b"x" * (BODY_BYTES_MAX + 1), 413),
        (log.request(15, 20).encode(), 200),
    ]
    for body, status in steps:
        assert (await http.post("/add-checkpoint", content=body)).status_code == status


async def test_a_conflict_names_the_size_in_its_own_media_type(
    http: httpx.AsyncClient, log: ForeignLog
) -> None:
    await http.post("/add-checkpoint", content=log.request(0, 10).encode())
    answer = await http.post("/add-checkpoint", content=log.request(5, 20).encode())
    assert answer.content == b"10\n"
    assert answer.headers["content-type"] == "text/x.tlog.size"


async def test_only_post_adds_and_nothing_else_is_served(http: httpx.AsyncClient) -> None:
    assert (await http.get("/add-checkpoint")).status_code == 405
    assert (await http.get("/")).status_code == 404


async def test_the_checkpoint_cosigned_last_is_shown_to_monitors(
    http: httpx.AsyncClient, log: ForeignLog
) -> None:
    assert (await http.get(checkpoint_path(log.origin))).status_code == 404
    await http.post("/add-checkpoint", content=log.request(0, 10).encode())
    await http.post("/add-checkpoint", content=log.request(10, 20).encode())
    shown = await http.get(checkpoint_path(log.origin))
    assert Note.parse(shown.content).text == log.checkpoint(20).text()
    assert await last_checkpoint(http, URL, log.origin) == shown.content
    assert await last_checkpoint(http, URL, "example.com/other") is None


async def test_the_client_gets_a_verified_cosignature_or_learns_why_not(
    http: httpx.AsyncClient, log: ForeignLog
) -> None:
    (signature,) = await add_checkpoint(http, URL, log.request(0, 10), KEYS)
    assert KEYS[0].verify(log.checkpoint(10).text(), signature.value)
    with pytest.raises(SizeConflictError) as conflict:
        await add_checkpoint(http, URL + "/", log.request(0, 20), KEYS)
    assert conflict.value.size == 10
    with pytest.raises(InconsistentError):
        await add_checkpoint(http, URL, log.fork(5).request(10, 20), KEYS)


async def test_the_client_believes_no_key_but_the_one_it_expects(
    http: httpx.AsyncClient, log: ForeignLog
) -> None:
    other = Ed25519Signer(WITNESS.name, b"\x07" * 32, SignatureType.COSIGNATURE)
    keys = [verifier_for(VerifierKey.parse(other.vkey))]
    with pytest.raises(WitnessUnreachableError, match="no cosignature by the key"):
        await add_checkpoint(http, URL, log.request(0, 10), keys)


async def test_the_client_refuses_a_cosignature_of_another_checkpoint(
    http: httpx.AsyncClient, log: ForeignLog
) -> None:
    lines = (await http.post("/add-checkpoint", content=log.request(0, 10).encode())).content
    with pytest.raises(WitnessUnreachableError, match="does not verify"):
        await add_checkpoint(answering(200, lines), URL, log.request(0, 11), KEYS)


@pytest.mark.parametrize(
    ("status", "content", "kind"),
    [
        (200, b"", "text/plain"),
        (200, b"no line", "text/plain"),
        (200, b"x" * 300_000, "text/plain"),
        (302, b"", "text/plain"),
        (403, b"", "text/plain"),
        (404, b"", "text/plain"),
        (500, b"\xff", "text/plain"),
        (409, b"many\n", "text/x.tlog.size"),
        (409, b"-1\n", "text/x.tlog.size"),
    ],
)
async def test_any_other_answer_is_as_good_as_none(
    log: ForeignLog, status: int, content: bytes, kind: str
) -> None:
    with pytest.raises(WitnessUnreachableError):
        await add_checkpoint(answering(status, content, kind), URL, log.request(0, 10), KEYS)


@pytest.mark.parametrize(
    ("content", "kind"), [(b"10\n", "text/x.tlog.size"), (b"other root", "text/plain")]
)
async def test_a_conflict_at_the_very_size_means_another_history(
    log: ForeignLog, content: bytes, kind: str
) -> None:
    with pytest.raises(InconsistentError):
        await add_checkpoint(answering(409, content, kind), URL, log.request(10, 10), KEYS)


async def test_a_witness_that_is_not_there_is_unreachable(log: ForeignLog) -> None:
    async with httpx.AsyncClient(timeout=2) as http:
        for url in ("http://127.0.0.1:9", "http://[::bad", "ftp://witness"):
            with pytest.raises(WitnessUnreachableError):
                await add_checkpoint(http, url, log.request(0, 10), KEYS)
