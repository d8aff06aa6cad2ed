"""The yardsticks do the same work as what they are held against."""

import math

import numpy as np
import pytest
import torch

from ntm_repro import kernels, loss, models
from ntm_repro.bench.baselines import Compiled, TorchLSTM, TorchTrainingStep
from ntm_repro.bench.cases import Case, TrainingStep
from ntm_repro.models import lstm, ntm
from ntm_repro.models.ntm import ControllerSettings, MemorySettings
from ntm_repro.tasks.copy import Copy
from ntm_repro.training.settings import TrainSettings

# Rows of the flat buffer are padded, which autograd remarks on.
pytestmark = pytest.mark.filterwarnings("ignore:grad and param do not obey the gradient layout contract")

NTM = ntm.Settings("ntm", ControllerSettings(size=8), memory=MemorySettings(locations=9, width=4))


@pytest.fixture
def subject():
    def make(model):
        return Case("copy/tiny", Copy(), model, TrainSettings(learning_rate=1e-3), seed=1)

    return make


@pytest.mark.parametrize("layers", [1, 3])
def test_torchs_lstm_computes_the_same_function_and_gradients(layers):
    twin = models.build(lstm.Settings(size=6, layers=layers), inputs=4, outputs=3, seed=1).double()
    torch.manual_seed(1)
    with torch.no_grad():
        for parameter in twin.parameters():  # biases and starts are zero as built
            parameter.copy_(torch.randn_like(parameter) / 2)
    ours = TorchLSTM(twin).double()
    ours.load_state_dict(TorchLSTM(twin).double().state_dict())
    x_TBI = torch.randn(7, 5, 4, dtype=torch.float64)
    y_TBO, expected_TBO = ours(x_TBI), twin.unroll(x_TBI).y_TBO
    # The twin's weights pass through nn.LSTM's float32; all else is double.
    torch.testing.assert_close(y_TBO, expected_TBO, rtol=1e-5, atol=1e-5)
    y_TBO.square().sum().backward()
    expected_TBO.square().sum().backward()
    for layer, (ours_layer, twin_layer) in enumerate(zip(ours.layers, twin.stack.layers, strict=True)):
        gates = torch.cat([ours_layer.weight_ih_l0.grad, ours_layer.weight_hh_l0.grad], -1)
        torch.testing.assert_close(gates, twin_layer.gates.weight.grad, rtol=1e-4, atol=1e-4)
        torch.testing.assert_close(ours.starts[2 * layer].grad, twin_layer.hidden_H.grad, rtol=1e-4, atol=1e-4)
        torch.testing.assert_close(ours.starts[2 * layer + 1].grad, twin_layer.cell_H.grad, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(ours.output.weight.grad, twin.output.weight.grad, rtol=1e-4, atol=1e-4)


def test_torchs_training_step_learns_and_forgets(subject):
    subject = subject(lstm.Settings(size=8, layers=2))
    batch = subject.batch(2)
    model = TorchLSTM(subject.build())
    step = TorchTrainingStep(model, subject.training(2), batch)

    def bits():
        return loss.bits(model(batch[0]), *batch[1:]).mean().item()

    first = bits()
    for _ in range(20):
        step()
    assert bits() < first
    step.reset()
    assert bits() == first
    assert not step.optimiser.state


@pytest.mark.parametrize("name", ["eager", "numba"])
def test_a_training_step_is_the_trainers(subject, name):
    """The same weights as plain kernel and optimiser calls give; and after a reset, those again."""
    subject = subject(NTM)
    step = TrainingStep(kernels.choose(name, subject.build()), subject.training(3), subject.batch(3))
    values = step.kernel.parameters.values
    first = values.clone()
    for _ in range(3):
        step()
    learned = values.clone()
    assert not torch.equal(learned, first)
    step.reset()
    assert torch.equal(values, first)
    for _ in range(3):
        step()
    assert torch.equal(values, learned)


def test_every_step_of_the_compiled_kernel_goes_through_torch_compile(subject, monkeypatch):
    calls = []

    def compile(step, **_):
        return lambda *arguments: calls.append(arguments) or step(*arguments)

    monkeypatch.setattr(torch, "compile", compile)
    subject = subject(NTM)
    batch = subject.batch(2)
    step = TrainingStep(Compiled(subject.build()), subject.training(2), batch)
    step()
    assert len(calls) == len(batch[0])
    assert {bound for _, _, bound in calls} == {step.gradient_bound / 2} != {math.inf}


@pytest.mark.slow
@pytest.mark.parametrize("bound", [math.inf, 1e-3])
def test_the_compiled_step_gives_eagers_cost_and_gradients(subject, bound):
    """And is one graph, with nothing left to eager. Warnings are torch's own about its internals."""
    import warnings

    subject = subject(NTM)
    eager, batch = kernels.choose("eager", subject.build()), subject.batch(2)
    expected = eager.cost_and_gradient(*batch, bound)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from torch._dynamo.utils import counters

        counters.clear()
        compiled = Compiled(subject.build())
        cost = compiled.cost_and_gradient(*batch, bound)
    assert counters["stats"]["unique_graphs"] == 1
    assert not counters["graph_break"]
    np.testing.assert_allclose(cost.bits_B, expected.bits_B, rtol=1e-5)
    torch.testing.assert_close(compiled.parameters.gradients, eager.parameters.gradients, rtol=1e-3, atol=1e-4)
