"""The paper's models. One is found by its file's name, which holds its `Settings` and `build`."""

from importlib import import_module
from typing import Any

import torch

from ntm_repro.models.base import Model, State, Unrolled
from ntm_repro.randomness import Purpose, Stream

__all__ = ["Model", "State", "Unrolled", "build", "settings_type"]


def settings_type(name: str) -> type[Any]:
    """The dataclass of settings in `models/<name>.py`, with its `check()`."""
    found: type[Any] = import_module(f"{__name__}.{name}").Settings
    return found


def build(settings: Any, inputs: int, outputs: int, seed: int) -> Model:
    """The model that `settings.name` names, its weights drawn from `seed` alone (on the CPU, in float32)."""
    words = Stream(seed, Purpose.INITIALISATION).words(0, 1)
    generator = torch.Generator().manual_seed(int(words[0] >> 1))
    model: Model = import_module(f"{__name__}.{settings.name}").build(settings, inputs, outputs, generator)
    return model
