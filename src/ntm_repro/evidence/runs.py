"""Recorded runs of the evidence, `<root>/<task>/<model>/seed<k>/`: metrics, summary and evaluation, without torch."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any

from ntm_repro.errors import UsageError
from ntm_repro.evidence import evaluations
from ntm_repro.evidence.records import is_number, is_whole, read_json
from ntm_repro.evidence.rendering import MISSING
from ntm_repro.training import metrics
from ntm_repro.training.run_folder import RunFolder


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_config(value: object) -> bool:
    return (
        isinstance(value, dict) and isinstance(value.get("train"), dict) and is_whole(value["train"].get("sequences"))
    )


# What a summary.json cannot do without, and what may be missing or null: other records have less, or more.
NEEDED = {
    "task": _is_text,
    "model": _is_text,
    "seed": is_whole,
    "sequences": is_whole,
    "status": _is_text,
    "config": _is_config,
}
OPTIONAL = {
    "parameters": is_whole,
    "final_bits": is_number,
    "wall_seconds": is_number,
    "threads": is_whole,
    "commit": _is_text,
}


@dataclass(frozen=True, eq=False)
class Run:
    """One run as it was recorded; `summary` is its summary.json.

    Nobody changes one, or what it returns: figures and tables share it, and what was computed of it.
    """

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
    def first_sequence(self) -> int:
        """How many sequences counted as seen when its training began, from the weights of another run; else 0."""
        first = self.config["train"].get("first_sequence")
        return first if is_whole(first) else 0

    @cached_property
    def before(self) -> "Run | None":
        """The recorded run whose weights this one went on from, where its record is kept in the folder `before`.

        Raises `UsageError` where that record is damaged, or does not end where this run begins.
        """
        if not self.first_sequence:
            return None
        earlier = read(RunFolder(self.folder).before.path)
        if earlier is not None and earlier.sequences != self.first_sequence:
            ends = f"ends at {earlier.sequences:,} sequences, and {self.folder} begins at {self.first_sequence:,}"
            raise UsageError(f"{earlier.folder}: {ends}; restore or remove it")
        return earlier

    @property
    def begin(self) -> int:
        """The sequence count at which `rows` open: 0 unless it began from weights whose training is not recorded."""
        return self.first_sequence if self.before is None else self.before.begin

    @property
    def joints(self) -> list[int]:
        """Sequence counts at which training went on from weights alone, the optimiser begun anew."""
        earlier = [] if self.before is None else self.before.joints
        return [*earlier, self.first_sequence] if self.first_sequence else []

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

    @property
    def trained_locations(self) -> int | None:
        """N of its memory in training; None for a model without one."""
        memory = self.config.get("model", {}).get("memory")
        return memory.get("locations") if isinstance(memory, dict) else None

    @cached_property
    def rows(self) -> list[metrics.Row]:
        """metrics.csv up to where the summary ends, after that of the run `before`, if there is one.

        Raises `UsageError` for a damaged file, `OSError` without one.
        """
        return [*([] if self.before is None else self.before.rows), *self.own_rows]

    @cached_property
    def own_rows(self) -> list[metrics.Row]:
        """The same of this run's own training alone. The first row may be of fewer sequences than the others."""
        path = RunFolder(self.folder).metrics
        every, torn = metrics.rows_and_torn_line(path)
        rows = metrics.first_rows(every, self.sequences)
        ends = [self.first_sequence, *(int(row["sequences"]) for row in rows)]
        log_every = self.config["train"].get("log_every")
        window = max([log_every if is_whole(log_every) else 0, *(end - begin for begin, end in pairwise(ends))])
        # What is behind the last row is less than a window, and may be half a row of a run that was killed.
        if torn == 1 or 0 < window <= self.sequences - ends[-1]:
            raise UsageError(f"{path}: damaged in line {torn or len(rows) + 2}; restore it")
        return rows

    @cached_property
    def evaluation(self) -> evaluations.Evaluation | None:
        """eval.json less the entries of a changed memory, or None where the run was not evaluated with its own.

        Raises `UsageError` for a damaged file.
        """
        evaluation = evaluations.read(RunFolder(self.folder).evaluation)
        if evaluation is None:
            return None
        kept = evaluations.with_trained_locations(evaluation, self.trained_locations)
        return kept if kept["grid"] or not evaluation["grid"] else None

    @cached_property
    def beyond(self) -> evaluations.Evaluation | None:
        """beyond.json, or None where the run was not evaluated beyond the paper's settings.

        Raises `UsageError` for a damaged file.
        """
        evaluation = evaluations.read(RunFolder(self.folder).beyond)
        return evaluation and {
            **evaluation,
            "grid": evaluations.marked(evaluation["grid"], self.trained_locations),
        }

    @property
    def wall_hours(self) -> float | None:
        """How long it trained, all its resumptions and the run `before` together; None where that was not recorded."""
        seconds = self.summary.get("wall_seconds")
        earlier = 0.0 if self.before is None else self.before.wall_hours
        return None if seconds is None or earlier is None else earlier + seconds / 3600

    @property
    def core_hours(self) -> float | None:
        """Wall hours × threads; None where either was not recorded."""
        hours, threads = self.wall_hours, self.summary.get("threads")
        return None if hours is None or threads is None else hours * threads

    @property
    def commit(self) -> str:
        """The first digits of the commit that trained it, and whether the sources were changed since; – without git."""
        commit = self.summary.get("commit")
        return MISSING if commit is None else commit[:10] + (", changed" if self.summary.get("dirty") else "")

    @property
    def has_weights(self) -> bool:
        """Whether its trained weights were kept."""
        return RunFolder(self.folder).weights.exists()


def read(folder: Path) -> Run | None:
    """The run in `folder`, or None where there is no summary.json; raises `UsageError` where that is damaged.

    The same object, with all that was computed of it, as long as the files of the folder stay as they are.
    """
    return _read(folder, tuple(_states(folder)))


def _states(folder: Path) -> Iterator[tuple[int, int, int] | None]:
    """Of each file that a run is read from, and of those before, what changes with it: inode, time, size."""
    files = RunFolder(folder)
    for path in (files.summary, files.metrics, files.evaluation, files.beyond):
        try:
            state = path.stat()
        except OSError:
            yield None
        else:
            yield state.st_ino, state.st_mtime_ns, state.st_size
    if files.before.path.is_dir():
        yield from _states(files.before.path)


@lru_cache(maxsize=1024)
def _read(folder: Path, states: tuple[tuple[int, int, int] | None, ...]) -> Run | None:
    path = RunFolder(folder).summary
    summary = read_json(path)
    if summary is None:
        return None
    present = {name: fits for name, fits in OPTIONAL.items() if summary.get(name) is not None}
    for name, fits in (NEEDED | present).items():
        if not fits(summary.get(name)):
            raise UsageError(f"{path}: damaged, {name} is missing or of the wrong type; restore or remove it")
    return Run(folder, summary)


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
