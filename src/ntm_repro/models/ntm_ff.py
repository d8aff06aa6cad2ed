"""The Neural Turing Machine with a feedforward controller (paper section 4, Table 1)."""

import torch

from ntm_repro.models import initialisation
from ntm_repro.models.controllers import Feedforward
from ntm_repro.models.ntm import NTM, Settings

__all__ = ["Settings", "build"]


def build(settings: Settings, inputs: int, outputs: int, generator: torch.Generator) -> NTM:
    """An NTM with a feedforward controller."""
    controller_inputs = inputs + settings.heads * settings.memory.width
    controller = Feedforward(controller_inputs, settings.controller.size, settings.controller.layers, generator)
    initialisation.widen_inputs(controller.layers[0], inputs)  # type: ignore[arg-type]
    return NTM(controller, inputs, outputs, settings, generator)
