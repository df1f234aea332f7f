"""A bundle of a log that holds one issued valuation, with its cards, its document, its report."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from appraisal_documents import DEALS, RECONCILIATION, chinese_report
from bundles import POLICY, SIGNER, bundle_of
from dataexchange.ledger.entry import Entry
from dataexchange.reports import Form, Language, Reference, dossier_of, make_report
from dataexchange.rules import Role
from dataexchange.rules.time import day_of
from dataexchange.valuation import run_report, shelf
from dataexchange.valuation.arithmetic import fen
from steps_market import finalised_licence, funded_buyer, opened_deal, settled_licence
from steps_pipeline import ready_product
from steps_valuation import commission, drafting, published_card
from world import World

PROOF_URL = "https://exchange.example/proof"
METHODS = ("cost", "income", "market")


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@dataclass(frozen=True)
class Issued:
    """Where the bundle is, what it is of, and the report that was filed."""

    path: Path
    policy: bytes
    valuation: str
    filed: bytes
    document: bytes


def closed(world: World, price: str) -> dict[str, object]:
    """Sell a licence at `price` 元, and return where the log says so, and when."""
    fee_fen = int(price) * 100
    listed = {"price": {"model": "fixed", "fee_fen": fee_fen}}
    asked = opened_deal(world, buyer=funded_buyer(world, fee_fen), **listed)
    deal = finalised_licence(world, asked, charge={"kind": "lump_sum", "fee_fen": fee_fen})
    entry = Entry.parse(world.entries[-1].body)
    settled_licence(world, deal)
    return {
        "dealt_on": str(day_of(entry.recorded_at)),
        "entry_index": entry.index,
        "leaf_hash": entry.leaf.hex(),
    }


def issued(
    folder: Path,
    *,
    language: Language = "zh",
    form: Form = "pdf",
    withheld: tuple[str, ...] = (),
) -> Issued:
    """Issue a valuation by three methods of one document; `withheld` cards stay out of the bundle.

    The report is written before the draft that names it, as an appraiser does.
    """
    world = World(log_keys=[SIGNER.vkey])
    chief, second = world.join(Role.APPRAISER), world.join(Role.APPRAISER)
    product = ready_product(world)
    document = chinese_report([closed(world, price) for price in DEALS])
    valuation = commission(world, product.provider, product, chief)
    cards = {method: (shelf() / f"{method}/1.0.0.yaml").read_bytes() for method in METHODS}
    dossier = dossier_of(RECONCILIATION, document, reference=Reference(valuation, PROOF_URL))
    filed = make_report(dossier, language=language, form=form)
    result = run_report(document)
    lines = [
        {
            "card": published_card(world, section.valuation.method, sha256=sha256(card)),
            "card_sha256": sha256(card),
            "inputs_sha256": sha256(document),
            "value_fen": section.valuation.fen,
            "weight": weight,
        }
        for section, card, (_, weight, _) in zip(
            result.sections, cards.values(), result.weights, strict=True
        )
    ]
    draft = drafting(world, valuation, second, result.conclusion.fen, methods=lines)
    quantiles = [one.interval for one in result.sections if one.interval]
    draft |= {
        "report_sha256": sha256(filed),
        "p10_fen": fen(min(one.p10 for one in quantiles)),
        "p90_fen": fen(max(one.p90 for one in quantiles)),
    }
    world.do(chief, "valuation.drafted@1", **draft)
    for actor, act in ((second, "countersigned"), (chief, "issued")):
        world.do(actor, f"valuation.{act}@1", valuation=valuation, proposal=world.head(valuation))
    contents = [document, filed, *(card for name, card in cards.items() if name not in withheld)]
    bodies = [entry.body for entry in world.entries]
    path = bundle_of(bodies, contents=contents).write(folder / "bundle.zip")
    return Issued(path, POLICY, valuation, filed, document)
