"""What the numbers were measured on. Torch-free, so that the command line can ask for the cores at once."""

from dataclasses import dataclass
from datetime import UTC, datetime

from ntm_repro.environment import cores, cpu_name, source_state, versions


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
    commit, dirty = source_state()
    return Machine(
        date=datetime.now(UTC).date().isoformat(),
        cpu=cpu_name(),
        cores=cores(),
        versions=versions(),
        commit="unknown" if commit is None else commit[:12] + (" with changes" if dirty else ""),
        peak=peak,
    )
