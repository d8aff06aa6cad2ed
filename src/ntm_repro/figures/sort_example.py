"""Figure 16: a sequence of priority sort, and what the trained NTM answers."""

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ntm_repro.evaluation.traces import Answer, answer, trace
from ntm_repro.figures import answer_strips, panels
from ntm_repro.figures.run_store import RunStore
from ntm_repro.figures.style import SIGNED_MAP
from ntm_repro.randomness import Purpose, Stream
from ntm_repro.tasks.priority_sort import PRIORITY
from ntm_repro.tasks.priority_sort import TASK as SORT

TASK, MODEL = "priority_sort", "ntm"
SEED = 1  # of the sequence where there is no model
# Inches.
PAGE_WIDTH, LEFT, BETWEEN, RIGHT = 9.5, 0.75, 0.95, 0.75
HEADING, TITLE, TALL, STEPS, CAPTION = 0.4, 0.3, 1.0, 0.5, 0.35
STRIP = SORT().bits * answer_strips.CHANNEL


def draw(sources: RunStore) -> Figure:
    """Vectors above their priorities on the left; the highest of them, in order, as asked for and as answered."""
    trained = sources.trained(TASK, MODEL)
    task = SORT() if trained is None else trained.task
    seed = SEED if trained is None else trained.run.seed
    batch = task.draw(Stream(seed, Purpose.EXAMPLE), 0, 1, task.longest_condition)
    vectors, highest = batch.condition

    top = HEADING + TITLE
    sheet = panels.sheet(PAGE_WIDTH, top + STRIP + 0.1 + TALL + STEPS + CAPTION)
    sheet.write(LEFT, 0.1, f"Priority sort: of {vectors} vectors the {highest} of highest priority, in order", size=11)
    step = (PAGE_WIDTH - LEFT - BETWEEN - RIGHT) / (vectors + highest)
    _question(sheet, top, step, batch.input_TBI[:vectors, 0])
    place = (LEFT + vectors * step + BETWEEN, top, highest * step)
    if trained is None:
        _unanswered(sheet, place, batch.target_TBO[vectors + 1 :, 0], panels.absence(sources, TASK, MODEL))
    else:
        _answer(sheet, place, answer(trace(task, trained.kernel, batch.condition, seed)))
        sheet.caption(LEFT, sheet.height - CAPTION + 0.02, [panels.provenance(trained) + "."])
    return sheet.figure


def _question(sheet: panels.Sheet, top: float, step: float, input_VI: np.ndarray) -> None:
    """The vectors, and below them bars for their priorities with their ranks."""
    vectors = len(input_VI)
    bits = sheet.axes(LEFT, top, vectors * step, STRIP)
    bits_VC = input_VI[:, :PRIORITY]
    panels.matrix(bits, bits_VC)
    panels.name_channels(bits, {"bits": bits_VC.shape[1]})
    bits.set_title("inputs, with priorities", fontsize=9.5, pad=4)
    bits.set_xticks([])
    axes = sheet.axes(LEFT, top + STRIP + 0.1, vectors * step, TALL)
    priority_V = input_VI[:, PRIORITY]
    colours = colormaps[SIGNED_MAP](np.where(priority_V > 0, 0.85, 0.15))
    axes.bar(np.arange(vectors), priority_V, width=0.7, color=colours)
    axes.axhline(0, color=panels.FRAME, linewidth=0.8)
    axes.set(xlim=(-0.5, vectors - 0.5), ylim=(-1, 1), yticks=(-1, 0, 1), xlabel="rank by priority")
    axes.grid(visible=False, axis="x")
    axes.set_xticks(range(vectors), [str(rank) for rank in ranks(priority_V)], fontsize=7)
    axes.tick_params(axis="x", length=0)
    axes.spines["bottom"].set_visible(False)


def _answer(sheet: panels.Sheet, place: tuple[float, float, float], answered: Answer) -> None:
    """Targets, outputs and wrong bits; `place`: left, top, width."""
    strips, image = answer_strips.strips(sheet, *place, answered)
    answer_strips.name_strips(strips, 6)
    strips[0].set_title(
        f"the answer: {int(answered.wrong_AC.sum())} of {answered.wrong_AC.size} bits wrong", fontsize=9.5, pad=4
    )
    _number(strips[-1], len(answered.target_AC))
    left, top, width = place
    panels.colour_bar(sheet, (left + width + 0.1, top, 0.09, 2 * STRIP + answer_strips.GAP), image, "P(bit = 1)")


def _unanswered(sheet: panels.Sheet, place: tuple[float, float, float], target_HC: np.ndarray, why: str) -> None:
    """The targets alone, and why there is no answer."""
    left, top, width = place
    targets = sheet.axes(left, top, width, STRIP)
    panels.matrix(targets, target_HC)
    targets.set_title("targets", fontsize=9.5, pad=4)
    _number(targets, len(target_HC))
    panels.note(sheet.axes(left, top + STRIP + 0.5, width, TALL - 0.4), why)


def _number(axes: Axes, highest: int) -> None:
    """Ranks from 1 below a panel of the answer."""
    axes.set_xticks(range(highest), [str(rank + 1) for rank in range(highest)], fontsize=7)
    axes.tick_params(axis="x", length=0)
    axes.set_xlabel("rank by priority")


def ranks(priority_V: np.ndarray) -> np.ndarray:
    """Each vector's place when sorted by priority: 1 for the highest; of equal ones the first shown comes first."""
    rank_V = np.empty(len(priority_V), int)
    rank_V[np.argsort(-priority_V, kind="stable")] = 1 + np.arange(len(priority_V))
    return rank_V
