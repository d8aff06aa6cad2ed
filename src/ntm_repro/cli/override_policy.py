"""What a command line may override: settings of a run, and of Hydra how its jobs are swept, launched and logged."""

import shutil
from collections.abc import Callable, Sequence
from typing import Any

from hydra.core.override_parser.types import Override

from ntm_repro.cli import schema
from ntm_repro.errors import UsageError

LAUNCHER, SWEEPER = "hydra/launcher", "hydra/sweeper"
PLUGIN_GROUPS = (LAUNCHER, SWEEPER, "hydra/sweeper/sampler", "hydra/sweeper/pruner")
ALLOWED = ("hydra.launcher.", "hydra.sweeper.", "hydra.job.", "hydra.verbose")
# Refused, and why; the longest prefix counts.
FOLDERS = "set run_dir= or results_dir= instead"
REFUSED = {
    "hydra.run": FOLDERS,
    "hydra.sweep": FOLDERS,
    "hydra.output_subdir": FOLDERS,
    "hydra.runtime": FOLDERS,
    "hydra.job.chdir": FOLDERS,
    "hydra.job.name": "names the log in a run's folder; set run_dir= or results_dir= instead",
    "hydra.mode": "add -m",
    "hydra.searchpath": "add --config-dir",
    "hydra.callbacks": "code of one's own runs through a launcher, a sweeper or a task",
    "hydra/job_logging": "train.log and the terminal are part of what a run promises; hydra.verbose=true logs more",
    "hydra.job_logging": "train.log and the terminal are part of what a run promises; hydra.verbose=true logs more",
}
# What comes with an extra of ours; and a program without which a launcher is of no use.
EXTRAS = {
    (LAUNCHER, "joblib"): "sweep",
    (LAUNCHER, "submitit_local"): "slurm",
    (LAUNCHER, "submitit_slurm"): "slurm",
    (LAUNCHER, "ray"): "ray",
    (SWEEPER, "optuna"): "tune",
}
PROGRAMS = {"submitit_slurm": "sbatch"}
OPTIONAL_GROUPS = ("experiment", "sweep", "debug")
GROUPS = ("recipe", *schema.TYPED_GROUPS, *OPTIONAL_GROUPS)
# Groups whose choice follows from others.
FOLLOWING = ("paper", "stable", "others")


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
        if key.partition("/")[0] in FOLLOWING:
            why = "follows from recipe=, task= and model=; change single values, as in model.heads=2"
            raise UsageError(f"{key}: {why}")
        if key.partition(".")[0].partition("/")[0] == "hydra":
            _check_of_hydra(override)
        if key in PLUGIN_GROUPS:
            _check_plugin(key, override.value(), options(key))
        if key in GROUPS and not override.is_delete():
            _check_choice(override, options(key))


def _check_of_hydra(override: Override) -> None:
    key = override.key_or_group
    if override.is_sweep_override():
        raise UsageError(f"{override.input_line}: a setting of Hydra's takes one value")
    refuse(key)
    # An underscore begins what names code: a launcher and a sweeper are chosen by name among those installed.
    names_code = any(part.startswith("_") for part in key.split("."))
    if names_code or not (key in PLUGIN_GROUPS or key.startswith(ALLOWED)):
        settings = ", ".join(name.removesuffix(".") for name in (*PLUGIN_GROUPS, *ALLOWED))
        raise UsageError(f"{key}: not supported; of Hydra's settings there are {settings}")


def refuse(key: str) -> None:
    """Raise `UsageError` for a key of Hydra's that has no use here or does harm, with the reason."""
    for prefix in sorted(REFUSED, key=len, reverse=True):
        if key == prefix or key.startswith((f"{prefix}.", f"{prefix}/")):
            raise UsageError(f"{key}: not supported; {REFUSED[prefix]}")


def _check_plugin(key: str, name: Any, choices: Sequence[str]) -> None:
    if name not in choices:
        if (key, name) in EXTRAS:
            raise UsageError(f"{key}={name}: not installed; pip install 'ntm-repro[{EXTRAS[key, name]}]'")
        raise UsageError(f"{key}={name}: unknown, or not installed; choose {' or '.join(choices)}")
    program = PROGRAMS.get(name)
    if program is not None and shutil.which(program) is None:
        raise UsageError(f"{key}={name}: no {program} here; submit from a machine of the cluster")


def _check_choice(override: Override, choices: Sequence[str]) -> None:
    key = override.key_or_group
    if override.is_sweep_override() and not override.is_discrete_sweep():
        raise UsageError(f"{override.input_line}: a choice has no interval; choose among {', '.join(choices)}")
    chosen: list[Any] = list(override.sweep_string_iterator()) if override.is_sweep_override() else [override.value()]
    for name in chosen:
        if name is None and key in OPTIONAL_GROUPS:
            raise UsageError(f"{key}=null: leave it out for none; or choose {' or '.join(choices)}")
        if name not in choices:
            raise UsageError(f"{key}={name}: unknown; choose {' or '.join(choices)}")
