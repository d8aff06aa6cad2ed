"""Figures 6, 9 and 12: how a trained NTM uses its memory while it works on one sequence.

On the left what comes in (inputs, vectors added to memory, where they are written), on the right what comes out
(outputs, vectors read, where they are read). Shape suffixes as in `evaluation.traces`.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from ntm_repro.evaluation.locations import mean_maximum, used_rows, written_last
from ntm_repro.evaluation.recall_queries import items_and_query
from ntm_repro.evaluation.traces import Heads, Traced, answer, trace
from ntm_repro.figures import panels
from ntm_repro.figures.run_store import RunStore
from ntm_repro.tasks import Channels, Condition
from ntm_repro.tasks.associative_recall import VECTORS
from ntm_repro.tasks.repeat_copy import COUNT

MODEL = "ntm"
# Inches.
PAGE_WIDTH, LEFT, BETWEEN, RIGHT = 9.5, 0.85, 1.0, 0.55
HEADING, TITLE, TICKS, STEPS, CAPTION = 0.35, 0.3, 0.2, 0.42, 0.75
CHANNEL, COMPONENT, LOCATION, LOWEST, TALLEST = 0.1, 0.065, 0.11, 1.2, 3.2


class Panels(NamedTuple):
    """The axes of a figure, from above: in the left and in the right column."""

    inputs: Axes
    outputs: Axes
    added: Axes
    read: Axes
    writing: Axes
    reading: Axes


class Weightings(NamedTuple):
    """Where all heads together write and read (the largest weight of any), and the locations shown."""

    write_TN: np.ndarray
    read_TN: np.ndarray
    row_N: np.ndarray


class Scene(NamedTuple):
    """What to show of a task.

    `seen`: the steps that show what is to be remembered. `whole`: both columns show all steps, rather than those up to
    the answer on the left and those of the answer on the right. `explain` marks what there is to see.
    """

    title: str
    paper: str
    condition: Condition
    seen: slice
    whole: bool
    explain: Callable[[Panels, Traced, Weightings], None] | None


def draw(sources: RunStore, task: str) -> Figure:
    """Two columns of three panels; of the memory only the locations in use."""
    trained = sources.trained(task, MODEL)
    if trained is None:
        return panels.only_a_note(panels.absence(sources, task, MODEL))
    scene = SCENES[task]
    traced = trace(trained.task, trained.kernel, scene.condition, trained.run.seed)
    assert traced.heads is not None
    answered = answer(traced)
    asked, steps = answered.first, len(traced.output_TO)
    left, right = (slice(0, steps),) * 2 if scene.whole else (slice(0, asked), slice(asked, steps))
    answering = slice(asked, asked + len(answered.target_AC))
    weightings = _weightings(traced.heads, left, answering)

    channels = trained.task.channels
    sheet, axes = _place(channels, (left, right), traced.heads, len(weightings.row_N))
    sheet.write(LEFT, 0.08, scene.title, size=10.5)
    _fill(sheet, axes, channels, (left, right), traced, weightings)
    if scene.explain is not None:
        scene.explain(axes, traced, weightings)

    writing, reading = (
        f"{mean_maximum(weighting_TN[steps]):.3f} (mean of steps {steps.start}–{steps.stop - 1})"
        for weighting_TN, steps in ((weightings.write_TN, scene.seen), (weightings.read_TN, answering))
    )
    shown = f"{len(weightings.row_N)} of {weightings.write_TN.shape[1]} locations are shown."
    wrong = f"{int(answered.wrong_AC.sum()):,} of {answered.wrong_AC.size:,} bits wrong"
    lines = [
        f"{panels.provenance(trained)}; {wrong}. {shown}",
        f"Largest weight: writing {writing}, reading {reading}.",
        scene.paper,
    ]
    sheet.caption(LEFT, sheet.height - CAPTION + 0.12, lines)
    return sheet.figure


def _weightings(heads: Heads, writing: slice, reading: slice) -> Weightings:
    """All heads in one, and the locations written or read in these steps."""
    write_TN, read_TN = heads.write_weighting_TWN.max(1), heads.read_weighting_TRN.max(1)
    return Weightings(write_TN, read_TN, used_rows(np.maximum(write_TN[writing].max(0), read_TN[reading].max(0))))


def _place(channels: Channels, columns: tuple[slice, slice], heads: Heads, rows: int) -> tuple[panels.Sheet, Panels]:
    """The empty figure: a step is equally wide in both columns."""
    step = (PAGE_WIDTH - LEFT - BETWEEN - RIGHT) / sum(column.stop - column.start for column in columns)
    widths = [step * (column.stop - column.start) for column in columns]
    heights = (
        [CHANNEL * sum(group.values()) for group in channels],
        [COMPONENT * heads.add_TWM.shape[1] * heads.add_TWM.shape[2]] * 2,
        [min(max(LOCATION * rows, LOWEST), TALLEST)] * 2,
    )
    total = HEADING + sum(TITLE + max(pair) for pair in heights) + 2 * TICKS + STEPS + CAPTION
    sheet = panels.sheet(PAGE_WIDTH, total)
    top, axes = HEADING, []
    for pair in heights:
        top += TITLE
        axes.append(sheet.axes(LEFT, top, widths[0], pair[0]))
        axes.append(sheet.axes(LEFT + widths[0] + BETWEEN, top, widths[1], pair[1]))
        top += max(pair) + TICKS
    return sheet, Panels(*axes)


def _fill(
    sheet: panels.Sheet,
    axes: Panels,
    channels: Channels,
    columns: tuple[slice, slice],
    traced: Traced,
    weightings: Weightings,
) -> None:
    """Draw the arrays of a sequence, each column from its first step on."""
    (left, right), heads, (write_TN, read_TN, row_N) = columns, traced.heads, weightings
    assert heads is not None
    panels.matrix(axes.inputs, traced.batch.input_TBI[left, 0], left.start)
    outputs = panels.matrix(axes.outputs, traced.output_TO[right, : sum(channels.outputs.values())], right.start)
    panels.name_channels(axes.inputs, channels.inputs)
    panels.name_channels(axes.outputs, channels.outputs)
    panels.colour_bar_beside(sheet, axes.outputs, outputs)
    for panel, values_THM, column in ((axes.added, heads.add_TWM, left), (axes.read, heads.read_TRM, right)):
        values_TC = values_THM[column].reshape(column.stop - column.start, -1)
        image = panels.matrix(panel, values_TC, column.start, panels.limit_of(values_TC))
        panels.colour_bar_beside(sheet, panel, image)
        panel.set_ylabel("component")
    panels.matrix(axes.writing, write_TN[left][:, row_N], left.start)
    read = panels.matrix(axes.reading, read_TN[right][:, row_N], right.start)
    panels.colour_bar_beside(sheet, axes.reading, read)
    titles = ("inputs", "outputs", "vectors added", "vectors read", "write weightings", "read weightings")
    for panel, title in zip(axes, titles, strict=True):
        panel.set_title(title, fontsize=9.5, pad=4)
        panel.tick_params(axis="x", labelbottom=False, length=0)
    for panel in (axes.writing, axes.reading):
        panels.name_locations(panel, row_N)
        panel.set(xlabel="step", ylabel="location")
        panel.xaxis.set_major_locator(MaxNLocator(integer=True))
        panel.tick_params(axis="x", labelbottom=True, length=2.5)


def _explain_repeat_copy(axes: Panels, traced: Traced, weightings: Weightings) -> None:
    """Number the repeats and divide them; give the count as the network was told it."""
    length, repeats = traced.batch.condition
    first = length + 2
    begins = [first + repeat * length for repeat in range(repeats + 1)]
    _name_steps(axes.outputs, {begin + (length - 1) / 2: f"repeat {n + 1}" for n, begin in enumerate(begins[:-1])})
    for panel, colour in ((axes.outputs, "white"), (axes.read, panels.FRAME), (axes.reading, "white")):
        for begin in begins:
            panel.axvline(begin - 0.5, color=colour, linewidth=0.6)
    count_input = float(traced.batch.input_TBI[first - 1, 0, COUNT])
    axes.inputs.set_xlabel(f"the count, {repeats}, as {count_input:.2f}", fontsize=8, loc="right", labelpad=1)


def _explain_recall(axes: Panels, traced: Traced, weightings: Weightings) -> None:
    """Name items, query and answer, and frame the locations that the answer was read from, there and when written."""
    input_TI = traced.batch.input_TBI[:, 0]
    items, query, queried = items_and_query(input_TI)
    end = len(input_TI) - VECTORS
    middle = (VECTORS + 1) / 2
    names = {first + middle: chr(ord("A") + number) for number, first in enumerate(items)}
    _name_steps(axes.inputs, {**names, query + middle: f"{chr(ord('A') + queried)}?"})
    _name_steps(axes.outputs, {end + 1: chr(ord("A") + queried + 1)})
    for panel in axes:
        colour = panels.FRAME if panel in (axes.added, axes.read) else "white"
        for flag in (*items, query, end - 1):
            panel.axvline(flag - 0.5, color=colour, linewidth=0.6, linestyle=(0, (3, 2)), alpha=0.8)
    write_TN, read_TN, row_N = weightings
    for step in range(end, len(input_TI)):
        location = int(read_TN[step].argmax())
        if location not in row_N:
            continue
        row = int(np.flatnonzero(row_N == location)[0])
        panels.frame(axes.reading, step, row)
        written = written_last(write_TN, location, query)
        if written is not None:
            panels.frame(axes.writing, written, row)


def _name_steps(axes: Axes, names: dict[float, str]) -> None:
    """Names instead of numbers below a panel."""
    axes.set_xticks(list(names), list(names.values()))
    axes.tick_params(axis="x", labelbottom=True, length=0, pad=2)


SCENES = {
    "copy": Scene(
        "Copy: 20 vectors on their way into memory (left) and out again (right)",
        "In the paper's figure: 0.98 and more.",
        20,
        slice(1, 21),
        False,
        None,
    ),
    "repeat_copy": Scene(
        "Repeat copy: 10 vectors on their way into memory (left), and out of it seven times (right)",
        "",
        (10, 7),
        slice(1, 11),
        False,
        _explain_repeat_copy,
    ),
    "associative_recall": Scene(
        "Associative recall: six items on their way into memory (left), and one out of it, the one after the query",
        "Framed: what the answer is read from, and when that was written.",
        6,
        slice(0, 24),
        True,
        _explain_recall,
    ),
}
