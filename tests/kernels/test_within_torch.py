"""A call within what torch offers around modules: transforms, second derivatives, autocast, modes, default types.

Each is compared with `unroll`, plain torch, in float64: equal but for the order in which some dozen terms are added.

Shape suffixes: T steps, B sequences, I inputs, O outputs.
"""

import copy
import sys
import warnings

import pytest
import torch
from safetensors.torch import load_file, save_file
from support import processes
from torch import nn
from torch.autograd import forward_ad
from torch.nn.utils import prune

from ntm_repro import NTM, LSTMBaseline, load, models
from ntm_repro.kernels.fused.torch_interface import FusedSequences
from ntm_repro.models.base import bounded
from ntm_repro.models.lstm import Settings

INPUTS, OUTPUTS = 4, 3


def ntm():
    return NTM(INPUTS, OUTPUTS, hidden_size=6, num_locations=9, width=5)


def baseline():
    return LSTMBaseline(INPUTS, OUTPUTS, 5, 2)


every_core = pytest.mark.parametrize("make", [ntm, baseline])


def sequences(dtype=torch.float64):
    return torch.randn(5, 3, INPUTS, generator=torch.Generator().manual_seed(1), dtype=dtype)


def called(core):
    return lambda x_TBI: core(x_TBI)[0]


def unrolled(core):
    return lambda x_TBI: core.unroll(x_TBI).y_TBO


def assert_equal(ours, theirs):
    torch.testing.assert_close(ours, theirs, rtol=1e-9, atol=1e-11)


# Gradients of gradients


@every_core
@pytest.mark.parametrize("of", [torch.Tensor.sum, lambda y_TBO: y_TBO.square().sum()], ids=["linear", "square"])
def test_a_gradient_can_be_differentiated(make, of):
    """A penalty on the gradient of an input that comes from other weights, as for critics of generative models."""
    core, layer = make().double(), nn.Linear(INPUTS, INPUTS).double()
    wanted = [layer.weight, *core.parameters()]
    results = []
    for function in (called(core), unrolled(core)):
        x_TBI = sequences().requires_grad_()
        (d_x_TBI,) = torch.autograd.grad(of(function(layer(x_TBI))), x_TBI, create_graph=True)
        penalty = d_x_TBI.square().sum()
        results.append(torch.autograd.grad(penalty, wanted, allow_unused=True, materialize_grads=True))
    assert results[1][0].norm() > 0
    for ours, theirs in zip(*results, strict=True):
        assert_equal(ours, theirs)


def test_also_where_state_and_input_come_from_the_same_parameters():
    core = ntm().double()
    results = []
    for run in (core, lambda *given: core.unroll(*given)[:2]):
        first_TBO, state = run(sequences())
        again_TBI = torch.cat([first_TBO, sequences()[..., :1]], -1)
        y_TBO, last = run(again_TBI, state)
        total = y_TBO.square().sum() + last.memory_BNM.sum()
        gradients = torch.autograd.grad(total, list(core.parameters()), create_graph=True)
        second = torch.autograd.grad(sum(g.square().sum() for g in gradients), list(core.parameters()))
        results.append([*gradients, *second])
    for ours, theirs in zip(*results, strict=True):
        assert_equal(ours, theirs)


def test_a_bounded_gradient_can_be_differentiated():
    x = torch.tensor([0.5, 3.0], dtype=torch.float64, requires_grad=True)
    (d_x,) = torch.autograd.grad(bounded((x,), 2.0)[0].square().sum(), x, create_graph=True)
    assert d_x.tolist() == [1.0, 2.0]  # 2 x, and 6 clipped to 2
    (second,) = torch.autograd.grad(d_x.sum(), x)
    assert second.tolist() == [2.0, 0.0]


def test_a_hessian_is_that_of_unroll():
    core, x_TBI = ntm().double(), sequences()[:2, :1]
    ours, theirs = (
        torch.autograd.functional.hessian(lambda x, f=function: f(x).square().sum(), x_TBI)
        for function in (called(core), unrolled(core))
    )
    assert theirs.norm() > 0
    assert_equal(ours, theirs)


# Transforms, traces and exported programs


TRANSFORMS = {
    "grad": lambda f, x: torch.func.grad(lambda x: f(x).square().sum())(x),
    "jacrev": lambda f, x: torch.func.jacrev(f)(x[:2, :1]),
    "vmap": lambda f, x: torch.func.vmap(f)(torch.stack([x, 2 * x])),
    "vmap of grad": lambda f, x: torch.func.vmap(torch.func.grad(lambda x: f(x).sum()))(torch.stack([x, 2 * x])),
}


@pytest.mark.parametrize("transform", TRANSFORMS.values(), ids=TRANSFORMS)
@every_core
def test_transforms_see_every_operation(make, transform):
    core = make().double()
    assert_equal(transform(called(core), sequences()), transform(unrolled(core), sequences()))


def test_the_gradient_is_bounded_within_transforms():
    core, x_TBI = ntm().double(), sequences()
    ours = torch.func.grad(lambda x: core(x, gradient_bound=1e-3)[0].square().sum())(x_TBI)
    x_TBI.requires_grad_()
    (theirs,) = torch.autograd.grad(core.unroll(x_TBI, gradient_bound=1e-3).y_TBO.square().sum(), x_TBI)
    assert_equal(ours, theirs)


def test_an_ensemble_in_one_call():
    cores = [ntm().double() for _ in range(3)]
    parameters, buffers = torch.func.stack_module_state(cores)
    skeleton, x_TBI = copy.deepcopy(cores[0]), sequences()

    def one(parameters, buffers):
        return torch.func.functional_call(skeleton, (parameters, buffers), (x_TBI,))[0]

    assert_equal(torch.func.vmap(one)(parameters, buffers), torch.stack([core(x_TBI)[0] for core in cores]))


@pytest.mark.parametrize("trained", [True, False])
def test_forward_derivatives_are_not_lost(trained):
    core, x_TBI = ntm().double().requires_grad_(trained), sequences()
    tangents = []
    with forward_ad.dual_level(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of torch's own, which scripts what it needs for this
        for function in (called(core), unrolled(core)):
            tangents.append(forward_ad.unpack_dual(function(forward_ad.make_dual(x_TBI, x_TBI.cos()))).tangent)
    assert_equal(*tangents)


def test_an_exported_program_is_the_model():
    core = ntm().double()
    core(sequences())
    program = torch.export.export(core, (sequences(),)).module()
    assert_equal(program(2 * sequences())[0], core(2 * sequences())[0])


@pytest.mark.filterwarnings("ignore")  # what torch says of traces in general
def test_a_traced_program_is_the_model():
    core = ntm().double()
    traced = torch.jit.trace(core, (sequences(),), strict=False)
    assert_equal(traced(2 * sequences())[0], core(2 * sequences())[0])


# Modes


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@every_core
def test_under_autocast_the_recurrence_stays_in_the_parameters_type(make, dtype):
    core, layer = make(), nn.Linear(INPUTS, INPUTS)
    with torch.autocast("cpu", dtype=dtype):
        x_TBI = layer(sequences(torch.float32))
        y_TBO, _ = core(x_TBI)
    assert (x_TBI.dtype, y_TBO.dtype) == (dtype, torch.float32)
    assert torch.equal(y_TBO, core(x_TBI.float())[0])
    y_TBO.sum().backward()
    assert layer.weight.grad.norm() > 0


def test_under_autocast_a_model_without_a_kernel_does_the_same():
    core = ntm()
    core.__class__ = type("Subclass", (NTM,), {})
    with torch.autocast("cpu", dtype=torch.bfloat16):
        y_TBO, _ = core(sequences(torch.float32))
    assert torch.equal(y_TBO, core(sequences(torch.float32))[0])


def test_a_model_first_called_in_inference_mode_trains_afterwards():
    core = ntm().double()
    with torch.inference_mode():
        first, _ = core(sequences())
    assert isinstance(core._kernel_slot.kernel, FusedSequences)
    optimiser = torch.optim.SGD(core.parameters(), 0.1)
    core(sequences())[0].square().sum().backward()
    optimiser.step()
    core.load_state_dict(core.state_dict())
    assert not torch.equal(core(sequences())[0], first)
    assert_equal(core(sequences())[0], core.unroll(sequences()).y_TBO)


def test_parameters_that_processes_share_stay_shared():
    """As for lock-free training: what one process writes the others see."""
    core = ntm().double()
    before, _ = core(sequences())
    core.share_memory()
    after, _ = core(sequences())
    assert all(parameter.is_shared() for parameter in core.parameters())
    assert_equal(after, before)


# Default types and devices


def test_another_default_type_draws_the_same_numbers(default_type):
    torch.manual_seed(3)
    single = ntm()
    default_type(torch.float64)
    torch.manual_seed(3)
    double = ntm()
    assert double.output.weight.dtype is torch.float64
    for ours, theirs in zip(double.parameters(), single.parameters(), strict=True):
        torch.testing.assert_close(ours, theirs.double(), rtol=1e-6, atol=0)  # a factor is rounded to float32


def test_a_recorded_run_is_as_it_was_trained_whatever_the_defaults(default_type):
    expected = load("results/paper/copy/ntm/seed1").model
    default_type(torch.float64)
    with torch.device("meta"):
        model = load("results/paper/copy/ntm/seed1").model
    for ours, theirs in zip(model.parameters(), expected.parameters(), strict=True):
        assert ours.dtype is theirs.dtype
        assert torch.equal(ours, theirs)


def test_models_are_built_on_the_cpu_in_float32_whatever_the_defaults(default_type):
    expected = models.build(Settings(size=3, layers=2), 2, 3, seed=1)
    default_type(torch.float64)
    with torch.device("meta"):
        model = models.build(Settings(size=3, layers=2), 2, 3, seed=1)
    for ours, theirs in zip(model.parameters(), expected.parameters(), strict=True):
        assert torch.equal(ours, theirs)


@every_core
def test_another_default_device_does_not_matter_to_a_model_on_the_cpu(make):
    core, x_TBI = make().double(), sequences()
    expected = core(x_TBI, lengths_B=[5, 3, 1])[0]
    other = copy.deepcopy(core)
    with torch.device("meta"):
        y_TBO, _ = other(x_TBI, lengths_B=[5, 3, 1])
        y_TBO.sum().backward()
        with torch.no_grad():
            assert torch.equal(other(x_TBI)[0], core(x_TBI)[0])
    assert torch.equal(y_TBO, expected)
    assert other.output.bias.grad.device.type == "cpu"


@pytest.fixture
def default_type():
    before = torch.get_default_dtype()
    yield torch.set_default_dtype
    torch.set_default_dtype(before)


# Tensors of another layout


LAYOUTS = {
    "sparse": (torch.Tensor.to_sparse, "torch.sparse_coo"),
    "mkldnn": (torch.Tensor.to_mkldnn, "torch._mkldnn"),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_an_input_that_is_not_dense_is_refused_by_name(layout):
    convert, name = LAYOUTS[layout]
    with pytest.raises(ValueError, match=f"x_TBI: a dense tensor wanted, a {name} one given"):
        ntm()(convert(sequences(torch.float32)))


def test_a_gradient_of_lazy_zeros_is_zero():
    core, x_TBI = ntm().double(), sequences().requires_grad_()
    y_TBO, _ = core(x_TBI)
    (d_x_TBI,) = torch.autograd.grad(y_TBO, x_TBI, torch._efficientzerotensor(y_TBO.shape, dtype=torch.float64))
    assert torch.equal(d_x_TBI, torch.zeros_like(x_TBI))


# What flattens weights: the README says what works


@every_core
def test_weights_are_saved_by_safetensors_as_contiguous_copies(make, tmp_path):
    core, again = make(), make()
    core(sequences(torch.float32))
    save_file({name: tensor.contiguous() for name, tensor in core.state_dict().items()}, tmp_path / "weights")
    again.load_state_dict(load_file(tmp_path / "weights"))
    assert torch.equal(called(again)(sequences(torch.float32)), called(core)(sequences(torch.float32)))


@every_core
def test_a_model_that_only_unroll_runs_takes_what_flattens_weights(make):
    core, x_TBI = make(), sequences(torch.float32)
    optimiser = torch.optim.LBFGS(core.parameters(), max_iter=3)

    def closure():
        optimiser.zero_grad()
        cost = unrolled(core)(x_TBI).square().sum()
        cost.backward()
        return cost

    first = optimiser.step(closure).detach()
    assert unrolled(core)(x_TBI).square().sum() < first
    assert len(nn.utils.parameters_to_vector(core.parameters())) == sum(map(torch.numel, core.parameters()))
    prune.l1_unstructured(core.output, "weight", 0.5)
    assert not core.output.weight.all()


FORKED = """
import os, torch
from ntm_repro import NTM
torch.set_num_threads(2)
core, x_TBI = NTM(4, 3, hidden_size=6, num_locations=9, width=5), torch.ones(5, 2, 4)
y_TBO = core(x_TBI)[0].detach()
torch.softmax(torch.ones(2, 3), -1)
child = os.fork()
if child == 0:
    torch.softmax(torch.ones(2, 3), -1)
    os._exit(not torch.equal(core(x_TBI)[0], y_TBO))
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


def test_a_forked_child_calls_the_model():
    assert processes.run([sys.executable, "-c", FORKED], check=True).stdout == "0\n"
