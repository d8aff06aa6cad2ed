"""What several test modules share."""

import os
import resource
import sys
from contextlib import contextmanager

# Short sequences and a small memory: a run of hundreds of sequences in seconds.
TINY = (
    "task.max_length=2",
    "model.controller.size=12",
    "model.memory.locations=10",
    "model.memory.width=6",
    "train.learning_rate=1e-3",
)


def arguments(*words: str) -> list[str]:
    """The argument list of `python -m ntm_repro <words>`."""
    return [sys.executable, "-m", "ntm_repro", *words]


def environment() -> dict[str, str]:
    return {**os.environ, "OMP_NUM_THREADS": "1", "COLUMNS": "100"}


@contextmanager
def files_no_longer_than(size):
    """The operating system itself refuses to write past `size` bytes, after writing those that fit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
