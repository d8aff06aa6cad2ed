"""What the tests of the models share."""

import pytest
import torch
from support import naive_ntm


@pytest.fixture(scope="session")
def naive():
    """The module `support/naive_ntm.py`: the same machine written as loops."""
    return naive_ntm


@pytest.fixture(scope="session")
def scramble():
    """A function that makes a model float64 and every one of its parameters a random number of everyday size.

    Fresh models have zero biases and small weights: a forgotten bias or two exchanged heads would hardly show.
    """

    def scrambled(model, seed=0, deviation=0.5):
        generator = torch.Generator().manual_seed(seed)
        model.double()
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.copy_(torch.randn(parameter.shape, generator=generator, dtype=torch.float64) * deviation)
        return model

    return scrambled
