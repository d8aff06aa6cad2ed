"""Ours beside the paper's in one figure: how the lines of each look, the legend that says so, and what is missing."""

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from ntm_repro.figures import style

Look = dict[str, Any]  # keywords of a line
MEDIAN: Look = {"linewidth": 2.0, "zorder": 3}
SEED: Look = {"linewidth": 0.6, "alpha": 0.5, "zorder": 2}
PAPER: Look = {"linewidth": 1.2, "linestyle": (0, (4, 2)), "zorder": 4}
SEED_DOT: Look = {"linestyle": "none", "marker": "o", "markersize": 3.5, "alpha": 0.55, "markeredgewidth": 0}
MEDIAN_DOT: Look = {"linestyle": "none", "marker": "_", "markersize": 13, "markeredgewidth": 2.5}
# Where training went on from weights alone.
JOINT: Look = {"linestyle": "none", "marker": "o", "markersize": 5, "markerfacecolor": "white", "zorder": 5}
NOTE_SIZE = 7  # points
NOTE_HEIGHT = 0.14  # inches of a line of notes


def legend(figure: Figure, seeds: Mapping[str, int]) -> None:
    """Above all panels: the models with how many runs of each are shown, and what the kinds of line are."""
    colours = [_colour(model, f"{style.label(model)} ({_runs(count)})") for model, count in seeds.items()]
    kinds = [
        Line2D([], [], color="0.3", label="ours, median over seeds", **MEDIAN),
        Line2D([], [], color="0.3", label="ours, each seed", **SEED),
        Line2D([], [], color="0.3", label="paper (one run, digitised)", **PAPER),
    ]
    # Columns are filled from top to bottom: a model above a kind of line.
    handles = [handle for column in zip(colours, kinds, strict=True) for handle in column]
    figure.legend(handles=handles, loc="outside upper left", ncols=len(kinds))


def legend_of_dots(axes: Axes, models: Sequence[str]) -> None:
    """In place of a panel: the models, and what the kinds of mark are."""
    kinds = [
        Line2D([], [], color="0.3", label="median over seeds", **MEDIAN_DOT),
        Line2D([], [], color="0.3", label="each seed", **SEED_DOT),
    ]
    axes.set_axis_off()
    axes.legend(handles=[*(_colour(model, style.label(model)) for model in models), *kinds], loc="center left")


def notes(figure: Figure, lines: Sequence[str]) -> None:
    """Below all panels, small; the figure grows by what they need."""
    if lines:
        width, height = figure.get_size_inches()
        figure.set_size_inches(width, height + NOTE_HEIGHT * len(lines))
        figure.supxlabel("\n".join(lines), x=0.01, ha="left", fontsize=NOTE_SIZE, color="0.35")


def _colour(model: str, label: str) -> Line2D:
    return Line2D([], [], color=style.colour(model), linewidth=4, label=label)


def _runs(count: int) -> str:
    return "no run yet" if count == 0 else f"{count} seed{'s' if count > 1 else ''}"
