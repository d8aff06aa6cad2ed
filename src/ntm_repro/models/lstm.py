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
from ntm_repro.models.controllers import LSTMStack, StackState

LABEL, COLOUR = "LSTM", "#009e73"  # in figures (Okabe and Ito\'s colours)


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


class LSTMBaseline(Model):
    """A stack of LSTM layers, each of which sees the input and feeds a linear output (paper section 4.6).

    input_size, output_size: channels I and O. hidden_size: cells H of each layer. num_layers: at least 1.
    generator: draws the initial weights; torch's default generator by default. Raises `ValueError` for a size below 1.

    >>> core = LSTMBaseline(input_size=10, output_size=9)
    >>> core.parameter_count
    1352969
    >>> y_TBO, state = core(torch.zeros(5, 2, 10))
    >>> y_TBO.shape, state.layers[0].hidden_BH.shape
    (torch.Size([5, 2, 9]), torch.Size([2, 256]))
    """

    def __init__(
        self,
        input_size: int,
        output_size: int,
        hidden_size: int = 256,
        num_layers: int = 3,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        sizes = {"input_size": input_size, "output_size": output_size, "hidden_size": hidden_size}
        for name, value in (sizes | {"num_layers": num_layers}).items():
            check_setting(value >= 1, name, value, "must be 1 or more")
        self.input_size, self.output_size = input_size, output_size
        self.stack = LSTMStack(input_size, hidden_size, num_layers)
        self.output = initialisation.empty_linear(self.stack.size, output_size)
        self.reset_parameters(generator)

    def reset_parameters(self, generator: torch.Generator | None = None) -> None:
        """Draw all parameters anew, from `generator` or from torch's default one."""
        self.stack.reset_parameters(generator)
        initialisation.draw_linear(self.output, generator)

    def initial_state(self, batch_size: int) -> StackState:
        """The learned state before the first step, for `batch_size` sequences."""
        return self.stack.initial_state(batch_size)

    def advance(self, x_BI: Tensor, state: StackState) -> tuple[Tensor, StackState, None]:
        """One step: y_BO and the next state; there is no memory to trace."""
        h_BH, state = self.stack(x_BI, state)
        return self.output(h_BH), state, None


def build(settings: Settings, input_size: int, output_size: int, generator: torch.Generator) -> LSTMBaseline:
    """The paper's baseline for tasks with these channels."""
    return LSTMBaseline(input_size, output_size, settings.size, settings.layers, generator)
