"""How weights start: N(0, 0.1²), but for those of an NTM's inputs N(0, 1/I); biases at zero.

The paper does not say. This follows Graves (2013, "Generating Sequences with Recurrent Neural Networks", section 4) in
spirit, and the LSTM baseline then follows the paper's copy curve, which torch's default initialisation does not. The
controllers of NTMs learn faster if their I inputs drive each unit with a variance of order 1 whatever I is (LOG.md). A
feedforward controller may begin with biases as well: see `ntm_ff`.
"""

import math

import torch
from torch import nn

WEIGHT_DEVIATION = 0.1


def weight(*shape: int, generator: torch.Generator, deviation: float = WEIGHT_DEVIATION) -> nn.Parameter:
    """A parameter drawn from N(0, deviation²)."""
    return nn.Parameter(torch.randn(*shape, generator=generator) * deviation)


def bias(*shape: int) -> nn.Parameter:
    """A parameter that starts at zero."""
    return nn.Parameter(torch.zeros(*shape))


def linear(inputs: int, outputs: int, generator: torch.Generator) -> nn.Linear:
    """An affine layer with N(0, 0.1) weights and zero biases."""
    # torch draws weights of its own first. (skip_init would not, but takes 0.4 s to import what it needs for that.)
    with torch.random.fork_rng(devices=[]):
        layer = nn.Linear(inputs, outputs)
    layer.weight = weight(outputs, inputs, generator=generator)
    layer.bias = bias(outputs)
    return layer


@torch.no_grad()
def widen_inputs(layer: nn.Linear, inputs: int) -> None:
    """Make the weights of a fresh layer's first `inputs` columns N(0, 1 / inputs)."""
    layer.weight[:, :inputs] *= 1 / (WEIGHT_DEVIATION * math.sqrt(inputs))


@torch.no_grad()
def scatter_biases(layer: nn.Linear, deviation: float, generator: torch.Generator) -> None:
    """Draw the biases of a fresh layer from N(0, deviation²)."""
    layer.bias.copy_(torch.randn(layer.bias.shape, generator=generator) * deviation)
