"""Pictures of a sweep: every seed of each setting, learning curves over one another, the objective over each axis.

Each is drawn for a width in inches, so that one for a phone has letters of the same size.
"""

import math
from collections.abc import Sequence
from itertools import pairwise

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from ntm_repro.evidence.windows import Window, median, windows
from ntm_repro.sweeps.comparison import Comparison, Judged, Setting, printed, shown
from ntm_repro.sweeps.objective import Objective

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")  # Okabe and Ito's
OTHERS = "0.75"  # of settings beyond those
MOST = 24  # settings that are drawn; the table has all
POINTS = 60  # of a learning curve
WIDE_RANGE = 8  # largest over smallest of what is drawn on a logarithmic axis
MARK = 26.0  # points²: the area of a dot


def seeds(comparison: Comparison, width: float) -> Figure:
    """A line for each setting, the best on top: a dot for every seed, a bar at their median."""
    settings = [setting for setting in comparison.settings if setting.known][:MOST]
    figure = Figure(figsize=(width, 1.1 + 0.3 * len(settings)))
    axes = figure.subplots()
    limit = _edge(settings)
    for line, setting in enumerate(settings):
        for value in setting.known:
            worst = math.isinf(value)
            axes.plot(
                limit if worst else value,
                line,
                "x" if worst else "o",
                color=_colour(line),
                markersize=5,
                alpha=1.0 if worst else 0.75,
                clip_on=False,
            )
        middle = min(setting.median, limit)
        axes.plot([middle, middle], [line - 0.32, line + 0.32], color=_colour(line), linewidth=2.2)
    axes.set(yticks=range(len(settings)), ylim=(len(settings) - 0.4, -0.6))
    narrow = width < 6
    axes.set_yticklabels(
        [_label(comparison, setting, "\n" if narrow and len(comparison.varied) > 1 else "  ") for setting in settings]
    )
    if narrow and len(comparison.varied) > 1:
        figure.set_figheight(1.1 + (0.16 + 0.15 * len(comparison.varied)) * len(settings))
    axes.set_xlabel(_unit(comparison))
    _fit(axes, "x", [value for setting in settings for value in (*setting.known, limit)])
    return figure


def curves(comparison: Comparison, width: float) -> Figure:
    """Learning curves: every seed thin, the median of each setting strong; of the best settings in colours."""
    settings = [setting for setting in comparison.settings if any(run.rows for run in setting.runs)]
    narrow = width < 6
    figure = Figure(figsize=(width, 4.6 if narrow else 4.2))
    axes = figure.subplots()
    size = max(comparison.sequences // POINTS, *(_row_size(run) for setting in settings for run in setting.runs), 1)
    heights: list[float] = []
    for place, setting in reversed(list(enumerate(settings))):
        lines = [windows(run.rows, width=size, begin=run.run.first_sequence) for run in setting.runs]
        heights += [window.mean for line in lines for window in line]
        for line in lines:
            axes.plot(*_points(line), color=_colour(place), linewidth=0.6, alpha=0.45)
        label = _label(comparison, setting, " ") if place < len(COLOURS) else None
        middle = median(lines)
        axes.plot(*zip(*middle, strict=True) if middle else ([], []), color=_colour(place), linewidth=1.8, label=label)
    axes.set(xlabel="sequences", ylabel=f"bits per sequence (means over {size:,})", xlim=(0, comparison.sequences))
    axes.xaxis.set_major_locator(MaxNLocator(3 if narrow else 8))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    _fit(axes, "y", heights)
    handles, labels = axes.get_legend_handles_labels()
    if handles:
        figure.legend(handles[::-1], labels[::-1], loc="outside lower left", ncols=1 if narrow else 2)
    return figure


def axes_of_sweep(comparison: Comparison, width: float) -> Figure:
    """The objective over each of the values that were varied: a dot for every run, for words in columns."""
    count = len(comparison.varied)
    columns = 1 if width < 6 else min(count, 3)
    lines = -(-count // columns)
    figure = Figure(figsize=(width, 2.7 * lines))
    panels = figure.subplots(lines, columns, squeeze=False, sharey=True).flatten()
    limit = _edge(comparison.settings)
    for panel in panels[count:]:
        panel.set_visible(False)
    for key, panel in zip(comparison.varied, panels, strict=False):
        _panel(panel, comparison, key, limit)
    return figure


def _panel(axes: Axes, comparison: Comparison, key: str, limit: float) -> None:
    column = comparison.varied.index(key)
    number = comparison.is_number(key)
    order = sorted({setting.values[column] for setting in comparison.settings}, key=lambda v: v if number else str(v))
    x_of = {value: value if number else place for place, value in enumerate(order)}
    drawn: list[float] = []
    for place, setting in reversed(list(enumerate(comparison.settings))):
        for value in setting.known:
            worst = math.isinf(value)
            drawn.append(limit if worst else value)
            colour = _colour(place) if place < len(COLOURS) else "0.55"
            marker = {"marker": "x"} if worst else {"marker": "o", "linewidths": 0}
            axes.scatter(x_of[setting.values[column]], drawn[-1], s=MARK, color=colour, alpha=0.75, **marker)
    axes.set(xlabel=shown(key), ylabel=_unit(comparison))
    _fit(axes, "y", drawn)
    if not number or len(order) <= 5:
        if number:
            _fit(axes, "x", list(x_of.values()))
        axes.set_xticks(list(x_of.values()), [printed(value) for value in order])
        axes.minorticks_off()
        if not number:
            axes.set_xlim(-0.6, len(order) - 0.4)
    else:
        _fit(axes, "x", list(x_of.values()))


def _fit(axes: Axes, side: str, values: Sequence[float]) -> None:
    """A logarithmic axis where values differ by much; numbers written out, without powers of ten."""
    low, high = min(values, default=0.0), max(values, default=0.0)
    axis = axes.xaxis if side == "x" else axes.yaxis
    if low > 0 and high > WIDE_RANGE * low:
        (axes.set_xscale if side == "x" else axes.set_yscale)("log")
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}" if value < 1e5 else f"{value:,.0f}"))


def _edge(settings: Sequence[Setting]) -> float:
    """Where what diverged, or never got there, is drawn: beyond the worst of the others."""
    finite = [value for setting in settings for value in setting.known if math.isfinite(value)]
    return 1.15 * max(finite, default=1.0) or 1.0


def _row_size(run: Judged) -> int:
    """How many sequences a row of a run is the mean of."""
    ends = [0, *(int(row["sequences"]) for row in run.rows)]
    return max((end - begin for begin, end in pairwise(ends)), default=0)


def _points(line: Sequence[Window]) -> tuple[list[float], list[float]]:
    return [window.middle for window in line], [window.mean for window in line]


def _label(comparison: Comparison, setting: Setting, gap: str) -> str:
    pairs = zip(comparison.varied, setting.values, strict=True)
    return gap.join(f"{shown(key).rpartition('.')[2]}={printed(value)}" for key, value in pairs) or "all runs"


def _colour(place: int) -> str:
    return COLOURS[place] if place < len(COLOURS) else OTHERS


def _unit(comparison: Comparison) -> str:
    if comparison.objective is Objective.final_bits:
        return "bits per sequence at the end"
    if comparison.objective is Objective.wrong_bits_long:
        return "wrong bits per long sequence"
    what, _, threshold = comparison.objective.name.partition("_below_")
    return f"sequences until {what} below {threshold.replace('_', '.')} bits"
