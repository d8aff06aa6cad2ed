"""When a run solved its task, whether it came back from that, and where it ended; the same of the paper's curves.

The cost judged is bits per sequence, for N-grams those above the optimal estimator on the same sequences. "Mean" is
that over the 10,000 sequences before a row of metrics.csv, as in the paper's curves.
"""

import statistics
from collections.abc import Sequence
from typing import NamedTuple

from ntm_repro import paper, tasks
from ntm_repro.evidence.windows import gap
from ntm_repro.training.metrics import Row, trailing_means


class Convergence(NamedTuple):
    """`reached`: the first sequence count with the mean below each threshold, or None.

    `relapses`: after the mean first was below the second threshold, the stretches of consecutive rows (each usually a
    mean over 1,000 sequences) above the first; None where it never was. `final`: the last mean, or None.
    """

    reached: tuple[int | None, ...]
    relapses: int | None
    final: float | None


def costs(task: str, rows: Sequence[Row]) -> list[Row]:
    """Rows whose bits per sequence are the cost judged."""
    return [row | {"bits_per_sequence": gap(row)} for row in rows] if tasks.find(task).has_optimum else list(rows)


def of_rows(task: str, rows: Sequence[Row]) -> Convergence:
    """Convergence of a run of ours."""
    judged = costs(task, rows)
    means = trailing_means(judged)
    reached = _reached(task, means)
    relapses = None
    if reached[1] is not None:
        relapses = _stretches_above(
            paper.THRESHOLDS[task][0], [row["bits_per_sequence"] for row in judged if row["sequences"] > reached[1]]
        )
    return Convergence(reached, relapses, means[-1][1] if means else None)


def of_paper(task: str, model: str) -> Convergence:
    """Convergence of the paper's run; its curve has no rows in which to see relapses."""
    means = paper_means(task, model)
    return Convergence(_reached(task, means), None, means[-1][1])


def paper_means(task: str, model: str) -> list[tuple[int, float]]:
    """(sequences, mean cost of the 10,000 before) of the paper's curve, where it lies within its figure's axes."""
    points = paper.curve(paper.LEARNING_FIGURES[task], model)
    return [(paper.window_end(x), bits - paper.optimum(task)) for x, bits in points]


def middle(counts: Sequence[int | None]) -> float | None:
    """The median of sequence counts of which None is later than any other; None where it is one of those."""
    value = statistics.median(float("inf") if count is None else count for count in counts)
    return None if value == float("inf") else value


def _reached(task: str, means: Sequence[tuple[int, float]]) -> tuple[int | None, ...]:
    return tuple(
        next((sequences for sequences, mean in means if mean < threshold), None) for threshold in paper.THRESHOLDS[task]
    )


def _stretches_above(threshold: float, values: Sequence[float]) -> int:
    above = [value > threshold for value in values]
    return sum(now and not before for before, now in zip([False, *above], above, strict=False))
