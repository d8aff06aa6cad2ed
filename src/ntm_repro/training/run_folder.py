"""A run's folder: its files, whether it can be written, and the lock against a second process."""

import fcntl
import json
import logging
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from ntm_repro.errors import RunError, UsageError

log = logging.getLogger(__name__)

Resume = Enum("Resume", "auto never must previous")

# Left behind by a start that got no further: such a folder still counts as empty.
BEFORE = "before"  # the record of the run whose weights this one goes on from
HARMLESS = {".hydra", "train.log", ".lock", "config.yaml.tmp", BEFORE, f"{BEFORE}.tmp"}
TRIAL = ".ntm-"  # beginning of the name of a folder made to see whether one can be
# As long as the longest name that a run writes, an event file with its host's name: a path too long for the file system
# is refused before training.
LONGEST_NAME = "events.out.tfevents." + 100 * "x"


@dataclass(frozen=True)
class RunFolder:
    """The files of one run."""

    path: Path

    @property
    def config(self) -> Path:
        """The resolved settings, without where and how the run was started."""
        return self.path / "config.yaml"

    @property
    def log(self) -> Path:
        """The job's log, with the traceback of a bug."""
        return self.path / "train.log"

    @property
    def metrics(self) -> Path:
        """The record: one row per window."""
        return self.path / "metrics.csv"

    @property
    def summary(self) -> Path:
        """The state of the run in one JSON object; see `read_summary`."""
        return self.path / "summary.json"

    @property
    def weights(self) -> Path:
        """The weights alone, written when the run ends."""
        return self.path / "weights.safetensors"

    @property
    def evaluation(self) -> Path:
        """What ntm-eval found on the paper's conditions."""
        return self.path / "eval.json"

    @property
    def beyond(self) -> Path:
        """What ntm-eval found on conditions beyond the paper's."""
        return self.path / "beyond.json"

    @property
    def diverged(self) -> Path:
        """The weights and the batch of an update that gave no finite number."""
        return self.path / "diverged.safetensors"

    @property
    def before(self) -> "RunFolder":
        """The record of the run whose weights this one went on from, where it is known."""
        return RunFolder(self.path / BEFORE)

    def read_summary(self) -> dict[str, Any] | None:
        """summary.json, or None where there is none that can be read."""
        try:
            summary = json.loads(self.summary.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return summary if isinstance(summary, dict) else None

    @property
    def is_empty(self) -> bool:
        """Whether it does not exist or holds only what a start leaves that got no further."""
        return not self.path.exists() or all(map(_is_harmless, self.path.iterdir()))

    def check_writable(self) -> None:
        """Raise `UsageError` unless the folder could be created or written; leaves no trace."""
        ancestor = self.path  # the nearest that exists
        while not os.path.lexists(ancestor) and ancestor != ancestor.parent:
            ancestor = ancestor.parent
        if not ancestor.is_dir():
            raise UsageError(f"run_dir={self.path}: {ancestor} is not a folder; choose another run_dir or results_dir")
        try:
            # Permissions say little to a superuser or on a read-only file system: try it.
            Path(tempfile.mkdtemp(prefix=TRIAL, dir=ancestor)).rmdir()
            with suppress(FileNotFoundError):
                os.lstat(self.path / LONGEST_NAME)
        except OSError as error:
            raise UsageError(
                f"run_dir={self.path}: cannot be written ({error.strerror}); choose another run_dir or results_dir"
            ) from error

    @contextmanager
    def locked(self, wait: bool = False) -> Iterator[None]:
        """Hold the lock of the folder, which is created if necessary.

        wait: for another process that holds it, until that is done. Raises `UsageError` if another holds it, and
        `RunError` if the folder cannot be written any more.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            lock = (self.path / ".lock").open("w")
        except OSError as error:
            raise RunError(f"{error.filename or self.path}: {error.strerror}; nothing was changed there") from error
        with lock as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
            except BlockingIOError as error:
                raise UsageError(f"run_dir={self.path}: another process is training there") from error
            except OSError as error:
                log.warning("no lock on %s (%s): make sure that no other process trains there", self.path, error)
            yield


def _is_harmless(entry: Path) -> bool:
    return entry.name in HARMLESS or entry.name.startswith(TRIAL)
