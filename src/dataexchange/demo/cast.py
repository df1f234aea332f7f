"""Who takes part: every role of the exchange, each with a key of its own."""

from dataclasses import dataclass

from dataexchange.client.signing import Actor
from dataexchange.demo.parameters import PARAMETERS
from dataexchange.demo.stage import ORIGIN, Stage


@dataclass(frozen=True)
class Cast:
    """The parties of the story."""

    operator: Actor
    regulator: Actor
    bureau: Actor
    developer: Actor
    service: Actor
    registrar: Actor
    buyer: Actor
    appraiser: Actor
    second_appraiser: Actor
    lender: Actor
    guarantor: Actor
    insurer: Actor


async def assemble(stage: Stage) -> Cast:
    """Open the log and admit everyone."""
    stage.chapter("开账与入场", "The log is opened, parties are admitted")
    operator, regulator = stage.operator, stage.actor("regulator")
    state = (await stage.http.get("/v1/log")).json()
    await stage.do(
        operator,
        "log.opened@1",
        origin=ORIGIN,
        operator=stage.profile(operator, "数据交易中心", "state_owned", "operator"),
        regulators=[stage.profile(regulator, "数据管理局", "government", "regulator")],
        log_keys=state["vkeys"],
        parameters=PARAMETERS,
        rules_version=state["rules_version"],
        rules_hash=state["rules_hash"],
    )
    stage.say("账本开立，监管机构与参数写入第 0 条", "entry 0 names regulators and parameters")

    # The buyer brings an EVM wallet's key, the bank one of 国密 SM2; the others Ed25519.
    return Cast(
        operator=operator,
        regulator=regulator,
        bureau=await stage.join("bureau", "数据提供单位", "government", "provider"),
        developer=await stage.join("developer", "数据产品公司", "private", "provider"),
        service=await stage.join("service", "数据质量与合规服务机构", "private", "data_service"),
        registrar=await stage.join(
            "registrar", "数据产权登记机构", "public_institution", "registrar"
        ),
        buyer=await stage.join("buyer", "数据需求企业", "private", "buyer", suite="secp256k1"),
        appraiser=await stage.join("appraiser", "评估机构甲", "private", "appraiser"),
        second_appraiser=await stage.join("appraiser-2", "评估机构乙", "private", "appraiser"),
        lender=await stage.join("lender", "商业银行", "state_owned", "lender", suite="sm2"),
        guarantor=await stage.join("guarantor", "融资担保公司", "state_owned", "guarantor"),
        insurer=await stage.join("insurer", "财产保险公司", "state_owned", "insurer"),
    )


async def fund(stage: Stage, cast: Cast, actor: Actor, reference: str, amount_fen: int) -> None:
    """Book a bank transfer into `actor`'s account."""
    await stage.do(
        cast.operator,
        "funds.deposited@1",
        party=actor.party,
        amount_fen=amount_fen,
        bank_reference=reference,
    )
