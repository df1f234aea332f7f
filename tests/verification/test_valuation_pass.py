"""The cards of drafted valuations are run again on what the bundle discloses."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from bundles import POLICY, SIGNER, bundle_of
from dataexchange.client.signing import Actor
from dataexchange.ledger.entry import Entry
from dataexchange.rules import Role
from dataexchange.rules.time import day_of
from dataexchange.valuation import run_card, shelf
from dataexchange.valuation.arithmetic import fen
from dataexchange.verification import UnsoundError, Verdict, verify_bundle
from dataexchange.verification.valuation_pass import recomputed_fen
from steps_evidence import traded
from steps_pipeline import ready_product
from steps_valuation import commission, drafting, published_card
from world import World

COST = (shelf() / "cost/1.0.0.yaml").read_bytes()
INCOME = (shelf() / "income/1.0.0.yaml").read_bytes()
MARKET = (shelf() / "market/1.0.0.yaml").read_bytes()
COSTS = json.dumps(
    {"inputs": {"costs": [{"item": "direct", "amount": "1200000"}], "adjustment": "0.85"}}
).encode()
FLOWS = json.dumps(
    {
        "approach": "direct",
        "years": 3,
        "rate": "0.13",
        "revenue": ["500000", "500000", "500000"],
        "flow_basis": "post_tax",
    }
).encode()
COST_FEN, INCOME_FEN = 102_000_000, 118_057_630
VALUE_FEN = 110_000_000


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@dataclass
class Story:
    """A world with one drafted valuation, and how to verify its bundle."""

    world: World
    chief: Actor
    second: Actor
    valuation: str

    def line(self, method: str, card: bytes, document: bytes, value_fen: int) -> dict[str, Any]:
        return {
            "card": published_card(self.world, method, sha256=sha256(card)),
            "card_sha256": sha256(card),
            "inputs_sha256": sha256(document),
            "value_fen": value_fen,
            "weight": "0.5",
        }

    def draft(self, *lines: dict[str, Any], value_fen: int = VALUE_FEN, **changes: Any) -> int:
        """Draft, and return the index of the entry."""
        changes["methods"] = list(lines)
        draft = drafting(self.world, self.valuation, self.second, value_fen, **changes)
        self.world.do(self.chief, "valuation.drafted@1", **draft)
        return len(self.world.entries) - 1

    def draft_alone(self, line: dict[str, Any]) -> int:
        """Draft by one method, and return the index of the entry."""
        return self.draft(line, value_fen=line["value_fen"], single_method_reason="只有市场法")

    def verdict(self, folder: Path, *contents: bytes) -> Verdict:
        bodies = [entry.body for entry in self.world.entries]
        path = bundle_of(bodies, contents=contents).write(folder / "bundle.zip")
        return verify_bundle(path, POLICY)


@pytest.fixture
def story() -> Story:
    world = World(log_keys=[SIGNER.vkey])
    chief, second = world.join(Role.APPRAISER), world.join(Role.APPRAISER)
    product = ready_product(world)
    return Story(world, chief, second, commission(world, product.provider, product, chief))


def test_figures_whose_card_and_inputs_are_disclosed_are_computed_again(
    story: Story, tmp_path: Path
) -> None:
    story.draft(
        story.line("cost", COST, COSTS, COST_FEN), story.line("income", INCOME, FLOWS, INCOME_FEN)
    )
    verdict = story.verdict(tmp_path, COST, INCOME, COSTS, FLOWS)
    assert (verdict.figures_recomputed, verdict.figures_not_disclosed) == (2, 0)


@pytest.mark.parametrize("withheld", [COST, COSTS], ids=["card", "inputs"])
def test_a_figure_without_its_card_or_inputs_is_counted_as_not_disclosed(
    story: Story, tmp_path: Path, withheld: bytes
) -> None:
    story.draft(
        story.line("cost", COST, COSTS, COST_FEN), story.line("income", INCOME, FLOWS, INCOME_FEN)
    )
    given = [one for one in (COST, INCOME, COSTS, FLOWS) if one is not withheld]
    verdict = story.verdict(tmp_path, *given)
    assert (verdict.figures_recomputed, verdict.figures_not_disclosed) == (1, 1)


@pytest.mark.parametrize("by_fen", [-1, 1])
def test_a_figure_that_is_one_fen_off_is_unsound_at_its_entry(
    story: Story, tmp_path: Path, by_fen: int
) -> None:
    index = story.draft(
        story.line("cost", COST, COSTS, COST_FEN + by_fen),
        story.line("income", INCOME, FLOWS, INCOME_FEN),
    )
    with pytest.raises(UnsoundError) as caught:
        story.verdict(tmp_path, COST, INCOME, COSTS, FLOWS)
    assert (caught.value.code, caught.value.index) == ("valuation.differs", index)
    assert str(COST_FEN) in caught.value.zh
    assert str(COST_FEN) in caught.value.en


def test_a_wrong_figure_in_a_draft_that_was_replaced_is_unsound_too(
    story: Story, tmp_path: Path
) -> None:
    wrong = story.line("cost", COST, COSTS, COST_FEN - 1)
    right = {**wrong, "value_fen": COST_FEN}
    income = story.line("income", INCOME, FLOWS, INCOME_FEN)
    index = story.draft(wrong, income)
    story.draft(right, income)
    with pytest.raises(UnsoundError) as caught:
        story.verdict(tmp_path, COST, INCOME, COSTS, FLOWS)
    assert caught.value.index == index


@pytest.mark.parametrize(
    ("document", "code"),
    [
        (b'{"inputs": {"costs": [], "adjustment": "1"}}', "valuation.refused_by_card"),
        (b'{"inputs": {"costs": 7, "adjustment": "1"}}', "valuation.refused_by_card"),
        (b'{"inputs": 7}', "valuation.differs"),
        (b'{"sections": [{"card": "income", "inputs": {}}]}', "valuation.differs"),
        (b'{"inputs": {}, "sources": 7}', "valuation.differs"),
    ],
    ids=["refused", "wrong kind", "no mapping", "no section for the card", "sources no mapping"],
)
def test_inputs_that_the_card_does_not_take_are_unsound(
    story: Story, tmp_path: Path, document: bytes, code: str
) -> None:
    index = story.draft(
        story.line("cost", COST, document, COST_FEN),
        story.line("income", INCOME, FLOWS, INCOME_FEN),
    )
    with pytest.raises(UnsoundError) as caught:
        story.verdict(tmp_path, COST, INCOME, document, FLOWS)
    assert caught.value.index == index
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("card", "document"),
    [(COST, b"\xff\xfe sealed"), (b"format: dataexchange.card/9\n", COSTS)],
    ids=["document", "card"],
)
def test_what_cannot_be_read_is_told_of_and_not_counted(
    story: Story, tmp_path: Path, card: bytes, document: bytes
) -> None:
    index = story.draft(
        story.line("cost", card, document, COST_FEN),
        story.line("income", INCOME, FLOWS, INCOME_FEN),
    )
    verdict = story.verdict(tmp_path, card, INCOME, document, FLOWS)
    assert verdict.figures_recomputed == 1
    assert any(f"entry {index}:" in en for _, en in verdict.warnings)


def test_a_report_document_gives_the_figure_of_the_section_for_the_card() -> None:
    report = (shelf() / "examples/report.yaml").read_bytes()
    assert recomputed_fen(COST, report) == [COST_FEN]
    assert recomputed_fen(INCOME, report) == [132_038_681]


def test_a_card_without_a_money_headline_gives_no_figure() -> None:
    report = (shelf() / "examples/report.yaml").read_bytes()
    assert recomputed_fen((shelf() / "discount_rate/1.0.0.yaml").read_bytes(), report) == []


def uncertain(document: bytes, name: str, *, low: str, mode: str, high: str) -> bytes:
    """Return `document` with an interval over one of its inputs."""
    given = json.loads(document)
    whole = given if "inputs" in given else {"inputs": given}
    drawn = {"input": name, "low": low, "mode": mode, "high": high}
    return json.dumps({**whole, "interval": {"seed": 7, "draws": 50, "inputs": [drawn]}}).encode()


DRAWN_COSTS = uncertain(COSTS, "adjustment", low="0.70", mode="0.85", high="0.95")
DRAWN_FLOWS = uncertain(FLOWS, "rate", low="0.10", mode="0.13", high="0.18")


def weighted_fen(quantile: str) -> int:
    """Return half of each method's quantile, by the desk's own functions."""
    intervals = [
        run_card(card, document).interval
        for card, document in ((COST, DRAWN_COSTS), (INCOME, DRAWN_FLOWS))
    ]
    return fen(sum(getattr(one, quantile) * Decimal("0.5") for one in intervals))


@pytest.mark.parametrize("by_fen", [-1, 0, 1])
def test_p10_and_p90_are_drawn_again_from_the_seed(
    story: Story, tmp_path: Path, by_fen: int
) -> None:
    story.draft(
        story.line("cost", COST, DRAWN_COSTS, COST_FEN),
        story.line("income", INCOME, DRAWN_FLOWS, INCOME_FEN),
        p10_fen=weighted_fen("p10") + by_fen,
        p90_fen=weighted_fen("p90") - by_fen,
    )
    verdict = story.verdict(tmp_path, COST, INCOME, DRAWN_COSTS, DRAWN_FLOWS)
    assert (verdict.figures_recomputed, verdict.intervals_recomputed) == (2, 1)


@pytest.mark.parametrize("quantile", ["p10", "p90"])
def test_a_quantile_that_does_not_come_out_again_is_unsound(
    story: Story, tmp_path: Path, quantile: str
) -> None:
    said = {f"{name}_fen": weighted_fen(name) for name in ("p10", "p90")}
    said[f"{quantile}_fen"] += 2 if quantile == "p90" else -2
    index = story.draft(
        story.line("cost", COST, DRAWN_COSTS, COST_FEN),
        story.line("income", INCOME, DRAWN_FLOWS, INCOME_FEN),
        **said,
    )
    with pytest.raises(UnsoundError) as caught:
        story.verdict(tmp_path, COST, INCOME, DRAWN_COSTS, DRAWN_FLOWS)
    assert (caught.value.code, caught.value.index) == ("valuation.interval_differs", index)
    assert quantile.upper() in caught.value.en


def test_an_interval_of_one_method_alone_says_nothing_of_the_whole(
    story: Story, tmp_path: Path
) -> None:
    story.draft(
        story.line("cost", COST, DRAWN_COSTS, COST_FEN),
        story.line("income", INCOME, FLOWS, INCOME_FEN),
    )
    verdict = story.verdict(tmp_path, COST, INCOME, DRAWN_COSTS, FLOWS)
    assert (verdict.figures_recomputed, verdict.intervals_recomputed) == (2, 0)


def new_trade() -> Story:
    """Return a market that has traded, and a valuation of something else by its deals."""
    world = World(log_keys=[SIGNER.vkey])
    traded(world)
    chief, second = world.join(Role.APPRAISER), world.join(Role.APPRAISER)
    product = ready_product(world)
    return Story(world, chief, second, commission(world, product.provider, product, chief))


def closings(world: World) -> list[tuple[int, Entry]]:
    """Return the entries that closed deals, in their order."""
    found = [(index, Entry.parse(one.body)) for index, one in enumerate(world.entries)]
    events = ("licence.finalised@1", "title.transferred@1")
    return [(index, entry) for index, entry in found if entry.statement.fields.event in events]


def compared(world: World, which: int, price: str, **changes: Any) -> bytes:
    """Return a market document that rests on deal number `which`."""
    index, entry = closings(world)[which]
    comparable = {
        "price": price,
        "dealt_on": str(day_of(entry.recorded_at)),
        "origin": "ledger",
        "entry_index": index,
        "leaf_hash": entry.leaf.hex(),
        **changes,
    }
    datasets = [{"name": "A", "comparables": [comparable]}]
    return json.dumps({"inputs": {"datasets": datasets}}).encode()


@pytest.mark.parametrize(("which", "yuan"), [(0, "1000"), (2, "1000"), (3, "500")])
def test_comparables_of_the_ledger_are_held_against_the_log(
    tmp_path: Path, which: int, yuan: str
) -> None:
    story = new_trade()
    document = compared(story.world, which, yuan)
    story.draft_alone(story.line("market", MARKET, document, int(yuan) * 100))
    verdict = story.verdict(tmp_path, MARKET, document)
    assert (verdict.figures_recomputed, verdict.comparables_checked) == (1, 1)


@pytest.mark.parametrize(
    ("which", "yuan", "changes", "why"),
    [
        (0, "1000.01", {}, "its price was 100000 fen"),
        (3, "400", {}, "its price was 50000 fen"),
        (0, "1000", {"dealt_on": "2026-01-02"}, "it was closed on"),
        (0, "1000", {"leaf_hash": "ab" * 32}, "no entry with that hash"),
        (0, "1000", {"entry_index": 3}, "no entry with that hash"),
        (4, "700", {}, "its price had not been paid"),
    ],
    ids=["price", "title price", "day", "hash", "index", "not paid"],
)
def test_a_comparable_that_is_not_as_the_log_says_is_unsound(
    tmp_path: Path, which: int, yuan: str, *, changes: dict[str, Any], why: str
) -> None:
    story = new_trade()
    document = compared(story.world, which, yuan, **changes)
    value_fen = int(Decimal(yuan) * 100)
    index = story.draft_alone(story.line("market", MARKET, document, value_fen))
    with pytest.raises(UnsoundError) as caught:
        story.verdict(tmp_path, MARKET, document)
    assert (caught.value.code, caught.value.index) == ("valuation.comparable_differs", index)
    assert why in caught.value.en


def test_the_pass_needs_neither_the_server_nor_the_reports_extra(
    run_isolated: Callable[[str], str],
) -> None:
    loaded = run_isolated(
        "import sys, dataexchange.verification\n"
        "print([m for m in ('fastapi', 'sqlmodel', 'typst', 'segno') if m in sys.modules])"
    )
    assert loaded.strip() == "[]"


@pytest.fixture
def run_isolated() -> Callable[[str], str]:
    import subprocess
    import sys

    def run(code: str) -> str:
        return subprocess.run(
            [sys.executable, "-c", code], check=True, capture_output=True, text=True
        ).stdout

    return run
