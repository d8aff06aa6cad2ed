"""Figure 11: cost of associative recall over the number of items, most of them more than any sequence of training."""

import statistics
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from ntm_repro import paper
from ntm_repro.evidence.runs import Run
from ntm_repro.figures import paper_overlay, style
from ntm_repro.figures.run_store import RunStore

TASK = "associative_recall"
FIGURE = 11
SIZE = (10.5, 4.4)  # inches
LINEAR, LOGARITHMIC = (-0.5, 42.0), (0.001, 100.0)  # bits per sequence of the panels, from bottom to top
Points = list[tuple[float, float]]


def draw(sources: RunStore) -> Figure:
    """Figure 11 from the evaluations in the evidence."""
    runs = {model: sources.runs(TASK, model) for model in paper.MODELS}
    evaluated = {model: [run for run in found if run.evaluation] for model, found in runs.items()}
    figure = Figure(figsize=SIZE)
    left, right = figure.subplots(1, 2)
    for axes, floor in ((left, LINEAR[0]), (right, LOGARITHMIC[0])):
        _lines(axes, evaluated, floor)
        axes.set(xlabel="items per sequence", ylabel="bits per sequence", xlim=(5.5, 20.5), xticks=range(6, 21, 2))
    left.set(ylim=LINEAR, title="Figure 11, associative recall on longer sequences: the paper's axes")
    right.set(ylim=LOGARITHMIC, yscale="log", title="The same, logarithmic; below 0.001 bits drawn at 0.001")
    right.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    paper_overlay.legend(figure, {model: len(found) for model, found in evaluated.items()})
    paper_overlay.notes(figure, _notes(sources, runs))
    return figure


def bits_over_items(run: Run) -> Points:
    """(items, bits per sequence) of the settings that the run was evaluated on."""
    return sorted((entry["setting"], entry["bits"]) for entry in _grid(run))


def median_over_items(runs: list[Run]) -> Points:
    """(items, median of the runs' bits) of the settings that every one of them was evaluated on."""
    curves = [dict(bits_over_items(run)) for run in runs]
    shared = set.intersection(*map(set, curves)) if curves else set()
    return [(items, statistics.median(curve[items] for curve in curves)) for items in sorted(shared)]


def _grid(run: Run) -> list[dict[str, Any]]:
    return run.evaluation["grid"] if run.evaluation else []


def _lines(axes: Axes, evaluated: dict[str, list[Run]], floor: float) -> None:
    for model, found in evaluated.items():
        lines = [(f"seed {run.seed}", bits_over_items(run), paper_overlay.SEED) for run in found]
        lines.append(("median", median_over_items(found), paper_overlay.MEDIAN | {"marker": "o", "markersize": 5}))
        lines.append(("paper", paper.curve(FIGURE, model), paper_overlay.PAPER | {"marker": "D", "markersize": 3.5}))
        for what, points, look in lines:
            x, y = [x for x, _ in points], [max(y, floor) for _, y in points]
            axes.plot(x, y, color=style.colour(model), label=f"{model} {what}", **look)


def _notes(sources: RunStore, runs: dict[str, list[Run]]) -> list[str]:
    """How many sequences a point is, and what is missing."""
    counts = {entry["sequences"] for found in runs.values() for run in found for entry in _grid(run)}
    lines = ["Trained on 2 to 6 items."]
    if counts:
        lines[0] += f" Each point of a seed is a mean over {min(counts):,} sequences."
    for model, found in runs.items():
        lines += [f"{paper.MODELS[model]}, {missing}" for missing in sources.gaps(TASK, model)]
        lines += [
            f"{paper.MODELS[model]}, seed {run.seed} not evaluated yet: make reproduce TASKS={TASK} MODELS={model}"
            f" SEEDS={run.seed}"
            for run in found
            if run.is_finished and not run.evaluation
        ]
    return lines
