"""The number by which the runs of a sweep are judged: the smaller, the better.

It is read off a run's record up to a length, so that a run which was trained on for longer is compared as it was then.
"""

import math
from collections.abc import Sequence
from enum import Enum
from typing import TYPE_CHECKING, Any

from ntm_repro.evidence.runs import Run
from ntm_repro.training import convergence, metrics
from ntm_repro.training.metrics import Row
from ntm_repro.training.run_folder import RunFolder

if TYPE_CHECKING:
    from ntm_repro.tasks import Task

Condition = Any  # of ntm_repro.tasks, which is not imported for a name

Objective = Enum(
    "Objective",
    "final_bits first_below_1 first_below_0_1 first_below_0_05 stays_below_1 stays_below_0_1 stays_below_0_05 "
    "wrong_bits_long",
)
WORST = math.inf  # of a run that diverged, or never got below the threshold
UNKNOWN = math.nan  # of a run too short to tell


def of_run(objective: Objective, run: Run, sequences: int, condition: Condition = None) -> float:
    """The objective of a recorded run after its first `sequences` sequences.

    condition: the one that `wrong_bits_long` is about. Raises `UsageError` for a damaged record.
    """
    if run.has_diverged and run.sequences < sequences:
        return WORST
    if objective is Objective.wrong_bits_long:
        return wrong_bits(run, condition)
    return of_rows(objective, rows(run, sequences), run.first_sequence)


def rows(run: Run, sequences: int) -> list[Row]:
    """The rows of a run's record up to `sequences` sequences; none where the file is gone."""
    path = RunFolder(run.folder).metrics
    return metrics.read_rows(path, min(sequences, run.sequences)) if path.exists() else []


def of_rows(objective: Objective, rows: Sequence[Row], begin: int = 0) -> float:
    """`final_bits`, or a count of sequences until a trailing mean is below a threshold; see `convergence.results`.

    begin: the sequence count at which the first row opens.
    """
    result = convergence.results(rows, begin)[objective.name]
    if result is not None:
        return float(result)
    return UNKNOWN if objective is Objective.final_bits or not rows else WORST


def wrong_bits(run: Run, condition: Condition) -> float:
    """The wrong bits per sequence that eval.json has for a condition, with the memory of training; else NaN."""
    wanted = list(condition) if isinstance(condition, tuple) else condition
    for entry in run.evaluation["grid"] if run.evaluation else []:
        if entry["setting"] == wanted:
            return float(entry["wrong_bits"])
    return UNKNOWN


def long_condition(task: "Task") -> Condition:
    """What `wrong_bits_long` is about: the furthest of the task's test conditions, for copy 120 vectors."""
    return task.test_conditions[-1]


def said(objective: Objective, value: float) -> str:
    """A value in words.

    >>> said(Objective.final_bits, 0.25), said(Objective.first_below_1, 4000.0), said(Objective.first_below_1, WORST)
    ('0.2500 bits', '4,000 sequences', 'never')
    """
    if math.isnan(value):
        return "unknown"
    if objective is Objective.final_bits:
        return "diverged" if math.isinf(value) else f"{value:.4f} bits"
    if objective is Objective.wrong_bits_long:
        return "diverged" if math.isinf(value) else f"{value:.3f} wrong bits"
    return "never" if math.isinf(value) else f"{value:,.0f} sequences"
