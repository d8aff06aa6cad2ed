"""RMSProp as in Graves (2013): the readable step is the recurrence by hand, the compiled one the readable."""

import math

import numpy as np
import pytest
import torch
from support.helpers import rmsprop_by_hand
from support.optimising import Numbers

from ntm_repro.errors import InvalidSetting
from ntm_repro.optimisers import graves_rmsprop

GRADIENTS = [0.3, -2.0, 10.0, 10.0, 0.0, 0.0, 1e-3, -1e-5, -7.0, 0.5]

either = pytest.mark.parametrize("compiled", [False, True], ids=["readable", "compiled"])


def numbers(*values, compiled=False, dtype=torch.float64):
    return Numbers(graves_rmsprop.Settings(), values, compiled, dtype)


@either
def test_every_step_is_the_recurrence_by_hand(compiled):
    """Three components at once, each with its own gradients. The two orders of summing differ by a few roundings."""
    columns = [GRADIENTS, GRADIENTS[::-1], [1e-4 * g for g in GRADIENTS]]
    first = [1.0, -0.5, 0.0]
    theta = numbers(*first, compiled=compiled)
    paths = [rmsprop_by_hand(begin, column, [0.01] * 10) for begin, column in zip(first, columns, strict=True)]
    for t in range(10):
        assert theta.step([column[t] for column in columns]) == pytest.approx([path[t] for path in paths], abs=1e-12)


@either
def test_the_learning_rate_is_inside_the_momentum(compiled):
    """A rate changed half way does not rescale the change under way."""
    rates = [0.01] * 5 + [0.0] * 5
    theta = numbers(1.0, compiled=compiled)
    for gradient, rate, expected in zip(GRADIENTS, rates, rmsprop_by_hand(1.0, GRADIENTS, rates), strict=True):
        assert theta.step([gradient], rate) == pytest.approx([expected], abs=1e-12)


@either
def test_the_damping_is_inside_the_root(compiled):
    """A first gradient far below the damping moves by lr · g / √(1e-4), a hundred times itself."""
    assert numbers(0.0, compiled=compiled).step([1e-6], rate=1.0) == pytest.approx([-1e-4], rel=1e-6)


def test_it_is_not_torchs_centred_rmsprop():
    """There the damping is outside the root: small gradients move much further."""
    ours, theirs = numbers(0.0), torch.nn.Parameter(torch.zeros(1, dtype=torch.float64))
    optimiser = torch.optim.RMSprop([theirs], lr=0.01, alpha=0.95, eps=1e-4, momentum=0.9, centered=True)
    for _ in range(5):
        (value,) = ours.step([1e-3])
        theirs.grad = torch.full_like(theirs, 1e-3)
        optimiser.step()
    assert 5 * abs(value) < abs(theirs.item())


@either
def test_the_gradient_is_scaled_and_then_each_component_bounded(compiled):
    gradients = [[3.0, -4.0, 12.0], [-8.0, 0.5, -1.0], [1.0, 1.0, 1.0]]
    theta = numbers(0.0, 0.0, 0.0, compiled=compiled)
    clipped = [[min(max(0.5 * g, -1.75), 1.75) for g in gradient] for gradient in gradients]
    assert clipped[0] == [1.5, -1.75, 1.75]
    paths = [rmsprop_by_hand(0.0, column, [0.01] * 3) for column in zip(*clipped, strict=True)]
    for t in range(3):
        stepped = theta.step(gradients[t], factor=0.5, bound=1.75)
        assert stepped == pytest.approx([path[t] for path in paths], abs=1e-12)


@either
def test_the_gradient_itself_is_not_changed(compiled):
    theta = numbers(0.0, 0.0, compiled=compiled)
    assert min(map(abs, theta.step([3.0, -4.0], 0.1, factor=0.5, bound=1.0))) > 0
    assert theta.gradient == [3.0, -4.0]


@either
def test_what_never_had_a_gradient_does_not_move(compiled):
    """The padding of a flat buffer, for one."""
    theta = numbers(1.0, 0.0, compiled=compiled)
    for g in GRADIENTS:
        moved, still = theta.step([g, 0.0])
    assert still == 0
    assert moved != 1


@pytest.mark.parametrize(("factor", "bound"), [(1.0, 10.0), (1.0, math.inf), (0.25, math.inf), (1.0, 0.5)])
def test_fifty_compiled_steps_equal_the_readable_ones(factor, bound):
    generator = torch.Generator().manual_seed(1)
    first = torch.randn(160, generator=generator).tolist()
    ours, theirs = (numbers(*first, compiled=compiled, dtype=torch.float32) for compiled in (True, False))
    scales = 10.0 ** torch.linspace(-6, 4, 160)
    for _ in range(50):
        gradient = (torch.randn(160, generator=generator) * scales).tolist()
        for each in (ours, theirs):
            each.step(gradient, 1e-3, factor, bound)
        # n − m² cancels: a rounding of n is a larger part of the difference, and of the step.
        torch.testing.assert_close(ours.values, theirs.values, rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize("threads", [2, 3])
def test_any_number_of_threads_gives_the_same_bits(threads, monkeypatch):
    generator = torch.Generator().manual_seed(1)
    first = torch.randn(1000, generator=generator).tolist()
    whole, divided = (numbers(*first, compiled=True, dtype=torch.float32) for _ in range(2))
    gradient = torch.randn(1000, generator=generator).tolist()
    whole.step(gradient)
    monkeypatch.setattr("ntm_repro.jit.threads.parts_for", lambda count: threads)
    divided.step(gradient)
    assert torch.equal(whole.values, divided.values)


def test_a_huge_constant_gradient_stays_finite():
    """There n and m² grow equal, and rounding may make their difference as negative as n is large."""
    magnitudes = np.logspace(0, 8, 400, dtype=np.float32)
    gradient = np.concatenate([magnitudes, -magnitudes])
    theta = numbers(*np.zeros(800), compiled=True, dtype=torch.float32)
    for k in range(10_000):
        theta.step_on(torch.from_numpy(gradient * (2 if k < 100 else 1)), 1e-4)
    assert theta.values.isfinite().all()
    assert (np.sign(theta.values.numpy()[:800]) == -np.sign(gradient)).all()


@pytest.mark.parametrize(
    ("key", "value"), [("decay", 1.0), ("decay", -0.1), ("momentum", 1.0), ("damping", 0.0), ("damping", math.inf)]
)
def test_impossible_settings_are_refused_by_key(key, value):
    with pytest.raises(InvalidSetting, match=f"^{key}={value}: must be"):
        graves_rmsprop.Settings(**{key: value})
