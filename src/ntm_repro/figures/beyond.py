"""What trained models do beyond the conditions that the paper tried: a figure that it does not have."""

import statistics
from collections.abc import Callable
from typing import Any, NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ntm_repro import paper, tasks
from ntm_repro.evidence.runs import Run
from ntm_repro.figures import paper_overlay, style
from ntm_repro.figures.run_store import RunStore
from ntm_repro.tasks.priority_sort import PrioritySort

SIZE = (12.5, 7.2)  # inches
Entry = dict[str, Any]  # of beyond.json's grid
BITS = PrioritySort().bits  # of a vector of priority sort in all evidence


class Panel(NamedTuple):
    """What is shown of a task: `value` of an entry over its condition; `trained`, what it saw in training."""

    x: str
    y: str
    trained: str
    value: Callable[[Entry], float]


def _perfect(entry: Entry) -> float:
    return 100 * entry["perfect"]


def _wrong(entry: Entry) -> float:
    return 100 * entry["wrong_bits"] / (BITS * entry["setting"][1])


def _gap(entry: Entry) -> float:
    return (entry["bits"] - entry["optimum_bits"]) / entry["setting"] * 100


PERFECT = "sequences without a wrong bit, %"
PANELS = {
    "copy": Panel("length", PERFECT, "1 to 20", _perfect),
    "repeat_copy": Panel("length × repeats", PERFECT, "1 to 10 × 1 to 10", _perfect),
    "associative_recall": Panel("items", PERFECT, "2 to 6", _perfect),
    "dynamic_ngrams": Panel("bits", "bits above the optimum, per 100", "200", _gap),
    "priority_sort": Panel("vectors × highest", "wrong bits, %", "20 × 16", _wrong),
}


def draw(sources: RunStore) -> Figure:
    """One panel a task, from the evaluations beyond the paper in the evidence."""
    figure = Figure(figsize=SIZE)
    panels = figure.subplots(2, 3).flat
    runs = {(task, model): sources.runs(task, model) for task in PANELS for model in paper.MODELS}
    for axes, (task, panel) in zip(panels, PANELS.items(), strict=False):
        _draw_panel(axes, panel, {model: values_of(runs[task, model], panel.value) for model in paper.MODELS})
        axes.set(title=f"{tasks.find(task)().label} (trained on {panel.trained})", xlabel=panel.x, ylabel=panel.y)
    paper_overlay.legend_of_dots(figure.axes[-1], tuple(paper.MODELS))
    paper_overlay.notes(figure, _notes(runs))
    return figure


def values_of(runs: list[Run], value: Callable[[Entry], float]) -> dict[str, list[float]]:
    """{condition in words: one value for each run that was tested on it}."""
    values_by_condition: dict[str, list[float]] = {}
    for run in runs:
        for entry in (run.beyond or {"grid": []})["grid"]:
            parts = entry["setting"] if isinstance(entry["setting"], list) else [entry["setting"]]
            values_by_condition.setdefault("\n× ".join(f"{part:,}" for part in parts), []).append(value(entry))
    return values_by_condition


def _draw_panel(axes: Axes, panel: Panel, values: dict[str, dict[str, list[float]]]) -> None:
    conditions = list(dict.fromkeys(condition for found in values.values() for condition in found))
    for offset, (model, found) in zip((-0.2, 0.0, 0.2), values.items(), strict=True):
        for place, condition in enumerate(conditions):
            if condition in found:
                seeds, x = found[condition], place + offset
                axes.plot([x] * len(seeds), seeds, color=style.colour(model), **paper_overlay.SEED_DOT)
                axes.plot([x], [statistics.median(seeds)], color=style.colour(model), **paper_overlay.MEDIAN_DOT)
    axes.set_xticks(range(len(conditions)), conditions)
    axes.set_xlim(-0.5, max(len(conditions), 1) - 0.5)
    axes.grid(visible=False, axis="x")
    if panel.y == PERFECT:
        axes.set_ylim(-3, 103)
    else:
        axes.set_ylim(bottom=0)
    if not conditions:
        axes.text(0.5, 0.5, "not tested yet", transform=axes.transAxes, ha="center", color="0.4")


def _notes(runs: dict[tuple[str, str], list[Run]]) -> list[str]:
    tested = [run for found in runs.values() for run in found if run.beyond]
    lines = ["The models as trained, with more memory locations where a sequence has more vectors than they had."]
    if tested:
        fewest = min(entry["sequences"] for run in tested for entry in (run.beyond or {})["grid"])
        lines[0] += f" At least {fewest:,} sequences for each dot."
    unfinished = [run for run in tested if not run.is_finished]
    lines += [f"{tasks.find(run.task)().label}, {paper.MODELS[run.model]}, {run.progress} so far" for run in unfinished]
    return lines
