"""What the numbers were measured on. Torch-free, so that the command line can ask for the cores at once."""

import os
import platform
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path


@dataclass(frozen=True)
class Machine:
    """A machine and the source tree on it. peak: multiply-adds per second of one thread."""

    date: str
    cpu: str
    cores: int
    versions: dict[str, str]
    commit: str
    peak: float


def this_machine(peak: float) -> Machine:
    """This one, now."""
    from ntm_repro.training.run import source_state, versions

    commit, dirty = source_state()
    return Machine(
        date=datetime.now(UTC).date().isoformat(),
        cpu=_cpu(),
        cores=cores(),
        versions=versions(),
        commit="unknown" if commit is None else commit[:12] + (" with changes" if dirty else ""),
        peak=peak,
    )


def cores() -> int:
    """The CPU cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:  # not Linux
        lines = []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.processor() or platform.machine())
