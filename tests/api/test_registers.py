"""Registers and aggregates: who sees what, pages, entity tags, history, proofs."""

import base64
from typing import Any

import orjson
import pytest

from dataexchange.client.signing import Actor
from dataexchange.database.log_store import parties_in
from dataexchange.ledger import canonical
from dataexchange.ledger.proof import verify_entry
from dataexchange.registry.catalogue import catalogue
from dataexchange.registry.tail import Appended
from dataexchange.registry.visibility import PUBLIC_KINDS
from dataexchange.rules import State
from dataexchange.rules.reference import kind_of
from exchanges import POLICY, Door
from problems import assert_problem
from world import ORIGIN

pytestmark = pytest.mark.asyncio(loop_scope="session")

READERS = ("nobody", "provider", "buyer", "lender", "stranger", "regulator", "operator")


def reader(told: Door, name: str) -> Actor | None:
    return told.names.get(name)


def may_see(told: Door, name: str, key: str, state: State) -> bool:
    """Say by the states alone who may see one: public, a party it names, or one who reads all."""
    actor = reader(told, name)
    named = parties_in(key.encode() + state.encode())
    return (
        kind_of(key) in PUBLIC_KINDS
        or name in ("regulator", "operator")
        or (actor is not None and actor.party in named)
    )


def is_party(told: Door, actor: Actor | None, appended: Appended) -> bool:
    """Say who is party to an entry: who is named in it, or in what is not public of its deal.

    The holder of an asset is a party to all that hangs below it.
    """
    if actor is None or actor.party.encode() in appended.body:
        return actor is not None
    held = told.world.held_states()
    states = {key: held[key] for key in appended.subjects if key in held}
    below = [key.split("/")[1] for key in states if "/asset_" in key]
    return actor.party in [held[asset].holder for asset in below] or any(  # type: ignore[attr-defined]
        actor.party in parties_in(key.encode() + state.encode())
        for key, state in states.items()
        if kind_of(key) not in PUBLIC_KINDS
    )


async def items(told: Door, register: str, actor: Actor | None, **query: Any) -> list[Any]:
    """Return all items of a register, page by page."""
    found, cursor = [], None
    while True:
        chosen = {**query, **({"cursor": cursor} if cursor else {})}
        response = await told.http.get(f"/v1/{register}", params=chosen, headers=told.bearer(actor))
        assert response.status_code == 200, response.text
        page = response.json()
        found += page["items"]
        cursor = page["next"]
        if cursor is None:
            return found


@pytest.mark.parametrize("name", READERS)
async def test_each_register_shows_a_reader_exactly_what_is_for_it(told: Door, name: str) -> None:
    from dataexchange.api.registers import plural

    seen = {
        item["key"]: item["state"]
        for kind in catalogue().states
        for item in await items(told, plural(kind), reader(told, name))
    }
    held = told.world.held_states()
    expected = {key for key, state in held.items() if may_see(told, name, key, state)}
    assert set(seen) == expected
    assert all(canonical.encode(seen[key]) == held[key].encode() for key in seen)


@pytest.mark.parametrize("name", READERS)
async def test_what_a_reader_may_not_see_is_not_found_wherever_it_asks(
    told: Door, name: str
) -> None:
    for key, state in told.world.held_states().items():
        for suffix in ("", "/history", "/proof"):
            response = await told.get(f"/v1/aggregates/{key}{suffix}", reader(told, name))
            if may_see(told, name, key, state):
                assert response.status_code == 200, (key, response.text)
                continue
            hidden = assert_problem(response, 404, "aggregate.not_found")
            absent = await told.get(f"/v1/aggregates/{key[:-1]}0{suffix}", reader(told, name))
            said = orjson.loads(absent.content)
            assert hidden["zh"].replace(key, "") == said["zh"].replace(f"{key[:-1]}0", "")
            assert hidden["clause"] == said["clause"]


@pytest.mark.parametrize("name", READERS)
async def test_an_entry_is_shown_to_its_parties_and_those_who_read_all(
    told: Door, name: str
) -> None:
    actor = reader(told, name)
    for appended in told.world.entries:
        response = await told.get(f"/v1/entries/{appended.index}", actor)
        if is_party(told, actor, appended) or name in ("regulator", "operator"):
            assert response.content == appended.body
            assert response.headers["cache-control"].startswith("private")
        else:
            assert_problem(response, 403, "entry.not_yours")


async def test_the_exchange_wrote_the_very_entries_that_the_rules_gave(told: Door) -> None:
    response = await told.get("/v1/entries?limit=500")
    leaves = [one["leaf"] for one in response.json()["items"]]
    assert leaves == [appended.leaf.hex() for appended in told.world.entries]


async def test_a_proof_shows_its_entry_only_to_those_it_is_for(told: Door) -> None:
    """The state of a listing is public; the entry about it holds the deal."""
    public = [key for key in told.world.held_states() if kind_of(key) in PUBLIC_KINDS]
    for key in public:
        response = (await told.get(f"/v1/aggregates/{key}/proof")).json()
        assert response["entry"] is None
        assert response["leaf"] == response["aggregate"]["head"]
    for name in ("regulator", "operator"):
        for key in public:
            response = await told.get(f"/v1/aggregates/{key}/proof", reader(told, name))
            exact = told.world.entries[response.json()["aggregate"]["index"]].body
            assert b'"entry":%b,"leaf"' % exact in response.content


async def test_the_proof_of_an_aggregate_verifies_under_a_policy(told: Door) -> None:
    operator = told.world.operator
    for key in told.world.held_states():
        said = (await told.get(f"/v1/aggregates/{key}/proof", operator)).json()
        proven = verify_entry(
            canonical.encode(said["entry"]), said["proof"].encode(), POLICY, origin=ORIGIN
        )
        assert proven.index == said["aggregate"]["index"]


@pytest.mark.parametrize("limit", [1, 2, 3, 500])
async def test_pages_of_any_size_hold_the_same_items_in_the_same_order(
    told: Door, limit: int
) -> None:
    whole = await items(told, "parties", None, limit=500)
    assert await items(told, "parties", None, limit=limit) == whole
    assert len(whole) == 13


async def test_a_register_can_be_narrowed_to_a_party(told: Door) -> None:
    provider = told.names["provider"]
    found = await items(told, "assets", None, party=provider.party)
    assert found
    assert all(provider.party in orjson.dumps(item).decode() for item in found)
    # Nobody learns by it whom a register names that is not theirs.
    assert await items(told, "licences", told.names["stranger"], party=provider.party) == []


async def test_the_limit_of_a_page_is_bounded(told: Door) -> None:
    for limit in ("0", "-1", "501", "1e2", "a", "9" * 400, "", "1.5"):
        assert_problem(await told.get(f"/v1/parties?limit={limit}"), 400, "request.invalid")


def spelt(text: str | bytes) -> str:
    data = text if isinstance(text, bytes) else text.encode()
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


async def test_a_cursor_that_no_page_gave_is_refused(told: Door) -> None:
    size = len(told.world.entries)
    for cursor in (
        "x",
        "é",
        "%00",
        "=",
        spelt(""),
        spelt("1"),
        spelt("1 2"),
        spelt("1 2 "),
        spelt("a b c"),
        spelt("-1 0 party_x"),
        spelt("1 -1 party_x"),
        spelt("１ 1 party_x"),
        spelt("1_0 1 party_x"),
        spelt("1 1 a\0b"),
        spelt("1 1 a b"),
        spelt("1 1 ' or 1=1 --"),
        spelt("1 1 é"),
        spelt(b"\xff\xff"),
        spelt(f"{size + 1} 0 party_x"),
        spelt(f"{2**63} 0 party_x"),
        spelt(f"{'9' * 100} 0 party_x"),
        "A" * 201,
    ):
        response = await told.http.get("/v1/parties", params={"cursor": cursor})
        assert response.status_code == 400, (cursor, response.text)
        assert_problem(response, 400, response.json()["code"])


async def test_a_tampered_cursor_moves_within_what_is_visible_and_no_further(told: Door) -> None:
    size = len(told.world.entries)
    stranger = told.names["stranger"]
    everything = spelt(f"{size} 0 a")
    response = await told.get(f"/v1/licences?cursor={everything}", stranger)
    assert response.json()["items"] == []


async def test_an_item_and_a_page_that_the_client_holds_are_not_sent_again(told: Door) -> None:
    for path in (
        f"/v1/aggregates/{told.names['provider'].party}",
        "/v1/parties",
        "/v1/parties?limit=2",
    ):
        first = await told.get(path)
        tag = first.headers["etag"]
        for held in (tag, f'"other", {tag}', f"W/{tag}", "*"):
            again = await told.get(path, **{"If-None-Match": held})
            assert (again.status_code, again.content) == (304, b"")
            assert again.headers["etag"] == tag
        for other in ('"other"', "", tag.strip('"')):
            assert (await told.get(path, **{"If-None-Match": other})).status_code == 200
        assert first.headers["vary"] == "Authorization"


async def test_an_entry_that_the_client_holds_is_not_sent_again_to_whom_it_is_for(
    told: Door,
) -> None:
    operator = told.world.operator
    tag = (await told.get("/v1/entries/0", operator)).headers["etag"]
    again = await told.get("/v1/entries/0", operator, **{"If-None-Match": tag})
    assert again.status_code == 304
    assert_problem(await told.get("/v1/entries/0", **{"If-None-Match": tag}), 403)


async def test_the_tag_of_a_page_differs_where_what_is_seen_differs(told: Door) -> None:
    tags = {
        (await told.get("/v1/accounts", reader(told, name))).headers["etag"]
        for name in ("nobody", "buyer", "operator")
    }
    assert len(tags) == 3


async def test_history_is_every_entry_about_an_aggregate_newest_first(told: Door) -> None:
    provider = told.names["provider"].party
    expected = [one.index for one in told.world.entries if provider in one.subjects][::-1]
    for limit in (1, 3, 500):
        found: list[int] = []
        before = ""
        while True:
            path = f"/v1/aggregates/{provider}/history?limit={limit}{before}"
            page = (await told.get(path)).json()
            found += page["indexes"]
            if page["next"] is None:
                break
            before = f"&before={page['next']}"
        assert found == expected


@pytest.mark.parametrize(
    "key",
    [
        "nothing",
        "party_01k9m3e3xkf2v8n5q7r1s4t6w8",
        "a%00b",
        "%00",
        "%ff",
        "%F0%9F%98%80",
        "..%2f..%2fetc%2fpasswd",
        "../../etc/passwd",
        "'; drop table entry; --",
        "a" * 301,
        "a" * 5_000,
        "//",
        "history",
        "proof",
        "/history",
    ],
)
async def test_keys_of_nothing_are_not_found(told: Door, key: str) -> None:
    for suffix in ("", "/history", "/proof"):
        response = await told.get(f"/v1/aggregates/{key}{suffix}", told.world.operator)
        assert_problem(response, 404, response.json()["code"])
