#!/usr/bin/env python3
"""Measure the heavy valuation methods, and pyDVL beside them where it can do the same.

Every task runs in a process of its own with one thread: seconds of the work alone (imports and
data excluded) and the peak of memory above that of the imports. The same input file goes to both,
and the largest difference between the two results is printed. pyDVL gets a virtual environment in
`--venv`, made on first use; where that fails it is skipped, and the table says so.

    python scripts/bench_valuation.py [--quick] [--no-rival] [--json FILE]
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from bench_environment import environment

RIVAL = ("pydvl==0.10.0",)
SIZES = {
    "full": {"exact": 12, "players": 1000, "pairs": 100, "draws": 1_000_000, "points": 100_000},
    "quick": {"exact": 8, "players": 100, "pairs": 10, "draws": 100_000, "points": 2_000},
}
PROBES, WIDTH, NEIGHBOURS = 50, 10, 5
# The airport game's shape (Castro et al. 2009), stretched to any number of players.
LANDINGS = (8, 12, 6, 14, 8, 9, 13, 10, 10, 10)
Task = Callable[[dict[str, Any], Path], tuple[float, np.ndarray]]


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    """Return the seconds that `work` took, and its result."""
    started = time.perf_counter()
    result = work()
    return time.perf_counter() - started, result


def costs_of(players: int) -> np.ndarray:
    """Return each player's cost, 1 to 10."""
    return np.repeat(np.arange(1.0, 11.0), [count * players // 100 for count in LANDINGS])


def exact_ours(size: dict[str, Any], _: Path) -> tuple[float, np.ndarray]:
    """Exact Shapley values of an airport game."""
    from dataexchange.valuation.shapley import exact_shapley

    players = [str(index) for index in range(size["exact"])]
    worth = {player: index % 10 + 1 for index, player in enumerate(players)}
    seconds, values = timed(
        lambda: exact_shapley(players, lambda s: max((worth[p] for p in s), default=0))
    )
    return seconds, np.array([float(value) for value in values.values()])


def sampled_ours(size: dict[str, Any], _: Path) -> tuple[float, np.ndarray]:
    """Sampled values of a large airport game whose prefixes are walked in one call."""
    from dataexchange.valuation.shapley import sampled_shapley

    costs = costs_of(size["players"])

    def walk(order: np.ndarray) -> np.ndarray:
        return np.concatenate([[0.0], np.maximum.accumulate(costs[order])])

    seconds, sampled = timed(
        lambda: sampled_shapley(walk, players=len(costs), pairs=size["pairs"], seed=1)
    )
    return seconds, sampled.values


def sampled_sets_ours(size: dict[str, Any], _: Path) -> tuple[float, np.ndarray]:
    """Sampled values of the same game, its worth asked coalition by coalition, as pyDVL asks."""
    from dataexchange.valuation.shapley import sampled_shapley

    costs = costs_of(size["players"])

    def walk(order: np.ndarray) -> np.ndarray:
        return np.array([0.0, *(costs[order[:k]].max() for k in range(1, len(order) + 1))])

    seconds, sampled = timed(
        lambda: sampled_shapley(walk, players=len(costs), pairs=size["pairs"], seed=1)
    )
    return seconds, sampled.values


def knn_ours(_: dict[str, Any], data: Path) -> tuple[float, np.ndarray]:
    """KNN-Shapley values of all training points."""
    from dataexchange.valuation.knn_shapley import knn_shapley

    found = np.load(data)
    train, test = (found["x"], found["y"]), (found["px"], found["py"])
    return timed(lambda: knn_shapley(train, test, k=NEIGHBOURS))


def montecarlo_ours(size: dict[str, Any], _: Path) -> tuple[float, np.ndarray]:
    """A triangular income discounted over five years."""
    from decimal import Decimal

    from dataexchange.valuation.distribution import Triangular
    from dataexchange.valuation.montecarlo import simulate

    flow = Triangular(Decimal(800_000), Decimal(1_000_000), Decimal(1_500_000))
    factor = (1 - 1.12**-5) / 0.12

    def work() -> list[float]:
        found = simulate(
            {"flow": flow}, lambda drawn: drawn["flow"] * factor, draws=size["draws"], seed=1
        )
        quantiles = [found.quantile(p) for p in (0.1, 0.5, 0.9)]
        return [found.mean, found.standard_error, *quantiles]

    seconds, figures = timed(work)
    return seconds, np.array(figures)


def _rival_game(costs: np.ndarray) -> Any:
    from pydvl.valuation.games import Game  # type: ignore[import-not-found]

    class Airport(Game):  # type: ignore[misc]
        def _score(self, X: np.ndarray) -> float:  # noqa: N803  # the base class's name
            return float(costs[X].max()) if len(X) else 0.0

    return Airport(len(costs), score_range=(0, 10))


def exact_rival(size: dict[str, Any], _: Path) -> tuple[float, np.ndarray]:
    """The same exact values by pyDVL."""
    from pydvl.valuation import (  # type: ignore[import-not-found]
        DeterministicUniformSampler,
        NoStopping,
        ShapleyValuation,
    )

    game = _rival_game(np.array([index % 10 + 1.0 for index in range(size["exact"])]))
    sampler = DeterministicUniformSampler()
    found = ShapleyValuation(game.u, sampler, NoStopping(sampler), progress=False)
    seconds, _found = timed(lambda: found.fit(game.data))
    return seconds, np.asarray(found.result.values)


def sampled_rival(size: dict[str, Any], _: Path) -> tuple[float, np.ndarray]:
    """The same number of orders, in antithetic pairs, by pyDVL."""
    from pydvl.valuation import AntitheticPermutationSampler, MinUpdates, ShapleyValuation

    game = _rival_game(costs_of(size["players"]))
    sampler, stop = AntitheticPermutationSampler(seed=1), MinUpdates(2 * size["pairs"])
    found = ShapleyValuation(game.u, sampler, stop, progress=False)
    seconds, _found = timed(lambda: found.fit(game.data))
    return seconds, np.asarray(found.result.values)


def knn_rival(_: dict[str, Any], data: Path) -> tuple[float, np.ndarray]:
    """The same values by pyDVL."""
    from pydvl.valuation import Dataset, KNNShapleyValuation
    from sklearn.neighbors import KNeighborsClassifier  # type: ignore[import-not-found]

    found = np.load(data)
    train, test = Dataset(found["x"], found["y"]), Dataset(found["px"], found["py"])
    method = KNNShapleyValuation(KNeighborsClassifier(NEIGHBOURS), test, progress=False)
    seconds, _found = timed(lambda: method.fit(train))
    return seconds, np.asarray(method.result.values)


TASKS: dict[str, tuple[Task, Task | str]] = {
    "exact Shapley, {exact} players": (exact_ours, exact_rival),
    "sampled Shapley, {players} players, {pairs} pairs of orders, worth asked by coalition": (
        sampled_sets_ours,
        sampled_rival,
    ),
    "the same, worth asked by order": (sampled_ours, "asks by coalition only"),
    "KNN-Shapley, {points} points, 50 test points": (knn_ours, knn_rival),
    "Monte Carlo, {draws} draws": (montecarlo_ours, "has no such method"),
}
BY_NAME = {
    task.__name__: task for pair in TASKS.values() for task in pair if not isinstance(task, str)
}


def peak_mib() -> float:
    """Return the peak of this process's memory so far, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def run_task(name: str, scale: str, folder: Path) -> None:
    """Run one task here and leave its result in `folder` (the child's side)."""
    if name.endswith("_rival"):
        import pydvl.valuation  # type: ignore[import-not-found]  # noqa: F401
    else:
        import dataexchange.valuation.methods  # noqa: F401
    before = peak_mib()
    seconds, values = BY_NAME[name](SIZES[scale], folder / "knn.npz")
    np.save(folder / f"{name}.npy", values)
    print(json.dumps({"seconds": seconds, "mib": peak_mib() - before}))


def measure(python: Path, name: str, scale: str, folder: Path) -> dict[str, Any]:
    """Run one task in a process of its own; `{"error": …}` where it fails."""
    threads = {f"{kind}_NUM_THREADS": "1" for kind in ("OMP", "OPENBLAS", "MKL")}
    path = str(Path(__file__).parents[1] / "src")
    command = [str(python), __file__, "--task", name, "--scale", scale, "--folder", str(folder)]
    environment = {**os.environ, **threads, "PYTHONPATH": path}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        return {"error": (done.stderr.strip().splitlines() or ["failed"])[-1]}
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def make_points(path: Path, points: int) -> None:
    """Write the input that both KNN tasks read."""
    source = np.random.default_rng(20260101)
    x, px = source.normal(size=(points, WIDTH)), source.normal(size=(PROBES, WIDTH))
    np.savez(path, x=x, y=x[:, 0] > 0, px=px, py=px[:, 0] > 0)


def exact_airport(costs: np.ndarray) -> np.ndarray:
    """Return the exact values: each step of runway is paid by those who need it, equally."""
    steps = np.diff(costs, prepend=0.0) / np.arange(len(costs), 0, -1)
    return np.asarray(np.cumsum(steps))


def agreement(folder: Path, scale: str, ours: Task, rival: Task) -> str:
    """Say how far two results lie apart; sampled ones, how far each lies from the exact values."""
    one, other = (np.load(folder / f"{task.__name__}.npy") for task in (ours, rival))
    if ours is not sampled_sets_ours:
        return f"{np.abs(one - other).max():.1e}"
    exact = exact_airport(costs_of(SIZES[scale]["players"]))
    gaps = [np.sqrt(((found - exact) ** 2).mean()) for found in (one, other)]
    return "RMS error {:.4f} and {:.4f}".format(*gaps)


def bench(scale: str, rival: Path | str, folder: Path) -> list[dict[str, Any]]:
    """Return one row per task."""
    make_points(folder / "knn.npz", SIZES[scale]["points"])
    rows = []
    for title, (ours, theirs) in TASKS.items():
        row: dict[str, Any] = {"task": title.format(**SIZES[scale]), "agreement": "-"}
        row["ours"] = measure(Path(sys.executable), ours.__name__, scale, folder)
        if isinstance(theirs, str) or isinstance(rival, str):
            row["pydvl"] = {"error": theirs if isinstance(theirs, str) else rival}
        else:
            row["pydvl"] = measure(rival, theirs.__name__, scale, folder)
            if not any("error" in row[side] for side in ("ours", "pydvl")):
                row["agreement"] = agreement(folder, scale, ours, theirs)
        rows.append(row)
        print_row(row)
    return rows


def shown(side: dict[str, Any]) -> str:
    """Return one measurement as text."""
    if "error" in side:
        return f"skipped: {side['error']}"
    return f"{side['seconds']:.2f} s, {side['mib']:.0f} MiB"


def print_row(row: dict[str, Any]) -> None:
    """Print one line of the table."""
    sides = f"{shown(row['ours'])} | {shown(row['pydvl'])}"
    print(f"| {row['task']} | {sides} | {row['agreement']} |", flush=True)


def main() -> None:
    """Parse the command line and run the benchmark, or one task of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small sizes, seconds in all")
    parser.add_argument("--no-rival", action="store_true", help="leave pyDVL out")
    parser.add_argument("--json", type=Path, help="also write the rows to this file")
    cache = Path(tempfile.gettempdir()) / "dataexchange-bench-pydvl"
    parser.add_argument("--venv", type=Path, default=cache, help="environment for pyDVL")
    for hidden in ("--task", "--scale"):
        parser.add_argument(hidden, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.task:
        run_task(given.task, given.scale, given.folder)
        return
    rival = "left out" if given.no_rival else environment(given.venv, RIVAL)
    print(f"Python {platform.python_version()}, NumPy {np.__version__}, {os.cpu_count()} cores\n")
    print("| task | dataexchange | pyDVL | largest difference |\n|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        rows = bench("quick" if given.quick else "full", rival, Path(folder))
    if given.json:
        given.json.write_text(json.dumps(rows, ensure_ascii=False, indent=2) + "\n", "utf-8")


if __name__ == "__main__":
    main()
