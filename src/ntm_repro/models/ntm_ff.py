"""The Neural Turing Machine with a feedforward controller (paper section 4, Table 1)."""

from dataclasses import dataclass

import torch

from ntm_repro.models import initialisation, ntm
from ntm_repro.models.controllers import Feedforward
from ntm_repro.models.ntm import NTM, ReadOrder


@dataclass
class Settings(ntm.Settings):
    """Those of an NTM. This controller learns associative recall and repeat copy sooner if it reads first (LOG.md)."""

    name: str = "ntm_ff"
    read_order: ReadOrder = ReadOrder.before


def build(settings: Settings, inputs: int, outputs: int, generator: torch.Generator) -> NTM:
    """An NTM with a feedforward controller."""
    controller_inputs = inputs + settings.heads * settings.memory.width
    controller = Feedforward(controller_inputs, settings.controller.size, settings.controller.layers, generator)
    initialisation.widen_inputs(controller.layers[0], inputs)  # type: ignore[arg-type]
    return NTM(controller, inputs, outputs, settings, generator)
