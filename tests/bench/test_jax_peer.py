"""The JAX peer does the same work: cost and every gradient of eager, in float64, and its steps learn."""

from functools import partial

import jax
import numpy as np
import pytest
import torch

from ntm_repro import kernels, models
from ntm_repro.bench import jax_peer
from ntm_repro.bench.cases import Case
from ntm_repro.models import lstm, ntm, ntm_ff
from ntm_repro.models.initial_state import Start
from ntm_repro.models.ntm import ControllerSettings, MemorySettings, ReadOrder
from ntm_repro.tasks.copy import Copy
from ntm_repro.training.settings import TrainSettings

SMALL = MemorySettings(locations=9, width=4)
SETTINGS = {
    "ntm": ntm.Settings(controller=ControllerSettings(6), memory=SMALL),
    "two layers, three heads, wide shifts": ntm.Settings(
        controller=ControllerSettings(5, layers=2), heads=3, memory=SMALL, shift_range=7
    ),
    "one shift, reads first, rows that differ": ntm.Settings(
        controller=ControllerSettings(5),
        memory=MemorySettings(locations=6, width=3, start=Start.per_location),
        shift_range=1,
        read_order=ReadOrder.before,
    ),
    "ntm_ff": ntm_ff.Settings(controller=ControllerSettings(7), heads=2, memory=SMALL, hidden_bias=0.3),
    "ntm_ff, two layers": ntm_ff.Settings(controller=ControllerSettings(5, layers=2), memory=SMALL, hidden_bias=0.3),
    "lstm": lstm.Settings(size=6, layers=3),
    "lstm of one layer": lstm.Settings(size=5, layers=1),
}
QUICK = ("two layers, three heads, wide shifts", "ntm_ff", "lstm")  # a second or more of compiling each


@pytest.mark.parametrize(
    "name", [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in SETTINGS]
)
def test_cost_and_every_gradient_are_those_of_eager(name):
    model = models.build(SETTINGS[name], Copy().inputs, Copy().outputs, seed=1).double()
    torch.manual_seed(2)
    with torch.no_grad():
        for parameter in model.parameters():  # biases and starts are zero as built
            parameter.add_(torch.randn_like(parameter) / 4)
    drawn = Case("copy/small", Copy(), SETTINGS[name], TrainSettings(), seed=3).batch(3)
    batch = [tensor.double() for tensor in drawn]
    eager = kernels.choose("eager", model)
    expected = eager.cost_and_gradient(*batch, float("inf"))
    with jax.enable_x64(True):
        compiled = jax.jit(partial(jax_peer.cost_and_gradient, model))
        bits, gradient = compiled(jax_peer.parameters_of(model), *(tensor.numpy() for tensor in batch))
        assert gradient["output.weight"].dtype == np.float64
    np.testing.assert_allclose(bits, expected.bits_B.mean(), rtol=1e-12)
    named = dict(model.named_parameters())
    assert gradient.keys() == named.keys()
    for parameter, value in named.items():
        largest = value.grad.abs().max().item()
        np.testing.assert_allclose(gradient[parameter], value.grad, rtol=1e-9, atol=1e-9 * largest, err_msg=parameter)


def test_its_updates_are_those_of_the_trainer():
    """Sixteen updates of one call leave the weights that sixteen steps with eager leave."""
    from ntm_repro.bench.cases import TrainingStep

    case = Case("copy/small", Copy(), SETTINGS["ntm"], TrainSettings(learning_rate=1e-3, clip_at=0.01), seed=3)
    batch = case.batch(2)
    eager = TrainingStep(kernels.choose("eager", case.build()), case.training(2), batch)
    eager.gradient_bound = float("inf")
    for _ in range(jax_peer.UPDATES):
        eager()
    step = jax_peer.JaxTrainingStep(case.build(), case.training(2), batch)
    step()
    for name, value in eager.kernel.model.named_parameters():
        np.testing.assert_allclose(step._state[0][name], value.detach(), rtol=1e-4, atol=1e-5, err_msg=name)
    step.reset()
    for name, value in case.build().named_parameters():
        np.testing.assert_array_equal(step._state[0][name], value.detach())


def test_another_model_is_refused():
    with pytest.raises(TypeError, match="JAX does not know Linear"):
        jax_peer.cost_and_gradient(torch.nn.Linear(2, 2), {}, None, None, None)
