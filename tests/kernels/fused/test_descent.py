"""The optimiser's pass over the flat buffer is the plain torch version; the gradient's length is its length."""

import math

import numpy as np
import pytest
import torch

from ntm_repro.kernels.fused import descent
from ntm_repro.kernels.rmsprop import rmsprop


def buffers(size=160, seed=1):
    generator = torch.Generator().manual_seed(seed)
    return [torch.randn(size, generator=generator), *(torch.zeros(size) for _ in range(3))], generator


@pytest.mark.parametrize(("factor", "bound"), [(1.0, 10.0), (1.0, math.inf), (0.25, math.inf), (1.0, 0.5)])
def test_fifty_steps_equal_the_plain_version(factor, bound):
    ours, generator = buffers()
    theirs = [tensor.clone() for tensor in ours]
    scales = 10.0 ** torch.linspace(-6, 4, 160)
    for _ in range(50):
        gradient = torch.randn(160, generator=generator) * scales
        value, *moments = ours
        descent.descend(
            value.numpy(), gradient.numpy(), *(moment.numpy() for moment in moments), 1e-3, factor, bound, 0, 1
        )
        value, *moments = theirs
        rmsprop(value, gradient, *moments, 1e-3, factor, bound)
        for mine, other in zip(ours, theirs, strict=True):
            # n − m² cancels: a rounding of n is a larger part of the difference, and of the step.
            torch.testing.assert_close(mine, other, rtol=1e-4, atol=1e-7)


def test_in_float64_they_agree_to_rounding():
    ours, generator = buffers()
    ours = [tensor.double() for tensor in ours]
    theirs = [tensor.clone() for tensor in ours]
    for _ in range(20):
        gradient = torch.randn(160, generator=generator).double()
        value, *moments = ours
        descent.descend(value.numpy(), gradient.numpy(), *(m.numpy() for m in moments), 1e-3, 1.0, 1.0, 0, 1)
        value, *moments = theirs
        rmsprop(value, gradient, *moments, 1e-3, 1.0, 1.0)
    for mine, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(mine, other, rtol=1e-10, atol=1e-14)


@pytest.mark.parametrize("parts", [2, 3, 7, 16])
def test_parts_cover_every_number_once(parts):
    whole, generator = buffers()
    divided = [tensor.clone() for tensor in whole]
    gradient = torch.randn(160, generator=generator)
    for tensors, count in ((whole, 1), (divided, parts)):
        value, *moments = (tensor.numpy() for tensor in tensors)
        for part in range(count):
            descent.descend(value, gradient.numpy(), *moments, 1e-3, 1.0, 10.0, part, count)
    assert all(map(torch.equal, whole, divided))


def test_a_huge_constant_gradient_stays_finite():
    """There n and m² grow equal, and rounding may make their difference as negative as n is large."""
    magnitudes = np.logspace(0, 8, 400, dtype=np.float32)
    gradient = np.concatenate([magnitudes, -magnitudes])
    value, *moments = (np.zeros(800, np.float32) for _ in range(4))
    for k in range(10_000):
        descent.descend(value, gradient * (2 if k < 100 else 1), *moments, 1e-4, 1.0, math.inf, 0, 1)
    assert all(np.isfinite(array).all() for array in (value, *moments))
    assert (np.sign(value) == -np.sign(gradient)).all()


@pytest.mark.parametrize("size", [16, 1040, descent.BLOCK, 3 * descent.BLOCK + 16])
def test_squares_sum_to_the_square_of_the_length(size):
    gradient = np.random.default_rng(1).normal(size=size).astype(np.float32)
    blocks = -(-size // descent.BLOCK)
    whole, divided = np.empty(blocks), np.empty(blocks)
    descent.squares(gradient, whole, 0, 1)
    for part in range(3):
        descent.squares(gradient, divided, part, 3)
    assert whole.sum() == pytest.approx(np.square(gradient.astype(np.float64)).sum(), rel=1e-6)
    np.testing.assert_array_equal(divided, whole)
