"""A token is the party's own signed word, for one log and a short while."""

from datetime import UTC, datetime, timedelta

import pytest

from dataexchange.client.signing import SigningKey
from dataexchange.errors import RefusedError
from dataexchange.identity import access
from dataexchange.ledger.signature import pre_authentication

NOW = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
LOG = "example.test/log"
KEY = SigningKey.generate()


def token(
    *, life: timedelta = timedelta(minutes=30), issued_at: datetime = NOW, signer: SigningKey = KEY
) -> str:
    body = access.body("party_1", KEY.id, LOG, issued_at=issued_at, life=life)
    return access.join(body, signer.sign(pre_authentication(access.TOKEN_TYPE, body)))


def refused(text: str, *, log: str = LOG, now: datetime = NOW) -> str:
    with pytest.raises(RefusedError) as caught:
        access.read(text, log, now)
    assert caught.value.code == "access.token_wrong"
    return caught.value.en


def test_a_token_says_who_bears_it() -> None:
    said = access.read(token(), LOG, NOW + timedelta(minutes=29))
    assert (said.actor, said.key, said.log) == ("party_1", KEY.id, LOG)


def test_a_token_serves_one_log() -> None:
    assert "for log" in refused(token(), log="example.test/other")


@pytest.mark.parametrize("minutes", [31, -6])
def test_a_token_serves_its_time_only(minutes: int) -> None:
    assert "expired" in refused(token(), now=NOW + timedelta(minutes=minutes))


def test_a_token_lives_an_hour_at_most() -> None:
    access.read(token(life=timedelta(hours=1)), LOG, NOW)
    assert "too long" in refused(token(life=timedelta(hours=1, seconds=1)))


def test_a_token_is_signed_by_the_key_that_it_names() -> None:
    assert "bad signature" in refused(token(signer=SigningKey.generate()))


def test_a_token_that_was_changed_is_refused() -> None:
    body, signature = token().split(".")
    other = access.body("party_2", KEY.id, LOG, issued_at=NOW, life=timedelta(minutes=30))
    assert "bad signature" in refused(access.join(other, KEY.sign(b"")))
    changed = ("B" if signature[0] == "A" else "A") + signature[1:]
    assert "bad signature" in refused(f"{body}.{changed}")


@pytest.mark.parametrize("text", ["", ".", "a.b", "e30." + "A" * 86, "=" * 100, "令牌"])
def test_what_is_no_token_is_refused(text: str) -> None:
    assert "malformed" in refused(text)
