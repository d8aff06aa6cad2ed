"""Recorded runs of the evidence, `<root>/<task>/<model>/seed<k>/`: metrics, summary and evaluation, without torch."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from ntm_repro.evidence.rendering import MISSING
from ntm_repro.training import metrics
from ntm_repro.training.run_folder import RunFolder


@dataclass(frozen=True)
class Run:
    """One run as it was recorded; `summary` is its summary.json."""

    folder: Path
    summary: dict[str, Any]

    @property
    def task(self) -> str:
        """The task's name."""
        return self.summary["task"]

    @property
    def model(self) -> str:
        """The model's name."""
        return self.summary["model"]

    @property
    def seed(self) -> int:
        """Of the data and the initial weights."""
        return self.summary["seed"]

    @property
    def sequences(self) -> int:
        """How many sequences it was trained on."""
        return self.summary["sequences"]

    @property
    def config(self) -> dict[str, Any]:
        """Every setting, as it was recorded."""
        return self.summary["config"]

    @property
    def planned(self) -> int:
        """How many its config asks for."""
        return self.config["train"]["sequences"]

    @property
    def is_finished(self) -> bool:
        """Whether it reached the number of sequences that it was asked for."""
        return self.summary["status"] == "finished"

    @property
    def has_diverged(self) -> bool:
        """Whether a loss or gradient that was not finite ended it."""
        return self.summary["status"] == "diverged"

    @property
    def progress(self) -> str:
        """How far it came, in words."""
        if self.has_diverged:
            return f"seed {self.seed} diverged after {self.sequences:,} sequences"
        return f"seed {self.seed}: {self.sequences:,} of {self.planned:,} sequences"

    @cached_property
    def rows(self) -> list[metrics.Row]:
        """metrics.csv up to where the summary ends."""
        return metrics.read_rows(RunFolder(self.folder).metrics, up_to=self.sequences)

    @cached_property
    def evaluation(self) -> dict[str, Any] | None:
        """eval.json, or None where the run was not evaluated."""
        return _read_json(RunFolder(self.folder).evaluation)

    @cached_property
    def beyond(self) -> dict[str, Any] | None:
        """beyond.json, or None where the run was not evaluated beyond the paper's settings."""
        return _read_json(RunFolder(self.folder).beyond)

    @property
    def commit(self) -> str:
        """The first digits of the commit that trained it, and whether the sources were changed since; – without git."""
        commit = self.summary.get("commit")
        return MISSING if commit is None else commit[:10] + (", changed" if self.summary.get("dirty") else "")

    @property
    def has_weights(self) -> bool:
        """Whether its trained weights were kept."""
        return RunFolder(self.folder).weights.exists()


def _read_json(path: Path) -> dict[str, Any] | None:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError:
        return None


def read(folder: Path) -> Run | None:
    """The run in `folder`, or None where no summary.json can be read."""
    summary = RunFolder(folder).read_summary()
    return None if summary is None else Run(folder, summary)


def find(root: Path, task: str, model: str) -> list[Run]:
    """All runs of the pair below `root` as the paper has it, by seed; none where there is no folder."""
    folders = (folder for folder in (root / task / model).glob("seed*") if folder.name[len("seed") :].isdecimal())
    found = (read(folder) for folder in folders)
    return sorted((run for run in found if run is not None), key=lambda run: run.seed)


def representative(runs: Sequence[Run]) -> Run | None:
    """The run whose weights were kept, if there is one."""
    return next((run for run in runs if run.has_weights), None)


def gaps(task: str, model: str, found: Sequence[Run]) -> list[str]:
    """What is missing of a pair and what makes it: no run at all, or runs that did not reach their end."""
    command = f"make reproduce TASKS={task} MODELS={model}"
    if not found:
        return [f"not run yet: {command}"]
    # What diverged would do so again.
    return [
        run.progress if run.has_diverged else f"{run.progress} so far: {command} SEEDS={run.seed}"
        for run in found
        if not run.is_finished
    ]
