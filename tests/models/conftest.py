"""What the tests of the models share."""

import importlib.util
from pathlib import Path

import pytest
import torch


@pytest.fixture(scope="session")
def naive():
    """The module `naive_ntm.py` next to this file: the same machine written as loops."""
    spec = importlib.util.spec_from_file_location("naive_ntm", Path(__file__).with_name("naive_ntm.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


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
