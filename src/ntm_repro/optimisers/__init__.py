"""The suite's optimisers, one file each, found by the file's name.

Such a file holds `Settings` (a dataclass with `name`, checked as it is made, and `numbers()`: its values as compiled
code takes them), `SLOTS` (what is remembered of each parameter, by name), `COUNTS_UPDATES` (whether the number of steps
matters), `step` (the readable step in torch) and `compiled_step` (the same for compiled code). `base.py` runs either;
the learning rate and the clip come from outside.
"""

from importlib import import_module
from pathlib import Path
from typing import Any

from ntm_repro.errors import check_setting
from ntm_repro.kernels.flat_parameters import FlatParameters
from ntm_repro.optimisers.base import Optimiser

__all__ = ["Optimiser", "make", "names", "settings_type"]

NOT_OPTIMISERS = {"__init__", "base", "norm"}


def names() -> list[str]:
    """The names of all optimisers, in alphabetical order."""
    return sorted(path.stem for path in Path(__file__).parent.glob("*.py") if path.stem not in NOT_OPTIMISERS)


def settings_type(name: str) -> type[Any]:
    """The dataclass of settings of an optimiser; raises `InvalidSetting` for an unknown name."""
    check_setting(name in names(), "name", name, f"unknown; choose {' or '.join(names())}")
    settings: type[Any] = import_module(f"{__name__}.{name}").Settings
    return settings


def make(settings: Any, parameters: FlatParameters, compiled: bool) -> Optimiser:
    """The optimiser that `settings.name` names, for all numbers of `parameters`; nothing remembered yet."""
    return Optimiser(import_module(f"{__name__}.{settings.name}"), settings, parameters, compiled)
