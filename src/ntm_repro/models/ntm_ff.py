"""The Neural Turing Machine with a feedforward controller (paper section 4, Table 1)."""

import math
from dataclasses import dataclass

import torch

from ntm_repro.errors import check_setting
from ntm_repro.models import initialisation, ntm
from ntm_repro.models.controllers import Feedforward
from ntm_repro.models.ntm import NTM, ReadOrder


@dataclass
class Settings(ntm.Settings):
    """Those of an NTM, and the initial biases of the controller.

    hidden_bias: the standard deviation of the hidden units' initial biases.

    This controller learns associative recall and repeat copy sooner if it reads first, and if its units differ even
    where nothing comes in, as after a query (LOG.md).
    """

    name: str = "ntm_ff"
    read_order: ReadOrder = ReadOrder.before
    hidden_bias: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        wide = self.hidden_bias
        check_setting(math.isfinite(wide) and wide >= 0, "hidden_bias", wide, "must be 0 or more")


def build(settings: Settings, inputs: int, outputs: int, generator: torch.Generator) -> NTM:
    """An NTM with a feedforward controller."""
    controller_inputs = inputs + settings.heads * settings.memory.width
    controller = Feedforward(controller_inputs, settings.controller.size, settings.controller.layers, generator)
    initialisation.widen_inputs(controller.layers[0], inputs)  # type: ignore[arg-type]
    if settings.hidden_bias:
        for layer in controller.layers:
            initialisation.scatter_biases(layer, settings.hidden_bias, generator)  # type: ignore[arg-type]
    return NTM(controller, inputs, outputs, settings, generator)
