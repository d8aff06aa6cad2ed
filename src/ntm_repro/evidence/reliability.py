"""Whether every seed learns a task and keeps it, recipe by recipe, judged on rows of metrics.csv one by one.

A row is a mean over 1,000 sequences (`train.log_every`). One wrong sequence among a thousand shows in it, which the
means over 10,000 of the paper's curves hide.
"""

import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from ntm_repro import paper, tasks
from ntm_repro.evidence import convergence, runs
from ntm_repro.evidence.rendering import Cell, Column, Table
from ntm_repro.evidence.run_settings import Pair
from ntm_repro.evidence.runs import Run
from ntm_repro.training.metrics import Row

# The recipes whose runs are compared, in the order shown; their evidence lies side by side.
RECIPES = ("paper", "stable")
# What the mean of a run's last tenth has to be below, in bits per sequence.
ENDS = {
    "copy": 0.01,
    "repeat_copy": 0.1,
    "associative_recall": 0.05,
    "dynamic_ngrams": 2.0,
    "priority_sort": 17.0,
}
FARTHEST = {"copy": 120, "repeat_copy": [20, 10], "associative_recall": 20}  # conditions of the paper's longest tests
NEARLY_ALL = 0.95  # of the sequences of such a test


class Outcome(NamedTuple):
    """How one run went.

    learned_at: the number of sequences at the first row below the task's second threshold (`paper.THRESHOLDS`), or
    None. kept_from: the same for the last such beginning, after which no row is above the first threshold, or None
    where the run ends without one. relapsed: whether a row after `learned_at` is above the first threshold. end: the
    mean cost in bits of the last tenth of its rows. solved: whether it learned, never relapsed, and ended below `ENDS`.
    """

    learned_at: int | None
    kept_from: int | None
    relapsed: bool
    end: float
    solved: bool


def outcome(task: str, rows: Sequence[Row]) -> Outcome:
    """Of a run of one row or more."""
    ceiling, level, _ = paper.THRESHOLDS[task]
    judged = [(int(row["sequences"]), row["bits_per_sequence"]) for row in convergence.costs(task, rows)]
    learned_at = kept_from = None
    relapsed = False
    for sequences, cost in judged:
        if cost < level:
            learned_at = sequences if learned_at is None else learned_at
            kept_from = sequences if kept_from is None else kept_from
        elif cost > ceiling:
            relapsed = relapsed or learned_at is not None
            kept_from = None
    last = judged[-max(1, len(judged) // 10) :]
    end = statistics.fmean(cost for _, cost in last)
    return Outcome(learned_at, kept_from, relapsed, end, learned_at is not None and not relapsed and end < ENDS[task])


def recipe_root(root: Path, recipe: str) -> Path:
    """Where a recipe's evidence lies: the paper's is `root`, others are beside it."""
    return root if recipe == RECIPES[0] else root.with_name(recipe)


def by_recipe(root: Path, task: str, model: str) -> dict[str, list[Run]]:
    """{recipe: the recorded runs of the pair that have a row}, recipes without one left out."""
    found = {recipe: runs.find(recipe_root(root, recipe), task, model) for recipe in RECIPES}
    return {recipe: those for recipe, all_ in found.items() if (those := [run for run in all_ if run.rows])}


def table(pairs: Sequence[Pair], root: Path) -> Table:
    """How many seeds of each pair learn, relapse, and end solved, recipe by recipe."""
    rows: list[dict[str, Cell]] = []
    for pair in pairs:
        for recipe, found in by_recipe(root, pair.task, pair.model).items():
            rows.append(
                {
                    "task": tasks.find(pair.task)().label,
                    "model": paper.MODELS[pair.model],
                    "recipe": recipe,
                    **_counts(pair.task, found),
                }
            )
    columns = [Column("task"), Column("model"), Column("recipe"), Column("seeds", "d"), Column("sequences", ",.0f")]
    columns += [Column("learned"), Column("learned at, median", ",.0f"), Column("latest", ",.0f"), Column("relapsed")]
    columns += [Column("end, median", ",.4f"), Column("worst", ",.4f"), Column("solved"), Column("farthest")]
    columns += [Column("core-minutes", ",.1f")]
    ends = ", ".join(f"{tasks.find(task)().label} {end:g}" for task, end in ENDS.items())
    ceilings, levels, _ = convergence.thresholds_in_words()
    caption = (
        "Every seed that was recorded, by the recipe that trained it; rows of metrics.csv, means over 1,000 sequences. "
        f"Learned: seeds with a row below {levels} bits per sequence (copy, repeat copy and associative recall / "
        "dynamic N-grams, above the optimal estimator / priority sort), and when, among them. Relapsed: those with a "
        f"later row above {ceilings}. End: the mean of the last tenth of a run. Solved: seeds that learned, never "
        f"relapsed and ended below the task's limit ({ends}). Farthest: seeds without an error in "
        f"{NEARLY_ALL:.0%} or more of the sequences of length 120, of 20 × 10 repeats, of 20 items, with the 128 "
        "locations of training. Sequences and core-minutes: medians of a run."
    )
    return Table("reliability", "Every seed", caption, columns, rows)


def _counts(task: str, found: Sequence[Run]) -> dict[str, Cell]:
    outcomes = [outcome(task, run.rows) for run in found]
    learned = [each.learned_at for each in outcomes if each.learned_at is not None]
    tested = [share for run in found if (share := _farthest(task, run)) is not None]
    minutes = [60 * hours for run in found if (hours := run.core_hours) is not None]
    return {
        "seeds": len(found),
        "sequences": statistics.median(run.sequences for run in found),
        "learned": f"{len(learned)} of {len(found)}",
        "learned at, median": statistics.median(learned) if learned else None,
        "latest": max(learned, default=None),
        "relapsed": f"{sum(each.relapsed for each in outcomes)} of {len(learned)}",
        "end, median": statistics.median(each.end for each in outcomes),
        "worst": max(each.end for each in outcomes),
        "solved": f"{sum(each.solved for each in outcomes)} of {len(found)}",
        "farthest": f"{sum(share >= NEARLY_ALL for share in tested)} of {len(tested)}" if tested else None,
        "core-minutes": statistics.median(minutes) if minutes else None,
    }


def _farthest(task: str, run: Run) -> float | None:
    """The share of sequences without an error under the task's farthest condition, or None where it was not tested."""
    grid: list[dict[str, Any]] = (run.evaluation or {"grid": []})["grid"]
    return next((entry["perfect"] for entry in grid if entry["setting"] == FARTHEST.get(task)), None)
