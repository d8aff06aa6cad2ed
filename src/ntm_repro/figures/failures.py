"""What failures of training look like in metrics.csv, from runs of the paper's recipe: for docs/training.md."""

from typing import NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from ntm_repro import tasks
from ntm_repro.evidence.runs import Run
from ntm_repro.figures import style
from ntm_repro.figures.run_store import RunStore

SIZE = (12.5, 3.6)  # inches
FLOOR = 1e-5  # bits and norms below it are drawn at it
NORM = "0.6"


class Scene(NamedTuple):
    """A stretch of a run, in sequences, and what it shows."""

    title: str
    task: str
    model: str
    seed: int
    begin: int
    end: int


SCENES = (
    Scene("a plateau", "associative_recall", "ntm_ff", 5, 0, 1_000_000),
    Scene("a relapse", "associative_recall", "ntm", 3, 600_000, 700_000),
    Scene("rare errors", "copy", "ntm", 5, 0, 300_000),
)


def draw(sources: RunStore) -> Figure:
    """One panel a kind of failure: bits per sequence and the gradient's norm, row by row, both logarithmic."""
    figure = Figure(figsize=SIZE)
    for axes, scene in zip(figure.subplots(1, len(SCENES), sharey=True), SCENES, strict=True):
        found = [run for run in sources.runs(scene.task, scene.model) if run.seed == scene.seed]
        _draw_scene(axes, scene, found[0] if found else None)
    figure.axes[0].set_ylabel("bits per sequence; norm of the gradient")
    handles = [
        Line2D([], [], color="0.2", linewidth=2, label="bits per sequence, means over 1,000"),
        Line2D([], [], color=NORM, linewidth=0.8, label="norm of the gradient before the clip, likewise"),
    ]
    figure.legend(handles=handles, loc="outside lower left", ncols=2)
    return figure


def _draw_scene(axes: Axes, scene: Scene, run: Run | None) -> None:
    name = f"{tasks.find(scene.task)().label}, {style.label(scene.model)}, seed {scene.seed}"
    axes.set_title(f"{scene.title}\n{name}", fontsize="medium")
    axes.set_yscale("log")
    axes.set_xlabel("sequences, thousands")
    rows = [] if run is None else [row for row in run.rows if scene.begin < row["sequences"] <= scene.end]
    if not rows:
        axes.text(0.5, 0.5, "not run yet", transform=axes.transAxes, ha="center", color="0.4")
        return
    places = [row["sequences"] / 1_000 for row in rows]
    for key, colour, width in (("grad_norm", NORM, 0.6), ("bits_per_sequence", style.colour(scene.model), 1.4)):
        axes.plot(places, [max(FLOOR, row[key]) for row in rows], color=colour, linewidth=width)
    axes.set_xlim(places[0], places[-1])
