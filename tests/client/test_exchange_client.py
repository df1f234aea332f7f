"""The client against a real service: batches, linked statements, content, proofs."""

import hashlib
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from dataexchange.client.exchange_client import ExchangeClient, ExchangeRefusedError, signed
from dataexchange.client.signing import Actor
from dataexchange.client.typeid import new_id
from dataexchange.errors import DataExchangeError, IntegrityError
from dataexchange.ledger.entry import Entry
from dataexchange.ledger.note import Ed25519Signer, VerifierKey
from dataexchange.ledger.policy import Policy
from dataexchange.rules import Role

if TYPE_CHECKING:
    from served import Served

ORIGIN = "example.test/log"


def client_of(client: ExchangeClient, actor: Actor | None) -> ExchangeClient:
    """Return a client of another actor over the same connection."""
    return ExchangeClient(client._http, actor)


async def joined(operator: ExchangeClient, served: "Served", *roles: Role) -> Actor:
    """Return an admitted party with `roles`."""
    actor = served.world.actor()
    profile = served.world.profile(actor, *roles, number=int.from_bytes(actor.key.seed[:3]))
    await client_of(operator, actor).submit("party.applied@1", profile)
    admission = {"party": actor.party, "roles": [role.value for role in roles]}
    await operator.submit("party.admitted@1", admission)
    return actor


def grouping(party: str) -> dict[str, Any]:
    return {"party": party, "group": new_id("group"), "evidence": "register-extract"}


async def test_an_event_sent_again_gets_its_first_answer(
    operator: ExchangeClient, served: "Served"
) -> None:
    party = await joined(operator, served, Role.PROVIDER)
    stated = served.world.operator.state("party.grouped@1", grouping(party.party))
    sent = signed(served.world.operator, stated)
    first, again = await operator.send(sent), await operator.send(sent)
    assert (first.repeated, again.repeated) == (False, True)
    assert (first.index, first.leaf) == (again.index, again.leaf)


async def test_a_batch_is_answered_one_by_one(operator: ExchangeClient, served: "Served") -> None:
    party = await joined(operator, served, Role.PROVIDER)
    payloads = [grouping(party.party), grouping(new_id("party")), grouping(party.party)]
    stated = [served.world.operator.state("party.grouped@1", payload) for payload in payloads]
    answers = await operator.submit_batch(stated)
    assert [set(answer) >= {"index", "leaf"} for answer in answers] == [True, False, True]
    assert answers[1]["problem"]["code"] == "aggregate.not_found"
    assert answers[2]["index"] == answers[0]["index"] + 1


async def test_entries_of_a_batch_stand_alone(operator: ExchangeClient, served: "Served") -> None:
    party = await joined(operator, served, Role.PROVIDER)
    stated = [
        served.world.operator.state("party.grouped@1", grouping(party.party)) for _ in range(5)
    ]
    answers = await operator.submit_batch(stated)
    for one, answer in zip(stated, answers, strict=True):
        entry = Entry.parse(await operator.fetch(f"/v1/entries/{answer['index']}"))
        assert entry.statement.body == one.body
        assert entry.leaf.hex() == answer["leaf"]
        entry.statement.verify(entry.fields.signature)


async def test_linked_statements_of_two_parties_get_in_together(
    operator: ExchangeClient, served: "Served"
) -> None:
    applicant = served.world.actor()
    ids = (new_id("evt"), new_id("evt"))
    profile = served.world.profile(applicant, Role.BUYER, number=7)
    admission = {"party": applicant.party, "roles": ["buyer"]}
    first = applicant.state("party.applied@1", profile, id=ids[0], linked=ids)
    second = served.world.operator.state("party.admitted@1", admission, id=ids[1], linked=ids)
    parts = [signed(applicant, first), signed(served.world.operator, second)]
    accepted = await operator.send_linked(parts)
    assert [one.index for one in accepted] == [1, 2]
    assert [one.repeated for one in await operator.send_linked(parts)] == [True, True]
    assert (await operator.state(applicant.party))["status"] == "active"


async def test_of_linked_statements_all_get_in_or_none(
    operator: ExchangeClient, served: "Served"
) -> None:
    applicant = served.world.actor()
    ids = (new_id("evt"), new_id("evt"))
    profile = served.world.profile(applicant, Role.BUYER, number=7)
    wrong = {"party": new_id("party"), "roles": ["buyer"]}
    first = applicant.state("party.applied@1", profile, id=ids[0], linked=ids)
    second = served.world.operator.state("party.admitted@1", wrong, id=ids[1], linked=ids)
    with pytest.raises(ExchangeRefusedError):
        await operator.send_linked(
            [signed(applicant, first), signed(served.world.operator, second)]
        )
    with pytest.raises(ExchangeRefusedError) as caught:
        await operator.state(applicant.party)
    assert caught.value.code == "aggregate.not_found"
    assert json.loads(await operator.fetch("/v1/log"))["size"] == 1


async def test_a_dry_run_tells_the_states_and_keeps_none(
    operator: ExchangeClient, served: "Served"
) -> None:
    party = await joined(operator, served, Role.PROVIDER)
    before = await operator.head(party.party)
    states = await operator.dry_run("party.grouped@1", grouping(party.party))
    assert party.party in states
    assert await operator.head(party.party) == before
    with pytest.raises(ExchangeRefusedError):
        await operator.dry_run("party.grouped@1", grouping(new_id("party")))


async def test_a_register_is_read_page_by_page_as_of_its_first(
    operator: ExchangeClient, served: "Served"
) -> None:
    parties = [(await joined(operator, served, Role.BUYER)).party for _ in range(5)]
    seen = []
    async for item in operator.register("parties", limit=2):
        if not seen:
            await joined(operator, served, Role.BUYER)
        seen.append(item["key"])
    assert seen[-5:] == parties
    assert len(seen) == len(set(seen)) == 7


async def test_content_is_kept_by_hash_and_read_by_those_whom_it_concerns(
    operator: ExchangeClient, served: "Served", tmp_path: Path
) -> None:
    party = await joined(operator, served, Role.PROVIDER)
    mine = client_of(operator, party)
    path = tmp_path / "file"
    path.write_bytes(bytes(range(256)) * 10_000)
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    await mine.put_content(path, sha256)
    await mine.put_content(path, sha256)
    assert await operator.fetch(f"/v1/content/{sha256}") == path.read_bytes()
    assert await operator.fetch_within(f"/v1/content/{sha256}", 2_560_000) == path.read_bytes()
    assert await operator.fetch_within(f"/v1/content/{sha256}", 2_559_999) is None
    with pytest.raises(ExchangeRefusedError) as caught:
        await mine.get_content(sha256, party.party, tmp_path / "copy")
    assert caught.value.code == "content.not_found"
    assert not (tmp_path / "copy").exists()


async def test_content_of_another_hash_is_refused(
    operator: ExchangeClient, served: "Served", tmp_path: Path
) -> None:
    party = await joined(operator, served, Role.PROVIDER)
    (tmp_path / "file").write_bytes(b"this")
    with pytest.raises(ExchangeRefusedError) as caught:
        await client_of(operator, party).put_content(tmp_path / "file", "0" * 64)
    assert caught.value.code == "content.hash_differs"
    with pytest.raises(ExchangeRefusedError) as caught:
        await client_of(operator, None).put_content(tmp_path / "file", "0" * 64)
    assert caught.value.code == "access.needed"


async def test_an_entry_is_proven_under_a_policy_and_not_under_anothers(
    operator: ExchangeClient, served: "Served"
) -> None:
    served.until_checkpoint(1)
    vkey = json.loads(await operator.fetch("/v1/log"))["vkeys"][0]
    proven = await operator.proven(0, Policy.of_log(VerifierKey.parse(vkey)), ORIGIN)
    assert proven.index == 0
    other = Policy.of_log(VerifierKey.parse(Ed25519Signer(ORIGIN, bytes(32)).vkey))
    with pytest.raises(IntegrityError):
        await operator.proven(0, other, ORIGIN)
    with pytest.raises(IntegrityError):
        await operator.proven(0, Policy.of_log(VerifierKey.parse(vkey)), "another.test/log")


async def test_a_statement_out_of_its_time_is_refused(
    operator: ExchangeClient, served: "Served"
) -> None:
    party = await joined(operator, served, Role.PROVIDER)
    late = datetime.now(UTC) - timedelta(hours=2)
    with pytest.raises(ExchangeRefusedError) as caught:
        await operator.submit("party.grouped@1", grouping(party.party), at=late)
    assert caught.value.code.startswith("statement.")


async def test_a_client_without_an_actor_reads_and_cannot_write(
    operator: ExchangeClient, served: "Served"
) -> None:
    reader = client_of(operator, None)
    assert (await reader.state("policy/exchange"))["id"] == "policy/exchange"
    with pytest.raises(DataExchangeError):
        await reader.submit("party.left@1", {"party": new_id("party")})


async def test_an_answer_that_is_no_problem_is_told_of_too() -> None:
    def answer(_request: httpx.Request) -> httpx.Response:
        return httpx.Response(502, text="<html>bad gateway</html>")

    async with httpx.AsyncClient(
        base_url="http://exchange.test", transport=httpx.MockTransport(answer)
    ) as http:
        with pytest.raises(ExchangeRefusedError) as caught:
            await ExchangeClient(http).fetch("/checkpoint")
    assert caught.value.code == "http.502"
