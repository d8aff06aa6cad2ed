"""The running mean of the weights is an exponential one, alike in torch and in compiled code."""

import numpy as np
import pytest
import torch

from ntm_repro.optimisers import mean

both = pytest.mark.parametrize("compiled", [False, True])


@both
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("share", [0.001, 0.3, 1.0])
def test_each_number_is_what_the_formula_says(compiled, dtype, share):
    values = torch.randn(20, 48, generator=torch.Generator().manual_seed(1)).to(dtype)
    found, expected = torch.zeros(48, dtype=dtype), np.zeros(48)
    for value_P in values:
        before = value_P.clone()
        mean.step(found, value_P, share, compiled)
        assert torch.equal(value_P, before)
        expected = (1 - share) * expected + share * value_P.double().numpy()
    precision = 1e-12 if dtype is torch.float64 else 1e-5
    np.testing.assert_allclose(found.numpy(), expected, rtol=precision, atol=precision)


@both
def test_a_mean_over_one_update_is_the_weights(compiled):
    value_P = torch.randn(16, generator=torch.Generator().manual_seed(1))
    mean_P = torch.zeros(16)
    mean.step(mean_P, value_P, 1.0, compiled)
    assert torch.equal(mean_P, value_P)
