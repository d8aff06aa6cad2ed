"""RMSProp as in Graves (2013), in plain torch, against the recurrences computed by hand."""

import math

import pytest
import torch
from support.helpers import rmsprop_by_hand

from ntm_repro.kernels.rmsprop import rmsprop

GRADIENTS = [0.3, -2.0, 10.0, 10.0, 0.0, 0.0, 1e-3, -1e-5, -7.0, 0.5]


class Numbers:
    """Some numbers that learn."""

    def __init__(self, *values):
        self.theta = torch.tensor(values, dtype=torch.float64)
        self.moments = torch.zeros(3, len(values), dtype=torch.float64)

    def step(self, gradient, learning_rate=0.01, factor=1.0, bound=math.inf):
        gradient = torch.tensor(gradient, dtype=torch.float64)
        rmsprop(self.theta, gradient, *self.moments, learning_rate, factor, bound)
        return self.theta.tolist()


def test_every_step_is_the_recurrence_by_hand():
    """Three components at once, each with its own gradients. The two orders of summing differ by a few roundings."""
    columns = [GRADIENTS, GRADIENTS[::-1], [1e-4 * g for g in GRADIENTS]]
    numbers = Numbers(1.0, -0.5, 0.0)
    paths = [
        rmsprop_by_hand(first, column, [0.01] * 10) for first, column in zip([1.0, -0.5, 0.0], columns, strict=True)
    ]
    for t in range(10):
        assert numbers.step([column[t] for column in columns]) == pytest.approx([path[t] for path in paths], abs=1e-12)


def test_the_learning_rate_is_inside_the_momentum():
    """A rate changed half way does not rescale the change under way."""
    rates = [0.01] * 5 + [0.0] * 5
    numbers = Numbers(1.0)
    for gradient, rate, expected in zip(GRADIENTS, rates, rmsprop_by_hand(1.0, GRADIENTS, rates), strict=True):
        assert numbers.step([gradient], rate) == pytest.approx([expected], abs=1e-12)


def test_the_damping_is_inside_the_root():
    """A first gradient far below the damping moves by lr · g / √(1e-4), a hundred times itself."""
    assert Numbers(0.0).step([1e-6], learning_rate=1.0) == pytest.approx([-1e-4], rel=1e-6)


def test_it_is_not_torchs_centred_rmsprop():
    """There the damping is outside the root: small gradients move much further."""
    ours, theirs = Numbers(0.0), torch.nn.Parameter(torch.zeros(1, dtype=torch.float64))
    optimiser = torch.optim.RMSprop([theirs], lr=0.01, alpha=0.95, eps=1e-4, momentum=0.9, centered=True)
    for _ in range(5):
        ours.step([1e-3])
        theirs.grad = torch.full_like(theirs, 1e-3)
        optimiser.step()
    assert 5 * abs(ours.theta.item()) < abs(theirs.item())


def test_the_gradient_is_scaled_and_then_each_component_bounded():
    gradients = [[3.0, -4.0, 12.0], [-8.0, 0.5, -1.0], [1.0, 1.0, 1.0]]
    numbers = Numbers(0.0, 0.0, 0.0)
    clipped = [[min(max(0.5 * g, -1.75), 1.75) for g in gradient] for gradient in gradients]
    assert clipped[0] == [1.5, -1.75, 1.75]
    paths = [rmsprop_by_hand(0.0, column, [0.01] * 3) for column in zip(*clipped, strict=True)]
    for t in range(3):
        stepped = numbers.step(gradients[t], factor=0.5, bound=1.75)
        assert stepped == pytest.approx([path[t] for path in paths], abs=1e-12)


def test_the_gradient_itself_is_not_changed():
    theta, gradient = torch.zeros(2), torch.tensor([3.0, -4.0])
    rmsprop(theta, gradient, *torch.zeros(3, 2), 0.1, 0.5, 1.0)
    assert gradient.tolist() == [3.0, -4.0]
    assert theta.abs().min() > 0


def test_what_never_had_a_gradient_does_not_move():
    """The padding of a flat buffer, for one."""
    numbers = Numbers(1.0, 0.0)
    for g in GRADIENTS:
        numbers.step([g, 0.0])
    assert numbers.theta[1] == 0
    assert (numbers.moments[:, 1] == 0).all()
    assert numbers.theta[0] != 1
