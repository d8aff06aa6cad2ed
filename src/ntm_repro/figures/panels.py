"""Pieces that the pictures of sequences and memory share: a sheet measured in inches, matrices over time, notes.

Shape suffixes: T time steps, C channels (rows of a picture).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.patches import Rectangle
from matplotlib.text import Text

from ntm_repro.figures import style
from ntm_repro.figures.run_store import RunStore, Trained

FRAME = "0.6"  # colour of panels' edges
QUIET = "0.35"  # of captions
MARK = "#ff5a1f"  # told from every colour of both maps by its lightness too
WRONG_MAP = ("#eeeeee", "#d55e00")  # right, wrong
CAPTION_SIZE = 8.5


@dataclass(frozen=True)
class Sheet:
    """A figure on which places and sizes are in inches, from its upper left corner."""

    figure: Figure
    width: float
    height: float

    def axes(self, left: float, top: float, width: float, height: float) -> Axes:
        """Axes at a place on the sheet, all in inches."""
        return self.figure.add_axes(
            (left / self.width, 1 - (top + height) / self.height, width / self.width, height / self.height)
        )

    def write(self, left: float, top: float, text: str, **look: Any) -> Text:
        """Text that hangs from (left, top)."""
        return self.figure.text(left / self.width, 1 - top / self.height, text, **{"va": "top", **look})

    def caption(self, left: float, top: float, lines: Sequence[str]) -> None:
        """Lines of small, quiet text below a place in inches."""
        self.write(left, top, "\n".join(lines), fontsize=CAPTION_SIZE, color=QUIET, linespacing=1.45)


def sheet(width: float, height: float) -> Sheet:
    """An empty sheet; every panel on it is placed by hand, so that a step is equally wide wherever it should be."""
    figure = Figure(figsize=(width, height))
    figure.set_layout_engine("none")
    return Sheet(figure, width, height)


def matrix(
    axes: Axes, values_TC: np.ndarray, first: int = 0, limit: float | None = None, cmap: Any = None
) -> AxesImage:
    """Values as cells, channel 0 at the top, time to the right from step `first`; the image holds values_TC.T.

    Colours from 0 to 1, or with a `limit` from −limit to limit, white at 0.
    """
    steps, channels = values_TC.shape
    low, high, colours = (0, 1, style.UNIT_MAP) if limit is None else (-limit, limit, style.SIGNED_MAP)
    extent = (first - 0.5, first + steps - 0.5, channels - 0.5, -0.5)
    image = axes.imshow(values_TC.T, cmap or colours, aspect="auto", vmin=low, vmax=high, extent=extent)
    axes.grid(visible=False)
    axes.spines[:].set(visible=True, color=FRAME, linewidth=0.6)
    axes.tick_params(length=2.5, color=FRAME)
    axes.set_yticks([])
    return image


def limit_of(values_TC: np.ndarray) -> float:
    """The colour limit of a panel of numbers of either sign: 99 of 100 are within, up to the next tenth."""
    return max(0.1, float(np.ceil(10 * np.quantile(np.abs(values_TC), 0.99)) / 10))


def name_channels(axes: Axes, channels: Mapping[str, int]) -> None:
    """Name groups of neighbouring channels, {name: how many}, and draw a line between them."""
    positions, first = [], 0
    for count in channels.values():
        positions.append(first + (count - 1) / 2)
        if first:
            axes.axhline(first - 0.5, color="white", linewidth=0.8)
        first += count
    axes.set_yticks(positions, list(channels))
    axes.tick_params(axis="y", length=0, labelsize=7.5)


def name_locations(axes: Axes, row_N: np.ndarray) -> None:
    """Label up to nine of the locations shown, from the first on, by their numbers in memory."""
    every = next(step for step in (1, 2, 4, 8, 16, 32, len(row_N)) if len(row_N) / step <= 9)
    axes.set_yticks(range(0, len(row_N), every), [str(row) for row in row_N[::every]])


def colour_bar(sheet: Sheet, place: tuple[float, float, float, float], image: AxesImage, label: str = "") -> None:
    """A narrow bar at a place in inches (left, top, width, height)."""
    low, high = image.get_clim()
    values = image.get_array()
    beyond = values is not None and low < 0 and float(np.abs(values).max()) > high
    bar = sheet.figure.colorbar(image, cax=sheet.axes(*place), extend="both" if beyond else "neither", extendfrac=0.06)
    bar.outline.set(linewidth=0.6, edgecolor=FRAME)
    bar.set_ticks([low, (low + high) / 2, high], labels=[f"{tick:g}" for tick in (low, (low + high) / 2, high)])
    bar.ax.tick_params(length=2, labelsize=7.5)
    bar.ax.grid(visible=False)
    if label:
        bar.set_label(label, fontsize=8)


def colour_bar_beside(sheet: Sheet, axes: Axes, image: AxesImage) -> None:
    """A colour bar to the right of a panel, as tall as it."""
    box = axes.get_position()
    place = (box.x1 * sheet.width + 0.07, (1 - box.y1) * sheet.height, 0.08, box.height * sheet.height)
    colour_bar(sheet, place, image)


def frame(axes: Axes, step: float, row: float, width: float = 1, height: float = 1, colour: str = MARK) -> None:
    """A frame around cells: the one at (step, row), and those to its right and below it."""
    corner = (step - 0.5, row - 0.5)
    axes.add_patch(Rectangle(corner, width, height, fill=False, edgecolor=colour, linewidth=1.3, clip_on=False))


def note(axes: Axes, text: str) -> None:
    """An empty panel that says why it is empty."""
    axes.set(xticks=[], yticks=[])
    axes.grid(visible=False)
    axes.spines[:].set(visible=True, color=FRAME, linewidth=0.6, linestyle=(0, (4, 3)))
    axes.text(0.5, 0.5, text, transform=axes.transAxes, ha="center", va="center", color=QUIET, fontsize=8)


def absence(sources: RunStore, task: str, model: str) -> str:
    """Why there is no trained model of the pair, and which command makes one."""
    gaps = sources.gaps(task, model) or [f"make reproduce TASKS={task} MODELS={model}"]
    reason = gaps[0].replace(": make", ":\nmake")
    return f"{style.label(model)}: no trained weights in the evidence\n{reason}"


def provenance(trained: Trained) -> str:
    """Whose answers these are."""
    run = trained.run
    whole = "" if run.sequences >= run.planned else f" of {run.planned:,}"
    return f"{style.label(run.model)}, seed {run.seed}, after {run.sequences:,}{whole} training sequences"


def only_a_note(text: str) -> Figure:
    """A whole figure for which there is no trained model."""
    empty = sheet(9.5, 2)
    note(empty.axes(0.2, 0.2, 9.1, 1.6), text)
    return empty.figure
