"""Parties of every suite join, write, try and read by HTTP, change suites, and are verified."""

from dataclasses import replace
from pathlib import Path

import orjson
import pytest
from eth_account import Account
from eth_account.messages import encode_defunct

from bundles import POLICY, bundle_of
from dataexchange.client.exchange_client import access_token
from dataexchange.client.signing import Actor, SigningKey
from dataexchange.client.typeid import new_id
from dataexchange.ledger.entry import encode_signature
from dataexchange.ledger.signature import PublicKey, Signature
from dataexchange.ledger.suites import SUITES, SuiteName
from dataexchange.ledger.suites.secp256k1 import read_wallet
from dataexchange.rules import Role
from dataexchange.verification.verify import verify_bundle
from exchanges import Door
from problems import assert_problem
from world import ORIGIN

NAMES = list(SUITES)
HELLO = "本人以此钱包参与数据交易所 I take part in the exchange with this wallet".encode()


async def joined(door: Door, suite: SuiteName) -> Actor:
    """Return a party that joined with a key of `suite`."""
    actor = Actor(new_id("party"), SigningKey.generate(suite), ORIGIN)
    profile = door.world.profile(actor, Role.BUYER, number=500 + NAMES.index(suite))
    assert (await door.submit(actor, "party.applied@1", profile)).status_code == 201
    admission = {"party": actor.party, "roles": ["buyer"]}
    answer = await door.submit(door.world.operator, "party.admitted@1", admission)
    assert answer.status_code == 201
    return actor


def adding(actor: Actor) -> dict[str, str]:
    return {"party": actor.party, "key": SigningKey.generate().id}


@pytest.mark.parametrize("suite", NAMES)
async def test_a_party_of_any_suite_writes_alone_and_in_batches_and_reads(
    door: Door, suite: SuiteName
) -> None:
    actor = await joined(door, suite)
    client = door.client(actor)
    alone = await client.submit("key.added@1", adding(actor))
    stated = [actor.state("key.added@1", adding(actor), at=door.world.now) for _ in range(3)]
    results = await client.submit_batch(stated)
    assert [one["index"] for one in results] == [alone.index + n for n in (1, 2, 3)]
    assert (await door.get(f"/v1/entries/{alone.index}", actor)).status_code == 200
    assert await client.dry_run("key.added@1", adding(actor))


@pytest.mark.parametrize("suite", NAMES)
async def test_what_another_key_of_the_suite_signed_is_refused_at_every_door(
    door: Door, suite: SuiteName
) -> None:
    actor = await joined(door, suite)
    thief = replace(actor, key=SigningKey.generate(suite))
    stated = actor.state("key.added@1", adding(actor), at=door.world.now)
    forged = encode_signature(thief.sign(stated))
    body = b'{"signature":%b,"statement":%b}' % (forged, stated.body)
    for path in ("/v1/events", "/v1/events/dry-run"):
        assert_problem(await door.http.post(path, content=body), 403, "signature.bad")
    whole = encode_signature(thief.sign_whole([stated]))
    batch = b'{"signature":%b,"statements":[%b]}' % (whole, stated.body)
    assert_problem(await door.http.post("/v1/events/batch", content=batch), 403, "signature.bad")
    good = access_token(actor, door.world.now)
    bad = access_token(thief, door.world.now)
    mixed = f"{good.split('.')[0]}.{bad.split('.')[1]}"
    read = await door.http.get("/v1/parties", headers={"Authorization": f"Bearer {mixed}"})
    assert_problem(read, 401, "access.token_wrong")


class Wallet:
    """An EVM wallet: it shows a text, returns r ‖ s ‖ v, and never tells its key."""

    def __init__(self) -> None:
        self._account = Account.create()
        public, _ = read_wallet(HELLO, self._personal_sign(HELLO))
        self.public = PublicKey("secp256k1", public)
        self.id = self.public.id

    def sign(self, message: bytes) -> bytes:
        public, value = read_wallet(message, self._personal_sign(message))
        assert public == self.public.raw
        return value

    def _personal_sign(self, message: bytes) -> bytes:
        signed = self._account.sign_message(encode_defunct(primitive=message))
        return bytes(signed.signature)


async def test_a_party_signs_with_an_ordinary_wallet(door: Door) -> None:
    actor = Actor(new_id("party"), Wallet(), ORIGIN)  # type: ignore[arg-type]
    profile = door.world.profile(actor, Role.BUYER, number=510)
    client = door.client(actor)
    await client.submit("party.applied@1", profile)
    admission = {"party": actor.party, "roles": ["buyer"]}
    assert (await door.submit(door.world.operator, "party.admitted@1", admission)).is_success
    stated = [actor.state("key.added@1", adding(actor), at=door.world.now) for _ in range(2)]
    assert all("index" in one for one in await client.submit_batch(stated))
    assert (await client.state(actor.party))["status"] == "active"


async def test_a_batch_that_names_another_suite_than_its_keys_is_refused(door: Door) -> None:
    operator = door.world.operator
    stated = operator.state("key.added@1", adding(operator), at=door.world.now)
    whole = operator.sign_whole([stated])
    claimed = encode_signature(Signature("sm2", whole.value))
    body = b'{"signature":%b,"statements":[%b]}' % (claimed, stated.body)
    assert_problem(await door.http.post("/v1/events/batch", content=body), 403, "signature.bad")


async def test_a_party_goes_from_suite_to_suite_and_the_verifier_follows(
    door: Door, tmp_path: Path
) -> None:
    actor = await joined(door, "ed25519")
    for suite in ("sm2", "secp256k1", "ed25519"):
        new = replace(actor, key=SigningKey.generate(suite))
        rotation = {"party": actor.party, "old_key": actor.key.id, "new_key": new.key.id}
        assert (await door.submit(actor, "key.rotated@1", rotation)).status_code == 201
        answer = await door.submit(actor, "key.added@1", adding(actor))
        assert_problem(answer, 403, "key.not_valid")
        actor = new
    size = orjson.loads((await door.http.get("/v1/log")).content)["size"]
    regulator = door.world.regulator
    bodies = [(await door.get(f"/v1/entries/{at}", regulator)).content for at in range(size)]
    verdict = verify_bundle(bundle_of(bodies).write(tmp_path / "log.zip"), POLICY)
    assert verdict.size == size
    assert verdict.events["key.rotated@1"] == 3
