"""How weights start: N(0, 0.1) with zero biases.

The paper does not say. This follows Graves (2013, "Generating Sequences with Recurrent Neural Networks", section 4) in
spirit, and the LSTM baseline then follows the paper's copy curve, which torch's default initialisation does not.
"""

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
