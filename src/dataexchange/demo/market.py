"""流通: listed, negotiated with a counter-offer, paid into escrow, delivered, accepted, settled."""

from dataclasses import dataclass
from typing import Any

from dataexchange.client.typeid import new_id
from dataexchange.content.commitment import commit_file, version_content
from dataexchange.demo.cast import Cast, fund
from dataexchange.demo.pipeline import Made, listing
from dataexchange.demo.stage import Stage

ASKED_FEN = 5_000_000
AGREED_FEN = 4_200_000


@dataclass(frozen=True)
class Deal:
    """The licence that was sold."""

    listing: str
    licence: str
    delivery: str


async def trade(stage: Stage, cast: Cast, made: Made) -> Deal:
    """Sell one licence of the product and settle it."""
    stage.chapter("流通", "Circulation")
    offered = listing(stage, made.product, made.resource, ASKED_FEN)
    await stage.do(cast.developer, "listing.published@1", **offered)
    stage.say("产品挂牌 50,000.00 元，附 ODRL 条款", "listed at 50,000.00 元")
    await fund(stage, cast, cast.buyer, "DEMO-BANK-0001", 10_000_000)
    deal = Deal(offered["listing"], new_id("licence"), new_id("delivery"))
    await _negotiate(stage, cast, made, deal)
    await _deliver(stage, cast, made, deal)
    await _settle(stage, cast, made, deal)
    return deal


async def _negotiate(stage: Stage, cast: Cast, made: Made, deal: Deal) -> None:
    named = {"licence": deal.licence, "asset": made.product}

    async def answer() -> dict[str, Any]:
        held = await stage.state(cast.buyer, deal.licence)
        proposal = held.get("proposal") or await stage.head(cast.buyer, deal.licence)
        return {**named, "proposal": proposal}

    await stage.do(
        cast.buyer, "licence.requested@1", **named, listing=deal.listing, offer=_offer(4_000_000)
    )
    countered = {"listing": deal.listing, "buyer": cast.buyer.party, "offer": _offer(AGREED_FEN)}
    await stage.do(cast.developer, "licence.offered@1", **await answer(), **countered)
    await stage.do(cast.buyer, "licence.accepted@1", **await answer())
    stage.say(
        f"还价三轮，以 {AGREED_FEN / 100:,.2f} 元成交", "a counter-offer, then an agreed price"
    )
    agreement = {"buyer": cast.buyer.party, "version": 1, "sources": [made.resource]}
    await stage.do(cast.developer, "licence.agreed@1", **await answer(), **agreement)
    await stage.do(cast.buyer, "escrow.locked@1", licence=deal.licence, amount_fen=AGREED_FEN)
    await stage.do(cast.buyer, "licence.verified@1", **await answer())
    await stage.do(cast.developer, "licence.finalised@1", **await answer())
    stage.say("协议成立并核验，价款进入托管", "agreed and verified, the price is in escrow")


async def _deliver(stage: Stage, cast: Cast, made: Made, deal: Deal) -> None:
    content = made.product_data.measured.commitment
    root = version_content([content]).root
    named = {"delivery": deal.delivery, "licence": deal.licence, "asset": made.product}
    await stage.client(cast.developer).put_content(made.product_data.path, content.digest.sha256)
    await stage.do(cast.buyer, "delivery.requested@1", **named)
    await stage.do(cast.developer, "delivery.started@1", **named)
    await stage.refused(
        "交付与承诺不符的内容",
        "delivery.wrong_content",
        cast.developer,
        "delivery.completed@1",
        **named,
        version=1,
        content_root="0" * 64,
    )
    received = stage.folder / "delivered.csv"
    client = stage.client(cast.buyer)
    size = await client.get_delivered(content.digest.sha256, deal.delivery, received)
    await stage.do(cast.developer, "delivery.completed@1", **named, version=1, content_root=root)
    computed = version_content([commit_file(received)]).root
    await stage.do(cast.buyer, "delivery.accepted@1", **named, content_root=computed)
    stage.say(
        f"需求方收到 {size} 字节，自行计算的内容根与承诺一致，验收",
        "the bytes arrived and have the committed root: accepted",
    )


async def _settle(stage: Stage, cast: Cast, made: Made, deal: Deal) -> None:
    await stage.do(
        cast.developer,
        "escrow.released@1",
        licence=deal.licence,
        asset=made.product,
        provider=cast.developer.party,
        sources=[{"asset": made.resource, "holder": cast.bureau.party}],
    )
    balances = {}
    for name, actor in (("产品公司", cast.developer), ("数据提供单位", cast.bureau)):
        held = await stage.state(actor, f"account/{actor.party}")
        balances[name] = held.get("balance_fen", 0)
    stage.facts["settlement_fen"] = balances
    shares = "，".join(f"{name} {fen / 100:,.2f} 元" for name, fen in balances.items())
    stage.say(f"托管释放并分账：{shares}", "escrow released and split, with no residual")


def _offer(fee_fen: int) -> dict[str, Any]:
    return {
        "version": 1,
        "form": "file",
        "charge": {"kind": "lump_sum", "fee_fen": fee_fen},
        "terms": {"term_days": 365, "territory": ["CN"], "deletion_days": 30},
    }
