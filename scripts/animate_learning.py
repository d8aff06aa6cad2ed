#!/usr/bin/env python
"""Train the NTM on copy and draw its memory as it learns, as an animated GIF: scripts/animate_learning.py OUT

The run is that of `make train` (recipe=stable task=copy model=ntm, seed 1), to the same bits on the same machine. Every
frame shows one fixed sequence, which is not trained on. At the end one three times as long as any of training.
"""

from io import BytesIO
from pathlib import Path
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import NullLocator
from PIL import Image

from ntm_repro.cli import compose, exit_codes, factory
from ntm_repro.errors import UsageError
from ntm_repro.evaluation.locations import used_rows
from ntm_repro.evaluation.traces import Traced, answer, trace
from ntm_repro.figures import panels, style
from ntm_repro.files import write_atomically
from ntm_repro.training.loggers import Logger
from ntm_repro.training.loop import Trainer

RUN = ("recipe=stable", "task=copy", "model=ntm", "seed=1")
LENGTH, LONGER = 20, 60  # vectors of the sequence in training's lengths, and of the last one
EVERY = 25  # sequences between the looks at the model
# Looks that become frames: all until the first number of sequences, then those at multiples of the second.
DENSITY = ((1_000, 25), (2_000, 100), (5_000, 500), (30_000, 5_000))
MILLISECONDS, FIRST, LEARNED, LAST = 150, 1_500, 2_500, 5_000  # how long a frame is seen
COLOURS = 96
# Inches, at 100 pixels each.
WIDTH, HEIGHT, DPI = 8.0, 5.3, 100
LEFT, STEPS_WIDTH, BESIDE, MARKS, MEMORY_WIDTH = 0.15, 5.4, 0.3, 0.4, 1.95
TOP, CHANNELS_TALL, LOCATIONS_TALL, CURVE_TALL, TITLE = 0.66, 0.6, 1.15, 1.05, 0.24


class Look(NamedTuple):
    """What the model made of a sequence after so many sequences of training, and the rows of training until then."""

    sequences: int
    traced: Traced
    costs: list[tuple[int, float]]


class Rows(Logger):
    """Keeps (sequences, bits per sequence) of each row."""

    def __init__(self) -> None:
        self.costs: list[tuple[int, float]] = []

    def row(self, row: dict) -> None:
        self.costs.append((int(row["sequences"]), row["bits_per_sequence"]))


def command(argv: list[str]) -> int:
    """The whole command."""
    if len(argv) != 1 or not argv[0].endswith(".gif"):
        raise UsageError("name the .gif file to write, as in scripts/animate_learning.py docs/learning.gif")
    compose.register()
    (config,), _ = compose.jobs([*RUN, f"train.log_every={EVERY}", f"train.checkpoint_every={EVERY}"])
    trainer = factory.trainer(config)
    looks = watch(trainer)
    with trainer.evaluating() as kernel:
        longer = Look(trainer.sequences, trace(trainer.task, kernel, LONGER, trainer.seed), looks[-1].costs)
    with style.styled():
        frames = [picture(look, looks[-1]) for look in looks] + [picture(longer, longer)]
    times = [FIRST, *[MILLISECONDS] * (len(looks) - 2), LEARNED, LAST]
    write_atomically(Path(argv[0]), gif(frames, times))
    print(f"{argv[0]}: {len(frames)} frames, {Path(argv[0]).stat().st_size / 1e6:.2f} MB")
    return exit_codes.DONE


def watch(trainer: Trainer) -> list[Look]:
    """Train to the end and look at the model on the way, and before."""
    rows, looks = Rows(), []

    def look() -> None:
        if any(trainer.sequences <= until and trainer.sequences % every == 0 for until, every in DENSITY):
            with trainer.evaluating() as kernel:
                traced = trace(trainer.task, kernel, LENGTH, trainer.seed)
            looks.append(Look(trainer.sequences, traced, list(rows.costs)))

    look()
    trainer.run(rows, look, lambda: False)
    return looks


def picture(look: Look, end: Look) -> Image.Image:
    """A frame. end: the look that decides which locations are shown."""
    sheet = panels.sheet(WIDTH, HEIGHT)
    after = f"after {look.sequences:,} sequences" if look.sequences else "untrained"
    sheet.write(LEFT, 0.1, f"An NTM learns to copy: {after}", size=13, weight="bold")
    traced, heads = look.traced, look.traced.heads
    vectors, wrong_AC = traced.batch.condition, answer(traced).wrong_AC
    kind = "a sequence that is not trained on" if vectors == LENGTH else "three times as many as in training"
    right = f"{wrong_AC.sum()} of {wrong_AC.size} bits wrong" if wrong_AC.any() else "every bit right"
    colour = "#8a2c0a" if wrong_AC.any() else "#1d5b3d"
    sheet.write(LEFT, 0.4, f"{vectors} vectors, {kind}: {right}", size=10.5, color=colour)
    row_N = rows_of(end)
    write_TN, read_TN = heads.write_weighting_TWN.max(1), heads.read_weighting_TRN.max(1)
    shown = (
        ("input", traced.batch.input_TBI[:, 0], CHANNELS_TALL),
        ("output", traced.output_TO * traced.batch.mask_TO, CHANNELS_TALL),
        ("where it writes", write_TN[:, row_N], LOCATIONS_TALL),
        ("where it reads", read_TN[:, row_N], LOCATIONS_TALL),
    )
    top = TOP
    for title, values_TC, tall in shown:
        top += TITLE
        axes = sheet.axes(LEFT, top, STEPS_WIDTH, tall)
        panels.matrix(axes, values_TC)
        finish(axes, title, "steps →" if title == "where it reads" else "")
        if title == "where it writes":
            beside(sheet, top, look, row_N)
        top += tall
    left = LEFT + STEPS_WIDTH + BESIDE + MARKS
    curve(sheet.axes(left, TOP + TITLE, MEMORY_WIDTH - MARKS, CURVE_TALL), look)
    content = BytesIO()
    sheet.figure.savefig(content, format="png", dpi=DPI)
    return Image.open(content).convert("RGB")


def rows_of(look: Look) -> np.ndarray:
    """The locations that are written while the vectors are shown, and read while they are asked for."""
    heads, half = look.traced.heads, look.traced.batch.condition + 1
    written_N, read_N = heads.write_weighting_TWN[:half].max((0, 1)), heads.read_weighting_TRN[half:].max((0, 1))
    return used_rows(np.maximum(written_N, read_N), margin=2)


def beside(sheet: panels.Sheet, top: float, look: Look, row_N: np.ndarray) -> None:
    """The memory when all vectors have been shown, its rows those of the weightings on the left."""
    memory_NM = look.traced.heads.memory_TNM[look.traced.batch.condition]
    axes = sheet.axes(LEFT + STEPS_WIDTH + BESIDE, top, MEMORY_WIDTH, LOCATIONS_TALL)
    panels.matrix(axes, memory_NM[row_N].T, limit=1.0)
    finish(axes, "memory, all vectors shown", "components of each location")


def curve(axes: Axes, look: Look) -> None:
    """The cost of training so far."""
    counts, costs = zip(*look.costs, strict=True) if look.costs else ((), ())
    axes.plot(counts, np.maximum(costs, 1e-3), color="#0072b2", linewidth=1.2)
    if counts:
        axes.plot(counts[-1], max(costs[-1], 1e-3), "o", color="#d55e00", markersize=5, clip_on=False)
    axes.set(xscale="log", yscale="log", xlim=(EVERY, 30_000), ylim=(1e-3, 200))
    axes.set_xticks([100, 1_000, 10_000], ["100", "1,000", "10,000"], fontsize=7)
    axes.set_yticks([0.001, 0.01, 0.1, 1, 10, 100], ["0.001", "0.01", "0.1", "1", "10", "100"], fontsize=7)
    axes.xaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_minor_locator(NullLocator())
    axes.set_title("bits per sequence", fontsize=9, pad=4)
    axes.set_xlabel("sequences of training", fontsize=8)


def finish(axes: Axes, title: str, below: str) -> None:
    axes.set_title(title, fontsize=9, pad=3)
    axes.set_xticks([])
    axes.set_xlabel(below, fontsize=8)


def gif(frames: list[Image.Image], milliseconds: list[int]) -> bytes:
    """One palette for all frames, so that nothing flickers."""
    together = Image.new("RGB", (frames[0].width, 4 * frames[0].height))
    for place, number in enumerate((0, len(frames) // 3, -2, -1)):
        together.paste(frames[number], (0, place * frames[0].height))
    palette = together.quantize(COLOURS)
    indexed = [frame.quantize(palette=palette, dither=Image.Dither.NONE) for frame in frames]
    content = BytesIO()
    indexed[0].save(
        content, "GIF", save_all=True, append_images=indexed[1:], duration=milliseconds, loop=0, optimize=True
    )
    return content.getvalue()


if __name__ == "__main__":
    exit_codes.run_and_exit("animate_learning", command)
