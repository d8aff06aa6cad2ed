"""What several test modules share."""

import os
import sys

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
