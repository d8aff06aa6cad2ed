"""Learning curves as the paper plots them: means over windows of 10,000 sequences, each at its window's middle."""

import statistics
from collections.abc import Callable, Sequence
from typing import NamedTuple

from ntm_repro.training.metrics import OPTIMUM_COLUMN, Row

WINDOW = 10_000  # sequences of a point in the paper's curves


class Window(NamedTuple):
    """The mean cost in bits of the sequences after `begin` up to `end`; `edge`, the last at or before `end`."""

    begin: int
    end: int
    edge: int
    mean: float

    @property
    def middle(self) -> float:
        """The number of sequences in the window's middle, where the paper plots it."""
        return (self.begin + self.end) / 2


def bits(row: Row) -> float:
    """Bits per sequence."""
    return row["bits_per_sequence"]


def gap(row: Row) -> float:
    """Bits per sequence above what the optimal estimator pays on the same sequences."""
    return row["bits_per_sequence"] - row[OPTIMUM_COLUMN]


def optimum(row: Row) -> float:
    """Bits per sequence that the optimal estimator pays."""
    return row[OPTIMUM_COLUMN]


def windows(
    rows: Sequence[Row],
    cost: Callable[[Row], float] = bits,
    width: int = WINDOW,
    growth: float = 0.0,
    begin: int = 0,
) -> list[Window]:
    """Means over windows made of whole rows, so that each is exact however often the run logged.

    Edges are `width` apart, or, where that is more, `growth` times the sequences before, in multiples of `width`. A
    window is closed by the first row that reaches the next edge; what follows the last window is left out. `begin`: the
    sequence count at which the first row opens.
    """
    closed: list[Window] = []
    before = begin
    next_edge = (begin // width + 1) * width
    total = 0.0
    for row in rows:
        end = int(row["sequences"])
        total += cost(row) * (end - before)
        if end >= next_edge:
            while next_edge <= end:
                edge = next_edge
                next_edge += width * max(1, int(growth * edge / width))
            closed.append(Window(begin, end, edge, total / (end - begin)))
            begin, total = end, 0.0
        before = end
    return closed


def median(curves: Sequence[Sequence[Window]]) -> list[tuple[float, float]]:
    """(middle, median of the means) of the windows that more than half of the curves reach, over those that do."""
    reached: dict[int, list[Window]] = {}
    for curve in curves:
        for window in curve:
            reached.setdefault(window.edge, []).append(window)
    return [
        (statistics.median(window.middle for window in here), statistics.median(window.mean for window in here))
        for _, here in sorted(reached.items())
        if 2 * len(here) > len(curves)
    ]
