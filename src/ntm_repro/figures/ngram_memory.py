"""Figure 15: how a trained NTM uses its memory while it predicts an N-gram sequence.

The paper's NTM keeps a count for each context at a location of its own: it reads that location when the context occurs
and writes it anew when the next bit is known. Two contexts are marked here to see whether it is so.
Shape suffixes as in `evaluation.traces`.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import PowerNorm
from matplotlib.figure import Figure

from ntm_repro.evaluation.locations import used_rows
from ntm_repro.evaluation.ngram_contexts import contexts, most_visited, overlap
from ntm_repro.evaluation.traces import trace
from ntm_repro.figures import panels
from ntm_repro.figures.run_store import RunStore
from ntm_repro.tasks.dynamic_ngrams import DynamicNGrams

TASK, MODEL = "dynamic_ngrams", "ntm"
SHOWN = 100  # the last steps, by which the contexts have been met before
MARKS = (("o", panels.MARK), ("D", "#56b4e9"))  # a shape and a colour for each marked context
# Inches.
PAGE_WIDTH, LEFT, RIGHT = 9.5, 0.95, 0.65
HEADING, TITLE, STEPS, CAPTION = 0.4, 0.28, 0.45, 0.95
STRIP, COMPONENT, LOCATION, LOWEST, TALLEST = 0.16, 0.05, 0.06, 0.8, 2.1


class Panels(NamedTuple):
    """The axes of the figure, from above."""

    bits: Axes
    added: Axes
    predictions: Axes
    writing: Axes
    reading: Axes


TITLES = ("inputs: the bit before", "vectors added", "predictions: P(1)", "write weightings", "read weightings")


def draw(sources: RunStore) -> Figure:
    """Inputs, vectors added, predictions, and the weightings of the locations in use, over the last steps."""
    trained = sources.trained(TASK, MODEL)
    if trained is None:
        return panels.only_a_note(panels.absence(sources, TASK, MODEL))
    assert isinstance(trained.task, DynamicNGrams)
    context = trained.task.context
    traced = trace(trained.task, trained.kernel, trained.task.longest_condition, trained.run.seed)
    heads = traced.heads
    assert heads is not None
    bit_T = traced.batch.target_TBO[:, 0, 0]
    context_T = contexts(bit_T, context)
    write_TN, read_TN = heads.write_weighting_TWN.max(1), heads.read_weighting_TRN.max(1)
    begin = max(0, len(bit_T) - SHOWN)
    row_N = used_rows(np.maximum(write_TN[begin:], read_TN[begin:]).max(0))
    optimum_T = trained.task.optimal_output(traced.batch)[:, 0, 0]
    values = (
        traced.batch.input_TBI[begin:, 0],
        heads.add_TWM[begin:].reshape(len(bit_T) - begin, -1),
        np.stack([traced.output_TO[begin:, 0], optimum_T[begin:]], 1),
        write_TN[begin:, row_N],
        read_TN[begin:, row_N],
    )

    sheet, axes = _place(components=values[1].shape[1], rows=len(row_N))
    shown = len(bit_T) - begin
    sheet.write(LEFT, 0.1, f"Dynamic N-grams: the memory over the last {shown} steps of a sequence", size=11)
    _fill(sheet, axes, values, begin, row_N)
    marked = most_visited(context_T[begin:], len(MARKS), apart=context)
    _mark(axes.reading, read_TN[:, row_N], context_T, begin, marked)
    _legend(sheet, axes.bits, marked, context)
    reads, writes = overlap(read_TN, context_T), overlap(write_TN, context_T)
    lines = [
        f"{panels.provenance(trained)}. {len(row_N)} of {write_TN.shape[1]} locations are shown.",
        "Marked: the location read most at each visit to two contexts (those met most often, less those of periodic "
        "stretches). Weight that two",
        "steps have in common, on average, after the same context and after different ones: "
        f"reading {reads.same:.2f} and {reads.different:.2f}, writing {writes.same:.2f} and {writes.different:.2f}.",
        "The paper's NTM has a location for each context, which it reads, and writes anew when the next bit is known.",
    ]
    sheet.caption(LEFT, sheet.height - CAPTION + 0.08, lines)
    return sheet.figure


def _place(components: int, rows: int) -> tuple[panels.Sheet, Panels]:
    """The empty figure, one panel below the other."""
    tall = min(max(LOCATION * rows, LOWEST), TALLEST)
    heights = (STRIP, COMPONENT * components, 2 * STRIP, tall, tall)
    sheet = panels.sheet(PAGE_WIDTH, HEADING + sum(heights) + len(heights) * TITLE + STEPS + CAPTION)
    axes, top = [], HEADING
    for height in heights:
        top += TITLE
        axes.append(sheet.axes(LEFT, top, PAGE_WIDTH - LEFT - RIGHT, height))
        top += height
    return sheet, Panels(*axes)


def _fill(sheet: panels.Sheet, axes: Panels, values: Sequence[np.ndarray], begin: int, row_N: np.ndarray) -> None:
    """Draw the arrays [T, …] of the panels, from step `begin` on."""
    for panel, title, values_TC in zip(axes, TITLES, values, strict=True):
        limit = panels.limit_of(values_TC) if panel is axes.added else None
        image = panels.matrix(panel, values_TC, begin, limit)
        panel.set_title(title, fontsize=9.5, pad=4)
        panel.tick_params(axis="x", labelbottom=panel is axes.reading, length=2.5 if panel is axes.reading else 0)
        if panel in (axes.writing, axes.reading):
            image.set_norm(PowerNorm(0.5, 0, 1))  # many weights are small, and would be as dark as none
            panels.name_locations(panel, row_N)
            panel.set_ylabel("location")
        if panel in (axes.added, axes.writing, axes.reading):
            panels.colour_bar_beside(sheet, panel, image)
    panels.name_channels(axes.predictions, {"NTM": 1, "optimal": 1})
    axes.reading.set_xlabel("step")


def _mark(axes: Axes, weighting_TN: np.ndarray, context_T: np.ndarray, begin: int, marked: Sequence[int]) -> None:
    """A mark of the context at the largest weight of each of its visits."""
    for (shape, colour), code in zip(MARKS, marked, strict=False):
        steps = begin + np.flatnonzero(context_T[begin:] == code)
        rows = weighting_TN[steps].argmax(1)
        axes.plot(steps, rows, shape, markerfacecolor="none", markeredgecolor=colour, markersize=6, markeredgewidth=1.3)
    axes.set_xlim(begin - 0.5, len(context_T) - 0.5)
    axes.set_ylim(weighting_TN.shape[1] - 0.5, -0.5)


def _legend(sheet: panels.Sheet, axes: Axes, marked: Sequence[int], context: int) -> None:
    """What the marks stand for, above the first panel on the right."""
    handles = [
        axes.plot([], [], shape, markerfacecolor="none", markeredgecolor=colour, markeredgewidth=1.3)[0]
        for shape, colour in MARKS[: len(marked)]
    ]
    labels = [f"after {code:0{context}b}" for code in marked]
    right = (1 - RIGHT / sheet.width, 1 - (HEADING + 0.05) / sheet.height)
    sheet.figure.legend(handles, labels, loc="center right", bbox_to_anchor=right, ncols=2, borderaxespad=0)
