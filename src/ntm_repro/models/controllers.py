"""Networks that see the input and the read vectors and decide what the heads do (paper section 3.4).

Both share one contract: `initial_state(batch_size)`, `forward(x_BI, state) -> (h_BH, state)`, and `size`, h's width.
Shape suffixes: B sequences of the batch, I inputs, H cells of one layer, G = 4H gate pre-activations.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from ntm_repro.models import initialisation


class LSTMState(NamedTuple):
    """hidden_BH and cell_BH of one layer."""

    hidden_BH: Tensor
    cell_BH: Tensor


class LSTMLayer(nn.Module):
    """LSTM cells: one bias per gate, no peepholes, learned initial hidden and cell vectors (paper section 4.6)."""

    def __init__(self, inputs: int, size: int, generator: torch.Generator) -> None:
        super().__init__()
        # Rows: input, forget, candidate and output gates. Columns: the inputs, then the layer's previous hidden vector.
        self.gates = initialisation.linear(inputs + size, 4 * size, generator)
        self.hidden_H = initialisation.bias(size)
        self.cell_H = initialisation.bias(size)

    def initial_state(self, batch_size: int) -> LSTMState:
        return LSTMState(self.hidden_H.expand(batch_size, -1), self.cell_H.expand(batch_size, -1))

    def forward(self, x_BI: Tensor, state: LSTMState) -> LSTMState:
        gates_BG = self.gates(torch.cat([x_BI, state.hidden_BH], -1))
        input_BH, forget_BH, candidate_BH, output_BH = gates_BG.chunk(4, -1)
        cell_BH = forget_BH.sigmoid() * state.cell_BH + input_BH.sigmoid() * candidate_BH.tanh()
        return LSTMState(output_BH.sigmoid() * cell_BH.tanh(), cell_BH)


class LSTMStack(nn.Module):
    """LSTM layers with skip connections: every layer sees the input, and `h` joins the hidden vectors of all layers.

    With three layers and a linear output this is the paper's baseline, whose parameter counts in Table 3 admit no other
    wiring. The same stack serves as the NTM's LSTM controller; with one layer it is a plain LSTM.
    """

    def __init__(self, inputs: int, size: int, layers: int, generator: torch.Generator) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            LSTMLayer(inputs + (size if below else 0), size, generator) for below in range(layers)
        )
        self.size = size * layers

    def initial_state(self, batch_size: int) -> tuple[LSTMState, ...]:
        return tuple(layer.initial_state(batch_size) for layer in self.layers)  # type: ignore[operator]

    def forward(self, x_BI: Tensor, state: tuple[LSTMState, ...]) -> tuple[Tensor, tuple[LSTMState, ...]]:
        below_BI = x_BI
        after: list[LSTMState] = []
        for layer, before in zip(self.layers, state, strict=True):
            after.append(layer(below_BI, before))
            below_BI = torch.cat([x_BI, after[-1].hidden_BH], -1)
        return torch.cat([layer_state.hidden_BH for layer_state in after], -1), tuple(after)


class Feedforward(nn.Module):
    """Layers of tanh units without a memory of their own: all that lasts is in the memory matrix (section 3.4)."""

    def __init__(self, inputs: int, size: int, layers: int, generator: torch.Generator) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            initialisation.linear(size if below else inputs, size, generator) for below in range(layers)
        )
        self.size = size

    def initial_state(self, batch_size: int) -> tuple[()]:
        return ()

    def forward(self, x_BI: Tensor, state: tuple[()]) -> tuple[Tensor, tuple[()]]:
        h_BH = x_BI
        for layer in self.layers:
            h_BH = layer(h_BH).tanh()
        return h_BH, ()


Controller = LSTMStack | Feedforward
