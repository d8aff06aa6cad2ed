"""How many seeds have learned their task after how many sequences, recipe by recipe: a figure of ours alone."""

from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from ntm_repro import paper, tasks
from ntm_repro.evidence import reliability
from ntm_repro.evidence.runs import Run
from ntm_repro.figures import paper_overlay, style
from ntm_repro.figures.run_store import RunStore

SIZE = (12.5, 6.6)  # inches
MODELS = ("ntm", "ntm_ff")
DASHES: dict[str, Any] = {"paper": (0, (4, 2)), "stable": "solid"}
SEQUENCES = (1_000, 2_600_000)  # room for the counts at the end of a million
RAISED = {"ntm": 4, "ntm_ff": -11}  # points by which a count is above the end of its line


def draw(sources: RunStore) -> Figure:
    """One panel a task; a line climbs by a seed where that has learned the task for good."""
    figure = Figure(figsize=SIZE)
    panels = figure.subplots(2, 3).flat
    for axes, task in zip(panels, paper.TASKS, strict=False):
        for model in MODELS:
            for recipe, found in reliability.by_recipe(sources.evidence, task, model).items():
                _draw_line(axes, found, model, recipe)
        finish(axes, task)
    _legend(figure.axes[-1])
    paper_overlay.notes(figure, _notes())
    return figure


def steps(found: Sequence[Run]) -> list[tuple[float, float]]:
    """(sequences, percent of the seeds that have learned for good by then), at 0, at each climb, and at the end."""
    outcomes = [reliability.outcome(run.task, run.rows) for run in found]
    kept = sorted(each.kept_from for each in outcomes if each.kept_from is not None)
    climbs = [(float(at), 100 * count / len(found)) for count, at in enumerate(kept, 1)]
    share = climbs[-1][1] if climbs else 0.0
    return [(0.0, 0.0), *climbs, (float(max(run.sequences for run in found)), share)]


def _draw_line(axes: Axes, found: Sequence[Run], model: str, recipe: str) -> None:
    places, shares = zip(*steps(found), strict=True)
    places = (SEQUENCES[0] / 2, *places[1:])  # 0 has no place on a logarithmic axis
    colour, end = style.colour(model), (places[-1], shares[-1])
    axes.step(places, shares, where="post", color=colour, linestyle=DASHES[recipe], linewidth=2)
    axes.plot(*end, color=colour, marker="o", markersize=5, linestyle="none")
    count = f"{round(shares[-1] * len(found) / 100)} of {len(found)}"
    axes.annotate(count, end, (5, RAISED[model]), textcoords="offset points", fontsize=7, color=colour)


def finish(axes: Axes, task: str) -> None:
    """The axes and the title of a task's panel, after its lines."""
    ceiling, level, _ = paper.THRESHOLDS[task]
    axes.set_xscale("log")
    axes.minorticks_off()  # hundreds of them, in all panels together
    title = f"{tasks.find(task)().label}: below {level:g} bits, never again above {ceiling:g}"
    axes.set(xlabel="sequences", ylabel="seeds that have learned, %")
    axes.set_title(title, fontsize="medium")
    axes.set_xlim(*SEQUENCES)
    axes.set_ylim(-8, 108)


def _legend(axes: Axes) -> None:
    colours = [Line2D([], [], color=style.colour(model), linewidth=4, label=style.label(model)) for model in MODELS]
    kinds = [
        Line2D([], [], color="0.3", linestyle=dashes, linewidth=2, label=f"recipe={recipe}")
        for recipe, dashes in DASHES.items()
    ]
    end = Line2D([], [], color="0.3", marker="o", linestyle="none", label="end of the runs")
    axes.set_axis_off()
    axes.legend(handles=[*colours, *kinds, end], loc="center left")


def _notes() -> list[str]:
    return [
        "A seed has learned where a row of metrics.csv, a mean over 1,000 sequences, is below the first number of bits "
        "per sequence and no later one is above the second; N-grams: bits above the optimal estimator."
    ]
