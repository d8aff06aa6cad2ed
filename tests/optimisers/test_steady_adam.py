"""Adam with two mean squares: both forms of the step against plain NumPy, and its two bounds."""

import math

import numpy as np
import pytest
import torch
from support.optimising import Numbers

from ntm_repro.errors import InvalidSetting
from ntm_repro.optimisers import adam, steady_adam
from ntm_repro.optimisers.steady_adam import SlowShare

either = pytest.mark.parametrize("compiled", [False, True], ids=["readable", "compiled"])


def gradients(count, size=40):
    """Small ones with a large one now and then, as of a task that is nearly solved."""
    generator = np.random.default_rng(3)
    scales = 10.0 ** np.linspace(-6, 4, size)
    for k in range(count):
        yield generator.normal(size=size) * scales * (1.0 if k % 20 == 7 else 1e-3)


@either
@pytest.mark.parametrize("betas", [(0.9, 0.95, 0.999), (0.0, 0.5, 0.9), (0.9, 0.99, 0.5)])
@pytest.mark.parametrize("epsilon", [1e-8, 1e-2])
@pytest.mark.parametrize("slow_share", list(SlowShare), ids=lambda slow_share: slow_share.name)
def test_every_step_is_that_of_the_formula(compiled, betas, slow_share, epsilon):
    beta1, beta2, slow_beta2 = betas
    theta = np.linspace(-1, 1, 40)
    m, v, w = np.zeros(40), np.zeros(40), np.zeros(40)
    settings = steady_adam.Settings("steady_adam", beta1, beta2, slow_beta2, slow_share, 0.01, epsilon)
    ours = Numbers(settings, theta.tolist(), compiled)
    for t, g in enumerate(gradients(100), 1):
        rate = 0.01 * (1 - t / 110)
        m, v, w = (
            beta1 * m + (1 - beta1) * g,
            beta2 * v + (1 - beta2) * g * g,
            slow_beta2 * w + (1 - slow_beta2) * g * g,
        )
        fast, slow = np.sqrt(v / (1 - beta2**t)), np.sqrt(w / (1 - slow_beta2**t))
        share = {"falls": rate / 0.01, "full": 1, "rises": 1 - rate / 0.01}[slow_share.name]
        theta = theta - rate * (m / (1 - beta1**t)) / (np.maximum(fast, share * slow) + epsilon)
        assert ours.step(g.tolist(), rate) == pytest.approx(theta.tolist(), rel=1e-11, abs=1e-13)


@either
def test_no_step_is_longer_than_that_of_adam_with_either_mean_square(compiled):
    settings = steady_adam.Settings(full_rate=0.01)
    fast = adam.Settings(beta2=settings.beta2)
    slow = adam.Settings(beta2=settings.slow_beta2)
    three = [Numbers(each, [0.0] * 40, compiled) for each in (settings, fast, slow)]
    before = [np.zeros(40)] * 3
    shorter_than_fast = shorter_than_slow = 0
    for t, g in enumerate(gradients(200), 1):
        rate = 0.01 * (1 - t / 201)
        after = [np.array(each.step(g.tolist(), r)) for each, r in zip(three, (rate, rate, 0.01), strict=True)]
        ours, of_fast, of_slow = (abs(b - a) for a, b in zip(before, after, strict=True))
        assert (ours <= np.minimum(of_fast, of_slow) * (1 + 1e-6) + 1e-12).all()
        shorter_than_fast += (ours < 0.9 * of_fast).sum()
        shorter_than_slow += (ours < 0.9 * of_slow).sum()
        before = after
    assert shorter_than_fast > 0
    assert shorter_than_slow > 0


@either
def test_in_full_steps_are_the_shorter_of_adams_with_either_mean_square(compiled):
    settings = steady_adam.Settings(slow_share=SlowShare.full)
    plain = [adam.Settings(beta2=beta2) for beta2 in (settings.beta2, settings.slow_beta2)]
    three = [Numbers(each, [0.0] * 40, compiled) for each in (settings, *plain)]
    before = [np.zeros(40)] * 3
    for t, g in enumerate(gradients(200), 1):
        after = [np.array(each.step(g.tolist(), 0.01 * (1 - t / 201))) for each in three]
        ours, of_fast, of_slow = (abs(b - a) for a, b in zip(before, after, strict=True))
        np.testing.assert_allclose(ours, np.minimum(of_fast, of_slow), rtol=1e-6, atol=1e-12)
        before = after


@either
def test_with_no_rate_left_of_the_full_one_it_is_adam(compiled):
    """A thousandth of the full rate: the slow mean square counts a millionth."""
    ours = Numbers(steady_adam.Settings(full_rate=1.0, slow_beta2=0.95), [0.0] * 40, compiled)
    plain = Numbers(adam.Settings(beta2=0.95), [0.0] * 40, compiled)
    for g in gradients(50):
        # FMA may round the two compiled loops apart by the last digit.
        assert ours.step(g.tolist(), 1e-3) == pytest.approx(plain.step(g.tolist(), 1e-3), rel=1e-13)


@either
def test_a_share_that_rises_is_none_at_the_full_rate_and_above_it(compiled):
    settings = steady_adam.Settings(slow_share=SlowShare.rises, full_rate=0.01)
    for rate in (0.01, 0.02):
        ours, plain = (Numbers(each, [0.0] * 40, compiled) for each in (settings, adam.Settings(beta2=0.95)))
        for g in gradients(50):
            assert ours.step(g.tolist(), rate) == pytest.approx(plain.step(g.tolist(), rate), rel=1e-13)


@either
def test_the_gradient_is_scaled_and_then_each_component_bounded(compiled):
    ours, clipped = (Numbers(steady_adam.Settings(), [0.0, 0.0, 0.0], compiled) for _ in range(2))
    for gradient in ([3.0, -4.0, 12.0], [-8.0, 0.5, -1.0]):
        bounded = [min(max(0.5 * g, -1.75), 1.75) for g in gradient]
        assert ours.step(gradient, factor=0.5, bound=1.75) == clipped.step(bounded)


def test_in_float32_compiled_and_readable_steps_agree():
    generator = torch.Generator().manual_seed(2)
    first = torch.randn(200, generator=generator).tolist()
    ours, theirs = (Numbers(steady_adam.Settings(), first, compiled, torch.float32) for compiled in (True, False))
    for _ in range(200):
        gradient = torch.randn(200, generator=generator).tolist()
        for each in (ours, theirs):
            each.step(gradient, 1e-3)
    # Each of 200 steps of 1e-3 rounds a few times in 2⁻²⁴.
    torch.testing.assert_close(ours.values, theirs.values, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("beta1", 1.0),
        ("beta2", -0.1),
        ("slow_beta2", 1.0),
        ("full_rate", 0.0),
        ("full_rate", math.inf),
        ("epsilon", math.nan),
    ],
)
def test_impossible_settings_are_refused_by_key(key, value):
    with pytest.raises(InvalidSetting, match=f"^{key}={value}: must be"):
        steady_adam.Settings(**{key: value})
