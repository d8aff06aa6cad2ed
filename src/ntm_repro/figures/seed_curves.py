"""The learning curve of every seed, with the paper's recipe and with the stable one: a figure of ours alone."""

from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from ntm_repro import paper, tasks
from ntm_repro.evidence import convergence, reliability
from ntm_repro.evidence.runs import Run
from ntm_repro.evidence.windows import Window, bits, median, windows
from ntm_repro.figures import paper_overlay
from ntm_repro.figures.reliability import MODELS
from ntm_repro.figures.run_store import RunStore

SIZE = (14.0, 5.8)  # inches
COLOURS = {"paper": "#9a9a9a", "stable": "#c2410c"}
ROW = 1_000  # sequences of a point: what runs log, so that a single wrong sequence shows
SEQUENCES = (500, 1_000_000)
BITS = (1e-3, 250.0)  # below this, curves lie on the panel's lower edge


def draw(sources: RunStore) -> Figure:
    """One panel a pair of task and controller: a thin line each seed, a thick one their median, recipe by recipe."""
    figure = Figure(figsize=SIZE)
    grid = figure.subplots(len(MODELS), len(paper.TASKS), sharex=True, sharey=True)
    for row, model in zip(grid, MODELS, strict=True):
        for axes, task in zip(row, paper.TASKS, strict=True):
            for recipe, found in reliability.by_recipe(sources.evidence, task, model).items():
                _draw_seeds(axes, found, recipe)
            _finish(axes, task, model)
        row[0].set_ylabel("bits per sequence")
    for axes in grid[-1]:
        axes.set_xlabel("sequences")
    grid[0][-1].legend(handles=_handles(), loc="lower left", fontsize=7)
    paper_overlay.notes(figure, [_NOTE])
    return figure


def _curve(run: Run) -> list[Window]:
    """The cost of each row; N-grams: above the optimum."""
    return windows(convergence.costs(run.task, run.rows), bits, ROW, begin=run.begin)


def _draw_seeds(axes: Axes, found: Sequence[Run], recipe: str) -> None:
    curves = [_curve(run) for run in found]
    for curve in curves:
        _line(axes, [(row.middle, row.mean) for row in curve], recipe, linewidth=0.5, alpha=0.5)
    _line(axes, median(curves), recipe, linewidth=1.6)


def _line(axes: Axes, points: Sequence[tuple[float, float]], recipe: str, **look: Any) -> None:
    sequences, costs = [at for at, _ in points], [max(cost, BITS[0]) for _, cost in points]
    axes.plot(sequences, costs, color=COLOURS[recipe], **look)


def _finish(axes: Axes, task: str, model: str) -> None:
    axes.set(xscale="log", yscale="log", xlim=SEQUENCES, ylim=BITS)
    axes.minorticks_off()  # hundreds of them, in ten panels
    axes.axhline(reliability.ENDS[task], color="0.3", linestyle=":", linewidth=0.9)
    axes.set_title(f"{tasks.find(task)().label}, {paper.MODELS[model]}", fontsize="medium")


def _handles() -> list[Line2D]:
    recipes = [
        Line2D([], [], color=colour, linewidth=1.6, label=f"recipe={recipe}") for recipe, colour in COLOURS.items()
    ]
    return [*recipes, Line2D([], [], color="0.3", linestyle=":", linewidth=0.9, label="solved below")]


_NOTE = (
    "Thin: single seeds, rows of metrics.csv, means over 1,000 sequences. Thick: their median. N-grams: bits above the "
    f"optimal estimator. What is below {BITS[0]:g} bits is drawn there."
)
