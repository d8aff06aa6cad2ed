"""The fused kernel is the readable reference: values, traces, states and every gradient."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numba import types
from support.twins import (
    Shape,
    build,
    distances,
    flatten,
    lstm_settings,
    ntm_settings,
    outcome,
    random_state,
    shapes,
    unflatten,
)

from ntm_repro import kernels, models, optimisers
from ntm_repro.kernels import Eager
from ntm_repro.kernels.fused import entry_points, layout, torch_interface
from ntm_repro.kernels.fused.torch_interface import FusedSequences
from ntm_repro.models import lstm, ntm, ntm_ff
from ntm_repro.models.addressing import WEIGHT_EPSILON
from ntm_repro.optimisers import graves_rmsprop

any_settings = st.one_of(ntm_settings(), ntm_settings(), lstm_settings)
EXACT = 1e-9


def inputs(shape, dtype=torch.float64, seed=3):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape.steps, shape.batch, shape.inputs, generator=generator, dtype=torch.float64).to(dtype)


@pytest.fixture
def threads():
    """Set torch's number of threads, which is the kernel's too, for one test."""
    before = torch.get_num_threads()
    yield torch.set_num_threads
    torch.set_num_threads(before)


def assert_equal_to_eager(model, x_TBI, state=None, tolerance=EXACT):
    theirs = outcome(model.unroll, model, x_TBI, state, unflatten)
    ours = outcome(FusedSequences(model).unroll, model, x_TBI, state, unflatten)
    apart = distances(ours, theirs)
    assert {name: value for name, value in apart.items() if value > tolerance} == {}


@settings(max_examples=120)
@given(any_settings, shapes, st.integers(0, 99))
def test_values_and_all_gradients_equal_eager_from_the_learned_start(model_settings, shape, seed):
    assert_equal_to_eager(build(model_settings, shape, seed=seed), inputs(shape))


@settings(max_examples=60)
@given(any_settings, shapes, st.integers(0, 99))
def test_values_and_all_gradients_equal_eager_from_a_given_state(model_settings, shape, seed):
    model = build(model_settings, shape, seed=seed)
    assert_equal_to_eager(model, inputs(shape), random_state(model, shape.batch, seed=seed))


@settings(max_examples=60)
@given(ntm_settings(), shapes, st.floats(2, 30), st.integers(0, 99))
def test_saturated_gates_and_extreme_strengths_and_sharpnesses(model_settings, shape, spread, seed):
    """Weights this large push gates, strengths and shifts to their ends; a looser bound where a sum cancels."""
    model = build(model_settings, shape, seed=seed)
    with torch.no_grad():
        model.interface.weight.mul_(spread)
        model.interface.bias.mul_(spread)
    x_TBI = inputs(shape)
    theirs = outcome(model.unroll, model, x_TBI)
    ours = outcome(FusedSequences(model).unroll, model, x_TBI)
    for tensor, expected in zip(ours.trace, theirs.trace, strict=True):
        torch.testing.assert_close(tensor, expected, rtol=1e-9, atol=1e-12)
    total = math.sqrt(sum(gradient.square().sum() for gradient in theirs.gradients.values()))
    for name, gradient in ours.gradients.items():
        assert (gradient - theirs.gradients[name]).norm() <= 1e-9 * total, name


@pytest.mark.parametrize("order", list(ntm.ReadOrder), ids=lambda order: order.name)
@pytest.mark.parametrize("sharpness", [1.0, 50.0])
def test_exactly_one_hot_weightings(order, sharpness):
    """Where all other weights are 0 the logarithm sees nothing but its guard."""
    shape = Shape(4, 3, 2, 2)
    sizes = ntm.Settings(
        controller=ntm.ControllerSettings(5), heads=2, memory=ntm.MemorySettings(9, 4), read_order=order
    )
    model = build(sizes, shape)
    with torch.no_grad():
        gate, last = model.width + 1, model.parameters_per_head - 1
        for head in range(4):
            at = head * model.parameters_per_head
            model.interface.weight[at + gate] = 0
            model.interface.bias[at + gate] = -40  # the gate is closed: only the shift moves the weighting
            model.interface.weight[at + gate + 1 : at + last] = 0
            model.interface.bias[at + gate + 1 : at + last] = torch.tensor([-800.0, -800.0, 0.0])
            model.interface.bias[at + last] = sharpness
    state = random_state(model, 3)
    for leaf in state[-2:]:
        leaf.zero_()[..., 3] = 1
    x_TBI = inputs(shape)
    weighting = outcome(FusedSequences(model).unroll, model, x_TBI, state, unflatten).state[-1]
    assert weighting[..., 3 + shape.steps].min() > 1 - 9 * WEIGHT_EPSILON * shape.steps
    assert_equal_to_eager(model, x_TBI, state)


def test_the_gradient_is_that_of_the_function():
    """By finite differences of the kernel itself."""
    shape = Shape(3, 2, 2, 2)
    model = build(ntm.Settings(controller=ntm.ControllerSettings(3), memory=ntm.MemorySettings(5, 2)), shape)
    kernel = FusedSequences(model)
    state = [leaf.requires_grad_() for leaf in random_state(model, 2)]
    x_TBI = inputs(shape).requires_grad_()

    def run(x_TBI, *leaves):
        unrolled = kernel.unroll(x_TBI, unflatten(model.initial_state(2), list(leaves)))
        return unrolled.y_TBO, *flatten(unrolled.state)

    assert torch.autograd.gradcheck(run, (x_TBI, *state), eps=1e-6, atol=1e-6)


PAPER = {
    "ntm": (ntm.Settings(), Shape(22, 2, 10, 9)),
    "ntm_ff": (ntm_ff.Settings(), Shape(22, 2, 10, 9)),
    "sort": (ntm.Settings(heads=5, controller=ntm.ControllerSettings(100, 2)), Shape(37, 1, 10, 8)),
    "lstm": (lstm.Settings(size=128), Shape(37, 2, 10, 8)),
}


@pytest.mark.parametrize("name", PAPER)
def test_in_float32_it_errs_no_more_than_three_times_what_eager_does(name):
    """Against float64, at the paper's sizes, with weights as large as trained ones.

    How far roundings carry depends on the weights by orders of magnitude: each quantity is compared over four draws.
    """
    model_settings, shape = PAPER[name]
    errors = {"eager": {}, "fused": {}}
    for seed in range(4):
        exact_model, model = (
            build(model_settings, shape, dtype, 0.3, seed) for dtype in (torch.float64, torch.float32)
        )
        exact_model.load_state_dict(model.state_dict())
        x_TBI = (inputs(shape, seed=seed) > 0).double()
        exact = outcome(exact_model.unroll, exact_model, x_TBI)
        for kind, unroll in (("eager", model.unroll), ("fused", FusedSequences(model).unroll)):
            for quantity, error in distances(outcome(unroll, model, x_TBI.float()), exact).items():
                errors[kind].setdefault(quantity, []).append(error)
    root_mean_square = {
        kind: {quantity: math.sqrt(np.mean(np.square(found))) for quantity, found in quantities.items()}
        for kind, quantities in errors.items()
    }
    fused, eager = root_mean_square["fused"], root_mean_square["eager"]
    assert {
        quantity: (fused[quantity], eager[quantity]) for quantity in fused if fused[quantity] > 3 * eager[quantity]
    } == {}


# Learning


def batch_of(shape, dtype, seed=5):
    generator = torch.Generator().manual_seed(seed)
    target_TBO = torch.randint(0, 2, (shape.steps, shape.batch, shape.outputs), generator=generator).to(dtype)
    mask_TO = torch.randint(0, 2, (shape.steps, shape.outputs), generator=generator).to(dtype)
    return inputs(shape, dtype), target_TBO, mask_TO


@settings(max_examples=60)
@given(any_settings, shapes, st.integers(0, 99), st.sampled_from([math.inf, 1.0, 0.03, 1e-3]))
def test_cost_and_gradient_equal_eager(model_settings, shape, seed, bound):
    """With and without a bound on what passes through time: some of these bounds clip nearly everything."""
    batch = batch_of(shape, torch.float64, seed)
    results = []
    for kernel_class in (Eager, FusedSequences):
        kernel = kernel_class(build(model_settings, shape, seed=seed))
        kernel.parameters.gradients.fill_(torch.nan)  # whatever was there is replaced
        kernel.cost_and_gradient(*batch)
        cost = kernel.cost_and_gradient(*batch, bound)  # a second time in the same buffers
        results.append((cost, kernel))
    (theirs, eager), (ours, fused) = results
    np.testing.assert_allclose(ours.bits_B, theirs.bits_B, rtol=1e-12)
    np.testing.assert_array_equal(ours.wrong_B, theirs.wrong_B)
    theirs, ours = (kernel.parameters.named(kernel.parameters.gradients) for kernel in (eager, fused))
    learned = {name for name, parameter in eager.model.named_parameters() if parameter.requires_grad}
    for name in learned:
        assert (ours[name] - theirs[name]).norm() <= EXACT * theirs[name].norm() + 1e-15, name


@pytest.mark.parametrize("batch", [4, 7, 8, 13])
@pytest.mark.parametrize("name", ["ntm", "ntm_ff", "lstm"])
def test_the_wider_groups_of_large_models_equal_eager(name, batch, monkeypatch):
    """With sizes that fill no panel, and more rows than are packed at a time."""
    monkeypatch.setattr(layout, "LARGE", 0)
    sizes = lstm.Settings(size=21, layers=2) if name == "lstm" else models.settings_type(name)(heads=2)
    shape = Shape(23, batch, 3, 5)
    x_TBI, target_TBO, mask_TO = batch_of(shape, torch.float64)
    results = []
    for kernel_class in (Eager, FusedSequences):
        kernel = kernel_class(build(sizes, shape, spread=0.2))
        cost = kernel.cost_and_gradient(x_TBI, target_TBO, mask_TO, 0.01)
        results.append((cost.bits_B, kernel.parameters.named(kernel.parameters.gradients)))
    assert kernel.layout.group == layout.GROUP_OF_LARGE
    (their_bits, theirs), (our_bits, ours) = results
    np.testing.assert_allclose(our_bits, their_bits, rtol=1e-12)
    for key, parameter in kernel.model.named_parameters():
        if parameter.requires_grad:
            assert (ours[key] - theirs[key]).norm() <= EXACT * theirs[key].norm() + 1e-15, key
    assert_equal_to_eager(build(sizes, shape, spread=0.2), x_TBI)


@pytest.mark.parametrize("name", ["ntm", "ntm_ff", "lstm"])
def test_longer_and_shorter_batches_in_turn_leave_nothing_behind_in_the_buffers(name):
    sizes = lstm.Settings(size=6) if name == "lstm" else models.settings_type(name)(heads=2)
    shape = Shape(3, 2, 4, 3)
    worn, fresh = (FusedSequences(build(sizes, shape, torch.float32)) for _ in range(2))
    for longer in (Shape(40, 9, 4, 3), Shape(2, 1, 4, 3), Shape(7, 4, 4, 3)):
        worn.cost_and_gradient(*batch_of(longer, torch.float32))
    batch = batch_of(shape, torch.float32)
    np.testing.assert_array_equal(worn.cost_and_gradient(*batch).bits_B, fresh.cost_and_gradient(*batch).bits_B)
    assert torch.equal(worn.parameters.gradients, fresh.parameters.gradients)


@pytest.mark.parametrize("name", ["ntm", "ntm_ff", "lstm"])
@pytest.mark.parametrize("batch", [1, 3, 4, 11])
def test_the_number_of_threads_changes_no_bit(name, batch, threads, monkeypatch):
    monkeypatch.setattr("ntm_repro.jit.threads.WORTH_SHARING", 1)
    sizes = lstm.Settings(size=33) if name == "lstm" else models.settings_type(name)(heads=2)
    shape = Shape(7, batch, 10, 9)
    x_TBI, target_TBO, mask_TO = batch_of(shape, torch.float32)
    results = []
    for count in (1, 2, 3):
        threads(count)
        kernel = FusedSequences(build(sizes, shape, torch.float32, 0.2))
        with torch.no_grad():
            y_TBO = kernel.unroll(x_TBI).y_TBO
        optimiser = optimisers.make(graves_rmsprop.Settings(), kernel.parameters, compiled=True)
        for _ in range(3):
            cost = kernel.cost_and_gradient(x_TBI, target_TBO, mask_TO)
            norm = optimiser.gradient_norm()
            optimiser.step(1e-2, 1.0, 10.0)
        numbers = [torch.from_numpy(cost.bits_B), torch.tensor(norm)]
        results.append([y_TBO, *numbers, kernel.parameters.values, *optimiser.slots.values()])
    for other in results[1:]:
        for ours, theirs in zip(results[0], other, strict=True):
            assert torch.equal(ours, theirs)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize(("size", "steps"), [(5, 6), (64, 1), (130, 9), (257, 4)])
def test_threads_that_share_a_sequence_of_an_lstm_change_no_bit(size, steps, dtype, threads, monkeypatch):
    """Whatever the cells, also where a thread has none, or a whole number of the shares' 64 is not all."""
    monkeypatch.setattr("ntm_repro.kernels.fused.torch_interface.CELLS_WORTH_A_THREAD", 1)
    shape = Shape(steps, 1, 10, 9)
    kernel = FusedSequences(build(lstm.Settings(size=size, layers=3), shape, dtype, 0.2))
    results = []
    for count in (1, 2, 3, 5):
        threads(count)
        for _ in range(2):
            cost = kernel.cost_and_gradient(*batch_of(shape, dtype), 0.01)
        results.append([torch.from_numpy(cost.bits_B), kernel.parameters.gradients.clone()])
    assert results[0][1].abs().max() > 0
    for other in results[1:]:
        for ours, theirs in zip(results[0], other, strict=True):
            assert torch.equal(ours, theirs)


def arrays_of(shape, dtype=torch.float32):
    return tuple(tensor.numpy() for tensor in batch_of(shape, dtype))


@pytest.mark.parametrize("name", ["ntm", "ntm_ff", "lstm"])
@pytest.mark.parametrize("batch", [1, 3, 6])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_gradients_for_compiled_callers_are_those_of_single_batches(name, batch, dtype):
    """Of any lengths, in any order, with nothing left behind."""
    sizes = lstm.Settings(size=6) if name == "lstm" else models.settings_type(name)(heads=2)
    several = [Shape(steps, batch, 4, 3) for steps in (5, 1, 12, 2)]
    ours, theirs = (FusedSequences(build(sizes, several[0], dtype)) for _ in range(2))
    gradients = ours.gradients([arrays_of(shape, dtype) for shape in several], 0.5)
    for u in (2, 0, 3, 1):
        entry_points.gradient(*gradients.arguments, u)
        cost = theirs.cost_and_gradient(*batch_of(several[u], dtype), 0.5)
        assert gradients.bits_UB[u].tobytes() == cost.bits_B.tobytes()
        assert gradients.wrong_UB[u].tobytes() == cost.wrong_B.tobytes()
        assert torch.equal(ours.parameters.gradients, theirs.parameters.gradients)
    assert all(parameter.grad is not None for parameter in ours.model.parameters())


@pytest.mark.parametrize("name", ["ntm", "ntm_ff", "lstm"])
@pytest.mark.parametrize("batch", [1, 3, 6, 20])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_cost_with_other_values_is_that_of_a_model_that_has_them(name, batch, dtype):
    """By itself and for compiled callers, to the same bits; the kernel's own parameters stay as they are."""
    sizes = lstm.Settings(size=6) if name == "lstm" else models.settings_type(name)(heads=2)
    several = [Shape(steps, batch, 4, 3) for steps in (5, 1, 12, 2)]
    ours, theirs = (FusedSequences(build(sizes, several[0], dtype)) for _ in range(2))
    eager = Eager(build(sizes, several[0], dtype))
    own, other_P = ours.parameters.values.clone(), ours.parameters.values * 1.5
    theirs.parameters.values.copy_(other_P)
    costs = ours.gradients([arrays_of(shape, dtype) for shape in several], 0.5, other_P).costs
    for u in (2, 0, 3, 1):
        batch_u = batch_of(several[u], dtype)
        alone = ours.cost(*batch_u, other_P)
        costs.function.run(*costs.arguments, u)
        assert costs.bits_UB[u].tobytes() == alone.bits_B.tobytes()
        assert costs.wrong_UB[u].tobytes() == alone.wrong_B.tobytes()
        learning = theirs.cost_and_gradient(*batch_u)
        assert alone.bits_B.tobytes() == learning.bits_B.tobytes()
        assert alone.wrong_B.tobytes() == learning.wrong_B.tobytes()
        if dtype is torch.float64:
            plain = eager.cost(*batch_u, other_P)
            np.testing.assert_allclose(alone.bits_B, plain.bits_B, rtol=EXACT, atol=EXACT)
            assert np.array_equal(alone.wrong_B, plain.wrong_B)
    assert torch.equal(ours.parameters.values, own)


def test_a_cost_without_gradient_refuses_what_does_not_fit():
    shape = Shape(5, 2, 4, 3)
    for kernel_class in (FusedSequences, Eager):
        kernel = kernel_class(build(lstm.Settings(size=6), shape, torch.float32))
        x_TBI, target_TBO, mask_TO = batch_of(shape, torch.float32)
        own = kernel.parameters.values.clone()
        with pytest.raises(ValueError, match="target_TBO: shape"):
            kernel.cost(x_TBI, target_TBO[:, :1], mask_TO, torch.zeros_like(own))
        assert torch.equal(kernel.parameters.values, own)
    with pytest.raises(ValueError, match="x_TBI: "):
        FusedSequences(build(lstm.Settings(size=6), shape, torch.float32)).cost(
            x_TBI[..., :2], target_TBO, mask_TO, own
        )


def test_gradients_for_compiled_callers_end_before_the_first_batch_that_does_not_fit(threads, monkeypatch):
    kernel = FusedSequences(build(lstm.Settings(size=6), Shape(5, 2, 4, 3), torch.float32))
    x_TBI, target_TBO, mask_TO = good = arrays_of(Shape(5, 2, 4, 3))
    long = arrays_of(Shape(9, 2, 4, 3))
    unfit = [
        arrays_of(Shape(5, 3, 4, 3)),  # another batch size
        arrays_of(Shape(5, 2, 5, 3)),
        arrays_of(Shape(5, 2, 4, 2)),
        (x_TBI[:4], target_TBO, mask_TO),
        (x_TBI, target_TBO, mask_TO[:4]),
        tuple(array[:0] for array in good),
        (x_TBI.astype(np.float64), target_TBO, mask_TO),
        (x_TBI, target_TBO, mask_TO.astype(bool)),
    ]
    for arrays in unfit:
        assert len(kernel.gradients([good, long, arrays, good]).bits_UB) == 2
    assert kernel.gradients(unfit[4:]) is None
    # Of several threads it is worth only the longer one.
    monkeypatch.setattr("ntm_repro.jit.threads.WORTH_SHARING", kernel.parameters.values.numel() * 9 * 2 // 16)
    assert len(kernel.gradients([good, long]).bits_UB) == 2
    threads(2)
    assert len(kernel.gradients([good, long]).bits_UB) == 1
    assert kernel.gradients([arrays_of(Shape(5, 5, 4, 3))]) is None


def test_arrays_in_another_order_of_memory_are_the_same_numbers():
    sizes, shape = lstm.Settings(size=6), Shape(5, 2, 4, 3)
    kernel = FusedSequences(build(sizes, shape, torch.float32))
    arrays = arrays_of(shape)
    costs = []
    for ordered in (arrays, tuple(np.asfortranarray(array) for array in arrays)):
        gradients = kernel.gradients([ordered, ordered])
        entry_points.gradient(*gradients.arguments, 1)
        costs.append(gradients.bits_UB[1].tobytes())
    assert costs[0] == costs[1]
    single = [signature for signature in entry_points.gradient.signatures if signature[5].dtype == types.float32]
    assert len(single) == 1


def test_a_changed_model_gives_no_gradients():
    kernel = FusedSequences(build(lstm.Settings(size=6), Shape(5, 2, 4, 3), torch.float32))
    kernel.model.double()
    with pytest.raises(RuntimeError, match="the model was changed"):
        kernel.gradients([arrays_of(Shape(5, 2, 4, 3))])


@pytest.mark.parametrize("poison", [torch.nan, torch.inf, -torch.inf])
@pytest.mark.parametrize(
    "parameter",
    ["interface.bias", "output.weight", "controller.layers.0.gates.weight", "start.memory_M", "start.rate_K"],
)
def test_what_is_not_finite_comes_to_light_as_with_eager(parameter, poison):
    """fastmath that took finiteness for granted could lose it. (An infinity may saturate a gate, and harm nothing.)"""
    shape = Shape(4, 2, 3, 2)
    finite = []
    for kernel_class in (Eager, FusedSequences):
        kernel = kernel_class(build(ntm.Settings(), shape, torch.float32))
        poisoned = kernel.model.get_parameter(parameter).data
        poisoned[(0,) * poisoned.dim()] = poison
        cost = kernel.cost_and_gradient(*batch_of(shape, torch.float32))
        finite.append((np.isfinite(cost.bits_B).all(), kernel.parameters.gradients.isfinite().all().item()))
    assert finite[0] == finite[1]
    if math.isnan(poison):
        assert not all(finite[1])


# Unrolling


@pytest.mark.parametrize("name", ["ntm", "ntm_ff", "lstm"])
def test_without_gradients_the_same_bits(name):
    sizes = lstm.Settings(size=6) if name == "lstm" else models.settings_type(name)()
    shape = Shape(5, 11, 4, 3)
    kernel = FusedSequences(build(sizes, shape, torch.float32, 0.2))
    x_TBI = inputs(shape, torch.float32)
    with_gradient = kernel.unroll(x_TBI, trace=True)
    with torch.no_grad():
        without = kernel.unroll(x_TBI, trace=True)
    assert with_gradient.y_TBO.requires_grad
    assert not without.y_TBO.requires_grad
    for ours, theirs in zip(tensors(without), tensors(with_gradient), strict=True):
        assert torch.equal(ours, theirs)
        assert theirs.shape == ours.shape


def test_with_and_without_gradients_one_compiled_variant_for_each_type():
    """A piece of a batch that is no whole array would have another type, and compile for another minute."""
    kernel = FusedSequences(build(ntm.Settings(), Shape(3, 9, 4, 3), torch.float32))
    x_TBI = inputs(Shape(3, 9, 4, 3), torch.float32)
    with torch.no_grad():
        kernel.unroll(x_TBI)
    kernel.unroll(x_TBI).y_TBO.sum().backward()
    kernel.cost_and_gradient(*batch_of(Shape(3, 9, 4, 3), torch.float32))
    names = ("group_forward", "group_backward", "forward", "backward", "cost_and_gradient", "weight_gradients")
    for entry in (getattr(kernel.entries, name)._function for name in names):
        buffers = (next(kind for kind in signature if isinstance(kind, types.Array)) for signature in entry.signatures)
        single = [buffer for buffer in buffers if buffer.dtype == types.float32]
        assert len(single) == 1


def tensors(unrolled):
    return [unrolled.y_TBO, *flatten(unrolled.state), *(unrolled.trace or ())]


def test_a_sequence_in_pieces_is_the_sequence(threads):
    threads(2)
    shape = Shape(9, 5, 4, 3)
    kernel = FusedSequences(build(ntm.Settings(heads=2), shape, torch.float32, 0.2))
    x_TBI = inputs(shape, torch.float32)
    with torch.no_grad():
        whole = kernel.unroll(x_TBI)
        first = kernel.unroll(x_TBI[:4])
        second = kernel.unroll(x_TBI[4:], first.state)
    assert torch.equal(torch.cat([first.y_TBO, second.y_TBO]), whole.y_TBO)
    assert all(map(torch.equal, flatten(second.state), flatten(whole.state)))


def test_a_second_backward_pass_gives_the_same_gradients():
    shape = Shape(3, 5, 2, 2)
    kernel = FusedSequences(build(ntm.Settings(), shape, torch.float32))
    total = kernel.unroll(inputs(shape, torch.float32)).y_TBO.sum()
    first, second = (torch.autograd.grad(total, kernel.parameters.parameters, retain_graph=True) for _ in range(2))
    assert all(map(torch.equal, first, second))


def test_a_backward_pass_after_the_parameters_changed_is_refused():
    shape = Shape(3, 1, 2, 2)
    kernel = FusedSequences(build(ntm.Settings(), shape, torch.float32))
    total = kernel.unroll(inputs(shape, torch.float32)).y_TBO.sum()
    with torch.no_grad():
        kernel.model.output.bias.add_(1)
    with pytest.raises(RuntimeError, match="inplace"):
        total.backward()


def test_parameters_moved_elsewhere_are_noticed():
    shape = Shape(3, 1, 2, 2)
    kernel = FusedSequences(build(ntm.Settings(), shape, torch.float32))
    kernel.model.double()
    with pytest.raises(RuntimeError, match="make another kernel"):
        kernel.unroll(inputs(shape))


def test_only_what_asks_for_a_gradient_gets_one():
    shape = Shape(3, 1, 2, 2)
    model = build(ntm.Settings(), shape, torch.float32)
    model.output.requires_grad_(False)
    x_TBI = inputs(shape, torch.float32).requires_grad_()
    torch_interface.FusedSequences(model).unroll(x_TBI).y_TBO.sum().backward()
    assert x_TBI.grad is not None
    assert model.output.weight.grad is None
    assert model.interface.weight.grad.any()


def test_first_sequences_of_copy_equal_eager():
    """30 sequences of the paper's copy run, trained by each kernel: the cost of every one of them."""
    assert_same_costs(30)


@pytest.mark.slow
def test_first_300_sequences_of_copy_equal_eager():
    assert_same_costs(300)


def assert_same_costs(sequences):
    from ntm_repro.tasks.copy import Copy
    from ntm_repro.training.loop import Trainer
    from ntm_repro.training.settings import TrainSettings

    def costs(name):
        model = models.build(ntm.Settings(), 10, 9, 1)
        trainer = Trainer(
            task=Copy(),
            kernel=kernels.choose(name, model),
            settings=TrainSettings(sequences=sequences),
            seed=1,
            device=torch.device("cpu"),
            identity="",
        )
        found = []
        for _ in range(sequences):
            before = trainer.window.bits
            trainer.update()
            found.append(trainer.window.bits - before)
        return found

    np.testing.assert_allclose(costs("numba"), costs("eager"), rtol=0, atol=1e-3)
