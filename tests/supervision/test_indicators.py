"""The quarterly evaluation: a fold that anyone repeats, and that the verifier does repeat."""

import pytest

from dataexchange.client.typeid import new_id
from dataexchange.ledger import canonical
from dataexchange.supervision.evaluation import evaluate, quarter_of, report_hash
from dataexchange.supervision.indicators import IndicatorReport
from dataexchange.verification import UnsoundError
from dataexchange.verification.replay import Replay
from steps_market import settled_licence
from steps_supervision import records
from world import ORIGIN, World


@pytest.fixture
def world() -> World:
    return World()


def publication(world: World, report: bytes, quarter: str = "2026Q1") -> dict[str, object]:
    return {
        "report": new_id("report"),
        "quarter": quarter,
        "covers": len(world.entries),
        "report_sha256": report_hash(report),
    }


def replayed(world: World) -> Replay:
    replay = Replay(ORIGIN)
    replay.extend([one.body for one in world.entries])
    return replay


def test_the_evaluation_counts_what_the_log_holds(world: World) -> None:
    settled_licence(world)
    report = canonical.decode(evaluate(records(world), "2026Q1", len(world.entries)))
    assert report["counts"]["products_developed"] == 1
    assert report["counts"]["licences_finalised"] == 1
    assert report["amounts"]["escrow_locked_fen"] == 100_000
    assert report["openings"] == {"unconditional": 1}
    assert report["quality_mean"] == "0.900000"
    assert sum(report["events"].values()) == len(world.entries)


def test_only_the_quarter_and_the_covered_entries_count(world: World) -> None:
    world.advance(days=120)
    settled_licence(world)
    early = canonical.decode(evaluate(records(world), "2026Q1", len(world.entries)))
    assert early["counts"]["products_developed"] == 0
    cut = canonical.decode(evaluate(records(world), "2026Q2", 2))
    assert cut["counts"] == early["counts"]
    assert quarter_of(records(world)[-1]) == "2026Q2"


def test_a_right_evaluation_is_replayed_and_a_wrong_one_is_found(world: World) -> None:
    settled_licence(world)
    size = len(world.entries)
    said = publication(world, evaluate(records(world), "2026Q1", size))
    world.do(world.operator, "indicators.published@1", **said)
    assert world.state(IndicatorReport, str(said["report"])).covers == size
    replayed(world)
    wrong = publication(world, b"{}")
    world.do(world.operator, "indicators.published@1", **wrong)
    with pytest.raises(UnsoundError, match=r"indicators\.differ") as caught:
        replayed(world)
    assert caught.value.index == size + 1


def test_indicators_cover_entries_that_exist_and_are_the_operators(world: World) -> None:
    said = {**publication(world, b"{}"), "covers": 99}
    event = "indicators.published@1"
    world.refuses("indicators.cover_the_future", world.operator, event, **said)
    world.refuses("role.missing", world.regulator, event, **{**said, "covers": 1})
