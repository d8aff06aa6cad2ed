"""When a run's cost falls below a threshold, whether it stays there, and where it ends: read off its metrics.csv.

Everything is judged by trailing means: at each row, the mean cost of the 10,000 sequences before, as in the paper's
learning curves. They consist of whole rows, so that a trailing mean covers more sequences where rows do not divide
10,000. A run shorter than that has none.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from ntm_repro.training.metrics import OPTIMUM_COLUMN, Row

WINDOW = 10_000  # sequences
# Bits per sequence, by how the names of the results in summary.json end.
THRESHOLDS = {"1": 1.0, "0_1": 0.1, "0_05": 0.05}
# The results of a run in summary.json.
RESULTS = ("final_bits", *(f"{what}_below_{name}" for what in ("first", "stays", "solved") for name in THRESHOLDS))
SAID = 0.1  # bits: the threshold of which a run's closing line speaks


class TrailingMean(NamedTuple):
    """The mean cost in bits of the sequences after `begin` up to `end`."""

    begin: int
    end: int
    mean: float


class Crossings(NamedTuple):
    """Sequence counts at which trailing means are below a threshold; None where there is no such count.

    first_below: the first of all. stays_below: the first from which all of them are, to the end of the run.
    """

    first_below: int | None
    stays_below: int | None


def trailing_means(rows: Sequence[Row], width: int = WINDOW, begin: int = 0) -> list[tuple[int, float]]:
    """(sequence count, mean cost in bits) at each row that has `width` sequences or more up to its end.

    begin: the sequence count at which the first row opens.
    """
    return [(trailing.end, trailing.mean) for trailing in _trailing(rows, width, begin)]


def crossings(means: Sequence[tuple[int, float]], threshold: float) -> Crossings:
    """Of (sequence count, mean cost in bits), in order: when the mean is below the threshold in bits."""
    first = stays = None
    for sequences, mean in means:
        if mean < threshold:
            first = sequences if first is None else first
            stays = sequences if stays is None else stays
        else:
            stays = None
    return Crossings(first, stays)


def results(rows: Sequence[Row], begin: int = 0) -> dict[str, float | int | None]:
    """What summary.json says of a run's convergence.

    `final_bits`: the last trailing mean, of a shorter run the mean of all its sequences. `first_below_<threshold>` and
    `stays_below_<threshold>`: see `Crossings`. `solved_below_<threshold>`: what `stays_below_…` was called.
    """
    means = trailing_means(rows, begin=begin)
    by_name = {name: crossings(means, threshold) for name, threshold in THRESHOLDS.items()}
    return {
        "final_bits": _last(rows, begin).mean if rows else None,
        **{f"first_below_{name}": crossing.first_below for name, crossing in by_name.items()},
        **{f"stays_below_{name}": crossing.stays_below for name, crossing in by_name.items()},
        **{f"solved_below_{name}": crossing.stays_below for name, crossing in by_name.items()},
    }


def final_cost(rows: Sequence[Row], begin: int = 0) -> str:
    """The cost at the end of a run in words, which say over how many sequences it is the mean.

    begin: the sequence count at which the first row opens.
    """
    if not rows:
        return "shorter than train.log_every, no bits/sequence"
    last = _last(rows, begin)
    sequences = last.end - last.begin
    which = f"the last {sequences:,}" if sequences >= WINDOW else f"all {sequences:,}"
    words = f"mean of {which} sequences {last.mean:.4f} bits"
    if OPTIMUM_COLUMN in rows[-1]:
        gaps = [row | {"bits_per_sequence": row["bits_per_sequence"] - row[OPTIMUM_COLUMN]} for row in rows]
        words += f", {_last(gaps, begin).mean:.4f} above the optimal estimator"
    return words if sequences >= WINDOW else f"{words} (shorter than the window of {WINDOW:,})"


def outcome(rows: Sequence[Row], begin: int = 0) -> str:
    """The cost at the end of a run, and when it was below 0.1 bits, in words: for the terminal.

    Nothing is said of 0.1 bits where a run is shorter than the window, nor of a task whose optimum costs more.
    """
    means = trailing_means(rows, begin=begin)
    if not means or OPTIMUM_COLUMN in rows[-1]:
        return final_cost(rows, begin)
    first, stays = crossings(means, SAID)
    if first is None:
        return f"{final_cost(rows, begin)} · never below {SAID:g} bits"
    then = f"stays below from {stays:,}" if stays is not None else "not below at the end"
    return f"{final_cost(rows, begin)} · first below {SAID:g} bits at {first:,} · {then}"


def _last(rows: Sequence[Row], begin: int) -> TrailingMean:
    """The last trailing mean, or that of all sequences of a run shorter than the window."""
    means = _trailing(rows, WINDOW, begin) or _trailing(rows, int(rows[-1]["sequences"]) - begin, begin)
    return means[-1]


def _trailing(rows: Sequence[Row], width: int, begin: int) -> list[TrailingMean]:
    """At each row the mean over the fewest whole rows that end there and have `width` sequences or more."""
    ends = [begin, *(int(row["sequences"]) for row in rows)]
    totals = [0.0]
    for (opened, end), row in zip(pairwise(ends), rows, strict=True):
        totals.append(totals[-1] + row["bits_per_sequence"] * (end - opened))
    means, first = [], 0
    for last in range(1, len(ends)):
        while ends[last] - ends[first + 1] >= width:
            first += 1
        if ends[last] - ends[first] >= width:
            mean = (totals[last] - totals[first]) / (ends[last] - ends[first])
            means.append(TrailingMean(ends[first], ends[last], mean))
    return means
