"""Figures 3, 7, 10, 13 and 18: bits per sequence over the sequences trained on, every seed and the paper's curve.

On the left the paper's own axes. What those hide is on the right: how learning begins and how near to zero it ends
(both axes logarithmic), and for N-grams the distance from the optimal estimator on the same sequences.
"""

import statistics
from collections.abc import Callable, Sequence
from typing import NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, MaxNLocator

from ntm_repro import paper, tasks
from ntm_repro.evidence import run_settings
from ntm_repro.evidence.runs import Run
from ntm_repro.evidence.windows import WINDOW, Window, bits, gap, median, optimum, windows
from ntm_repro.figures import paper_overlay, style
from ntm_repro.figures.run_store import RunStore
from ntm_repro.figures.style import OPTIMUM

SIZE = (10.5, 4.6)  # inches
MARGIN = 0.012  # of the axis below 0, where lines would else be cut in half
FINE, GROWTH = 1_000, 0.05  # windows on a logarithmic axis: a thousand sequences, and later a share of those before
GAPS = (0.0, 8.0)  # bits above the optimum that Figure 13's second panel shows
Points = Sequence[tuple[float, float]]


class Panel(NamedTuple):
    """What one panel shows: windows of a run, and from a point of the paper's curve to its value here."""

    windows: Callable[[Run], list[Window]]
    of_paper: Callable[[float], float]
    floor: float = float("-inf")


def draw(sources: RunStore, task: str) -> Figure:
    """The task's learning curves from the evidence."""
    number = paper.LEARNING_FIGURES[task]
    runs = {model: sources.runs(task, model) for model in paper.MODELS}
    figure = Figure(figsize=SIZE)
    left, right = figure.subplots(1, 2)

    _curves(left, number, runs, Panel(lambda run: windows(run.rows, bits, begin=run.begin), lambda value: value))
    _linear(left, number, paper.AXES[number][1], f"bits per sequence (means over {WINDOW:,})")
    left.set_title(f"Figure {number}, {tasks.find(task)().label}: the paper's axes")
    if tasks.find(task).has_optimum:
        _optima(left, [run for found in runs.values() for run in found])
        _curves(right, number, runs, Panel(lambda run: windows(run.rows, gap, begin=run.begin), _gap_of_paper))
        _linear(right, number, GAPS, f"bits above the optimum (means over {WINDOW:,})")
        right.set_title("Above the optimal estimator on the same sequences")
    else:
        bottom = paper.CLOSE_UP[task][0]
        fine = Panel(lambda run: windows(run.rows, bits, FINE, GROWTH, begin=run.begin), lambda value: value, bottom)
        _curves(right, number, runs, fine)
        _logarithmic(right, number, paper.CLOSE_UP[task])
        right.set_title(f"From the first thousand sequences; below {bottom:g} bits drawn at {bottom:g}")

    paper_overlay.legend(figure, {model: len(found) for model, found in runs.items()})
    paper_overlay.notes(figure, _notes(sources, task))
    return figure


def _curves(axes: Axes, number: int, runs: dict[str, list[Run]], panel: Panel) -> None:
    """Every run thin, their median strong, the paper's curve dashed, in the model's colour."""
    for model, found in runs.items():
        curves = [panel.windows(run) for run in found]
        for run, curve in zip(found, curves, strict=True):
            points = [(window.middle, window.mean) for window in curve]
            _line(axes, points, panel.floor, model, f"seed {run.seed}", paper_overlay.SEED)
            joints = [point for joint in run.joints if (point := _at(joint, points)) is not None]
            if joints:
                _line(axes, joints, panel.floor, model, f"seed {run.seed} joint", paper_overlay.JOINT)
        _line(axes, median(curves), panel.floor, model, "median", paper_overlay.MEDIAN)
        printed = [(1000 * x, panel.of_paper(value)) for x, value in paper.plotted(number, model)]
        _line(axes, printed, panel.floor, model, "paper", paper_overlay.PAPER)


def _at(joint: int, points: Points) -> tuple[float, float] | None:
    """The point of a curve nearest to where the training of its run was joined; None of a curve without points."""
    return min(points, key=lambda point: abs(point[0] - joint), default=None)


def _line(axes: Axes, points: Points, floor: float, model: str, what: str, look: paper_overlay.Look) -> None:
    """A line through (sequences, bits), over thousands of sequences."""
    x = [sequences / 1000 for sequences, _ in points]
    y = [max(value, floor) for _, value in points]
    axes.plot(x, y, color=style.colour(model), label=f"{model} {what}", **look)


def _linear(axes: Axes, number: int, limits: tuple[float, float], label: str) -> None:
    bottom, top = limits
    axes.set(xlim=(0, paper.AXES[number][0]), ylim=(bottom - MARGIN * (top - bottom) * (bottom == 0), top))
    axes.set(xlabel="thousand sequences", ylabel=label)
    axes.yaxis.set_major_locator(MaxNLocator(steps=[1, 2, 5, 10]))


def _logarithmic(axes: Axes, number: int, limits: tuple[float, float]) -> None:
    bottom, top = limits
    few = top < 100 * bottom  # less than two decades: label more than their powers
    axes.set(xlim=(FINE / 1000, paper.AXES[number][0]), xscale="log", xlabel="thousand sequences")
    axes.set(ylim=(bottom * (top / bottom) ** -MARGIN, top), yscale="log")
    axes.set_ylabel(f"bits per sequence (means over {FINE:,}, later more)")
    axes.xaxis.set_major_locator(FixedLocator([1, 10, 100, paper.AXES[number][0]]))
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if few else (1,)))
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))


def _gap_of_paper(value: float) -> float:
    return value - paper.NGRAM_OPTIMUM


def _optima(axes: Axes, runs: Sequence[Run]) -> None:
    """The optimal estimator's cost: the mean over all our sequences, and the line that the paper plots."""
    costs = [window.mean for run in runs for window in windows(run.rows, optimum, begin=run.begin)]
    lines = []
    if costs:
        ours = statistics.fmean(costs)
        label = f"optimal estimator, our sequences ({ours:.1f})"
        lines.append(axes.axhline(ours, color=OPTIMUM, linewidth=1, label=label))
    label = f"optimal estimator, the paper's ({paper.NGRAM_OPTIMUM:.1f})"
    lines.append(axes.axhline(paper.NGRAM_OPTIMUM, color=OPTIMUM, label=label, **paper_overlay.PAPER))
    axes.legend(handles=lines, loc="upper right")


def _notes(sources: RunStore, task: str) -> list[str]:
    """What is missing or joined, model by model, and what the numbers cannot tell."""
    missing = [
        f"○ {paper.MODELS[model]}, seed {run.seed}: {joint}."
        for model in paper.MODELS
        for run in sources.runs(task, model)
        if (joint := run_settings.joints(run)) is not None
    ]
    missing += [f"{paper.MODELS[model]}, {missing}" for model in paper.MODELS for missing in sources.gaps(task, model)]
    if not tasks.find(task).has_optimum:
        return missing
    # Its line is the mean of 1,000 sequences, and a sequence's optimum scatters by 35 bits.
    return [f"The paper's optimum of {paper.NGRAM_OPTIMUM} bits is itself uncertain by ± 1.1.", *missing]
