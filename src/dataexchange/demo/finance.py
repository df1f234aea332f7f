"""担保与保险: a pledge up to the loan, a guarantee within limits, a policy and one paid claim."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from dataexchange.client.typeid import new_id
from dataexchange.demo.appraisal import Appraised
from dataexchange.demo.cast import Cast, fund
from dataexchange.demo.pipeline import Made, digest, keep
from dataexchange.demo.stage import Stage
from dataexchange.ledger.statement import format_time


@dataclass(frozen=True)
class Financed:
    """The pledge, the guarantee and the policy."""

    pledge: str
    guarantee: str
    cover: str
    claim: str


async def finance(stage: Stage, cast: Cast, made: Made, appraised: Appraised) -> Financed:
    """Pledge, guarantee, insure."""
    pledge = await _pledge(stage, cast, made, appraised)
    guarantee = await _guarantee(stage, cast, pledge, appraised)
    cover = await _insure(stage, cast, made, appraised)
    claim = await _claim(stage, cast, cover, made)
    return Financed(pledge, guarantee, cover, claim)


async def _pledge(stage: Stage, cast: Cast, made: Made, appraised: Appraised) -> str:
    stage.chapter("质押", "Pledge")
    loan_fen = appraised.value_fen * 4 // 10
    await fund(stage, cast, cast.lender, "DEMO-BANK-0002", loan_fen * 2)
    pledge = await _signed_pledge(stage, cast, made, appraised, loan_fen)
    on_asset = {"asset": made.product, "valuation": appraised.valuation}
    await stage.do(
        cast.registrar, "pledge.registered@1", pledge=pledge, **on_asset, receipt="ZD-DEMO-1"
    )
    await stage.do(
        cast.lender, "pledge.drawn@1", pledge=pledge, **on_asset, pledgor=cast.developer.party
    )
    stage.say(
        f"质押登记并放款 {loan_fen / 100:,.2f} 元（质押率 40%，上限 50%）", "registered and drawn"
    )
    stage.facts["loan_fen"] = loan_fen
    await _second_pledge(stage, cast, made, appraised, loan_fen)
    await _sale(stage, cast, made)
    return pledge


async def _signed_pledge(
    stage: Stage, cast: Cast, made: Made, appraised: Appraised, loan_fen: int
) -> str:
    pledge = new_id("pledge")
    await stage.do(cast.developer, "pledge.drafted@1", **_terms(cast, made, pledge, loan_fen))
    await stage.do(
        cast.appraiser,
        "pledge.valued@1",
        pledge=pledge,
        asset=made.product,
        valuation=appraised.valuation,
    )
    proposal = await stage.head(cast.developer, pledge)
    for actor in (cast.developer, cast.lender):
        await stage.do(actor, "pledge.signed@1", pledge=pledge, proposal=proposal)
    return pledge


async def _second_pledge(
    stage: Stage, cast: Cast, made: Made, appraised: Appraised, loan_fen: int
) -> None:
    second = new_id("pledge")
    await stage.do(cast.developer, "pledge.drafted@1", **_terms(cast, made, second, loan_fen))
    await stage.refused(
        "同一资产再次质押，超出质押率上限",
        "pledge.ltv_exceeded",
        cast.appraiser,
        "pledge.valued@1",
        pledge=second,
        asset=made.product,
        valuation=appraised.valuation,
    )


async def _sale(stage: Stage, cast: Cast, made: Made) -> None:
    """A sale of the pledged asset without the lender's consent."""
    transfer = new_id("transfer")
    await stage.do(
        cast.developer,
        "title.transfer_proposed@1",
        transfer=transfer,
        asset=made.product,
        to=cast.bureau.party,
        price_fen=100_000,
        valid_until=format_time(stage.clock.now() + timedelta(days=30)),
    )
    proposal = await stage.head(cast.bureau, transfer)
    await stage.refused(
        "未经质权人同意转让已质押资产",
        "asset.encumbered",
        cast.bureau,
        "title.transferred@1",
        transfer=transfer,
        asset=made.product,
        holder=cast.developer.party,
        proposal=proposal,
    )


def _terms(cast: Cast, made: Made, pledge: str, loan_fen: int) -> dict[str, Any]:
    return {
        "pledge": pledge,
        "asset": made.product,
        "version": 1,
        "lender": cast.lender.party,
        "right": "operating",
        "principal_fen": loan_fen,
        "secured_fen": loan_fen,
        "interest_ratio": "0.0435",
        "term_days": 365,
        "loan_to_value_max": "0.5",
    }


async def _guarantee(stage: Stage, cast: Cast, pledge: str, appraised: Appraised) -> str:
    stage.chapter("担保", "Guarantee")
    guarantor, obligor = cast.guarantor, cast.developer
    committee = await stage.second_key(guarantor)
    await stage.do(
        guarantor,
        "guarantor.capital_reported@1",
        net_assets_fen=appraised.value_fen * 10,
        report_sha256=digest(b"audited capital"),
    )
    asked = {"guarantor": guarantor.party, "creditor": cast.lender.party, "fee_fen": 500_000}
    granted, refused = new_id("guarantee"), new_id("guarantee")
    for guarantee, amount_fen in ((granted, 40_000_000), (refused, appraised.value_fen)):
        await stage.do(
            obligor,
            "guarantee.applied@1",
            guarantee=guarantee,
            amount_fen=amount_fen,
            debt_due=(stage.clock.now() + timedelta(days=366)).date().isoformat(),
            period_days=180,
            pledge=pledge,
            **asked,
        )
        await stage.do(
            guarantor,
            "guarantee.reviewed@1",
            guarantee=guarantee,
            report_sha256=digest(b"review"),
            recommended=True,
        )
        await stage.do(committee, "guarantee.approved@1", guarantee=guarantee)
    await stage.do(guarantor, "guarantee.signed@1", guarantee=granted, obligor=obligor.party)
    await stage.do(
        cast.lender,
        "guarantee.accepted@1",
        guarantee=granted,
        proposal=await stage.head(cast.lender, granted),
        obligor=obligor.party,
        guarantor=guarantor.party,
    )
    stage.say("保证合同 400,000.00 元生效，审批人与调查人分离", "a guarantee in force")
    await stage.refused(
        "担保集中度超过净资产的 10%",
        "guarantee.obligor_exceeded",
        guarantor,
        "guarantee.signed@1",
        guarantee=refused,
        obligor=obligor.party,
    )
    return granted


async def _insure(stage: Stage, cast: Cast, made: Made, appraised: Appraised) -> str:
    stage.chapter("保险", "Insurance")
    cover, underwriter = new_id("cover"), await stage.second_key(cast.insurer)
    await fund(stage, cast, cast.insurer, "DEMO-BANK-0003", appraised.value_fen)
    await stage.do(
        cast.insurer,
        "cover.quoted@1",
        cover=cover,
        asset=made.product,
        policyholder=cast.developer.party,
        product="asset_loss",
        valuation=appraised.valuation,
        sum_insured_fen=appraised.value_fen * 3 // 4,
        insured_value_fen=appraised.value_fen,
        deductible_fen=10_000,
        premium_fen=1_000_000,
        period_days=365,
        terms_sha256=await keep(stage, cast.insurer, "数据资产损失险条款（演示）".encode()),
    )
    for actor, act in ((cast.developer, "applied"), (underwriter, "accepted")):
        proposal = await stage.head(cast.insurer, cover)
        await stage.do(actor, f"cover.{act}@1", cover=cover, proposal=proposal)
    await stage.do(
        cast.developer,
        "cover.incepted@1",
        cover=cover,
        insurer=cast.insurer.party,
        asset=made.product,
    )
    stage.say("数据资产损失险起保，保险金额为评估值的四分之三", "a policy in force")
    return cover


async def _claim(stage: Stage, cast: Cast, cover: str, made: Made) -> str:
    claim, cashier = new_id("claim"), await stage.second_key(cast.insurer)
    loss_fen = 4_000_000
    stage.clock.skip(days=30)
    await stage.do(
        cast.developer,
        "claim.notified@1",
        claim=claim,
        cover=cover,
        asset=made.product,
        occurred_at=format_time(stage.clock.now() - timedelta(days=1)),
        claimed_fen=loss_fen,
        loss_reference=digest(b"incident"),
    )
    evidence = await keep(stage, cast.developer, "损失清单与恢复费用（演示）".encode())
    await stage.do(cast.developer, "claim.documented@1", claim=claim, evidence_sha256=evidence)
    await stage.do(cast.insurer, "claim.reserved@1", claim=claim, reserve_fen=loss_fen)
    await stage.do(
        cast.insurer,
        "claim.assessed@1",
        claim=claim,
        cover=cover,
        claimant=cast.developer.party,
        asset=made.product,
        loss_fen=loss_fen,
        report_sha256=digest(b"assessment"),
    )
    proposal = await stage.head(cast.developer, claim)
    await stage.do(cast.developer, "claim.agreed@1", claim=claim, proposal=proposal)
    paying = {"claim": claim, "cover": cover, "claimant": cast.developer.party}
    await stage.refused(
        "核定人自行付款", "claim.assessor_pays", cast.insurer, "claim.paid@1", **paying
    )
    await stage.do(cashier, "claim.paid@1", **paying)
    paid_fen = (await stage.state(cast.developer, claim))["paid_fen"]
    stage.facts["claim_paid_fen"] = paid_fen
    stage.say(f"损失 40,000.00 元按比例核定，赔付 {paid_fen / 100:,.2f} 元", "one claim paid")
    return claim
