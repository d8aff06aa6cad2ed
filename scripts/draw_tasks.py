#!/usr/bin/env python
"""Draw one sequence of every task as its network sees it, input above target: scripts/draw_tasks.py OUT"""

import sys
from pathlib import Path
from typing import NamedTuple

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import to_rgb
from matplotlib.patches import Patch, Rectangle

from ntm_repro import tasks
from ntm_repro.randomness import Purpose, Stream

BLANK, BIT, FLAG = "#eeeeee", "#0072b2", "#e69f00"  # the last two Okabe and Ito's, safe for colour-blind readers
DIVERGING = plt.get_cmap("PRGn")  # of numbers: priorities from −1 to 1, the normalised count
GAP = 1  # rows between input and target
# Inches: the figure, one cell (a channel at a step, equally large in all panels), and what stands around a panel.
WIDTH, HEIGHT, CELL = 11.1, 9.1, 0.15
LABELS, TITLE, BELOW = 0.85, 0.35, 0.25


class Picture(NamedTuple):
    """One sequence of a task, and the names of its channels from the first on, each with their number."""

    title: str
    batch: tasks.Batch
    inputs: dict[str, int]
    outputs: dict[str, int]


def main() -> None:
    """Command line."""
    figure = plt.figure(figsize=(WIDTH, HEIGHT))
    top = HEIGHT - TITLE
    for names in (("copy", "repeat_copy"), ("associative_recall", "priority_sort")):
        left, lowest = LABELS, top
        for picture in map(picture_of, names):
            steps, _, inputs = picture.batch.input_TBI.shape
            channels = inputs + GAP + picture.batch.target_TBO.shape[2]
            panel(place(figure, left, top, steps * CELL, channels * CELL), picture)
            left += steps * CELL + LABELS
            lowest = min(lowest, top - channels * CELL)
        top = lowest - TITLE - BELOW
    ngrams(place(figure, 2 * LABELS, top, WIDTH - 3.2 * LABELS, 1.1), picture_of("dynamic_ngrams"))
    legend(figure)
    figure.savefig(Path(sys.argv[1]), dpi=110)


def place(figure: plt.Figure, left: float, top: float, width: float, height: float) -> plt.Axes:
    """Axes at a place in inches, measured from the figure's lower left corner."""
    return figure.add_axes((left / WIDTH, (top - height) / HEIGHT, width / WIDTH, height / HEIGHT))


def picture_of(name: str) -> Picture:
    """A sequence of the length that stands for the task's training."""
    task = tasks.find(name)()
    batch = task.draw(Stream(1, Purpose.EXAMPLE), 0, 1, task.bench_condition)
    channels = task.channels
    unused = task.outputs - sum(channels.outputs.values())
    outputs = channels.outputs | ({"unused": unused} if unused else {})
    return Picture(task.label[0].upper() + task.label[1:], batch, channels.inputs, outputs)


def coloured(values_TC: np.ndarray, channels: dict[str, int]) -> np.ndarray:
    """RGB of values, channel 0 at the top and time to the right: bits, flags and numbers in colours of their own."""
    names = [name for name, count in channels.items() for _ in range(count)]
    image_CT3 = np.empty((*values_TC.T.shape, 3))
    for row, (name, values_T) in enumerate(zip(names, values_TC.T, strict=True)):
        if name in ("priority", "count"):
            image_CT3[row] = DIVERGING((values_T + 1) / 2)[:, :3]
            image_CT3[row, values_T == 0] = to_rgb(BLANK)
        else:
            shown = to_rgb(BIT if name.startswith("bit") else FLAG)
            image_CT3[row] = np.where(values_T[:, None] > 0, shown, to_rgb(BLANK))
    return image_CT3


def panel(axes: plt.Axes, picture: Picture) -> None:
    """A task's input and target, one cell for each step and channel, the scored ones framed."""
    batch = picture.batch
    image_I = coloured(batch.input_TBI[:, 0], picture.inputs)
    image_O = coloured(batch.target_TBO[:, 0], picture.outputs)
    steps, inputs = image_I.shape[1], len(image_I)
    image = np.concatenate([image_I, np.ones((GAP, steps, 3)), image_O])
    axes.imshow(image, interpolation="none", extent=(0, steps, len(image), 0))
    for t in range(steps + 1):
        axes.axvline(t, color="white", linewidth=0.6)
    for c in range(len(image) + 1):
        axes.axhline(c, color="white", linewidth=0.6)
    scored = np.argwhere(batch.mask_TO)
    (begin, low), (end, high) = scored.min(0), scored.max(0) + 1
    frame = Rectangle(
        (begin, inputs + GAP + low), end - begin, high - low, fill=False, linewidth=1.4, clip_on=False, zorder=3
    )
    axes.add_patch(frame)
    if "count" in picture.inputs:
        told = int(np.flatnonzero(batch.input_TBI[:, 0, -1])[0])
        axes.annotate(f"{batch.condition[1]} times", (told + 1.2, inputs - 0.5), va="center", fontsize=8)
    positions, names = [], []
    for channels, row in ((picture.inputs, 0), (picture.outputs, inputs + GAP)):
        for name, count in channels.items():
            positions.append(row + count / 2)
            names.append(name)
            row += count
    axes.set_yticks(positions, names, fontsize=8)
    for side, middle in (("input", inputs / 2), ("target", inputs + GAP + len(image_O) / 2)):
        axes.annotate(
            side,
            (0, middle),
            xycoords=("axes fraction", "data"),
            xytext=(-44, 0),
            textcoords="offset points",
            rotation=90,
            ha="center",
            va="center",
            fontsize=9,
        )
    finish(axes, picture, steps)


def ngrams(axes: plt.Axes, picture: Picture) -> None:
    """The bits before and to predict as two strips, and below them what the optimal estimator would have said."""
    batch = picture.batch
    bit_TB = batch.target_TBO[..., 0]
    estimate_T = tasks.find("dynamic_ngrams")().optimal_output(batch)[:, 0, 0]
    estimate = plt.get_cmap("viridis")(estimate_T)[None, :, :3]
    rows = (
        coloured(batch.input_TBI[:, 0], picture.inputs),
        coloured(batch.target_TBO[:, 0], picture.outputs),
        estimate,
    )
    for row, image in enumerate(rows):
        axes.imshow(image, interpolation="none", aspect="auto", extent=(0, len(bit_TB), 1.25 * row + 1, 1.25 * row))
    axes.set_ylim(3.5, 0)
    axes.add_patch(Rectangle((0, 1.25), len(bit_TB), 1, fill=False, linewidth=1.4, clip_on=False))
    axes.set_yticks([0.5, 1.75, 3], ["input: the bit before", "target", "optimal estimate"], fontsize=8)
    beside = axes.inset_axes((1.01, 0, 0.012, 1))
    bar = axes.figure.colorbar(plt.cm.ScalarMappable(cmap="viridis"), cax=beside, ticks=[0, 0.5, 1])
    bar.set_label("P(1)", fontsize=8)
    bar.ax.tick_params(labelsize=8)
    finish(axes, picture, len(bit_TB))


def finish(axes: plt.Axes, picture: Picture, steps: int) -> None:
    axes.set_title(picture.title, fontsize=11, loc="left")
    axes.set_xticks([0, steps], ["step 0", str(steps)])
    axes.tick_params(length=0, labelsize=8)
    axes.spines[:].set_visible(False)


def legend(figure: plt.Figure) -> None:
    """What the colours say, below all panels."""
    patches = [
        Patch(color=BIT, label="bit 1"),
        Patch(color=FLAG, label="flag"),
        Patch(color=DIVERGING(0.1), label="number below 0"),
        Patch(color=DIVERGING(0.9), label="number above 0"),
        Patch(fill=False, linewidth=1.4, label="scored"),
    ]
    figure.legend(handles=patches, loc="lower center", ncols=len(patches), frameon=False, fontsize=9)


if __name__ == "__main__":
    main()
