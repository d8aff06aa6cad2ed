"""What a run's numbers depend on beside its settings: the machine, the versions of packages, the source tree."""

import os
import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import NamedTuple

PACKAGES = ("ntm-repro", "torch", "numpy", "numba", "hydra-core", "omegaconf")


class SourceState(NamedTuple):
    """The commit of the source tree this runs from and whether it has changes; None outside a git checkout."""

    commit: str | None
    dirty: bool | None


def cpu_name() -> str:
    """The CPU as the operating system names it. Another CPU may round otherwise, and then learns otherwise."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:  # not Linux
        lines = []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor() or platform.machine())


def cores() -> int:
    """The CPU cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def versions() -> dict[str, str]:
    """Versions of Python and the packages that compute, and the kind of operating system and processor."""
    versions_by_name = {"python": platform.python_version(), "machine": f"{platform.system()} {platform.machine()}"}
    for package in PACKAGES:
        try:
            versions_by_name[package] = version(package)
        except PackageNotFoundError:
            versions_by_name[package] = "not installed"
    return versions_by_name


def source_state() -> SourceState:
    """The commit of the source tree this runs from and whether it has changes; None outside a git checkout."""
    here = Path(__file__).parent

    def git(*arguments: str) -> str | None:
        try:
            done = subprocess.run(["git", *arguments], cwd=here, capture_output=True, text=True, timeout=10, check=True)
        except (OSError, subprocess.SubprocessError):
            return None
        return done.stdout.strip()

    # An installed package may lie inside somebody else's repository: only a tracked file says whose commit this is.
    if git("ls-files", "--error-unmatch", Path(__file__).name) is None:
        return SourceState(None, None)
    status = git("status", "--porcelain", "--untracked-files=no")
    return SourceState(git("rev-parse", "HEAD"), None if status is None else bool(status))
