"""How weights start: N(0, 0.1²), except those of an NTM's inputs, N(0, 1/I); biases at zero.

The paper does not say. This follows Graves (2013, "Generating Sequences with Recurrent Neural Networks", section 4) in
spirit, and the LSTM baseline then follows the paper's copy curve, which torch's default initialisation does not. The
controllers of NTMs learn faster if their I inputs drive each unit with a variance of order 1 whatever I is (LOG.md). A
feedforward controller may begin with biases as well: see `ntm_ff`.

Every function draws from `generator`, or from torch's default generator where that is None.
"""

import math

import torch
from torch import Tensor, nn

WEIGHT_DEVIATION = 0.1


def empty_linear(num_inputs: int, num_outputs: int) -> nn.Linear:
    """An affine layer whose weights are still to be drawn; torch's generator is left as it was."""
    # torch draws weights of its own. (skip_init would not, but takes 0.4 s to import what it needs for that.)
    with torch.random.fork_rng(devices=[]):
        return nn.Linear(num_inputs, num_outputs)


@torch.no_grad()
def draw(tensor: Tensor, generator: torch.Generator | None, deviation: float = WEIGHT_DEVIATION) -> None:
    """Fill a tensor of any shape from N(0, deviation²)."""
    # On the CPU and in float32 whatever the tensor's own place and type: the same numbers everywhere.
    numbers = torch.randn(tensor.shape, generator=generator, dtype=torch.float32, device="cpu")
    tensor.copy_(numbers * deviation)


@torch.no_grad()
def draw_linear(layer: nn.Linear, generator: torch.Generator | None) -> None:
    """Draw a layer's weights from N(0, 0.1²) and set its biases to zero."""
    draw(layer.weight, generator)
    layer.bias.zero_()


@torch.no_grad()
def widen_inputs(layer: nn.Linear, num_inputs: int) -> None:
    """Make the weights of a fresh layer's first `num_inputs` columns N(0, 1 / num_inputs)."""
    layer.weight[:, :num_inputs] *= 1 / (WEIGHT_DEVIATION * math.sqrt(num_inputs))
