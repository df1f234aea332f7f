"""价格评估: two methods by published cards, recomputable from what is disclosed."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from dataexchange.client.typeid import new_id
from dataexchange.demo.cast import Cast
from dataexchange.demo.pipeline import Made, keep
from dataexchange.demo.stage import Stage
from dataexchange.valuation import Result, run_card, shelf
from dataexchange.valuation.arithmetic import fen
from dataexchange.valuation.library import card_paths

WEIGHTS = {"cost": "0.4", "income": "0.6"}
COST: dict[str, Any] = {
    "inputs": {
        "costs": [
            {"item": "preliminary", "amount": "150000"},
            {"item": "direct", "amount": "700000"},
            {"item": "indirect", "amount": "200000"},
            {"item": "opportunity", "amount": "150000"},
        ],
        "adjustment": "0.85",
    },
    "interval": {
        "seed": 7,
        "draws": 200,
        "inputs": [{"input": "adjustment", "low": "0.70", "mode": "0.85", "high": "0.95"}],
    },
}
INCOME: dict[str, Any] = {
    "inputs": {
        "approach": "share",
        "years": 4,
        "rate": "0.15",
        "revenue": {"first": "4000000", "growth": "0.08"},
        "share": {"first": "0.12", "growth": "-0.10"},
        "flow_basis": "post_tax",
    },
    "interval": {
        "seed": 7,
        "draws": 200,
        "inputs": [{"input": "rate", "low": "0.12", "mode": "0.15", "high": "0.19"}],
    },
}


@dataclass(frozen=True)
class Appraised:
    """The issued valuation; money in 分."""

    valuation: str
    value_fen: int


async def appraise(stage: Stage, cast: Cast, made: Made) -> Appraised:
    """Publish two cards, apply them, draft, countersign, issue."""
    stage.chapter("价格评估", "Valuation")
    used, results = [], {}
    for method, document in (("cost", COST), ("income", INCOME)):
        results[method], line = await _apply(stage, cast, method, document)
        used.append(line)
    value_fen = _weighted(results, lambda result: Decimal(result.valuation.yuan))
    valuation = await _commission(stage, cast, made)
    drafted = {
        "valuation": valuation,
        "second": cast.second_appraiser.party,
        "methods": used,
        "value_fen": value_fen,
        "p10_fen": _weighted(results, lambda result: _quantile(result, "p10")),
        "p90_fen": _weighted(results, lambda result: _quantile(result, "p90")),
        "report_sha256": await keep(stage, cast.appraiser, _report(results, value_fen)),
        "code_version": results["cost"].valuation.code_version,
        "seed": 7,
    }
    await stage.refused(
        "只用一种方法且无理由",
        "valuation.too_few_methods",
        cast.appraiser,
        "valuation.drafted@1",
        **{**drafted, "methods": used[:1], "value_fen": used[0]["value_fen"]},
    )
    await stage.do(cast.appraiser, "valuation.drafted@1", **drafted)
    for actor, act in ((cast.second_appraiser, "countersigned"), (cast.appraiser, "issued")):
        proposal = await stage.head(cast.appraiser, valuation)
        await stage.do(actor, f"valuation.{act}@1", valuation=valuation, proposal=proposal)
    stage.say(
        f"成本法与收益法加权，评估值 {value_fen / 100:,.2f} 元，两名评估师签字，任何人可复算",
        "two methods, two signers, recomputable by anyone",
    )
    stage.facts["value_fen"] = value_fen
    return Appraised(valuation, value_fen)


async def _apply(
    stage: Stage, cast: Cast, method: str, document: dict[str, Any]
) -> tuple[Result, dict[str, Any]]:
    """Publish the method's newest card and apply it; return the result and the draft's line."""
    path = [path for path in card_paths(shelf()) if path.parent.name == method][-1]
    content, inputs = path.read_bytes(), json.dumps(document, ensure_ascii=False).encode()
    card, sha256 = new_id("card"), await keep(stage, cast.appraiser, content)
    result = run_card(content, inputs)
    await stage.do(
        cast.operator,
        "card.published@1",
        card=card,
        method=method,
        version=path.stem,
        name=result.name.model_dump(),
        sha256=sha256,
    )
    return result, {
        "card": card,
        "card_sha256": sha256,
        "inputs_sha256": await keep(stage, cast.appraiser, inputs),
        "value_fen": result.valuation.fen,
        "weight": WEIGHTS[method],
    }


async def _commission(stage: Stage, cast: Cast, made: Made) -> str:
    valuation = new_id("valuation")
    await stage.do(
        cast.developer,
        "valuation.commissioned@1",
        valuation=valuation,
        asset=made.product,
        version=1,
        appraiser=cast.appraiser.party,
        purpose="质押融资",
        base_date=stage.clock.now().date().isoformat(),
    )
    return valuation


def _weighted(results: dict[str, Result], figure: Callable[[Result], Decimal]) -> int:
    """Return the weighted figure in 分, half up."""
    parts = (figure(result) * Decimal(WEIGHTS[method]) for method, result in results.items())
    return fen(sum(parts, Decimal(0)))


def _quantile(result: Result, name: str) -> Decimal:
    assert result.interval is not None  # noqa: S101  # both documents ask for one
    quantile: Decimal = getattr(result.interval, name)
    return quantile


def _report(results: dict[str, Result], value_fen: int) -> bytes:
    from dataexchange.valuation import render_text

    parts = [render_text(result) for result in results.values()]
    return "\n".join([*parts, f"结论 conclusion: {value_fen} 分\n"]).encode()
