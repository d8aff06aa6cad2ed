"""Whatever runs a sequence gives the result of the readable reference, `model.unroll`."""

import pytest
import torch

from ntm_repro import kernels, models
from ntm_repro.models import lstm, ntm


def built(name):
    if name == "lstm":
        settings = lstm.Settings(size=5)
    else:
        memory = ntm.MemorySettings(locations=7, width=3)
        settings = ntm.Settings(name=name, controller=ntm.ControllerSettings(size=4), memory=memory)
    return models.build(settings, 4, 2, 1)


def flat(nested):
    """Every tensor in nested tuples, in order; None stands for itself."""
    if isinstance(nested, tuple):
        return [tensor for part in nested for tensor in flat(part)]
    return [nested]


def assert_close(unrolled, expected):
    """Within float32 roundings of a few dozen terms: another kernel may sum in another order."""
    for ours, theirs in zip(flat(unrolled), flat(expected), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("trace", [False, True])
@pytest.mark.parametrize("kernel", ["auto", "eager"])
@pytest.mark.parametrize("name", ["ntm", "ntm_ff", "lstm"])
def test_every_kernel_unrolls_like_the_model(name, kernel, trace):
    model = built(name)
    unroll = kernels.choose(kernel, model)
    x_TBI = torch.randn(5, 2, 4, generator=torch.Generator().manual_seed(1))
    first = unroll(model, x_TBI[:3], trace=trace)
    assert_close(first, model.unroll(x_TBI[:3], trace=trace))
    assert_close(unroll(model, x_TBI[3:], first.state, trace), model.unroll(x_TBI[3:], first.state, trace))


@pytest.mark.parametrize("kernel", ["auto", "eager"])
@pytest.mark.parametrize("name", ["ntm", "ntm_ff", "lstm"])
def test_every_kernel_has_the_gradients_of_the_model(name, kernel):
    model = built(name)
    unroll = kernels.choose(kernel, model)
    x_TBI = torch.randn(5, 2, 4, generator=torch.Generator().manual_seed(1))
    gradients = [
        torch.autograd.grad(unrolled.y_TBO.square().sum(), list(model.parameters()))
        for unrolled in (unroll(model, x_TBI), model.unroll(x_TBI))
    ]
    assert_close(*gradients)


def test_eager_is_the_reference_to_the_bit():
    model = built("ntm")
    x_TBI = torch.randn(5, 2, 4, generator=torch.Generator().manual_seed(1))
    assert torch.equal(kernels.choose("eager", model)(model, x_TBI).y_TBO, model.unroll(x_TBI).y_TBO)
