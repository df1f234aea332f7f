"""权属证明: the operator maps the ledger, the regulator replays it, the lender checks the title."""

from dataexchange.client.export import export
from dataexchange.demo.appraisal import Appraised
from dataexchange.demo.cast import Cast
from dataexchange.demo.pipeline import Made
from dataexchange.demo.stage import DemoFailedError, Stage
from dataexchange.exchange.mapper import make_map
from dataexchange.verification import verify_bundle
from dataexchange.verification.title import verify_title


async def prove_title(stage: Stage, cast: Cast, made: Made, appraised: Appraised) -> None:
    """Prove to the lender, before it lends, that the product is free of liens."""
    stage.chapter("权属证明", "Clean title")
    mapped = await make_map(stage.engine, rest=0)
    if mapped is None:
        raise DemoFailedError("没有可映射的变化 / there was nothing to map")
    await stage.do(cast.operator, "map.committed@1", **mapped.payload)
    stage.say(
        f"运营机构提交全账本映射：覆盖前 {mapped.covers} 条，{mapped.touched} 个聚合",
        f"the whole ledger's map is committed: {mapped.touched} aggregates",
    )
    await _confirm(stage, cast)
    await _check(stage, cast, made, appraised)


async def _confirm(stage: Stage, cast: Cast) -> None:
    """The regulator replays the log, offline, and confirms the map that came out."""
    await stage.until_published()
    replayed = stage.folder / "replayed.zip"
    await export(stage.client(cast.regulator).fetch, replayed)
    (newest,) = verify_bundle(replayed, _policy(stage)).maps
    replayed.unlink()
    said = {"covers": newest.covers, "map": newest.leaf, "root": newest.root}
    await stage.do(cast.regulator, "map.confirmed@1", **said)
    stage.say("监管机构离线重放全部条目，得到同一映射并确认", "the regulator replayed and confirms")


async def _check(stage: Stage, cast: Cast, made: Made, appraised: Appraised) -> None:
    """The holder exports the title with its valuation; the lender judges it by a policy alone."""
    await stage.until_published()
    path = stage.folder / "title.zip"
    holder = stage.client(cast.developer)
    path.write_bytes(await holder.title(made.product, also=[appraised.valuation]))
    verdict = verify_title(path, _policy(stage))
    if verdict.asset.liens or not verdict.confirmed:
        raise DemoFailedError("权属应无负担且经确认 / the title should be free, and confirmed")
    stage.say(
        f"资金方离线验证权属：持有人 {verdict.names[verdict.asset.holder]}，无担保、无冻结，"
        f"{verdict.entries} 条历史齐全",
        "the lender verified a clean title offline",
    )


def _policy(stage: Stage) -> bytes:
    """Return the policy of a verifier who asks for the witness."""
    return (stage.folder / "witnessed-policy").read_bytes()
