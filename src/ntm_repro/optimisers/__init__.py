"""The suite's optimisers, one file each, found by the file's name.

Such a file holds `Settings` (a dataclass with `name`, checked as it is made, and `numbers()`: its values as compiled
code takes them), `SLOTS` (what is remembered of each parameter, by name), `COUNTS_UPDATES` (whether the number of steps
matters) and `step` (the readable step in torch). It may hold `compiled_step`, the same for compiled code, without which
training takes its updates one by one. `base.py` runs either; the learning rate and the clip come from outside.
"""

from typing import Any

from ntm_repro.kernels.flat_parameters import FlatParameters
from ntm_repro.optimisers.base import Optimiser
from ntm_repro.registry import Registry

__all__ = ["Optimiser", "make", "names", "settings_type"]

_REGISTRY = Registry(__name__, required=("Settings", "SLOTS", "COUNTS_UPDATES", "step"))


def names() -> list[str]:
    """The names of all optimisers: the package's own in alphabetical order, then those of installed packages."""
    return _REGISTRY.names()


def settings_type(name: str) -> type[Any]:
    """The dataclass of settings of an optimiser; raises `InvalidSetting` for an unknown name."""
    settings: type[Any] = _REGISTRY.find(name).Settings
    return settings


def make(settings: Any, parameters: FlatParameters, compiled: bool) -> Optimiser:
    """The optimiser that `settings.name` names, for all numbers of `parameters`; nothing remembered yet."""
    return Optimiser(_REGISTRY.find(settings.name), settings, parameters, compiled)
