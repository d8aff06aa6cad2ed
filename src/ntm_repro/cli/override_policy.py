"""What a command line may override: settings of a run, and of Hydra only how its jobs are launched."""

import shutil
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from typing import Any

from hydra.core.override_parser.types import Override

from ntm_repro.errors import UsageError

# Set by the suite itself; given by hand they would put a run's files in two places or its sizes out of step.
FOLDERS = ("hydra.run", "hydra.sweep", "hydra.output_subdir", "hydra.job.chdir", "hydra.job.name", "hydra.runtime")
# All of Hydra that is left: what else it takes could name code to run, or break the checks made before it starts.
LAUNCHER = "hydra/launcher"
LAUNCHER_SETTINGS = "hydra.launcher."
# Launchers that come with an extra of ours: the extra, the package, and the program without which there is no use.
LAUNCHERS = {
    "joblib": ("sweep", "hydra_joblib_launcher", None),
    "submitit_local": ("slurm", "hydra_submitit_launcher", None),
    "submitit_slurm": ("slurm", "hydra_submitit_launcher", "sbatch"),
}
GROUPS = ("task", "model", "experiment", "debug")
OPTIONAL_GROUPS = ("experiment", "debug")


def check(overrides: Sequence[Override], options: Callable[[str], list[str]]) -> None:
    """Raise `UsageError` for what Hydra would take and the suite must not, naming the choices of a group.

    options: the names that a group takes.
    """
    for override in overrides:
        key = override.key_or_group
        if override.is_delete() and key not in OPTIONAL_GROUPS:
            raise UsageError(f"~{key}: a setting cannot be removed; give it another value")
        if override.package is not None:
            raise UsageError(f"{key}@{override.package}: a package cannot be chosen; write {key}=")
        if key == "paper":
            raise UsageError("paper: follows from task= and model=; change single values, as in model.heads=2")
        if key.startswith("hydra"):
            _check_of_hydra(key)
        if key == LAUNCHER:
            _check_launcher(override.value())
        if key in GROUPS and not override.is_delete():
            _check_choice(override, options(key))


def _check_of_hydra(key: str) -> None:
    if key.startswith(FOLDERS):
        raise UsageError(f"{key}: set run_dir= or results_dir= instead")
    setting = key.removeprefix(LAUNCHER_SETTINGS)
    if key != LAUNCHER and (setting == key or setting.startswith("_")):
        raise UsageError(f"{key}: not supported; of Hydra's settings there are {LAUNCHER}= and {LAUNCHER_SETTINGS}…=")


def _check_launcher(name: Any) -> None:
    if name not in LAUNCHERS:
        raise UsageError(f"{LAUNCHER}={name}: unknown; choose {' or '.join(LAUNCHERS)}")
    extra, package, program = LAUNCHERS[name]
    if find_spec("hydra_plugins") is None or find_spec(f"hydra_plugins.{package}") is None:
        raise UsageError(f"{LAUNCHER}={name}: not installed; pip install 'ntm-repro[{extra}]'")
    if program is not None and shutil.which(program) is None:
        raise UsageError(f"{LAUNCHER}={name}: no {program} here; submit from a machine of the cluster")


def _check_choice(override: Override, choices: Sequence[str]) -> None:
    key = override.key_or_group
    chosen: list[Any] = list(override.sweep_string_iterator()) if override.is_sweep_override() else [override.value()]
    for name in chosen:
        if name is None and key in OPTIONAL_GROUPS:
            continue
        if name not in choices:
            raise UsageError(f"{key}={name}: unknown; choose {' or '.join(choices)}")
