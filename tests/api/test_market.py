"""Market evidence and price histories: who reads what, in what order, proven by what."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import pytest_asyncio

from dataexchange.client.exchange_client import ExchangeClient
from dataexchange.client.signing import Actor
from dataexchange.ledger.entry import Entry
from dataexchange.ledger.merkle import ProofError
from dataexchange.ledger.proof import verify_leaf
from dataexchange.rules import Role
from dataexchange.valuation import (
    comparables_from_deals,
    deals_from_evidence,
    usable_deals,
    value,
)
from exchanges import POLICY, Door, opened_door, small_world
from problems import assert_problem
from steps_evidence import TITLE_FEN, Market, traded
from steps_market import FEE_FEN, settled_licence
from steps_valuation import VALUE_FEN
from world import ORIGIN

if TYPE_CHECKING:
    from databases import Addresses
    from dataexchange.database.embedded import EmbeddedPostgres

EVIDENCE = "/v1/market/evidence"


pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def shared(
    postgres: "EmbeddedPostgres", tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[tuple[Door, Market]]:
    """An exchange whose market has traded, for tests that only read."""
    from databases import migrated_template, new_database

    market, template = traded(small_world()), await migrated_template(postgres)
    async with (
        new_database(postgres, template=template) as addresses,
        opened_door(addresses, tmp_path_factory.mktemp("market"), market.world) as door,
    ):
        await door.tell()
        yield door, market


@pytest.fixture
def door(shared: tuple[Door, Market]) -> Door:
    return shared[0]


@pytest.fixture
def market(shared: tuple[Door, Market]) -> Market:
    return shared[1]


async def items(door: Door, reader: Actor, query: str = "") -> list[dict[str, Any]]:
    response = await door.get(f"{EVIDENCE}?{query}", reader)
    assert response.status_code == 200, response.text
    found: list[dict[str, Any]] = response.json()["items"]
    return found


async def test_an_appraiser_reads_all_closed_deals_newest_first_without_their_parties(
    door: Door, market: Market
) -> None:
    found = await items(door, market.appraiser)
    assert [one["kind"] for one in found] == ["title", "exclusive_licence", "licence", "licence"]
    assert [one["price_fen"] for one in found] == [500_00, FEE_FEN, FEE_FEN, FEE_FEN]
    assert {one["category"] for one in found} == {"transport"}
    assert {(one["deal"], one["seller"], one["buyer"]) for one in found} == {(None, None, None)}
    text = (await door.get(EVIDENCE, market.appraiser)).text
    assert market.first.buyer.party not in text


async def test_the_entry_named_is_the_one_that_closed_the_deal_and_its_proof_holds(
    door: Door, market: Market
) -> None:
    for one in await items(door, market.appraiser):
        entry = Entry.parse(market.world.entries[one["entry_index"]].body)
        assert entry.statement.fields.event in ("licence.finalised@1", "title.transferred@1")
        assert entry.leaf.hex() == one["leaf_hash"]
        proof = one["proof"].encode()
        index, _ = verify_leaf(entry.leaf, proof, POLICY, origin=ORIGIN)
        assert index == one["entry_index"]


async def test_a_regulator_reads_who_dealt(door: Door, market: Market) -> None:
    last = (await items(door, market.world.regulator))[-1]
    deal = market.first
    named = (last["deal"], last["seller"], last["buyer"])
    assert named == (deal.licence, deal.provider.party, deal.buyer.party)


async def test_anyone_else_reads_their_own_deals_only(door: Door, market: Market) -> None:
    assert await items(door, market.stranger) == []
    (own,) = await items(door, market.second.buyer)
    assert own["deal"] == market.second.licence
    assert_problem(await door.get(EVIDENCE), 401, "access.needed")


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("kind=licence", 2),
        ("kind=title", 1),
        ("form=api", 1),
        ("category=transport", 4),
        ("category=weather", 0),
        ("grade=general", 4),
        ("grade=core", 0),
        ("since=2026-01-01", 4),
        ("until=2026-01-01", 0),
        ("limit=1", 1),
    ],
)
async def test_deals_are_asked_for_by_what_matters(
    door: Door, market: Market, query: str, count: int
) -> None:
    assert len(await items(door, market.appraiser, query)) == count


async def test_days_are_counted_from_the_day_that_closed_the_deal(
    door: Door, market: Market
) -> None:
    oldest = (await items(door, market.appraiser))[-1]["closed_on"]
    assert len(await items(door, market.appraiser, f"until={oldest}")) == 1


async def test_pages_follow_one_another(door: Door, market: Market) -> None:
    seen: list[int] = []
    query = "limit=1"
    while True:
        page = (await door.get(f"{EVIDENCE}?{query}", market.appraiser)).json()
        seen += [one["entry_index"] for one in page["items"]]
        if page["next"] is None:
            break
        query = f"limit=1&before={page['next']}"
    whole = [one["entry_index"] for one in await items(door, market.appraiser)]
    assert seen == whole


@pytest.mark.parametrize(
    "query",
    ["kind=gift", "form=fax", "since=yesterday", "limit=0", "limit=101", "before=-1", "colour=red"],
)
async def test_a_question_that_cannot_be_asked_is_refused(
    door: Door, market: Market, query: str
) -> None:
    response = await door.get(f"{EVIDENCE}?{query}", market.appraiser)
    assert_problem(response, 400, "request.invalid")


async def test_a_deal_between_affiliates_is_marked(
    migrated_database: "Addresses", tmp_path: Path
) -> None:
    world = small_world()
    deal, appraiser = settled_licence(world), world.join(Role.APPRAISER)
    for party in (deal.provider.party, deal.buyer.party):
        group = "group_01k9m3e3xkf2v8n5q7r1s4t6w8"
        grouping = {"party": party, "group": group, "evidence": "E-1"}
        world.do(world.operator, "party.grouped@1", **grouping)
    async with opened_door(migrated_database, tmp_path, world) as door:
        await door.tell()
        (found,) = await items(door, appraiser)
    assert found["arms_length"] is False


async def prices(door: Door, asset: str, reader: Actor | None, query: str = "") -> Any:
    response = await door.get(f"/v1/assets/{asset}/prices?{query}", reader)
    assert response.status_code == 200, response.text
    return response.json()


async def test_the_prices_of_an_asset_are_told_newest_first_with_their_entries(
    door: Door, market: Market
) -> None:
    found = (await prices(door, market.valued.asset, market.world.regulator))["items"]
    assert [one["what"] for one in found] == ["agreed", "valued", "licensed", "repriced", "listed"]
    assert [one["price_fen"] for one in found] == [VALUE_FEN, VALUE_FEN, 70_000, 70_000, FEE_FEN]
    for one in found:
        entry = market.world.entries[one["entry_index"]]
        assert (entry.leaf.hex(), one["key"].encode() in entry.body) == (one["leaf_hash"], True)
    assert found[1]["price"]["p10_fen"] == VALUE_FEN * 8 // 10


async def test_the_sale_of_a_title_is_a_price(door: Door, market: Market) -> None:
    (one,) = (await prices(door, market.sold.asset, market.taker))["items"]
    assert (one["what"], one["price_fen"]) == ("sold", TITLE_FEN)


@pytest.mark.parametrize(
    ("reader", "told"),
    [
        ("nobody", ["repriced", "listed"]),
        ("stranger", ["repriced", "listed"]),
        ("appraiser", ["licensed", "repriced", "listed"]),
        ("holder", ["agreed", "valued", "licensed", "repriced", "listed"]),
    ],
)
async def test_each_reads_the_prices_that_are_theirs_to_know(
    door: Door, market: Market, reader: str, told: list[str]
) -> None:
    who = {
        "nobody": None,
        "stranger": market.stranger,
        "appraiser": market.appraiser,
        "holder": market.valued.provider,
    }[reader]
    found = await prices(door, market.valued.asset, who)
    assert [one["what"] for one in found["items"]] == told


async def test_prices_come_in_pages(door: Door, market: Market) -> None:
    seen: list[str] = []
    query = "limit=2"
    while True:
        page = await prices(door, market.valued.asset, market.world.regulator, query)
        seen += [one["what"] for one in page["items"]]
        if page["next"] is None:
            break
        query = f"limit=2&before={page['next']}"
    assert seen == ["agreed", "valued", "licensed", "repriced", "listed"]


@pytest.mark.parametrize(
    "asset", ["asset_01k9m3e3xkf2v8n5q7r1s4t6w8", "x", "policy/exchange", "%00", "a%0ab", "é"]
)
async def test_an_asset_that_is_not_there_has_no_prices(door: Door, asset: str) -> None:
    assert_problem(await door.get(f"/v1/assets/{asset}/prices"), 404)


async def test_the_client_checks_each_proof_and_hands_deals_to_the_market_card(
    door: Door, market: Market
) -> None:
    found = await door.client(market.appraiser).evidence(POLICY, kind="licence", limit=1)
    deals = usable_deals(
        deals_from_evidence(found), category="transport", base_date=market.world.now.date()
    )
    comparables = comparables_from_deals(deals, base_date=market.world.now.date())
    result = value("market", {"datasets": [{"name": "A", "comparables": comparables}]})
    assert result.yuan == "1000.00"
    assert [one["entry_index"] for one in comparables] == [one["entry_index"] for one in found]


async def test_evidence_whose_proof_is_of_another_entry_is_not_believed(
    door: Door, market: Market
) -> None:
    page = (await door.get(EVIDENCE, market.appraiser)).json()
    one, other = page["items"][:2]
    forged = {"items": [{**one, "proof": other["proof"]}], "next": None}
    transport = httpx.MockTransport(lambda _request: httpx.Response(200, json=forged))
    async with httpx.AsyncClient(transport=transport, base_url="http://x") as http:
        with pytest.raises(ProofError):
            await ExchangeClient(http).evidence(POLICY)


async def test_the_client_reads_the_prices_of_an_asset(door: Door, market: Market) -> None:
    found = await door.client().prices(market.valued.asset)
    assert [one["what"] for one in found] == ["repriced", "listed"]
