"""The memory at work on any one sequence: inputs, outputs, and where all heads write and read, step by step.

Shape suffixes as in `evaluation.traces`.
"""

from io import BytesIO

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from ntm_repro.evaluation.locations import mean_maximum, used_rows
from ntm_repro.evaluation.traces import Heads
from ntm_repro.figures import panels, style
from ntm_repro.tasks import Channels

UNUSED = "unused"  # outputs that the task does not score
# Inches.
PAGE_WIDTH, LEFT, RIGHT = 9.5, 0.95, 0.6
HEADING, TITLE, BETWEEN, STEPS, CAPTION = 0.4, 0.28, 0.12, 0.45, 0.35
CHANNEL, LOWEST_CHANNELS, LOCATION, LOWEST, TALLEST = 0.12, 0.15, 0.11, 1.0, 3.2


def png(title: str, channels: Channels, input_TI: np.ndarray, output_TO: np.ndarray, heads: Heads) -> bytes:
    """The picture as a PNG file; see `draw`."""
    content = BytesIO()
    with style.styled():
        draw(title, channels, input_TI, output_TO, heads).savefig(content, format="png", metadata={"Software": None})
    return content.getvalue()


def draw(title: str, channels: Channels, input_TI: np.ndarray, output_TO: np.ndarray, heads: Heads) -> Figure:
    """Four panels over the same steps. Of the memory the locations in use; several heads in one, by the largest weight.

    output_TO: P(1). channels: their names; outputs beyond those that it names are called unused.
    """
    write_TN, read_TN = heads.write_weighting_TWN.max(1), heads.read_weighting_TRN.max(1)
    row_N = used_rows(np.maximum(write_TN.max(0), read_TN.max(0)))
    tall = min(max(LOCATION * len(row_N), LOWEST), TALLEST)
    heights = [max(CHANNEL * values_TC.shape[1], LOWEST_CHANNELS) for values_TC in (input_TI, output_TO)] + [tall, tall]
    sheet = panels.sheet(PAGE_WIDTH, HEADING + sum(heights) + 4 * TITLE + 3 * BETWEEN + STEPS + CAPTION)
    sheet.write(LEFT, 0.1, title, size=10.5)
    top, axes = HEADING, []
    for height in heights:
        top += TITLE
        axes.append(sheet.axes(LEFT, top, PAGE_WIDTH - LEFT - RIGHT, height))
        top += height + BETWEEN
    inputs, outputs, writing, reading = axes
    _matrix(sheet, inputs, "inputs", input_TI)
    _matrix(sheet, outputs, "outputs, P(bit = 1)", output_TO)
    panels.name_channels(inputs, channels.inputs)
    panels.name_channels(outputs, _all_outputs(channels.outputs, output_TO.shape[1]))
    for panel, name, weighting_TN in ((writing, "write weightings", write_TN), (reading, "read weightings", read_TN)):
        _matrix(sheet, panel, name, weighting_TN[:, row_N])
        panels.name_locations(panel, row_N)
        panel.set(ylabel="location")
    reading.set(xlabel="step")
    reading.xaxis.set_major_locator(MaxNLocator(integer=True))
    reading.tick_params(axis="x", labelbottom=True, length=2.5)
    line = (
        f"{len(row_N)} of {write_TN.shape[1]} locations are shown. Mean over all steps of the largest weight: "
        f"writing {mean_maximum(write_TN):.3f}, reading {mean_maximum(read_TN):.3f}."
    )
    sheet.caption(LEFT, sheet.height - CAPTION + 0.08, [line])
    return sheet.figure


def _matrix(sheet: panels.Sheet, axes: Axes, title: str, values_TC: np.ndarray) -> None:
    """A panel with its colour bar; of inputs that are no bits the colours are of both signs."""
    limit = None if values_TC.min() >= 0 and values_TC.max() <= 1 else panels.limit_of(values_TC)
    image = panels.matrix(axes, values_TC, limit=limit)
    panels.colour_bar_beside(sheet, axes, image)
    axes.set_title(title, fontsize=9.5, pad=4)
    axes.tick_params(axis="x", labelbottom=False, length=0)


def _all_outputs(named: dict[str, int], outputs: int) -> dict[str, int]:
    unnamed = outputs - sum(named.values())
    return {**named, UNUSED: unnamed} if unnamed > 0 else named
