"""How many seeds have learned after how many sequences with the recipes that are in use: a figure of ours alone."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ntm_repro.evidence import recipes
from ntm_repro.evidence.runs import Run
from ntm_repro.figures import paper_overlay, reliability
from ntm_repro.figures.run_store import RunStore

SIZE = (12.5, 4.2)  # inches
# Okabe and Ito's.
COLOURS = {
    "stable": "#0072b2",
    "paper": "#d55e00",
    "pytorch_ntm": "#009e73",
    "collier_beel": "#cc79a7",
    "dnc": "#e69f00",
}
APART = 1.6  # percent between lines that would cover each other


def draw(sources: RunStore) -> Figure:
    """One panel a task; a line climbs by a seed where that has learned the task for good, and ends with its runs."""
    figure = Figure(figsize=SIZE)
    panels = figure.subplots(1, len(recipes.TASKS))
    for axes, task in zip(panels, recipes.TASKS, strict=True):
        for recipe, found in recipes.by_recipe(sources.evidence, task).items():
            _draw_line(axes, recipe, found)
        _finish(axes, task)
    paper_overlay.notes(figure, _notes())
    return figure


def _draw_line(axes: Axes, recipe: str, found: list[Run]) -> None:
    places, shares = zip(*reliability.steps(found), strict=True)
    places = (reliability.SEQUENCES[0] / 2, *places[1:])  # 0 has no place on a logarithmic axis
    raised = [share + APART * (2 - list(recipes.RECIPES).index(recipe)) for share in shares]
    colour = COLOURS[recipe]
    count = f"{round(shares[-1] * len(found) / 100)} of {len(found)}"
    label = f"{recipes.RECIPES[recipe]}: {count}"
    axes.step(places, raised, where="post", color=colour, linewidth=2, label=label)
    axes.plot(places[-1], raised[-1], color=colour, marker="o", markersize=5, linestyle="none")


def _finish(axes: Axes, task: str) -> None:
    reliability.finish(axes, task)
    if axes.lines:
        below_late_climbs = (1.0, 0.08)
        axes.legend(
            loc="lower right",
            bbox_to_anchor=below_late_climbs,
            fontsize=7,
            title="recipe: seeds in the end",
            title_fontsize=7,
        )


def _notes() -> list[str]:
    return [
        "NTM with an LSTM controller, at the paper's sizes. A seed has learned where a row of metrics.csv, a mean over "
        "1,000 sequences, is below the first number of bits per sequence and no later one is above the second.",
        "A line ends, with a dot, where the runs of its recipe end: what later sequences would bring is not known. "
        "Lines are drawn apart by a little.",
    ]
