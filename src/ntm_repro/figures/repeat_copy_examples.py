"""Figure 8: repeat copy with a longer sequence, or with more repeats, than in training."""

import numpy as np
from matplotlib.figure import Figure

from ntm_repro.evaluation.traces import Answer, answer, trace
from ntm_repro.figures import answer_strips, panels, style
from ntm_repro.figures.run_store import RunStore, Trained
from ntm_repro.paper import FIGURES
from ntm_repro.tasks.repeat_copy import MARKER

TASK = "repeat_copy"
CONDITIONS = ((10, 20), (20, 10))  # (length, repeats)
PAPER = (
    "The paper's NTM copies the longer sequence, and all 20 repeats, but past the 11th it marks the end after each;",
    "the paper's LSTM fails both.",
)
# Inches.
PAGE_WIDTH, LEFT, RIGHT = 9.5, 1.25, 0.75
HEADING, TITLE, STEPS, CAPTION = 0.35, 0.3, 0.36, 0.8


def draw(sources: RunStore) -> Figure:
    """Targets above outputs for each model and condition, with the channel of the end marker below the bits."""
    tall, models = answer_strips.height(7), FIGURES["fig08"].models
    row = TITLE + tall + STEPS
    sheet = panels.sheet(PAGE_WIDTH, HEADING + len(models) * len(CONDITIONS) * row + CAPTION)
    sheet.write(LEFT, 0.1, "Repeat copy: twice the repeats, and twice the length, seen in training", size=11)
    top, made_by = HEADING + TITLE, []
    for model in models:
        trained = sources.trained(TASK, model)
        if trained is not None:
            made_by.append(panels.provenance(trained) + ".")
        for condition in CONDITIONS:
            if trained is None:
                empty = sheet.axes(LEFT, top, PAGE_WIDTH - LEFT - RIGHT, tall)
                empty.set_title(_title(model, condition), fontsize=9)
                panels.note(empty, panels.absence(sources, TASK, model))
            else:
                _example(sheet, top, trained, condition)
            top += row
    sheet.caption(LEFT, sheet.height - CAPTION + 0.1, [" ".join(made_by), *PAPER])
    return sheet.figure


def outcome(answered: Answer) -> str:
    """How many data bits are wrong, and where the end is marked, which is right at the last step only."""
    wrong_A, wrong_bits = answered.wrong_AC[:, MARKER], int(answered.wrong_AC[:, :MARKER].sum())
    early = int(wrong_A[:-1].sum())
    end = "end not marked" if wrong_A[-1] else "end marked"
    early_ends = f", {early} time{'s' * (early != 1)} too early" if early else ""
    return f"{wrong_bits:,} of {answered.wrong_AC[:, :MARKER].size:,} data bits wrong; {end}{early_ends}"


def _title(model: str, condition: tuple[int, int]) -> str:
    return f"{style.label(model)} · length {condition[0]}, {condition[1]} repeats"


def _example(sheet: panels.Sheet, top: float, trained: Trained, condition: tuple[int, int]) -> None:
    length, repeats = condition
    answered = answer(trace(trained.task, trained.kernel, condition, trained.run.seed))
    channels = trained.task.channels.outputs
    strips, image = answer_strips.strips(sheet, LEFT, top, PAGE_WIDTH - LEFT - RIGHT, answered, channels)
    strips[0].set_title(f"{_title(trained.run.model, condition)}: {outcome(answered)}", fontsize=9)
    answer_strips.name_strips(strips, 30)
    for axes in strips[:2]:
        for repeat in range(1, repeats + 1):
            axes.axvline(repeat * length - 0.5, color="white", linewidth=0.5)
    strips[-1].set_xticks(np.arange(repeats) * length + length / 2 - 0.5, [str(n + 1) for n in range(repeats)])
    strips[-1].tick_params(length=0)
    strips[-1].annotate(
        "repeat", (0, 0), (-6, -4), "axes fraction", textcoords="offset points", ha="right", va="top", fontsize=8
    )
    place = (PAGE_WIDTH - RIGHT + 0.1, top, 0.09, 2 * 7 * answer_strips.CHANNEL + answer_strips.GAP)
    panels.colour_bar(sheet, place, image, "P(bit = 1)")
