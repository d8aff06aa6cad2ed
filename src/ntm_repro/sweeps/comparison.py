"""What a folder of runs says when they are compared: which settings were varied, and what each came to over its seeds.

Only records are read: summary.json, metrics.csv, config.yaml, and for `wrong_bits_long` eval.json. Every run counts as
it was after the same number of sequences; those that did not get there are named and not judged.
"""

import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from ntm_repro.errors import UsageError
from ntm_repro.evidence import runs
from ntm_repro.evidence.runs import Run
from ntm_repro.sweeps import objective
from ntm_repro.sweeps.objective import Condition, Objective
from ntm_repro.training.metrics import Row
from ntm_repro.training.run_folder import RunFolder

Identity = Mapping[str, Any]  # {dotted key: value} of all that makes a run what it is
Value = Any  # of a setting: a number, a word, true or false
NAME = ".name"  # ends the key that says which task, model or optimiser


@dataclass(frozen=True)
class Judged:
    """A run with the settings that make it what it is, and its objective; `rows` up to the length compared."""

    run: Run
    identity: Identity
    value: float
    rows: Sequence[Row]

    @property
    def is_known(self) -> bool:
        """Whether it counts: it reached the length compared, or diverged on the way."""
        return not math.isnan(self.value)


@dataclass(frozen=True)
class Setting:
    """Runs that differ only in their seeds. values: of what the sweep varied, in the order of `Comparison.varied`."""

    values: tuple[Value, ...]
    runs: Sequence[Judged]

    @property
    def known(self) -> list[float]:
        """The objectives of the runs that count."""
        return [run.value for run in self.runs if run.is_known]

    @property
    def median(self) -> float:
        """Of the runs that count; NaN where none does."""
        return statistics.median(self.known) if self.known else objective.UNKNOWN

    @property
    def is_ranked(self) -> bool:
        """Whether more than half of its runs count: with fewer, their median says little of the setting."""
        return 2 * len(self.known) > len(self.runs)

    @property
    def best(self) -> Judged:
        """The best of its runs, by which the setting is repeated."""
        return min(self.runs, key=lambda run: (not run.is_known, run.value, run.run.seed))


@dataclass(frozen=True)
class Comparison:
    """Runs of one task. sequences: after how many they are compared; settings: the best first, too few runs last."""

    task: str
    objective: Objective
    sequences: int
    varied: Sequence[str]
    settings: Sequence[Setting]

    @cached_property
    def unfinished(self) -> list[Judged]:
        """The runs that did not get to the length compared, and those that diverged on the way."""
        return [run for setting in self.settings for run in setting.runs if not run.is_known or math.isinf(run.value)]

    @property
    def lengths(self) -> list[int]:
        """For how many sequences the runs were trained, each number once."""
        return sorted({run.run.sequences for setting in self.settings for run in setting.runs if run.is_known})

    def is_number(self, key: str) -> bool:
        """Whether all values of a varied key are numbers."""
        column = self.varied.index(key)
        return all(_is_number(setting.values[column]) for setting in self.settings)


def find(places: Sequence[Path]) -> list[Run]:
    """All runs in and below these folders, each once. Raises `UsageError` for one without any, and a damaged record."""
    found: dict[Path, Run] = {}
    for place in places:
        if not place.is_dir():
            raise UsageError(f"{place}: no such folder; name one of runs, as in results/sweeps/learning_rate")
        here = [runs.read(path.parent) for path in sorted(place.rglob("summary.json"))]
        if not here:
            raise UsageError(f"{place}: no runs there (no summary.json); name a folder of runs")
        found |= {run.folder.resolve(): run for run in here if run is not None}
    return list(found.values())


def never_begun(places: Sequence[Path]) -> list[Path]:
    """Folders of runs that left a log or a config and no summary: what failed before its first sequence."""
    logs = (path.parent for place in places for name in ("train.log", "config.yaml") for path in place.rglob(name))
    return sorted({folder for folder in logs if folder.name != ".hydra" and not RunFolder(folder).summary.exists()})


def compare(
    found: Sequence[Run],
    identify: Callable[[Run], Identity],
    kind: Objective,
    sequences: int | None = None,
    condition: Condition = None,
) -> Comparison:
    """The comparison of runs of one task, after `sequences` or as many as the shortest was to be trained on.

    identify: what makes a run what it is. condition: what `wrong_bits_long` is about. Raises `UsageError` for a damaged
    record.
    """
    length = sequences or min(run.planned for run in found)
    judged = [_judged(run, identify(run), kind, length, condition) for run in found]
    varied = varied_keys([run.identity for run in judged])
    by_values: dict[tuple[Value, ...], list[Judged]] = {}
    for run in judged:
        by_values.setdefault(tuple(run.identity.get(key) for key in varied), []).append(run)
    settings = [Setting(values, sorted(members, key=lambda run: run.run.seed)) for values, members in by_values.items()]
    return Comparison(found[0].task, kind, length, varied, sorted(settings, key=_order))


def _judged(run: Run, identity: Identity, kind: Objective, length: int, condition: Condition) -> Judged:
    end = -(-length // _batch_size(run)) * _batch_size(run)
    diverged = run.has_diverged and run.sequences < end
    known = (run.sequences >= end or diverged) and not (kind is Objective.wrong_bits_long and run.sequences > end)
    value = objective.of_run(kind, run, end, condition) if known else objective.UNKNOWN
    return Judged(run, identity, value, objective.rows(run, end))


def _batch_size(run: Run) -> int:
    size = run.config["train"].get("batch_size", 1)
    return size if isinstance(size, int) and size > 0 else 1


def varied_keys(identities: Sequence[Identity]) -> list[str]:
    """The keys in which runs differ, less their seed, and less what follows from a choice of task, model or optimiser.

    >>> one = {"optimiser.name": "adam", "optimiser.beta1": 0.9, "train.learning_rate": 1e-3, "seed": 1}
    >>> other = {"optimiser.name": "graves_rmsprop", "optimiser.decay": 0.95, "train.learning_rate": 1e-4, "seed": 2}
    >>> varied_keys([one, other])
    ['optimiser.name']
    >>> varied_keys([one, other, {**one, "train.learning_rate": 1e-4}])
    ['optimiser.name', 'train.learning_rate']
    """
    keys = sorted({key for identity in identities for key in identity} - {"seed"})
    names = [key for key in keys if key.endswith(NAME)]
    by_choice: dict[tuple[Value, ...], list[Identity]] = {}
    for identity in identities:
        by_choice.setdefault(tuple(identity.get(name) for name in names), []).append(identity)
    chosen = [name for name in names if len({identity.get(name) for identity in identities}) > 1]
    within = [key for key in keys if any(len({str(one.get(key)) for one in alike}) > 1 for alike in by_choice.values())]
    return chosen + within


def shown(key: str) -> str:
    """A key as the command line has it, for a choice without its `.name`."""
    return key.removesuffix(NAME)


def printed(value: Value) -> str:
    """A value as the command line takes it."""
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "–"}[value]
    return f"{value:g}" if isinstance(value, float) else str(value)


def _is_number(value: Value) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _order(setting: Setting) -> tuple[bool, float, float, str]:
    """The best first: by the median, then by the best seed."""
    known = setting.known
    return (not setting.is_ranked, setting.median if known else 0.0, min(known, default=0.0), str(setting.values))
