"""Whatever runs a sequence gives the result of the readable reference, `model.unroll`; and which one does is clear.

Shape suffixes: T steps, B sequences, I inputs, O outputs.
"""

import logging
import math
import sys

import numpy as np
import pytest
import torch
from support import processes

from ntm_repro import kernels, loss
from ntm_repro.errors import UsageError
from ntm_repro.models.controllers import LSTMStack
from ntm_repro.models.initial_state import Start
from ntm_repro.models.lstm import LSTMBaseline
from ntm_repro.models.ntm import NTM, OutputFrom

MODELS = ["ntm", "ntm_ff", "lstm"]
KERNELS = ["auto", "eager", "numba"]


def example():
    """Input, targets and mask: five steps of three sequences, the last two steps scored, one output of one of them."""
    generator = torch.Generator().manual_seed(1)
    x_TBI = torch.randn(5, 3, 4, generator=generator)
    target_TBO = torch.randint(0, 2, (5, 3, 2), generator=generator).float()
    mask_TO = torch.tensor([[0, 0], [0, 0], [0, 0], [1, 1], [0, 1]]).float()
    return x_TBI, target_TBO, mask_TO


def flat(nested):
    """Every tensor in nested tuples, in order; None stands for itself."""
    if isinstance(nested, tuple):
        return [tensor for part in nested for tensor in flat(part)]
    return [nested]


def assert_close(unrolled, expected):
    """Within float32 roundings of a few dozen terms: another kernel may sum in another order."""
    for ours, theirs in zip(flat(unrolled), flat(expected), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-6)


# One result


@pytest.mark.parametrize("trace", [False, True])
@pytest.mark.parametrize("name", KERNELS)
@pytest.mark.parametrize("which", MODELS)
def test_every_kernel_unrolls_like_the_model(built, which, name, trace):
    model = built(which)
    kernel = kernels.choose(name, model)
    x_TBI, _, _ = example()
    first = kernel.unroll(x_TBI[:3], trace=trace)
    assert_close(first, model.unroll(x_TBI[:3], trace=trace))
    assert_close(kernel.unroll(x_TBI[3:], first.state, trace), model.unroll(x_TBI[3:], first.state, trace))


@pytest.mark.parametrize("name", KERNELS)
@pytest.mark.parametrize("which", MODELS)
def test_every_kernel_has_the_gradients_of_the_model(built, which, name):
    model = built(which)
    kernel = kernels.choose(name, model)
    x_TBI, _, _ = example()
    gradients = [
        torch.autograd.grad(unrolled.y_TBO.square().sum(), list(model.parameters()))
        for unrolled in (kernel.unroll(x_TBI), model.unroll(x_TBI))
    ]
    assert_close(*gradients)


@pytest.mark.parametrize("name", KERNELS)
@pytest.mark.parametrize("which", MODELS)
def test_the_cost_is_that_of_the_loss_and_the_gradient_that_of_its_mean(built, which, name):
    twin = built(which)
    x_TBI, target_TBO, mask_TO = example()
    y_TBO = twin.unroll(x_TBI).y_TBO
    expected_B = loss.bits(y_TBO, target_TBO, mask_TO)
    (expected_B.sum() / 3).backward()

    model = built(which)
    kernel = kernels.choose(name, model)
    kernel.parameters.gradients.fill_(7)  # of an update before; padding too
    cost = kernel.cost_and_gradient(x_TBI, target_TBO, mask_TO)
    assert cost.bits_B.shape == cost.wrong_B.shape == (3,)
    np.testing.assert_allclose(cost.bits_B, expected_B.detach().numpy(), rtol=1e-6)
    assert cost.wrong_B.tolist() == loss.wrong_bits(y_TBO, target_TBO, mask_TO).tolist()
    gradients = kernel.parameters.named(kernel.parameters.gradients)
    assert_close(tuple(gradients.values()), tuple(dict(twin.named_parameters())[name].grad for name in gradients))


@pytest.mark.parametrize("name", ["eager", "numba"])
def test_what_no_gradient_reaches_has_none(built, name):
    """After a single step whose output comes before it, nothing is known of what the heads read."""
    model = built("ntm", output_from=OutputFrom.hidden)
    kernel = kernels.choose(name, model)
    kernel.parameters.gradients.fill_(7)
    x_TBI, target_TBO, _ = example()
    kernel.cost_and_gradient(x_TBI[:1], target_TBO[:1], torch.ones(1, 2))
    gradients = kernel.parameters.named(kernel.parameters.gradients)
    assert (gradients["interface.weight"] == 0).all()
    assert (gradients["start.memory_M"] == 0).all()
    assert (gradients["output.weight"] != 0).any()


def test_eager_is_the_reference_to_the_bit(built):
    model = built("ntm")
    x_TBI, target_TBO, mask_TO = example()
    kernel = kernels.choose("eager", model)
    assert torch.equal(kernel.unroll(x_TBI).y_TBO, model.unroll(x_TBI).y_TBO)
    cost = kernel.cost_and_gradient(x_TBI, target_TBO, mask_TO)
    assert torch.equal(torch.from_numpy(cost.bits_B), loss.bits(model.unroll(x_TBI).y_TBO, target_TBO, mask_TO))


@pytest.mark.parametrize("name", ["eager", "numba"])
def test_gradients_set_to_none_find_their_buffer_again(built, name):
    model = built("ntm")
    kernel = kernels.choose(name, model)
    kernel.cost_and_gradient(*example())
    expected = kernel.parameters.gradients.clone()
    model.zero_grad(set_to_none=True)
    kernel.parameters.gradients.zero_()
    kernel.cost_and_gradient(*example())
    assert torch.equal(kernel.parameters.gradients, expected)


@pytest.mark.parametrize("name", ["eager", "numba"])
@pytest.mark.parametrize("which", MODELS)
def test_every_optimiser_of_torch_works_on_the_model(built, which, name):
    """Each parameter's .grad is its view of the kernel's gradients, whatever became of it before."""
    twin = built(which)
    x_TBI, target_TBO, mask_TO = example()
    theirs = torch.optim.Adam(twin.parameters(), lr=0.01)
    kernel = kernels.choose(name, built(which))
    ours = torch.optim.Adam(kernel.model.parameters(), lr=0.01)
    for step in range(3):
        theirs.zero_grad()
        loss.bits(twin.unroll(x_TBI).y_TBO, target_TBO, mask_TO).mean().backward()
        theirs.step()
        if step == 1:
            ours.zero_grad(set_to_none=True)
        kernel.cost_and_gradient(x_TBI, target_TBO, mask_TO)
        ours.step()
    gradients = kernel.parameters.named(kernel.parameters.gradients)
    for key, parameter in kernel.model.named_parameters():
        assert parameter.grad.data_ptr() == gradients[key].data_ptr()
        # Adam's first steps are ±lr whatever the gradient, and a rounding of a tiny one may change its sign.
        torch.testing.assert_close(parameter, dict(twin.named_parameters())[key], rtol=1e-3, atol=1e-4)


# Which one


class Warnings(logging.Handler):
    def __init__(self):
        super().__init__(logging.WARNING)
        self.lines = []

    def emit(self, record):
        self.lines.append(record.getMessage())


@pytest.fixture
def warnings():
    """What the choice warns of."""
    logger, handler = logging.getLogger("ntm_repro.kernels"), Warnings()
    logger.addHandler(handler)
    yield handler.lines
    logger.removeHandler(handler)


@pytest.mark.parametrize("start", list(Start), ids=lambda start: start.name)
@pytest.mark.parametrize("which", MODELS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_fused_kernel_is_the_fastest_and_covers_every_model_of_the_suite(built, warnings, which, dtype, start):
    model = built(which, start=start).to(dtype)
    chosen = {name: kernels.choose(name, model).name for name in KERNELS}
    assert chosen == {"auto": "numba", "eager": "eager", "numba": "numba"}
    assert warnings == []


def another_lstm(model):
    """A subclass may compute something else."""
    model.__class__ = type("LeakyLSTM", (LSTMBaseline,), {})


def another_ntm(model):
    model.__class__ = type("NTMWithoutErase", (NTM,), {})


def another_controller(model):
    model.controller.__class__ = type("PeepholeStack", (LSTMStack,), {})


def another_start(model):
    model.start.__class__ = type("ZeroStart", (type(model.start),), {})


def half_precision(model):
    model.half()


def on_another_device(model):
    model.to("meta")


NOT_COVERED = [
    ("lstm", another_lstm, "the fused kernel does not know LeakyLSTM"),
    ("ntm", another_ntm, "the fused kernel does not know NTMWithoutErase"),
    ("ntm", another_controller, "the fused kernel does not know PeepholeStack"),
    ("ntm_ff", another_start, "the fused kernel does not know ZeroStart"),
    ("ntm", half_precision, "the fused kernel computes in float32 or float64, not in torch.float16"),
    ("lstm", on_another_device, "the fused kernel runs on the CPU and the model is on meta"),
]


@pytest.mark.parametrize(("which", "change", "why"), NOT_COVERED, ids=lambda value: getattr(value, "__name__", None))
def test_a_model_that_is_not_covered_is_refused_by_name_and_eager_otherwise(built, warnings, which, change, why):
    model = built(which)
    change(model)
    before = [parameter.data_ptr() for parameter in model.parameters()]
    with pytest.raises(UsageError) as caught:
        kernels.choose("numba", model)
    assert str(caught.value) == f"kernel=numba: {why}; use kernel=eager or kernel=auto"
    assert [parameter.data_ptr() for parameter in model.parameters()] == before
    assert warnings == []
    assert kernels.choose("eager", model).name == "eager"
    assert warnings == []
    assert kernels.choose("auto", model).name == "eager"
    assert warnings == [f"kernel=auto: {why}, so this runs step by step (kernel=eager)"]


def test_a_subclass_that_is_not_covered_runs_as_its_own_code_says(built):
    class Shifted(NTM):
        def unroll(self, x_TBI, state=None, trace=False, gradient_bound=math.inf):
            unrolled = super().unroll(x_TBI, state, trace, gradient_bound)
            return unrolled._replace(y_TBO=unrolled.y_TBO + 100)

    model = built("ntm")
    x_TBI, _, _ = example()
    expected = model.unroll(x_TBI).y_TBO + 100
    model.__class__ = Shifted
    assert torch.equal(kernels.choose("auto", model).unroll(x_TBI).y_TBO, expected)


def test_without_numba_models_run_eagerly(built, warnings, monkeypatch):
    monkeypatch.setitem(sys.modules, "numba", None)  # importing it raises ImportError
    model = built("ntm")
    why = r"numba cannot be imported \(.*numba.*\)"
    with pytest.raises(UsageError, match=rf"^kernel=numba: {why}; use kernel=eager or kernel=auto$"):
        kernels.choose("numba", model)
    assert kernels.choose("eager", model).name == "eager"
    assert warnings == []
    kernel = kernels.choose("auto", model)
    assert kernel.name == "eager"
    (line,) = warnings
    assert line.startswith("kernel=auto: numba cannot be imported")
    assert math.isfinite(kernel.cost_and_gradient(*example()).bits_B.sum())


@pytest.mark.parametrize("numba", [True, False])
def test_whoever_wants_the_eager_kernel_needs_no_numba(numba):
    """It takes seconds to import, and may not be there."""
    script = (
        "import sys\n"
        f"numba = {numba}\n"
        "if not numba: sys.modules['numba'] = None\n"
        "import torch\n"
        "from ntm_repro import kernels, models, optimisers\n"
        "from ntm_repro.optimisers import graves_rmsprop\n"
        "from ntm_repro.models.lstm import Settings\n"
        "kernel = kernels.choose('eager', models.build(Settings(size=2), 3, 1, 1))\n"
        "kernel.cost_and_gradient(torch.zeros(2, 1, 3), torch.zeros(2, 1, 1), torch.ones(2, 1))\n"
        "optimisers.make(graves_rmsprop.Settings(), kernel.parameters, kernel.compiled).step(1e-4, 1.0, 10.0)\n"
        "assert not sys.modules.get('numba')\n"
    )
    done = processes.run([sys.executable, "-c", script])
    assert done.returncode == 0, done.stderr
