"""Adam: both forms of the step are `torch.optim.Adam`'s."""

import math

import pytest
import torch
from support.optimising import Numbers

from ntm_repro.errors import InvalidSetting
from ntm_repro.optimisers import adam

either = pytest.mark.parametrize("compiled", [False, True], ids=["readable", "compiled"])


@either
@pytest.mark.parametrize("betas", [(0.9, 0.999), (0.9, 0.95), (0.0, 0.5)])
@pytest.mark.parametrize("epsilon", [1e-8, 1e-2])
def test_every_step_is_that_of_torch(compiled, betas, epsilon):
    generator = torch.Generator().manual_seed(1)
    first = torch.randn(40, generator=generator, dtype=torch.float64)
    scales = 10.0 ** torch.linspace(-6, 4, 40, dtype=torch.float64)
    ours = Numbers(adam.Settings(beta1=betas[0], beta2=betas[1], epsilon=epsilon), first.tolist(), compiled)
    theirs = torch.nn.Parameter(first.clone())
    optimiser = torch.optim.Adam([theirs], betas=betas, eps=epsilon)
    for k in range(100):
        rate = 1e-2 / (1 + k)
        gradient = torch.randn(40, generator=generator, dtype=torch.float64) * scales
        theirs.grad, optimiser.param_groups[0]["lr"] = gradient.clone(), rate
        optimiser.step()
        assert ours.step(gradient.tolist(), rate) == pytest.approx(theirs.tolist(), rel=1e-11, abs=1e-13)


@either
def test_the_gradient_is_scaled_and_then_each_component_bounded(compiled):
    ours, clipped = (Numbers(adam.Settings(), [0.0, 0.0, 0.0], compiled) for _ in range(2))
    for gradient in ([3.0, -4.0, 12.0], [-8.0, 0.5, -1.0]):
        bounded = [min(max(0.5 * g, -1.75), 1.75) for g in gradient]
        assert ours.step(gradient, factor=0.5, bound=1.75) == clipped.step(bounded)


@either
def test_the_first_step_is_the_rate_whatever_the_gradient(compiled):
    """Both moments are corrected for having started at zero."""
    assert Numbers(adam.Settings(), [0.0, 0.0], compiled).step([1e-3, -1e3], 0.01) == pytest.approx(
        [-0.01, 0.01], rel=1e-4
    )


def test_in_float32_compiled_and_readable_steps_agree():
    generator = torch.Generator().manual_seed(2)
    first = torch.randn(200, generator=generator).tolist()
    ours, theirs = (Numbers(adam.Settings(), first, compiled, torch.float32) for compiled in (True, False))
    for _ in range(200):
        gradient = torch.randn(200, generator=generator).tolist()
        for each in (ours, theirs):
            each.step(gradient, 1e-3)
    # Each of 200 steps of 1e-3 rounds a few times in 2⁻²⁴.
    torch.testing.assert_close(ours.values, theirs.values, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("key", "value"), [("beta1", 1.0), ("beta2", -0.1), ("beta2", 1.0), ("epsilon", 0.0), ("epsilon", math.nan)]
)
def test_impossible_settings_are_refused_by_key(key, value):
    with pytest.raises(InvalidSetting, match=f"^{key}={value}: must be"):
        adam.Settings(**{key: value})
