"""Networks that see the input and the read vectors and decide what the heads do (paper section 3.4).

Both share one contract: `initial_state(batch_size)`, `forward(x_BI, state) -> (h_BH, state)`, `reset_parameters`, and
`size`, h's width. Shape suffixes: B sequences of the batch, I inputs, H cells of one layer, G = 4H gate
pre-activations.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from ntm_repro.models import initialisation
from ntm_repro.models.base import mapped


class LSTMState(NamedTuple):
    """hidden_BH and cell_BH of one layer."""

    hidden_BH: Tensor
    cell_BH: Tensor


class StackState(NamedTuple):
    """The state of every layer of a stack, the lowest first."""

    layers: tuple[LSTMState, ...]

    def detach(self) -> "StackState":
        """The same values, through which no gradient flows back."""
        return mapped(self, Tensor.detach)


class LSTMLayer(nn.Module):
    """LSTM cells: one bias per gate, no peepholes, learned initial hidden and cell vectors (paper section 4.6)."""

    def __init__(self, num_inputs: int, size: int) -> None:
        super().__init__()
        # Rows: input, forget, candidate and output gates. Columns: the inputs, then the layer's previous hidden vector.
        self.gates = initialisation.empty_linear(num_inputs + size, 4 * size)
        self.hidden_H = nn.Parameter(torch.zeros(size))
        self.cell_H = nn.Parameter(torch.zeros(size))

    @torch.no_grad()
    def reset_parameters(self, generator: torch.Generator | None = None) -> None:
        """Draw the weights anew; biases and the initial state become zero."""
        initialisation.draw_linear(self.gates, generator)
        self.hidden_H.zero_()
        self.cell_H.zero_()

    def initial_state(self, batch_size: int) -> LSTMState:
        """The learned state before the first step."""
        return LSTMState(self.hidden_H.expand(batch_size, -1), self.cell_H.expand(batch_size, -1))

    def forward(self, x_BI: Tensor, state: LSTMState) -> LSTMState:
        """One step."""
        gates_BG = self.gates(torch.cat([x_BI, state.hidden_BH], -1))
        input_BH, forget_BH, candidate_BH, output_BH = gates_BG.chunk(4, -1)
        cell_BH = forget_BH.sigmoid() * state.cell_BH + input_BH.sigmoid() * candidate_BH.tanh()
        return LSTMState(output_BH.sigmoid() * cell_BH.tanh(), cell_BH)


class LSTMStack(nn.Module):
    """LSTM layers with skip connections: every layer sees the input, and `h` joins the hidden vectors of all layers.

    With three layers and a linear output this is the paper's baseline, whose parameter counts in Table 3 admit no other
    wiring. The same stack serves as the NTM's LSTM controller; with one layer it is a plain LSTM.
    """

    def __init__(self, num_inputs: int, size: int, num_layers: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(LSTMLayer(num_inputs + (size if below else 0), size) for below in range(num_layers))
        self.size = size * num_layers

    def reset_parameters(self, generator: torch.Generator | None = None) -> None:
        """Draw the weights of all layers anew."""
        for layer in self.layers:
            layer.reset_parameters(generator)  # type: ignore[operator]

    def initial_state(self, batch_size: int) -> StackState:
        """The learned state before the first step."""
        return StackState(tuple(layer.initial_state(batch_size) for layer in self.layers))  # type: ignore[operator]

    def forward(self, x_BI: Tensor, state: StackState) -> tuple[Tensor, StackState]:
        """One step: h_BH of all layers, and the next state."""
        below_BI = x_BI
        after: list[LSTMState] = []
        for layer, before in zip(self.layers, state.layers, strict=True):
            after.append(layer(below_BI, before))
            below_BI = torch.cat([x_BI, after[-1].hidden_BH], -1)
        return torch.cat([layer_state.hidden_BH for layer_state in after], -1), StackState(tuple(after))


class Feedforward(nn.Module):
    """Layers of tanh units without a memory of their own: all that lasts is in the memory matrix (section 3.4).

    hidden_bias: the standard deviation of the units' biases at the start; 0 sets them to zero.
    """

    def __init__(self, num_inputs: int, size: int, num_layers: int, hidden_bias: float = 0.0) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            initialisation.empty_linear(size if below else num_inputs, size) for below in range(num_layers)
        )
        self.size = size
        self.hidden_bias = hidden_bias

    def reset_parameters(self, generator: torch.Generator | None = None) -> None:
        """Draw the weights of all layers anew, then their biases."""
        for layer in self.layers:
            initialisation.draw_linear(layer, generator)  # type: ignore[arg-type]
        if self.hidden_bias:
            for layer in self.layers:
                initialisation.draw(layer.bias, generator, self.hidden_bias)  # type: ignore[arg-type]

    def initial_state(self, batch_size: int) -> tuple[()]:
        """Nothing: there is no state."""
        return ()

    def forward(self, x_BI: Tensor, state: tuple[()]) -> tuple[Tensor, tuple[()]]:
        """One step: h_BH of the last layer."""
        h_BH = x_BI
        for layer in self.layers:
            h_BH = layer(h_BH).tanh()
        return h_BH, ()


Controller = LSTMStack | Feedforward
