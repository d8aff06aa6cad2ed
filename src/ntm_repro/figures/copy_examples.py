"""Figures 4 and 5: copies of sequences up to six times as long as any in training."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ntm_repro.evaluation.traces import answer, trace
from ntm_repro.figures import answer_strips, panels, style
from ntm_repro.figures.run_store import RunStore, Trained
from ntm_repro.tasks.copy import Copy

ABOVE, BELOW = (10, 20, 30, 50), 120  # lengths
PAPER = {
    "ntm": "The paper's NTM makes some local errors at 120, and doubles one vector.",
    "lstm": "The paper's LSTM fails beyond the lengths of its training.",
}
# Inches.
PAGE_WIDTH, LEFT, RIGHT = 9.5, 0.85, 0.75
HEADING, TITLES, STEPS, CAPTION = 0.4, 0.4, 0.42, 0.55


def draw(sources: RunStore, model: str) -> Figure:
    """Targets above outputs, and the bits that differ; a step is equally wide in all panels."""
    trained = sources.trained("copy", model)
    if trained is None:
        return panels.only_a_note(panels.absence(sources, "copy", model))
    row = TITLES + answer_strips.height(8) + STEPS
    sheet = panels.sheet(PAGE_WIDTH, HEADING + 2 * row + CAPTION)
    task = trained.task
    assert isinstance(task, Copy)
    seen = f"{task.min_length} to {task.max_length}"
    sheet.write(
        LEFT, 0.1, f"{style.label(model)}: copies of sequences of length {_listed()}; trained on {seen}", size=11
    )

    step = (PAGE_WIDTH - LEFT - RIGHT) / BELOW
    gap = (BELOW - sum(ABOVE)) * step / (len(ABOVE) - 1)
    left, top = LEFT, HEADING + TITLES
    for length in ABOVE:
        _copy(sheet, left, top, step, trained, length, named=length == ABOVE[0])
        left += length * step + gap
    top += row
    _copy(sheet, LEFT, top, step, trained, BELOW, named=True)
    sheet.caption(LEFT, sheet.height - CAPTION + 0.08, [panels.provenance(trained) + ".", PAPER[model]])
    return sheet.figure


def _listed() -> str:
    return ", ".join(map(str, ABOVE)) + f" and {BELOW}"


def _copy(
    sheet: panels.Sheet, left: float, top: float, step: float, trained: Trained, length: int, named: bool
) -> None:
    answered = answer(trace(trained.task, trained.kernel, length, trained.run.seed))
    strips, image = answer_strips.strips(sheet, left, top, length * step, answered)
    wrong = int(answered.wrong_AC.sum())
    between = "\n" if length < 40 else ": "
    strips[0].set_title(f"length {length}{between}{wrong:,} of {answered.wrong_AC.size:,} wrong", fontsize=7.6)
    _steps(strips[-1], length)
    if named:
        answer_strips.name_strips(strips, 6)
    if length == BELOW:
        strips[-1].set_xlabel("vector")
        tall = answer_strips.CHANNEL * 8
        colour = (PAGE_WIDTH - RIGHT + 0.1, top, 0.09, 2 * tall + answer_strips.GAP)
        panels.colour_bar(sheet, colour, image, "P(bit = 1)")


def _steps(axes: Axes, length: int) -> None:
    """Vectors counted from 1."""
    shown = range(10, length + 1, 10)
    axes.set_xticks([number - 1 for number in shown], [str(number) for number in shown])
