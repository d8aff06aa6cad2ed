"""Models: the paper's three, one file each, and those of installed packages (entry points `ntm_repro.models`)."""

from collections.abc import Sequence
from typing import Any

import torch

from ntm_repro.models.base import Model, State, Unrolled
from ntm_repro.randomness import Purpose, Stream
from ntm_repro.registry import Registry

__all__ = ["Model", "State", "Unrolled", "build", "find", "names", "settings_type"]

_REQUIRED = ("Settings", "build")
_REGISTRY = Registry(__name__, _REQUIRED)


def names() -> list[str]:
    """The names of all models: those of this package, then those of installed ones."""
    return _REGISTRY.names()


def find(name: str) -> Any:
    """The module `models/<name>.py`, or the value of an entry point: with the dataclass `Settings`, and `build`.

    Raises `InvalidSetting` (a `ValueError`) for an unknown name, and for an entry point without these two.
    """
    registered = _REGISTRY.find(name)
    if not all(hasattr(registered, attribute) for attribute in _REQUIRED):
        raise _REGISTRY.unfit(name, f"has no {' or no '.join(_REQUIRED)}")
    return registered


def settings_type(name: str) -> type[Any]:
    """The dataclass of a model's settings; raises `InvalidSetting` as `find` does."""
    settings: type[Any] = find(name).Settings
    return settings


def build(settings: Any, inputs: int, outputs: int, seed: int, input_scale: Sequence[float] | None = None) -> Model:
    """The model that `settings.name` names, its weights drawn from `seed` alone.

    It is on the CPU and in float32, whatever torch's default device and type are. input_scale: for a model whose
    settings have `scale_inputs`, factors of the starting weights of its input channels.
    """
    words = Stream(seed, Purpose.INITIALISATION).words(0, 1)
    scaled = {} if input_scale is None else {"input_scale": input_scale}
    with torch.device("cpu"):
        generator = torch.Generator().manual_seed(int(words[0] >> 1))
        model: Model = find(settings.name).build(settings, inputs, outputs, generator, **scaled)
    return model if torch.get_default_dtype() is torch.float32 else model.to(torch.float32)
