"""When a run solved its task, whether that lasted, its relapses, and where it ended; the same of the paper's curves.

The cost judged is bits per sequence, for N-grams those above the optimal estimator on the same sequences. "Mean" is
that over the 10,000 sequences before a row of metrics.csv, as in the paper's curves.
"""

import math
import statistics
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from ntm_repro import paper, tasks
from ntm_repro.evidence.runs import Run
from ntm_repro.evidence.windows import WINDOW, gap
from ntm_repro.training.convergence import Crossings, crossings, trailing_means
from ntm_repro.training.metrics import Row

# How many points at the end of a curve of the paper's say how its points scatter.
SCATTER_POINTS = 20


class Convergence(NamedTuple):
    """`crossings`: when the mean is below each threshold.

    `relapses`: after the mean first was below the second threshold, the stretches of consecutive rows (each usually a
    mean over 1,000 sequences) above the first; None where it never was. `final`: the mean at the end, or None.
    """

    crossings: tuple[Crossings, ...]
    relapses: int | None
    final: float | None


def thresholds_in_words() -> list[str]:
    """The thresholds by level: copy's, which are those of repeat copy and recall too / N-grams' / priority sort's."""
    kinds = [paper.THRESHOLDS[task] for task in ("copy", "dynamic_ngrams", "priority_sort")]
    return [" / ".join(f"{value:g}" for value in level) for level in zip(*kinds, strict=True)]


def end_window(task: str) -> int:
    """Over how many sequences the cost at the end of a run is the mean."""
    return paper.WINDOWS_AT_END.get(task, 1) * WINDOW


def costs(task: str, rows: Sequence[Row]) -> list[Row]:
    """Rows whose bits per sequence are the cost judged."""
    return [row | {"bits_per_sequence": gap(row)} for row in rows] if tasks.find(task).has_optimum else list(rows)


def of_rows(task: str, rows: Sequence[Row], begin: int = 0) -> Convergence:
    """Convergence of a run of ours, the first of whose rows opens at the sequence count `begin`."""
    judged = costs(task, rows)
    crossed = _crossings(task, trailing_means(judged, begin=begin))
    relapses = None
    if (solved_at := crossed[1].first_below) is not None:
        later = [row["bits_per_sequence"] for row in judged if row["sequences"] > solved_at]
        relapses = _stretches_above(paper.THRESHOLDS[task][0], later)
    ends = end_means(task, rows, begin)
    return Convergence(crossed, relapses, ends[-1][1] if ends else None)


@lru_cache(maxsize=1024)
def of_run(run: Run) -> Convergence:
    """Convergence of a recorded run; computed once for each `Run`."""
    return of_rows(run.task, run.rows, run.begin)


def end_means(task: str, rows: Sequence[Row], begin: int = 0) -> list[tuple[int, float]]:
    """(sequences, mean cost of the `end_window` before): what it would be at the end if the run had ended there."""
    return trailing_means(costs(task, rows), end_window(task), begin)


def of_paper(task: str, model: str) -> Convergence:
    """Convergence of the paper's run; its curve has no rows in which to see relapses."""
    return Convergence(_crossings(task, paper_means(task, model)), None, paper_end_means(task, model)[-1][1])


def paper_means(task: str, model: str) -> list[tuple[int, float]]:
    """(sequences, mean cost of the 10,000 before) of the paper's curve, where it lies within its figure's axes."""
    points = paper.curve(paper.LEARNING_FIGURES[task], model)
    return [(paper.window_end(x), bits - paper.optimum(task)) for x, bits in points]


def paper_end_means(task: str, model: str) -> list[tuple[int, float]]:
    """(sequences, mean cost of the `end_window` before) of the paper's curve, where all that lies within its axes."""
    means = paper_means(task, model)
    count = end_window(task) // WINDOW
    stretches = (means[last - count : last] for last in range(count, len(means) + 1))
    return [(stretch[-1][0], statistics.fmean(mean for _, mean in stretch)) for stretch in stretches]


def paper_deviation(task: str, model: str) -> float:
    """The standard deviation of the paper's cost at its end, in bits, as its curve's last points scatter.

    From their second differences, which a steady fall leaves at 0: of independent points with a variance v each, these
    have one of 6 v. Nothing is known about how runs with other seeds would differ.
    """
    costs = [cost for _, cost in paper_means(task, model)[-SCATTER_POINTS:]]
    bends = [left - 2 * here + right for left, here, right in zip(costs, costs[1:], costs[2:], strict=False)]
    point = math.sqrt(statistics.fmean(bend**2 for bend in bends) / 6) if bends else 0.0
    return point / math.sqrt(end_window(task) / WINDOW)


def middle(counts: Sequence[int | None]) -> float | None:
    """The median of sequence counts of which None is later than any other; None where it is one of those."""
    value = statistics.median(float("inf") if count is None else count for count in counts)
    return None if value == float("inf") else value


def _crossings(task: str, means: Sequence[tuple[int, float]]) -> tuple[Crossings, ...]:
    return tuple(crossings(means, threshold) for threshold in paper.THRESHOLDS[task])


def _stretches_above(threshold: float, values: Sequence[float]) -> int:
    above = [value > threshold for value in values]
    return sum(now and not before for before, now in zip([False, *above], above, strict=False))
