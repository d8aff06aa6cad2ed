"""The recipes that others use beside the paper's and `recipe=stable`, and the latter without one part at a time.

Their runs are judged row by row like all others (`reliability`). Below the folder that holds the paper's evidence,
results/paper, the others lie beside it: results/stable, results/recipes/<recipe> and results/ablation/<part>, each with
<task>/<model>/seed<k>.
"""

import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from ntm_repro import paper, tasks
from ntm_repro.evidence import reliability, runs
from ntm_repro.evidence.rendering import Cell, Column, Table
from ntm_repro.evidence.runs import Run

MODEL = "ntm"
TASKS = ("copy", "associative_recall", "repeat_copy")
# What each recipe is called in tables and figures, in the order shown.
RECIPES = {
    "stable": "stable",
    "paper": "the paper's",
    "pytorch_ntm": "pytorch-ntm's",
    "collier_beel": "Collier & Beel's",
    "dnc": "DNC's",
}


class Part(NamedTuple):
    """A part of `recipe=stable`: what is changed to leave it out, as a command line says it, and what is then there."""

    change: str
    instead: str


PARTS = {
    "steady": Part("optimiser=adam", "Adam, β₂ 0.95"),
    "mean": Part("train.average_over=0", "the weights, not their mean"),
    "decay": Part("train.schedule=constant", "a constant learning rate"),
    "read_gate": Part("model.initial.read_gate=0", "read heads' gate at 0"),
    "write_shift": Part("model.initial.write_shift=0", "write heads' shift at 0"),
    "forget_gate": Part("model.initial.forget_gate=0", "forget gates at 0"),
    "scale_inputs": Part("model.scale_inputs=none", "all channels alike"),
    "clip_through_time": Part("train.clip_through_time=false", "no clip through time"),
    "input_noise": Part("train.input_noise=0", "no noise on the inputs"),
}


def recipe_root(root: Path, recipe: str) -> Path:
    """Where a recipe's evidence lies; `root` is that of the paper's."""
    if recipe in reliability.RECIPES:
        return reliability.recipe_root(root, recipe)
    return root.with_name("recipes") / recipe


def part_root(root: Path, part: str) -> Path:
    """Where the runs without this part of `recipe=stable` lie; `root` is that of the paper's."""
    return root.with_name("ablation") / part


def by_recipe(root: Path, task: str) -> dict[str, list[Run]]:
    """{recipe: its recorded runs of the task that have a row}, recipes without one left out."""
    found = {recipe: _with_rows(recipe_root(root, recipe), task) for recipe in RECIPES}
    return {recipe: those for recipe, those in found.items() if those}


def _with_rows(root: Path, task: str) -> list[Run]:
    return [run for run in runs.find(root, task, MODEL) if run.rows]


def table(root: Path) -> Table:
    """How many seeds learn, relapse and end solved, recipe by recipe."""
    rows = [
        {"task": tasks.find(task)().label, "recipe": RECIPES[recipe], **_counts(task, found)}
        for task in TASKS
        for recipe, found in by_recipe(root, task).items()
    ]
    caption = (
        "The NTM with an LSTM controller at the paper's sizes, trained by recipes that are in use, each as long as the "
        f"column says. {_rules()} The recipes' values and sources: configs/recipe and configs/others."
    )
    return Table("recipes", "Recipes", caption, _columns("recipe"), rows)


def ablation(root: Path) -> Table:
    """The same of `recipe=stable` without one part at a time, and whole, on the same seeds."""
    rows: list[dict[str, Cell]] = []
    for task in TASKS:
        without = {part: found for part in PARTS if (found := _with_rows(part_root(root, part), task))}
        seeds = {run.seed for found in without.values() for run in found}
        whole = [run for run in _with_rows(recipe_root(root, "stable"), task) if run.seed in seeds]
        label = tasks.find(task)().label
        if whole:
            rows.append({"task": label, "without": "nothing", "change": "", **_counts(task, whole)})
        for part, found in without.items():
            change, instead = PARTS[part]
            rows.append({"task": label, "without": instead, "change": change, **_counts(task, found)})
    caption = (
        "The NTM with an LSTM controller and recipe=stable, whole and with one part changed. Without: what is there "
        f"instead. {_rules()}"
    )
    return Table("ablation", "What each part is worth", caption, _columns("without", "change"), rows)


def _columns(*names: str) -> list[Column]:
    columns = [Column("task"), *(Column(name) for name in names), Column("seeds", "d"), Column("sequences", ",.0f")]
    columns += [Column("learned"), Column("learned at, median", ",.0f"), Column("latest", ",.0f")]
    columns += [Column("seconds until then", ",.0f"), Column("relapsed"), Column("end, median", ",.4f")]
    return [*columns, Column("worst", ",.4f"), Column("solved"), Column("farthest")]


def _rules() -> str:
    ends = ", ".join(f"{tasks.find(task)().label} {reliability.ENDS[task]:g}" for task in TASKS)
    ceiling, level, _ = paper.THRESHOLDS[TASKS[0]]  # the same for all three
    return (
        f"Learned: seeds with a row of 1,000 sequences below {level:g} bits per sequence, and when, among them; "
        "seconds: the median of a run's own clock then, on machines that did other things too. Relapsed: those with a "
        f"later row above {ceiling:g}. End: the mean of the last tenth of a run. Solved: seeds that learned, never "
        f"relapsed and ended below the task's limit ({ends}). Farthest: seeds without an error in "
        f"{reliability.NEARLY_ALL:.0%} or more of 100 sequences of length 120, of 20 items, of 20 × 10 repeats."
    )


def _counts(task: str, found: Sequence[Run]) -> dict[str, Cell]:
    outcomes = [reliability.outcome(task, run.rows) for run in found]
    learned = [each.learned_at for each in outcomes if each.learned_at is not None]
    seconds = [
        row["wall_seconds"]
        for run, each in zip(found, outcomes, strict=True)
        for row in run.rows
        if int(row["sequences"]) == each.learned_at
    ]
    tested = [share for run in found if (share := _farthest(task, run)) is not None]
    return {
        "seeds": len(found),
        "sequences": statistics.median(run.sequences for run in found),
        "learned": f"{len(learned)} of {len(found)}",
        "learned at, median": statistics.median(learned) if learned else None,
        "latest": max(learned, default=None),
        "seconds until then": statistics.median(seconds) if seconds else None,
        "relapsed": f"{sum(each.relapsed for each in outcomes)} of {len(learned)}",
        "end, median": statistics.median(each.end for each in outcomes),
        "worst": max(each.end for each in outcomes),
        "solved": f"{sum(each.solved for each in outcomes)} of {len(found)}",
        "farthest": f"{sum(share >= reliability.NEARLY_ALL for share in tested)} of {len(tested)}" if tested else None,
    }


def _farthest(task: str, run: Run) -> float | None:
    """The share of sequences without an error under the task's farthest condition, or None where it was not tested."""
    entries = (run.evaluation or {"grid": []})["grid"]
    return next((entry["perfect"] for entry in entries if entry["setting"] == reliability.FARTHEST[task]), None)
