"""Median pruning: a run ends early where its best row so far is worse than the median of finished runs at this length.

This is the rule of Optuna's MedianPruner, told from the rows of metrics.csv alone: a job on another machine needs no
access to the study's database, and decides the same wherever it is resumed among the same finished trials.
"""

import json
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ntm_repro.training import metrics
from ntm_repro.training.metrics import Row
from ntm_repro.training.run_folder import RunFolder

FINISHED = "complete"  # the state of a trial whose rows others are compared with


@dataclass
class MedianPruning:
    """Says after each row of a run whether to end it.

    trials: trials.json of the study. seed: of the run; it is compared with runs of the same seed. fewest: finished
    trials without which none is ended. from_sequences: before which none is ended.
    """

    trials: Path
    seed: int
    fewest: int
    from_sequences: int
    _curves: dict[str, dict[int, float]] = field(default_factory=dict)

    def is_hopeless(self, rows: Sequence[Row]) -> bool:
        """Whether a run with these rows is worse than the median at its last one."""
        sequences = int(rows[-1]["sequences"])
        if sequences < self.from_sequences:
            return False
        curves = self._finished()
        there = [curve[sequences] for curve in curves if sequences in curve]
        if len(curves) < self.fewest or not there:
            return False
        return min(row["bits_per_sequence"] for row in rows) > statistics.median(there)

    def _finished(self) -> list[dict[int, float]]:
        """{sequences: bits per sequence} of every finished run of this seed."""
        try:
            trials = json.loads(self.trials.read_text(encoding="utf-8"))["trials"]
        except (OSError, ValueError, KeyError):  # none is finished yet
            return []
        folders = [
            run["folder"]
            for trial in trials
            if trial["state"] == FINISHED
            for run in trial["runs"]
            if run["seed"] == self.seed
        ]
        for folder in folders:
            if folder not in self._curves:
                self._curves[folder] = _curve(Path(folder))
        return [self._curves[folder] for folder in folders]


def _curve(folder: Path) -> dict[int, float]:
    path = RunFolder(folder).metrics
    rows = metrics.read_rows(path) if path.exists() else []
    return {int(row["sequences"]): row["bits_per_sequence"] for row in rows}
