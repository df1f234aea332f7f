"""监管: a freeze that stops a deal, and the quarter's indicators."""

from dataexchange.demo.cast import Cast
from dataexchange.demo.pipeline import Made, listing
from dataexchange.demo.stage import Stage


async def supervise(stage: Stage, cast: Cast, made: Made) -> None:
    """Freeze, see the effect, lift the freeze."""
    stage.chapter("监管", "Supervision")
    order = {"asset": made.product, "order_number": "JG-DEMO-1", "reason": "核查"}
    await stage.do(cast.regulator, "asset.frozen@1", **order)
    stage.say("监管机构冻结产品", "the regulator freezes the product")
    await stage.refused(
        "冻结期间挂牌",
        "asset.frozen",
        cast.developer,
        "listing.published@1",
        **listing(stage, made.product, made.resource),
    )
    await stage.do(cast.regulator, "asset.unfrozen@1", **order)
    stage.say("解除冻结", "the freeze is lifted")
