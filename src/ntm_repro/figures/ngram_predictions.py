"""Figure 14: what the optimal estimator and the trained models predict of one N-gram sequence, bit by bit.

Shape suffixes: T time steps.
"""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ntm_repro import paper
from ntm_repro.evaluation.traces import answer, trace
from ntm_repro.figures import panels, style
from ntm_repro.figures.run_store import RunStore, Trained
from ntm_repro.figures.style import OPTIMUM
from ntm_repro.randomness import Purpose, Stream
from ntm_repro.tasks.dynamic_ngrams import DynamicNGrams

TASK = "dynamic_ngrams"
SEED = 1  # of the sequence that all models are shown
# Inches.
PAGE_WIDTH, LEFT, RIGHT = 9.5, 0.65, 0.25
HEADING, TITLE, TALL, STEPS, CAPTION = 0.4, 0.34, 1.05, 0.5, 0.85


def draw(sources: RunStore) -> Figure:
    """P(next bit = 1) over the steps of one sequence, a panel for each estimator, the bits themselves at its edges."""
    trained_by_model = {model: sources.trained(TASK, model) for model in paper.MODELS}
    task = next((trained.task for trained in trained_by_model.values() if trained is not None), DynamicNGrams())
    batch = task.draw(Stream(SEED, Purpose.EXAMPLE), 0, 1, task.longest_condition)
    optimal_TBO = task.optimal_output(batch)
    assert optimal_TBO is not None
    bit_T, optimum_T = batch.target_TBO[:, 0, 0], optimal_TBO[:, 0, 0]

    sheet = panels.sheet(PAGE_WIDTH, HEADING + (1 + len(paper.MODELS)) * (TITLE + TALL) + STEPS + CAPTION)
    sheet.write(LEFT, 0.1, f"Dynamic N-grams: predictions of each of the {len(bit_T)} bits of one sequence", size=11)
    top = HEADING + TITLE
    axes = _panel(sheet, top, bit_T)
    axes.plot(optimum_T, color=OPTIMUM, drawstyle="steps-mid", linewidth=1)
    axes.set_title(f"optimal estimator: {cost(optimum_T, bit_T):.1f} bits", fontsize=9.5)
    for model, trained in trained_by_model.items():
        top += TITLE + TALL
        if trained is None:
            axes = sheet.axes(LEFT, top, PAGE_WIDTH - LEFT - RIGHT, TALL)
            panels.note(axes, panels.absence(sources, TASK, model))
        else:
            axes = _panel(sheet, top, bit_T)
            _model(axes, trained, bit_T, optimum_T)
    axes.set(xlim=(-1, len(bit_T)), xticks=range(0, len(bit_T) + 1, 25), xlabel="step")
    axes.tick_params(labelbottom=True)
    lines = [
        "Marks at the upper edge: the bit was 1; at the lower: 0. Thin black line: the optimal estimator again.",
        *(f"{panels.provenance(trained)}." for trained in trained_by_model.values() if trained is not None),
    ]
    sheet.caption(LEFT, sheet.height - CAPTION + 0.05, lines)
    return sheet.figure


def cost(p_T: np.ndarray, bit_T: np.ndarray) -> float:
    """Bits that predictions pay for the sequence."""
    return float(-np.log2(np.where(bit_T > 0, p_T, 1 - p_T)).sum())


def _panel(sheet: panels.Sheet, top: float, bit_T: np.ndarray) -> Axes:
    axes = sheet.axes(LEFT, top, PAGE_WIDTH - LEFT - RIGHT, TALL)
    axes.set(xlim=(-1, len(bit_T)), ylim=(-0.12, 1.12), yticks=(0, 0.5, 1), ylabel="P(1)")
    axes.grid(visible=False, axis="x")
    axes.tick_params(axis="x", labelbottom=False)
    for value, edge in ((0, -0.08), (1, 1.08)):
        steps = np.flatnonzero(bit_T == value)
        axes.plot(steps, np.full(len(steps), edge), "|", color="0.45", markersize=4.5, markeredgewidth=1.2)
    return axes


def _model(axes: Axes, trained: Trained, bit_T: np.ndarray, optimum_T: np.ndarray) -> None:
    model = trained.run.model
    p_T = answer(trace(trained.task, trained.kernel, len(bit_T), SEED)).output_AC[:, 0]
    axes.plot(p_T, color=style.colour(model), drawstyle="steps-mid", linewidth=1.6)
    axes.plot(optimum_T, color=OPTIMUM, drawstyle="steps-mid", linewidth=0.6)
    apart = np.abs(p_T - optimum_T).mean()
    axes.set_title(
        f"{style.label(model)}: {cost(p_T, bit_T):.1f} bits; {apart:.3f} from the optimal estimator on average",
        fontsize=9.5,
    )
