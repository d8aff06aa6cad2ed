"""Figure 17: does the NTM sort by writing each vector to a location that is a linear function of its priority?

The paper fits such a line to the locations written, and sets what it predicts beside what is written and read.
Shape suffixes as in `evaluation.traces`; V vectors shown.
"""

from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ntm_repro.evaluation.linear_fit import Line, straightest
from ntm_repro.evaluation.locations import mean_maximum, used_rows
from ntm_repro.evaluation.traces import answer, trace
from ntm_repro.figures import panels, style
from ntm_repro.figures.run_store import RunStore
from ntm_repro.tasks.priority_sort import PRIORITY

TASK, MODEL = "priority_sort", "ntm"
# Inches.
PAGE_WIDTH, LEFT, BETWEEN, RIGHT = 9.5, 0.7, 0.22, 0.5
HEADING, TITLE, TALL, STEPS, CAPTION = 0.4, 0.42, 3.4, 0.48, 0.62
SCATTER = 2.1


class Head(NamedTuple):
    """A head by its number from 0, and its weighting over the steps shown."""

    number: int
    weighting_TN: np.ndarray


def draw(sources: RunStore) -> Figure:
    """Locations over priorities with the line; beside it the weightings that the line predicts, and those traced."""
    trained = sources.trained(TASK, MODEL)
    if trained is None:
        return panels.only_a_note(panels.absence(sources, TASK, MODEL))
    traced = trace(trained.task, trained.kernel, trained.task.longest_condition, trained.run.seed)
    heads, answered = traced.heads, answer(traced)
    assert heads is not None
    vectors = traced.batch.condition[0]
    priority_V = traced.batch.input_TBI[:vectors, 0, PRIORITY]
    write_weighting_TWN = heads.write_weighting_TWN[:vectors]
    number, line = straightest(write_weighting_TWN, priority_V)
    writing = Head(number, write_weighting_TWN[:, number])
    reading = sharpest(heads.read_weighting_TRN[answered.first :])
    predicted_TN = predicted(line)
    use_N = np.maximum(writing.weighting_TN.max(0), reading.weighting_TN.max(0))
    row_N = used_rows(np.maximum(use_N, predicted_TN.max(0)))

    sheet = panels.sheet(PAGE_WIDTH, HEADING + TITLE + TALL + STEPS + CAPTION)
    title = "Priority sort: locations written, beside a linear function of the priority, and locations read"
    sheet.write(LEFT, 0.1, title, size=11)
    axes = _place(sheet, (vectors, vectors, len(reading.weighting_TN)))
    _scatter(axes[0], priority_V, line, row_N)
    images = (
        ("predicted by the line", predicted_TN, 0),
        (f"write head {writing.number + 1}", writing.weighting_TN, 0),
        (f"read head {reading.number + 1}", reading.weighting_TN, answered.first),
    )
    for panel, (title, weighting_TN, first) in zip(axes[1:], images, strict=True):
        image = panels.matrix(panel, weighting_TN[:, row_N], first)
        panel.set_title(title, fontsize=9.5, pad=4)
        panel.set_xlabel("step")
    panels.colour_bar_beside(sheet, axes[-1], image)
    count = heads.write_weighting_TWN.shape[1]
    lines = [
        f"{panels.provenance(trained)}; {int(answered.wrong_AC.sum())} of {answered.wrong_AC.size} bits wrong. "
        f"{len(row_N)} of {len(use_N)} locations are shown.",
        f"Of {count} write heads the one that the line explains best, of {count} read heads the one whose largest "
        "weight is largest on average.",
    ]
    sheet.caption(LEFT, sheet.height - CAPTION + 0.06, lines)
    return sheet.figure


def sharpest(weighting_TRN: np.ndarray) -> Head:
    """The read head that is most at a single location."""
    best = int(np.argmax([mean_maximum(weighting_TRN[:, head]) for head in range(weighting_TRN.shape[1])]))
    return Head(best, weighting_TRN[:, best])


def predicted(line: Line) -> np.ndarray:
    """The line as weightings [P, N]: all weight on the location nearest to it."""
    return np.eye(line.locations)[np.rint(line.fitted_P).astype(int) % line.locations]


def _place(sheet: panels.Sheet, steps: tuple[int, int, int]) -> list[Axes]:
    """A panel for points, then three in which a step is equally wide."""
    step = (PAGE_WIDTH - LEFT - RIGHT - SCATTER - 3 * BETWEEN) / sum(steps)
    axes, left = [], LEFT
    for width in (SCATTER, *(step * count for count in steps)):
        axes.append(sheet.axes(left, HEADING + TITLE, width, TALL))
        left += width + BETWEEN
    return axes


def _scatter(axes: Axes, priority_V: np.ndarray, line: Line, row_N: np.ndarray) -> None:
    """Each vector's priority and the location written most at its step, on the rows that the other panels show."""
    # Rows of the panel, counted from the first shown. The line goes around the ring: where it leaves it comes in again.
    first = int(np.argmin(priority_V))
    height = (line.fitted_P[first] - row_N[0]) % line.locations
    ends = np.array([-1.0, 1.0, np.nan])
    turns = line.locations * np.arange(-2, 3)
    around = (height + line.slope * (ends - priority_V[first]) + turns[:, None]).ravel()
    axes.plot(np.tile(ends, len(turns)), around, color=panels.MARK, linewidth=1.2)
    place_V = np.rint(line.fitted_P + line.residual_P - row_N[0]) % line.locations
    axes.plot(priority_V, place_V, "o", color=style.colour("ntm"), markersize=4)
    axes.set(xlim=(-1.05, 1.05), ylim=(len(row_N) - 0.5, -0.5), xlabel="priority", ylabel="location")
    panels.name_locations(axes, row_N)
    axes.set_title(f"R² {line.r_squared:.2f}; {line.share_within(1):.0%} within a row of it", fontsize=9.5, pad=4)
