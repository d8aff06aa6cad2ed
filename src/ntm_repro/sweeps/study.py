"""A study of Optuna's on disk, from which several processes take trials, and which survives all of them.

<folder>/study.db is the study (SQLite); trials.json says the same for programs that have no Optuna, and for jobs that
compare themselves with finished trials; workers/ has a locked file for each process at work. A trial whose process is
gone is given to the next that asks: its run goes on from its checkpoint.
"""

import fcntl
import math
import os
import socket
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from enum import Enum
from itertools import product
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np
import optuna
from optuna.distributions import BaseDistribution, distribution_to_json
from optuna.samplers import BaseSampler, RandomSampler, TPESampler
from optuna.trial import FrozenTrial, TrialState
from sqlalchemy.exc import SQLAlchemyError

from ntm_repro.errors import RunError, UsageError
from ntm_repro.files import write_json

PATIENCE = 60  # seconds that a process waits for another to be done with the database
LARGEST_GRID = 10_000  # points
OWNER, RUNS, ABOUT = "owner", "runs", "about"  # attributes of trials, and of the study
Space = Mapping[str, BaseDistribution]
Outcome = Enum("Outcome", "complete pruned failed")


class Trial(NamedTuple):
    """A point of the space that this process is to try."""

    number: int
    params: dict[str, Any]


class Sampling(NamedTuple):
    """How points are chosen. name: tpe, random or grid. fewest: random trials before tpe learns from them."""

    name: str
    seed: int
    fewest: int


class Study:
    """See the module. Use `opened`."""

    def __init__(self, folder: Path, name: str, url: str | None, space: Space, sampling: Sampling) -> None:
        self.folder, self.space, self.sampling = folder, space, sampling
        self.name = name
        self.where = url or str(folder / "study.db")
        self._url = url or f"sqlite:///{folder / 'study.db'}"
        self._me = f"{socket.gethostname()}-{os.getpid()}-{uuid.uuid4().hex[:8]}"
        self._study: optuna.Study
        self._storage: optuna.storages.RDBStorage

    def connect(self, about: Mapping[str, str]) -> None:
        """Open the study, or create it. Raises `UsageError` for a study of another space, `RunError` for no study."""
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        patient = {"connect_args": {"timeout": PATIENCE}} if self._url.startswith("sqlite") else {}
        self._storage = optuna.storages.RDBStorage(self._url, engine_kwargs=patient)
        self._study = optuna.create_study(storage=self._storage, study_name=self.name, load_if_exists=True)
        wanted = dict(about) | {key: distribution_to_json(space) for key, space in self.space.items()}
        recorded = self._study.user_attrs.get(ABOUT)
        if recorded is None:
            if self.sampling.name == "grid":
                values = [grid(key, space) for key, space in self.space.items()]
                for point in product(*values):
                    self._study.enqueue_trial(dict(zip(self.space, point, strict=True)), skip_if_exists=True)
            self._study.set_user_attr(ABOUT, wanted)
        elif recorded != wanted:
            changed = next(key for key in sorted(recorded | wanted) if recorded.get(key) != wanted.get(key))
            raise UsageError(
                f"hydra.sweeper.study_name={self.name}: {self.where} holds a study of another space ({changed} "
                "differs); choose another hydra.sweeper.study_name"
            )

    def take(self, count: int, trials: int) -> list[Trial]:
        """Up to `count` trials for this process, so that the study gets no more than `trials` in all.

        First those that a process has left that is gone.
        """
        taken: list[Trial] = []
        with self._locked():
            for trial in self._study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
                if len(taken) < count and not self._has_owner(trial):
                    if set(trial.params) == set(self.space):
                        self._own(trial.number)
                        taken.append(Trial(trial.number, dict(trial.params)))
                    else:  # its process ended before it was a point of the space
                        self._study.tell(trial.number, state=TrialState.FAIL)
            while len(taken) < count and self._begun() < trials and (self.sampling.name != "grid" or self._waiting()):
                self._study.sampler = self._sampler()
                asked = self._study.ask(fixed_distributions=dict(self.space))
                self._own(asked.number)
                taken.append(Trial(asked.number, dict(asked.params)))
        return taken

    def tell(
        self,
        trial: Trial,
        outcome: Outcome,
        value: float,
        rows: Sequence[tuple[int, float]],
        runs: Sequence[Mapping[str, Any]],
    ) -> None:
        """How a trial came out: its objective, (sequences, bits per sequence) of its rows, its runs' folders."""
        trial_id = self._trial_id(trial.number)
        if self._storage.get_trial(trial_id).state.is_finished():
            return  # by another process, which took this one for gone
        self._storage.set_trial_user_attr(trial_id, RUNS, [dict(run) for run in runs])
        for sequences, bits in rows:
            self._storage.set_trial_intermediate_value(trial_id, sequences, bits)
        if outcome is Outcome.complete and not math.isnan(value):
            self._study.tell(trial.number, value)
        else:
            state = TrialState.PRUNED if outcome is Outcome.pruned else TrialState.FAIL
            self._study.tell(trial.number, state=state)
        self.write()

    def write(self) -> None:
        """trials.json as the study is now. Raises `OSError`."""
        with self._locked():
            trials = [
                {
                    "number": trial.number,
                    "state": trial.state.name.lower(),
                    "value": None if trial.values is None or not math.isfinite(trial.values[0]) else trial.values[0],
                    "params": trial.params,
                    "runs": trial.user_attrs.get(RUNS, []),
                }
                for trial in self._study.get_trials(deepcopy=False)
                if trial.state is not TrialState.WAITING
            ]
            about = {"study": self.name, "trials": trials}
            write_json(self.folder / "trials.json", about)

    def best(self) -> FrozenTrial | None:
        """The finished trial of the smallest objective; None where none has a finite one."""
        finished = self._study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
        finite = [trial for trial in finished if trial.values is not None and math.isfinite(trial.values[0])]
        return min(finite, key=lambda trial: (trial.values[0], trial.number), default=None)

    def counts(self) -> dict[str, int]:
        """How many trials there are of each state."""
        states = [trial.state.name.lower() for trial in self._study.get_trials(deepcopy=False)]
        return {state: states.count(state) for state in dict.fromkeys(states)}

    def _begun(self) -> int:
        trials = self._study.get_trials(deepcopy=False)
        begun = [trial for trial in trials if trial.state is not TrialState.WAITING]
        return sum(trial.state is not TrialState.FAIL or set(trial.params) == set(self.space) for trial in begun)

    def _waiting(self) -> bool:
        """Whether a grid has points that nobody has taken."""
        return bool(self._study.get_trials(deepcopy=False, states=(TrialState.WAITING,)))

    def _sampler(self) -> BaseSampler:
        """Seeded by how many trials there are: the same history leads to the same next point, in whichever process."""
        words = np.random.SeedSequence([self.sampling.seed, len(self._study.get_trials(deepcopy=False))])
        seed = int(words.generate_state(1)[0])
        if self.sampling.name in ("random", "grid"):
            return RandomSampler(seed)
        return TPESampler(n_startup_trials=self.sampling.fewest, seed=seed, constant_liar=True)

    def _trial_id(self, number: int) -> int:
        study_id = self._storage.get_study_id_from_name(self.name)
        return self._storage.get_trial_id_from_study_id_trial_number(study_id, number)

    def _own(self, number: int) -> None:
        self._storage.set_trial_user_attr(self._trial_id(number), OWNER, self._me)

    def _has_owner(self, trial: FrozenTrial) -> bool:
        """Whether the process that took a trial is still at work: it holds its lock as long as it lives."""
        path = self.folder / "workers" / str(trial.user_attrs.get(OWNER, "none"))
        if path.name == self._me:
            return True
        try:
            with path.open("r+") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except FileNotFoundError:
            return False
        except OSError:
            return True
        path.unlink(missing_ok=True)
        return False

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Hold this process's own lock."""
        path = self.folder / "workers" / self._me
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            try:
                yield
            finally:
                path.unlink(missing_ok=True)

    @contextmanager
    def _locked(self) -> Iterator[IO[str]]:
        with (self.folder / ".lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield file


@contextmanager
def opened(
    folder: Path, name: str, url: str | None, space: Space, sampling: Sampling, about: Mapping[str, str]
) -> Iterator[Study]:
    """The study in `folder`, created where there is none, with this process at work on it.

    about: what all of its trials have in common. Raises `UsageError` for a study of another space, and `RunError` for a
    database that cannot be used: locked, damaged, or on a full disk.
    """
    study = Study(folder, name, url, space, sampling)
    try:
        with ExitStack() as stack:
            folder.mkdir(parents=True, exist_ok=True)
            stack.enter_context(study.at_work())
            with study._locked():  # two that create it at once would both fail
                study.connect(about)
            yield study
    except (SQLAlchemyError, optuna.exceptions.StorageInternalError) as error:
        raise RunError(f"{study.where}: {_reason(error)}; the runs are as they were") from error
    except OSError as error:
        raise RunError(f"{error.filename or folder}: {error.strerror}; the runs are as they were") from error


def _reason(error: Exception) -> str:
    """What the database says, without the statement that it refused."""
    cause: BaseException = error
    while cause.__cause__ is not None:
        cause = cause.__cause__
    said = str(getattr(cause, "orig", None) or cause).splitlines()[0]
    return f"{said} (by another program?)" if "locked" in said else said


def grid(key: str, space: BaseDistribution) -> list[Any]:
    """All values of a distribution that has single ones; raises `UsageError` for an interval."""
    if isinstance(space, optuna.distributions.CategoricalDistribution):
        return list(space.choices)
    if isinstance(space, optuna.distributions.IntDistribution) and not space.log:
        return list(range(space.low, space.high + 1, space.step))
    raise UsageError(f"{key}: has no single values for hydra/sweeper/sampler=grid; write choice(…) or range(…)")


def ends(space: BaseDistribution) -> list[Any]:
    """Every choice, or the least and the largest value."""
    if isinstance(space, optuna.distributions.CategoricalDistribution):
        return list(space.choices)
    assert isinstance(space, optuna.distributions.IntDistribution | optuna.distributions.FloatDistribution)
    return [space.low, space.high]
