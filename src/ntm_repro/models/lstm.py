"""The LSTM baseline (paper section 4.6, Table 3): a skip-connected stack whose every layer feeds the output.

Its parameter count P(H, I, O) = 4H(I+H+1) + 2·4H(I+2H+1) + 6H + O(3H+1) for three layers equals Table 3 to the unit for
copy, repeat copy, associative recall and dynamic N-grams; priority sort gives 348,424 where 384,424 is printed.

Shape suffixes: B sequences of the batch, I inputs, O outputs.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from ntm_repro.errors import check_setting
from ntm_repro.models import initialisation
from ntm_repro.models.base import Model
from ntm_repro.models.controllers import LSTMStack, LSTMState


@dataclass
class Settings:
    """A stack of LSTM layers.

    size: cells of a layer.
    layers: how many of them.
    """

    name: str = "lstm"
    size: int = 256
    layers: int = 3

    def __post_init__(self) -> None:
        check_setting(self.size >= 1, "size", self.size, "must be 1 or more")
        check_setting(self.layers >= 1, "layers", self.layers, "must be 1 or more")


class LSTM(Model):
    """A stack of LSTM layers and a linear output.

    >>> model = build(Settings(), inputs=10, outputs=9, generator=torch.Generator().manual_seed(1))
    >>> model.parameter_count
    1352969
    """

    def __init__(self, inputs: int, outputs: int, settings: Settings, generator: torch.Generator) -> None:
        super().__init__()
        self.stack = LSTMStack(inputs, settings.size, settings.layers, generator)
        self.output = initialisation.linear(self.stack.size, outputs, generator)

    def initial_state(self, batch_size: int) -> tuple[LSTMState, ...]:
        return self.stack.initial_state(batch_size)

    def advance(self, x_BI: Tensor, state: tuple[LSTMState, ...]) -> tuple[Tensor, tuple[LSTMState, ...], None]:
        h_BH, state = self.stack(x_BI, state)
        return self.output(h_BH), state, None


def build(settings: Settings, inputs: int, outputs: int, generator: torch.Generator) -> LSTM:
    """The paper's baseline for tasks with these channels."""
    return LSTM(inputs, outputs, settings, generator)
