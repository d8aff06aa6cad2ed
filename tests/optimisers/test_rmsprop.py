"""RMSProp: torch's is `torch.optim.RMSprop`, TensorFlow's its recurrences in plain NumPy."""

import math

import numpy as np
import pytest
import torch
from support.optimising import Numbers

from ntm_repro.errors import InvalidSetting
from ntm_repro.optimisers import rmsprop

either = pytest.mark.parametrize("compiled", [False, True], ids=["readable", "compiled"])
TENSORFLOW = {"epsilon_in_root": True, "rate_in_momentum": True, "first_square": 1.0}


def gradients(count, size=40):
    """Of many sizes; that of the last quarter is zero half the time."""
    generator = np.random.default_rng(3)
    scales = 10.0 ** np.linspace(-6, 4, size)
    for _ in range(count):
        g = generator.normal(size=size) * scales
        g[-size // 4 :] *= generator.integers(0, 2, size // 4)
        yield g


@either
@pytest.mark.parametrize("decay", [0.9, 0.99])
@pytest.mark.parametrize("momentum", [0.0, 0.9])
@pytest.mark.parametrize("epsilon", [1e-8, 1e-2])
def test_every_step_is_that_of_torch(compiled, decay, momentum, epsilon):
    first = torch.linspace(-1, 1, 40, dtype=torch.float64)
    settings = rmsprop.Settings(decay=decay, momentum=momentum, epsilon=epsilon)
    ours = Numbers(settings, first.tolist(), compiled)
    theirs = torch.nn.Parameter(first.clone())
    optimiser = torch.optim.RMSprop([theirs], alpha=decay, momentum=momentum, eps=epsilon)
    for k, g in enumerate(gradients(100)):
        rate = 1e-2 / (1 + k)  # which rescales the change under way
        theirs.grad, optimiser.param_groups[0]["lr"] = torch.tensor(g), rate
        optimiser.step()
        assert ours.step(g.tolist(), rate) == pytest.approx(theirs.tolist(), rel=1e-11, abs=1e-13)


@either
@pytest.mark.parametrize("inside", [False, True])
@pytest.mark.parametrize("in_momentum", [False, True])
@pytest.mark.parametrize("first_square", [0.0, 1.0])
@pytest.mark.parametrize("epsilon", [1e-10, 1e-2])
def test_every_step_is_that_of_the_formula_for_every_choice(compiled, inside, in_momentum, first_square, epsilon):
    theta = np.linspace(-1, 1, 40)
    settings = rmsprop.Settings(
        decay=0.9,
        momentum=0.9,
        epsilon=epsilon,
        epsilon_in_root=inside,
        rate_in_momentum=in_momentum,
        first_square=first_square,
    )
    ours = Numbers(settings, theta.tolist(), compiled)
    v, b = np.full(40, first_square), np.zeros(40)
    for t, g in enumerate(gradients(100), 1):
        rate = 0.01 * (1 - t / 110)
        v = 0.9 * v + 0.1 * g * g
        root = np.sqrt(v + epsilon) if inside else np.sqrt(v) + epsilon
        b = 0.9 * b + (rate if in_momentum else 1) * g / root
        theta = theta - (1 if in_momentum else rate) * b
        assert ours.step(g.tolist(), rate) == pytest.approx(theta.tolist(), rel=1e-11, abs=1e-13)


@either
def test_the_first_steps_of_the_two_libraries(compiled):
    """Torch's are 1 / √(1 − α) rates whatever the gradient, TensorFlow's small for a small gradient."""
    (large,) = Numbers(rmsprop.Settings(decay=0.96), [0.0], compiled).step([1e-3], 0.01)
    assert large == pytest.approx(-0.01 / 0.2, rel=1e-4)
    (small,) = Numbers(rmsprop.Settings(decay=0.96, **TENSORFLOW), [0.0], compiled).step([1e-3], 0.01)
    assert small == pytest.approx(-0.01 * 1e-3 / math.sqrt(0.96), rel=1e-4)


@either
def test_with_a_constant_rate_where_it_enters_makes_no_difference(compiled):
    within, outside = (
        Numbers(rmsprop.Settings(momentum=0.9, rate_in_momentum=choice), [0.5] * 40, compiled)
        for choice in (True, False)
    )
    for g in gradients(50):
        assert within.step(g.tolist()) == pytest.approx(outside.step(g.tolist()), rel=1e-11, abs=1e-13)


@either
@pytest.mark.parametrize("choices", [{}, TENSORFLOW], ids=["torch", "tensorflow"])
def test_what_has_no_gradient_stays_where_it_is(compiled, choices):
    """So a fixed memory stays fixed."""
    ours = Numbers(rmsprop.Settings(momentum=0.9, **choices), [0.7, 0.7], compiled)
    for _ in range(300):
        fixed, moved = ours.step([0.0, 1.0])
    assert fixed == 0.7
    assert moved < 0


@either
def test_the_gradient_is_scaled_and_then_each_component_bounded(compiled):
    ours, clipped = (Numbers(rmsprop.Settings(momentum=0.5), [0.0, 0.0, 0.0], compiled) for _ in range(2))
    for gradient in ([3.0, -4.0, 12.0], [-8.0, 0.5, -1.0]):
        bounded = [min(max(0.5 * g, -1.75), 1.75) for g in gradient]
        assert ours.step(gradient, factor=0.5, bound=1.75) == clipped.step(bounded)


@pytest.mark.parametrize("choices", [{}, TENSORFLOW], ids=["torch", "tensorflow"])
def test_in_float32_compiled_and_readable_steps_agree(choices):
    generator = torch.Generator().manual_seed(2)
    first = torch.randn(200, generator=generator).tolist()
    settings = rmsprop.Settings(decay=0.95, momentum=0.9, **choices)
    ours, theirs = (Numbers(settings, first, compiled, torch.float32) for compiled in (True, False))
    for _ in range(200):
        gradient = torch.randn(200, generator=generator).tolist()
        for each in (ours, theirs):
            each.step(gradient, 1e-3)
    # Each of 200 steps, of up to ten rates of 1e-3 by their momentum, rounds a few times in 2⁻²⁴.
    torch.testing.assert_close(ours.values, theirs.values, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        *(("decay", 1.0), ("decay", -0.1), ("momentum", 1.0), ("epsilon", 0.0), ("epsilon", math.nan)),
        *(("first_square", -1.0), ("first_square", math.inf)),
    ],
)
def test_impossible_settings_are_refused_by_key(key, value):
    with pytest.raises(InvalidSetting, match=f"^{key}={value}: must be"):
        rmsprop.Settings(**{key: value})
