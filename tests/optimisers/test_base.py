"""Graves' RMSProp, readable and compiled, after the clip: its state, and steps equal to the recurrences by hand.

`test_graves_rmsprop.py` has more of the arithmetic.
"""

import io
import math

import pytest
import torch
from support.helpers import rmsprop_by_hand

from ntm_repro import kernels, models, optimisers
from ntm_repro.models.lstm import Settings
from ntm_repro.optimisers import graves_rmsprop
from ntm_repro.training.settings import Clip, TrainSettings

GRADIENTS = [0.3, -2.0, 10.0, 10.0, 0.0, 0.0, 1e-3, -1e-5, -7.0, 0.5]
SHARE = 0.05  # of a gradient that goes into the mean at once

every_kernel = pytest.mark.parametrize("name", ["eager", "numba"])


class Learner:
    """A kernel's model with an optimiser, and the clip that training puts before it."""

    def __init__(self, kernel, settings, optimiser_settings):
        self.kernel, self.settings = kernel, settings
        self.learning_rate = settings.learning_rate
        self.optimiser = optimisers.make(optimiser_settings, kernel.parameters, kernel.compiled)

    def step(self, gradient_norm):
        self.optimiser.step(self.learning_rate, *self.settings.clip_of(gradient_norm))

    @property
    def slots(self):
        return list(self.optimiser.slots.values())

    def state_dict(self):
        return self.optimiser.state_dict()

    def load_state_dict(self, state):
        self.optimiser.load_state_dict(state)


def make(
    name,
    learning_rate=0.01,
    clip=Clip.none,
    clip_at=10.0,
    loss_scale=1.0,
    dtype=torch.float32,
    size=4,
    value=None,
    rule=graves_rmsprop,
):
    """An optimiser of a small LSTM network with three outputs."""
    model = models.build(Settings(size=size, layers=1), 2, 3, seed=1).to(dtype)
    settings = TrainSettings(learning_rate=learning_rate, clip=clip, clip_at=clip_at, loss_scale=loss_scale)
    learner = Learner(kernels.choose(name, model), settings, rule.Settings())
    if value is not None:
        with torch.no_grad():
            model.output.bias.copy_(torch.as_tensor(value))
    return learner


def step(optimiser, gradient):
    """One step on a gradient that is 0 but for the three output biases."""
    parameters = optimiser.kernel.parameters
    parameters.gradients.zero_()
    parameters.named(parameters.gradients)["output.bias"].copy_(torch.as_tensor(gradient))
    optimiser.step(optimiser.optimiser.gradient_norm())


def biases(optimiser):
    return optimiser.kernel.model.output.bias.tolist()


# Steps


@every_kernel
def test_every_step_is_the_recurrence_by_hand(name):
    """Three components at once, each with its own gradients. The two orders of summing differ by a few roundings."""
    columns = [GRADIENTS, GRADIENTS[::-1], [1e-4 * g for g in GRADIENTS]]
    first = [1.0, -0.5, 0.0]
    optimiser = make(name, dtype=torch.float64, value=first)
    paths = [rmsprop_by_hand(begin, column, [0.01] * 10) for begin, column in zip(first, columns, strict=True)]
    others = optimiser.kernel.model.output.weight.clone()
    for t in range(10):
        step(optimiser, torch.tensor([column[t] for column in columns], dtype=torch.float64))
        assert biases(optimiser) == pytest.approx([path[t] for path in paths], rel=0, abs=1e-12)
    assert torch.equal(optimiser.kernel.model.output.weight, others)


@every_kernel
def test_the_learning_rate_is_inside_the_momentum(name):
    """A rate changed half way does not rescale the change under way."""
    rates = [0.01] * 5 + [0.0] * 5
    optimiser = make(name, dtype=torch.float64, value=[1.0, 1.0, 1.0])
    for gradient, rate, expected in zip(GRADIENTS, rates, rmsprop_by_hand(1.0, GRADIENTS, rates), strict=True):
        optimiser.learning_rate = rate
        step(optimiser, torch.full((3,), gradient, dtype=torch.float64))
        assert biases(optimiser) == pytest.approx([expected] * 3, rel=0, abs=1e-12)


@every_kernel
@pytest.mark.parametrize("first", [1, 2])
def test_a_huge_constant_gradient_stays_finite_in_float32(first, name):
    """There n and m² grow equal, and rounding may make their difference as negative as n is large.

    Averages stop a few roundings short of their limit: on the way down from larger gradients, above it.
    """
    optimiser = make(name, learning_rate=1e-4, size=16)
    values, gradients = optimiser.kernel.parameters.values, optimiser.kernel.parameters.gradients
    magnitudes = torch.logspace(0, 8, len(values) // 2)
    gradient = torch.cat([magnitudes, -magnitudes])
    assert len(gradient) > 800
    values.zero_()
    for k in range(10_000):
        gradients.copy_(gradient * first if k < 100 else gradient)
        optimiser.step(math.nan)  # which nobody asks for unless the clip is by norm
    assert values.isfinite().all()
    assert all(moment.isfinite().all() for moment in optimiser.slots)
    assert (values.sign() == -gradient.sign()).all()


# Clipping


def clipped(name, clip, clip_at, dtype=torch.float32):
    """What the optimiser remembers of the gradient 3, −4 and 12, whose norm is 13, after a step on it alone."""
    optimiser = make(name, clip=clip, clip_at=clip_at, dtype=dtype, value=[0.0, 0.0, 0.0])
    step(optimiser, [3.0, -4.0, 12.0])
    parameters = optimiser.kernel.parameters
    gradients = parameters.named(parameters.gradients)
    assert gradients["output.bias"].tolist() == [3.0, -4.0, 12.0]  # they stay as they were
    mean, square = (parameters.named(moment)["output.bias"] for moment in optimiser.slots[1::-1])
    remembered = [number / SHARE for number in mean.tolist()]
    assert square.tolist() == pytest.approx([SHARE * g * g for g in remembered], rel=1e-5)
    # And the step is along it.
    assert biases(optimiser) == pytest.approx([rmsprop_by_hand(0.0, [g], [0.01])[0] for g in remembered], rel=1e-5)
    assert all((tensor == 0).all() for key, tensor in gradients.items() if key != "output.bias")
    return remembered


@every_kernel
def test_clipping_by_value_bounds_each_component(name):
    assert clipped(name, Clip.value, 3.5) == pytest.approx([3.0, -3.5, 3.5], rel=1e-6)


@every_kernel
def test_clipping_by_norm_shortens_the_whole_gradient(name):
    assert clipped(name, Clip.norm, 6.5) == pytest.approx([1.5, -2.0, 6.0], rel=1e-6)


@every_kernel
@pytest.mark.parametrize("clip", [Clip.value, Clip.norm], ids=lambda clip: clip.name)
def test_small_gradients_are_not_clipped(clip, name):
    assert clipped(name, clip, 13.01) == pytest.approx([3.0, -4.0, 12.0], rel=1e-6)


@every_kernel
def test_no_clipping_is_none(name):
    assert clipped(name, Clip.none, 0.001) == pytest.approx([3.0, -4.0, 12.0], rel=1e-6)


@every_kernel
def test_huge_gradients_are_clipped_like_others(name):
    """Their squares overflow float32."""
    for clip, expected in ((Clip.value, [2.0, -2.0, 2.0]), (Clip.norm, [6 / 13, -8 / 13, 24 / 13])):
        optimiser = make(name, clip=clip, clip_at=2.0)
        step(optimiser, [3e25, -4e25, 12e25])
        mean = optimiser.state_dict()["mean"]["output.bias"]
        assert [number / SHARE for number in mean.tolist()] == pytest.approx(expected, rel=1e-6)


@every_kernel
@pytest.mark.parametrize(
    ("clip", "expected"), [(Clip.value, [3.0, -3.5, 3.5]), (Clip.norm, [3.5 * g / 13 for g in (3, -4, 12)])]
)
def test_the_loss_is_scaled_after_the_clip(name, clip, expected):
    optimiser = make(name, clip=clip, clip_at=3.5, loss_scale=0.01, value=[0.0, 0.0, 0.0])
    step(optimiser, [3.0, -4.0, 12.0])
    mean = optimiser.state_dict()["mean"]["output.bias"]
    assert [number / SHARE for number in mean.tolist()] == pytest.approx([0.01 * g for g in expected], rel=1e-6)
    assert biases(optimiser) == pytest.approx([rmsprop_by_hand(0.0, [0.01 * g], [0.01])[0] for g in expected], rel=1e-5)


@every_kernel
def test_a_gradient_of_zero_is_no_trouble(name):
    for clip in Clip:
        optimiser = make(name, clip=clip)
        before = optimiser.kernel.parameters.values.clone()
        step(optimiser, [0.0, 0.0, 0.0])
        assert torch.equal(optimiser.kernel.parameters.values, before)
        assert all((moment == 0).all() for moment in optimiser.slots)


# State


def random_step(optimiser, seed):
    """One step on a gradient of every parameter."""
    parameters = optimiser.kernel.parameters
    for view in parameters.split(parameters.gradients):
        view.copy_(3 * torch.randn(view.shape, generator=torch.Generator().manual_seed(seed)))
    optimiser.step(optimiser.optimiser.gradient_norm())


def saved(optimiser):
    """The weights and the state after a round trip through a file's bytes."""
    file = io.BytesIO()
    torch.save({"model": optimiser.kernel.model.state_dict(), "optimiser": optimiser.state_dict()}, file)
    file.seek(0)
    return torch.load(file, weights_only=True)


def resumed(content, name):
    optimiser = make(name)
    random_step(optimiser, 99)  # whatever it did before
    optimiser.kernel.model.load_state_dict(content["model"])
    optimiser.load_state_dict(content["optimiser"])
    return optimiser


@every_kernel
def test_a_state_dict_round_trip_continues_to_the_bit(name):
    optimiser = make(name)
    for seed in range(10):
        random_step(optimiser, seed)
    again = resumed(saved(optimiser), name)
    for seed in range(10, 20):
        random_step(optimiser, seed)
        random_step(again, seed)
        assert torch.equal(optimiser.kernel.parameters.values, again.kernel.parameters.values)


@every_kernel
def test_another_kernel_goes_on_from_the_same_state(name):
    """Every number it leaves is one that the other's steps lead to, but for a few roundings."""
    optimiser = make(name)
    for seed in range(10):
        random_step(optimiser, seed)
    other = resumed(saved(optimiser), {"eager": "numba", "numba": "eager"}[name])
    for seed in range(10, 20):
        random_step(optimiser, seed)
        random_step(other, seed)
    ours, theirs = optimiser.kernel.parameters.values, other.kernel.parameters.values
    torch.testing.assert_close(theirs, ours, rtol=1e-5, atol=1e-6)


@every_kernel
def test_the_state_names_every_moment_of_every_parameter(name):
    optimiser = make(name)
    for seed in range(3):
        random_step(optimiser, seed)
    state = optimiser.state_dict()
    shapes = {key: parameter.shape for key, parameter in optimiser.kernel.model.named_parameters()}
    assert list(state) == ["square", "mean", "change"]
    for moments in state.values():
        assert {key: tensor.shape for key, tensor in moments.items()} == shapes
    # Each under its own name: the first step from nothing tells them apart.
    fresh = make(name, value=[0.0, 0.0, 0.0])
    step(fresh, [2.0, -1.0, 0.5])
    found = {key: moments["output.bias"].tolist() for key, moments in fresh.state_dict().items()}
    assert found["square"] == pytest.approx([SHARE * 4, SHARE * 1, SHARE * 0.25], rel=1e-5)
    assert found["mean"] == pytest.approx([SHARE * 2, SHARE * -1, SHARE * 0.5], rel=1e-5)
    assert found["change"] == biases(fresh)


def test_the_state_of_another_model_is_refused():
    state = make("eager").state_dict()
    for part in state:
        incomplete = {key: dict(moments) for key, moments in state.items()}
        del incomplete[part]["output.bias"]
        with pytest.raises(KeyError, match=r"output\.bias"):
            make("eager").load_state_dict(incomplete)
        with pytest.raises(KeyError, match=part):
            make("eager").load_state_dict({key: moments for key, moments in state.items() if key != part})
    with pytest.raises(RuntimeError, match="size"):
        make("eager", size=5).load_state_dict(state)
