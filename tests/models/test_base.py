"""What every model's unroll does with the gradient of its state."""

import math
from typing import NamedTuple

import pytest
import torch
from torch import nn

from ntm_repro.models.base import Model, bounded


class Pair(NamedTuple):
    grows: torch.Tensor
    shrinks: tuple


class Recurrence(Model):
    """Two numbers, multiplied in every step by 3 and by −0.5; the output is both, of the last step."""

    def __init__(self):
        super().__init__()
        self.start = nn.Parameter(torch.ones(2))

    def reset_parameters(self, generator=None):
        self.start.data.fill_(1)

    def initial_state(self, batch_size):
        grows, shrinks = self.start.expand(batch_size, -1).split(1, -1)
        return Pair(grows, (shrinks,))

    def advance(self, x_BI, state):
        after = Pair(3 * state.grows, (-0.5 * state.shrinks[0],))
        return torch.cat([after.grows, after.shrinks[0]], -1), after, None


def gradient(steps, **options):
    model = Recurrence()
    y_TBO = model.unroll(torch.zeros(steps, 1, 1), **options).y_TBO
    (found,) = torch.autograd.grad(y_TBO[-1].sum(), model.start)
    return found.tolist()


def test_without_a_bound_the_gradient_is_exact():
    assert gradient(4) == gradient(4, gradient_bound=math.inf) == [81, 0.0625]


@pytest.mark.parametrize(("bound", "expected"), [(100, 81), (10, 10), (9, 9), (2, 2)])
def test_a_bound_clips_at_every_step_back(bound, expected):
    """3, 9, 27, 81 from the last step to the start: clipped at each, the last clip is what arrives."""
    assert gradient(4, gradient_bound=bound) == [expected, 0.0625]


def test_what_was_clipped_goes_on_from_the_bound():
    """The second number is bounded by 0.3 after one step and halves from there."""
    assert gradient(3, gradient_bound=0.3) == [pytest.approx(0.3), pytest.approx(-0.3 / 4)]


def test_the_values_are_those_without_a_bound():
    model = Recurrence()
    x_TBI = torch.zeros(5, 2, 1)
    exact, clipped = model.unroll(x_TBI), model.unroll(x_TBI, gradient_bound=0.1)
    assert torch.equal(exact.y_TBO, clipped.y_TBO)


def test_a_bounded_state_keeps_its_form():
    state = Pair(torch.ones(2), (torch.zeros(3), torch.ones(1)))
    same = bounded(state, 1.0)
    assert isinstance(same, Pair)
    assert isinstance(same.shrinks, tuple)
    assert torch.equal(same.shrinks[0], state.shrinks[0])
