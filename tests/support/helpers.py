"""What several test modules share."""

import math
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

# Seconds that a command may take: the first on a machine compiles the fused kernel, and others may at the same time.
# Four times what an idle machine of two cores needs at most; less than the limit of a test in pyproject.toml.
PATIENCE = 900


def arguments(*words: str) -> list[str]:
    """The argument list of `python -m ntm_repro <words>`."""
    return [sys.executable, "-m", "ntm_repro", *words]


def environment() -> dict[str, str]:
    return {**os.environ, "COLUMNS": "100"}


@contextmanager
def files_no_longer_than(size):
    """The operating system itself refuses to write past `size` bytes, after writing those that fit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def rmsprop_by_hand(theta, gradients, rates):
    """Graves' RMSProp of one component in plain floats, from no gradients before; its value after each step."""
    n = m = change = 0.0
    path = []
    for g, rate in zip(gradients, rates, strict=True):
        n = 0.95 * n + 0.05 * g * g
        m = 0.95 * m + 0.05 * g
        change = 0.9 * change - rate * g / math.sqrt(n - m * m + 1e-4)
        theta += change
        path.append(theta)
    return path
