"""The whole Neural Turing Machine: against loops, against numerical gradients, and what its state and trace promise.

Shape suffixes: T steps, B sequences, I inputs, O outputs, N locations, M width, R read heads, W write heads, K = R + W.
"""

import re

import numpy as np
import pytest
import torch
from torch import nn
from torch.func import functional_call

from ntm_repro import models
from ntm_repro.errors import InvalidSetting
from ntm_repro.models import addressing, memory, ntm, ntm_ff
from ntm_repro.models.addressing import HeadParameters
from ntm_repro.models.base import leaves
from ntm_repro.models.controllers import LSTMState, StackState
from ntm_repro.models.initial_state import Start, with_more_locations
from ntm_repro.models.ntm import Activation, ControllerSettings, MemorySettings, NTMState, OutputFrom, ReadOrder

T, B, I, O = 4, 2, 3, 2  # noqa: E741
CONTROLLERS = ["ntm", "ntm_ff"]
STARTS = [start.name for start in Start]


def settings_of(
    name="ntm",
    size=4,
    layers=1,
    heads=2,
    locations=7,
    width=3,
    start="per_location",
    shifts=3,
    activation="tanh",
    read_order="after",
    output_from="hidden_and_reads",
):
    return models.settings_type(name)(
        name=name,
        controller=ControllerSettings(size, layers),
        heads=heads,
        memory=MemorySettings(locations, width, Start[start]),
        shift_range=shifts,
        activation=Activation[activation],
        read_order=ReadOrder[read_order],
        output_from=OutputFrom[output_from],
    )


def built(seed=1, **settings):
    return models.build(settings_of(**settings), I, O, seed)


def inputs(steps=T, batch=B, seed=2, dtype=torch.float64):
    return torch.randn(steps, batch, I, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def tensors_of(state):
    """All tensors of a state, in one fixed order."""
    return [tensor for _, tensor in leaves(state)]


def state_of(tensors):
    """The inverse of `tensors_of`."""
    *layers, read, memory, reading, writing = tensors
    pairs = tuple(LSTMState(*pair) for pair in zip(layers[::2], layers[1::2], strict=True))
    return NTMState(StackState(pairs) if pairs else (), read, memory, reading, writing)


# ---- against the naive twin


def assert_equals_twin(naive, scramble, **settings):
    model = scramble(built(**settings))
    learned = {name: tensor.detach().numpy() for name, tensor in model.named_parameters()}
    options = {key: settings[key] for key in ("activation", "read_order", "output_from") if key in settings}
    defaults = {"activation": "tanh", "read_order": "after", "output_from": "hidden_and_reads"}
    y_TBO, memory_TBNM, weighting_TBKN, read_TBRM = naive.unroll(
        learned,
        inputs().numpy(),
        locations=settings.get("locations", 7),
        shifts=settings.get("shifts", 3),
        **{**defaults, **options},
    )
    with torch.no_grad():
        ours = model.unroll(inputs(), trace=True)
    # 1e-12 before the logarithm of sharpening, which the twin leaves out, is all that differs.
    close = {"rtol": 0, "atol": 1e-10}
    np.testing.assert_allclose(ours.y_TBO, y_TBO, **close)
    np.testing.assert_allclose(ours.trace.memory_BNM, memory_TBNM, **close)
    weightings = [ours.trace.read_weighting_BRN, ours.trace.write_weighting_BWN]
    np.testing.assert_allclose(torch.cat(weightings, 2), weighting_TBKN, **close)
    np.testing.assert_allclose(ours.trace.read_BRM, read_TBRM, **close)


@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize("output_from", ["hidden_and_reads", "hidden"])
@pytest.mark.parametrize("activation", ["tanh", "linear"])
@pytest.mark.parametrize("read_order", ["after", "before"])
@pytest.mark.parametrize("name", CONTROLLERS)
def test_a_sequence_equals_its_twin_of_loops_for_every_choice(
    naive, scramble, name, read_order, activation, output_from, start
):
    assert_equals_twin(
        naive,
        scramble,
        name=name,
        read_order=read_order,
        activation=activation,
        output_from=output_from,
        start=start,
    )


@pytest.mark.parametrize("shifts", [1, 3, 5, 7])
@pytest.mark.parametrize("heads", [1, 3, 8])
@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("name", CONTROLLERS)
def test_a_sequence_equals_its_twin_of_loops_for_every_size(naive, scramble, name, layers, heads, shifts):
    assert_equals_twin(naive, scramble, name=name, layers=layers, heads=heads, shifts=shifts)


# ---- gradients


class OneStep(nn.Module):
    """A step as a function of tensors only."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, x_BI, *state):
        y_BO, after = self.model.advance(x_BI, state_of(state))[:2]
        return (y_BO, *tensors_of(after))


class WholeUnroll(nn.Module):
    """An unroll from the learned start as a function of its input."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, x_TBI):
        unrolled = self.model.unroll(x_TBI)
        return (unrolled.y_TBO, *tensors_of(unrolled.state))


def assert_gradients(module, arguments, **options):
    """gradcheck in every parameter and every argument together."""
    names = [name for name, _ in module.named_parameters()]

    def function(*tensors):
        parameters = dict(zip(names, tensors[: len(names)], strict=True))
        return functional_call(module, parameters, tensors[len(names) :])

    tensors = [*(p.detach() for p in module.parameters()), *(a.detach() for a in arguments)]
    assert torch.autograd.gradcheck(function, [t.clone().requires_grad_() for t in tensors], **options)


SMALL = {"size": 3, "heads": 2, "locations": 4, "width": 2}


@pytest.mark.parametrize(("read_order", "activation"), [("after", "tanh"), ("before", "linear")])
@pytest.mark.parametrize("name", CONTROLLERS)
def test_gradients_of_a_step_are_exact(scramble, name, read_order, activation):
    """In the input, all parameters and the whole incoming state; one sequence, so that every derivative is compared."""
    model = scramble(built(name=name, read_order=read_order, activation=activation, **SMALL))
    state = tensors_of(model.unroll(inputs(2, 1)).state)
    assert_gradients(OneStep(model), [inputs(1, 1)[0], *state])


@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize("read_order", ["after", "before"])
@pytest.mark.parametrize("name", CONTROLLERS)
def test_gradients_of_an_unroll_are_exact(scramble, name, read_order, start):
    """Through time and into the learned start; compared along random directions, for speed."""
    model = scramble(built(name=name, read_order=read_order, start=start, **SMALL))
    assert_gradients(WholeUnroll(model), [inputs(3)], fast_mode=True)


@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize("name", CONTROLLERS)
def test_every_parameter_gets_a_gradient(scramble, name, start):
    model = scramble(built(name=name, start=start, layers=2))
    model.unroll(inputs()).y_TBO.square().sum().backward()
    assert all((parameter.grad != 0).any() for parameter in model.parameters() if parameter.requires_grad)
    fixed = {name for name, parameter in model.named_parameters() if parameter.grad is None}
    assert fixed == ({"start.memory_NM"} if start in ("random", "constant") else set())


# ---- state


@pytest.mark.parametrize("name", CONTROLLERS)
def test_a_sequence_may_be_unrolled_in_pieces_or_stepped(name):
    """To the bit: the returned state is all there is."""
    model = built(name=name, layers=2)
    x_TBI = inputs(6, dtype=torch.float32)
    whole = model.unroll(x_TBI)

    first = model.unroll(x_TBI[:2])
    second = model.unroll(x_TBI[2:], first.state)
    assert torch.equal(torch.cat([first.y_TBO, second.y_TBO]), whole.y_TBO)

    state = model.initial_state(B)
    for t in range(6):
        y_BO, state, _ = model.advance(x_TBI[t], state)
        assert torch.equal(y_BO, whole.y_TBO[t])
    for pieces, stepped, expected in zip(*map(tensors_of, (second.state, state, whole.state)), strict=True):
        assert torch.equal(pieces, expected)
        assert torch.equal(stepped, expected)


def test_the_state_is_what_the_last_step_left():
    unrolled = built().unroll(inputs(dtype=torch.float32), trace=True)
    state, trace = unrolled.state, unrolled.trace
    assert torch.equal(state.read_BRM, trace.read_BRM[-1])
    assert torch.equal(state.memory_BNM, trace.memory_BNM[-1])
    assert torch.equal(state.read_weighting_BRN, trace.read_weighting_BRN[-1])
    assert torch.equal(state.write_weighting_BWN, trace.write_weighting_BWN[-1])


def test_unroll_starts_from_the_learned_state_by_default():
    model = built()
    x_TBI = inputs(dtype=torch.float32)
    assert torch.equal(model.unroll(x_TBI).y_TBO, model.unroll(x_TBI, model.initial_state(B)).y_TBO)


def test_nothing_is_kept_on_the_module_between_calls():
    model = built()
    x_TBI = inputs(dtype=torch.float32)
    attributes = {name: set(vars(module)) for name, module in model.named_modules()}
    weights = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    expected = model.unroll(x_TBI)

    model.unroll(inputs(9, 5, seed=3, dtype=torch.float32), trace=True)
    model.advance(inputs(1, 4, seed=4, dtype=torch.float32)[0], model.initial_state(4))

    assert {name: set(vars(module)) for name, module in model.named_modules()} == attributes
    assert not list(model.buffers())
    assert all(torch.equal(tensor, weights[name]) for name, tensor in model.state_dict().items())
    again = model.unroll(x_TBI)
    assert torch.equal(again.y_TBO, expected.y_TBO)
    assert all(map(torch.equal, tensors_of(again.state), tensors_of(expected.state)))


def test_the_state_passed_in_is_not_changed():
    model = built()
    state = model.unroll(inputs(dtype=torch.float32)).state
    copies = [tensor.clone() for tensor in tensors_of(state)]
    model.unroll(inputs(seed=3, dtype=torch.float32), state)
    assert all(map(torch.equal, tensors_of(state), copies))


@pytest.mark.parametrize("name", CONTROLLERS)
def test_the_rows_of_a_batch_are_independent(name):
    """Another row 0 leaves row 1 as it was, to the bit, and row 1's cost has no gradient in row 0's input."""
    model = built(name=name)
    x_TBI = inputs(dtype=torch.float32).requires_grad_()
    other_TBI = x_TBI.detach().clone()
    other_TBI[:, 0] += 1
    y_TBO = model.unroll(x_TBI).y_TBO
    other_y_TBO = model.unroll(other_TBI).y_TBO
    assert torch.equal(y_TBO[:, 1], other_y_TBO[:, 1])
    assert not torch.equal(y_TBO[:, 0], other_y_TBO[:, 0])
    (gradient_TBI,) = torch.autograd.grad(y_TBO[:, 1].sum(), x_TBI)
    assert (gradient_TBI[:, 0] == 0).all()
    assert (gradient_TBI[:, 1] != 0).any()


def test_a_batch_is_its_sequences_alone(scramble):
    model = scramble(built())
    x_TBI = inputs(batch=3)
    alone_TBO = torch.cat([model.unroll(x_TBI[:, b : b + 1]).y_TBO for b in range(3)], 1)
    torch.testing.assert_close(model.unroll(x_TBI).y_TBO, alone_TBO, rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", CONTROLLERS)
def test_one_step_is_a_sequence(name):
    unrolled = built(name=name).unroll(inputs(1, dtype=torch.float32), trace=True)
    assert unrolled.y_TBO.shape == (1, B, O)
    assert unrolled.trace.memory_BNM.shape == (1, B, 7, 3)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize("name", CONTROLLERS)
def test_everything_has_the_type_of_the_parameters(name, start, dtype):
    unrolled = built(name=name, start=start).to(dtype).unroll(inputs(dtype=dtype), trace=True)
    assert {t.dtype for t in (unrolled.y_TBO, *tensors_of(unrolled.state), *unrolled.trace)} == {dtype}


# ---- trace


def trace_of(model, steps=30):
    """The state before each of many steps, the trace after each, and the outputs."""
    x_TBI = inputs(steps)
    with torch.no_grad():
        before = model.initial_state(B)
        unrolled = model.unroll(x_TBI, trace=True)
    trace = unrolled.trace
    memory_TBNM = torch.cat([before.memory_BNM[None], trace.memory_BNM[:-1]])
    first_BKN = torch.cat([before.read_weighting_BRN, before.write_weighting_BWN], 1)
    weighting_TBKN = torch.cat([trace.read_weighting_BRN, trace.write_weighting_BWN], 2)
    return trace, memory_TBNM, torch.cat([first_BKN[None], weighting_TBKN[:-1]])


def test_trace_shapes():
    trace = built(heads=2).unroll(inputs(dtype=torch.float32), trace=True).trace
    shapes = {name: tuple(tensor.shape) for name, tensor in trace._asdict().items()}
    assert shapes == {
        "read_weighting_BRN": (T, B, 2, 7),
        "write_weighting_BWN": (T, B, 2, 7),
        "read_BRM": (T, B, 2, 3),
        "erase_BWM": (T, B, 2, 3),
        "add_BWM": (T, B, 2, 3),
        "memory_BNM": (T, B, 7, 3),
        "key_BKM": (T, B, 4, 3),
        "strength_BK1": (T, B, 4, 1),
        "gate_BK1": (T, B, 4, 1),
        "shift_BKS": (T, B, 4, 3),
        "sharpness_BK1": (T, B, 4, 1),
    }


def test_tracing_is_off_by_default_and_changes_no_result():
    model = built()
    x_TBI = inputs(dtype=torch.float32)
    plain, traced = model.unroll(x_TBI), model.unroll(x_TBI, trace=True)
    assert plain.trace is None
    assert torch.equal(plain.y_TBO, traced.y_TBO)


@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize("name", CONTROLLERS)
def test_weightings_stay_on_the_simplex_for_a_hundred_steps(scramble, name, start):
    """Large random weights, in float32: heads focus, jump and rotate."""
    model = scramble(built(name=name, start=start, locations=20), deviation=3.0).float()
    with torch.no_grad():
        unrolled = model.unroll(inputs(100, dtype=torch.float32), trace=True)
    for w_TBHN in unrolled.trace[:2]:
        assert (w_TBHN >= 0).all()
        assert (w_TBHN.sum(-1) - 1).abs().max() < 1e-5
    assert unrolled.y_TBO.isfinite().all()


@pytest.mark.parametrize("activation", ["tanh", "linear"])
def test_what_the_controller_emits_is_in_range(scramble, activation):
    """Section 3's domains. Only key and add vectors depend on the setting."""
    trace = trace_of(scramble(built(activation=activation), deviation=2.0))[0]
    assert (trace.strength_BK1 > 0).all()
    assert (trace.sharpness_BK1 >= 1).all()
    for unit in (trace.gate_BK1, trace.erase_BWM, trace.shift_BKS):
        assert ((unit >= 0) & (unit <= 1)).all()
    torch.testing.assert_close(trace.shift_BKS.sum(-1), torch.ones(30, B, 4, dtype=torch.float64))
    for vector in (trace.key_BKM, trace.add_BWM):
        assert (vector.abs().max() <= 1) == (activation == "tanh")
        assert (vector < 0).any()


@pytest.mark.parametrize("read_order", ["after", "before"])
def test_trace_reproduces_the_reads(scramble, read_order):
    """From the memory after this step's writes, or from the one before them."""
    trace, before_TBNM, _ = trace_of(scramble(built(read_order=read_order)))
    seen_TBNM = trace.memory_BNM if read_order == "after" else before_TBNM
    expected_TBRM = torch.einsum("tbrn,tbnm->tbrm", trace.read_weighting_BRN, seen_TBNM)
    torch.testing.assert_close(trace.read_BRM, expected_TBRM, rtol=0, atol=1e-13)


def test_trace_reproduces_the_memory(scramble):
    trace, before_TBNM, _ = trace_of(scramble(built(heads=3)))
    for t in range(30):
        expected_BNM = memory.write(before_TBNM[t], trace.write_weighting_BWN[t], trace.erase_BWM[t], trace.add_BWM[t])
        assert torch.equal(trace.memory_BNM[t], expected_BNM)


@pytest.mark.parametrize("read_order", ["after", "before"])
def test_trace_parameters_recompute_the_weightings(scramble, read_order):
    """What the stages of Figure 2 are drawn from: reading heads come first among the K."""
    heads = 2
    trace, before_TBNM, previous_TBKN = trace_of(scramble(built(heads=heads, read_order=read_order)))
    for t in range(30):
        parameters = [tensor[t] for tensor in trace[-5:]]
        reading, writing = (
            HeadParameters(*(p[:, half] for p in parameters)) for half in (slice(heads), slice(heads, None))
        )
        seen_BNM = trace.memory_BNM[t] if read_order == "after" else before_TBNM[t]
        read_BRN = addressing.address(reading, previous_TBKN[t, :, :heads], seen_BNM)
        write_BWN = addressing.address(writing, previous_TBKN[t, :, heads:], before_TBNM[t])
        torch.testing.assert_close(trace.read_weighting_BRN[t], read_BRN, rtol=0, atol=1e-13)
        torch.testing.assert_close(trace.write_weighting_BWN[t], write_BWN, rtol=0, atol=1e-13)


# ---- starts


def test_a_shared_start_does_not_grow_with_the_memory():
    assert len({built(start="shared", locations=n).parameter_count for n in (7, 128, 1000)}) == 1


def test_a_start_per_location_costs_its_memory_and_its_weightings():
    heads, width = 2, 3
    for locations in (7, 128):
        start = built(heads=heads, width=width, locations=locations).start
        assert sum(p.numel() for p in start.parameters()) == locations * width + 2 * heads * locations


def test_a_model_with_a_shared_start_may_be_given_more_locations(scramble):
    """The first locations begin as before, but for the share, exp(−ρ N) at most, that the new ones take."""
    small = built(start="shared", locations=20).double()
    large = built(start="shared", locations=50, seed=9).double()
    large.load_state_dict(small.state_dict())
    of_small, of_large = small.initial_state(B), large.initial_state(B)
    assert torch.equal(of_large.memory_BNM[:, :20], of_small.memory_BNM)
    for few_BHN, many_BHN in zip(of_small[-2:], of_large[-2:], strict=True):
        torch.testing.assert_close(many_BHN[..., :20], few_BHN, rtol=1e-12, atol=0)
        assert (many_BHN[..., 20:] < 1e-40).all()
    assert large.unroll(inputs(), trace=True).trace.memory_BNM.shape == (T, B, 50, 3)


def test_a_start_per_location_may_not_be_given_more_locations():
    with pytest.raises(RuntimeError, match="size mismatch"):
        built(locations=50).load_state_dict(built(locations=20).state_dict())


def test_a_start_per_location_goes_on_with_rows_like_the_mean_where_no_head_begins():
    """The locations of training begin as before, to within the 1e-13 that the others take."""
    small = built(locations=20).double()
    large = built(locations=50, seed=9).double()
    large.load_state_dict(with_more_locations(small.state_dict(), 50))
    of_small, of_large = small.initial_state(B), large.initial_state(B)
    assert torch.equal(of_large.memory_BNM[:, :20], of_small.memory_BNM)
    torch.testing.assert_close(of_large.memory_BNM[:, 20:], of_small.memory_BNM.mean(1, keepdim=True).expand(B, 30, -1))
    for few_BHN, many_BHN in zip(of_small[-2:], of_large[-2:], strict=True):
        torch.testing.assert_close(many_BHN[..., :20], few_BHN, rtol=1e-11, atol=0)
        assert (many_BHN[..., 20:] < 1e-13).all()


@pytest.mark.parametrize("start", ["shared", "per_location"])
def test_nothing_changes_where_locations_are_as_many_or_belong_to_no_parameter(start):
    tensors = built(start=start, locations=20).state_dict()
    assert with_more_locations(tensors, 20 if start == "per_location" else 50) is tensors


def test_a_fresh_shared_start_begins_on_location_0():
    """99 % of the weight: steep enough to be a place, and not so steep that its rate has no gradient."""
    model = built(start="shared", locations=128)
    state = model.initial_state(B)
    for w_BHN in state[-2:]:
        assert (w_BHN[..., 0] > 0.99).all()
        assert (w_BHN[..., 0] < 0.999).all()
        assert (w_BHN.sum(-1) - 1).abs().max() < 1e-6
    (gradient_K,) = torch.autograd.grad(state.write_weighting_BWN[0, :, 0].sum(), model.start.rate_K)
    assert (gradient_K[2:] != 0).all()


def test_a_random_start_is_small_and_uniform_and_that_of_the_seed():
    memory_NM = built(start="random", locations=128, width=20).start.memory_NM
    bound = 1 / 148**0.5
    assert 0.99 * bound < memory_NM.abs().max() <= bound
    assert memory_NM.mean().abs() < 4 * bound / (3 * memory_NM.numel()) ** 0.5
    assert memory_NM.std() == pytest.approx(bound / 3**0.5, rel=0.05)
    assert torch.equal(built(start="random", locations=128, width=20).start.memory_NM, memory_NM)
    assert not torch.equal(built(start="random", locations=128, width=20, seed=2).start.memory_NM, memory_NM)


def test_with_a_random_start_heads_begin_by_content_alone():
    """Whatever the gate lets through, sharpening divides by the sum."""
    model = built(start="random").double()
    state = model.initial_state(B)
    assert all((w_BHN == 0).all() for w_BHN in state[-2:])
    with torch.no_grad():
        rows = model.interface.bias[: 4 * model.parameters_per_head].view(4, -1)
        weights = model.interface.weight[: 4 * model.parameters_per_head].view(4, model.parameters_per_head, -1)
        results = []
        for gate in (-3.0, 3.0):
            rows[:, model.width + 1], weights[:, model.width + 1] = gate, 0
            results.append(model.unroll(inputs(1), trace=True).trace)
    for few, many in zip(results[0][:2], results[1][:2], strict=True):
        torch.testing.assert_close(few, many, rtol=1e-8, atol=1e-10)  # 1e-12 before the logarithm


def test_a_constant_start_is_the_same_everywhere_and_weightings_are_nearly_uniform():
    model = built(start="constant", locations=128)
    assert (model.start.memory_NM == 1e-6).all()
    logits_KN = model.start.logits_KN.detach()
    assert logits_KN.std() == pytest.approx((2 / 129) ** 0.5, rel=0.15)
    for w_BHN in model.initial_state(B)[-2:]:
        assert (w_BHN.sum(-1) - 1).abs().max() < 1e-6
        assert w_BHN.max() < 2 / 128


def gradient_of_the_first_memory(model, weighting_BHN=None):
    """How the cost of a sequence depends on each location of the memory before it, [N, M]."""
    state = model.initial_state(1)
    memory_BNM = state.memory_BNM.detach().clone().requires_grad_()
    if weighting_BHN is not None:
        state = state._replace(read_weighting_BRN=weighting_BHN, write_weighting_BWN=weighting_BHN)
    y_TBO = model.unroll(inputs(batch=1), state._replace(memory_BNM=memory_BNM)).y_TBO
    return torch.autograd.grad(y_TBO.square().sum(), memory_BNM)[0][0]


def test_a_focused_first_weighting_breaks_the_symmetry_of_equal_locations():
    """Equal locations under uniform weightings have equal gradients, and stay equal for ever."""
    model = built(start="shared", heads=1, locations=7).double()
    uniform_BHN = torch.full((1, 1, 7), 1 / 7, dtype=torch.float64)
    symmetric_NM = gradient_of_the_first_memory(model, uniform_BHN)
    assert (symmetric_NM != 0).all()
    torch.testing.assert_close(symmetric_NM, symmetric_NM[:1].expand(7, -1))
    focused_NM = gradient_of_the_first_memory(model)
    distances = torch.pdist(focused_NM / focused_NM.abs().max())
    assert distances.min() > 1e-6


@pytest.mark.parametrize("start", STARTS)
def test_every_sequence_of_a_batch_starts_alike(start):
    state = built(start=start).initial_state(3)
    assert all((tensor == tensor[0]).all() for tensor in tensors_of(state))


# ---- settings and building


@pytest.mark.parametrize(
    ("changed", "key"),
    [
        ({"size": 0}, "controller.size=0"),
        ({"layers": 0}, "controller.layers=0"),
        ({"heads": 0}, "heads=0"),
        ({"heads": -1}, "heads=-1"),
        ({"locations": 0}, "memory.locations=0"),
        ({"width": 0}, "memory.width=0"),
        ({"shifts": 0}, "shift_range=0"),
        ({"shifts": -1}, "shift_range=-1"),
        ({"shifts": 2}, "shift_range=2"),
        ({"shifts": 9, "locations": 8}, "shift_range=9"),
    ],
)
def test_impossible_settings_are_refused_by_key(changed, key):
    with pytest.raises(InvalidSetting, match="^" + re.escape(key) + ":"):
        settings_of(**changed)


@pytest.mark.parametrize("changed", [{}, {"shifts": 1, "locations": 1}, {"shifts": 7, "locations": 7}])
def test_possible_settings_pass(changed):
    settings_of(**changed)


def expected_count(settings, inputs, outputs):
    """What the wiring of Figure 1 costs; LSTM layers as in the baseline."""
    heads, N, M = settings.heads, settings.memory.locations, settings.memory.width
    size, layers = settings.controller.size, settings.controller.layers
    seen = inputs + heads * M
    if settings.name == "ntm":
        controller = 4 * size * (seen + size + 1) + (layers - 1) * 4 * size * (seen + 2 * size + 1) + 2 * layers * size
        width = layers * size
    else:
        controller = size * (seen + 1) + (layers - 1) * size * (size + 1)
        width = size
    # Each head: key, strength, gate, shifts, sharpness; each write head: erase and add vectors.
    emitted = 2 * heads * (M + 1 + 1 + settings.shift_range + 1) + heads * 2 * M
    to_output = width + (heads * M if settings.output_from is OutputFrom.hidden_and_reads else 0)
    start = {
        Start.shared: M + 2 * heads,
        Start.per_location: N * M + 2 * heads * N,
        Start.random: 0,
        Start.constant: 2 * heads * N,
    }[settings.memory.start]
    return controller + emitted * (width + 1) + outputs * (to_output + 1) + heads * M + start


@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize("output_from", ["hidden_and_reads", "hidden"])
@pytest.mark.parametrize(("layers", "heads", "shifts"), [(1, 1, 3), (2, 5, 3), (1, 4, 5)])
@pytest.mark.parametrize("name", CONTROLLERS)
def test_parameter_count_follows_from_the_wiring(name, layers, heads, shifts, output_from, start):
    settings = settings_of(name=name, layers=layers, heads=heads, shifts=shifts, output_from=output_from, start=start)
    assert models.build(settings, I, O, 1).parameter_count == expected_count(settings, I, O)


@pytest.mark.parametrize(("name", "count"), [("ntm", 63_023), ("ntm_ff", 13_523)])
def test_parameter_count_for_copy_with_a_shared_start(name, count):
    settings = settings_of(name=name, size=100, heads=1, locations=128, width=20, start="shared")
    assert models.build(settings, 10, 9, 1).parameter_count == expected_count(settings, 10, 9) == count


@pytest.mark.parametrize("name", CONTROLLERS)
def test_the_seed_alone_decides_the_weights(name):
    """Torch's own generator neither matters nor moves."""
    torch.manual_seed(1)
    before = torch.get_rng_state()
    first = built(seed=7, name=name).state_dict()
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(2)
    second, other = built(seed=7, name=name).state_dict(), built(seed=8, name=name).state_dict()
    assert all(torch.equal(first[key], second[key]) for key in first)
    assert not any(torch.equal(first[key], other[key]) for key in first if first[key].any())


def test_build_finds_the_model_by_the_settings_name():
    assert models.settings_type("ntm") is ntm.Settings
    assert models.settings_type("ntm_ff") is ntm_ff.Settings
    assert isinstance(built(name="ntm").controller, ntm.LSTMStack)
    assert type(built(name="ntm_ff").controller).__name__ == "Feedforward"


def test_hidden_biases_are_scattered_as_wide_as_told_and_nothing_else_changes():
    sizes = ControllerSettings(300, 2)
    plain, scattered = (
        models.build(ntm_ff.Settings(controller=sizes, hidden_bias=wide), 8, 3, 1) for wide in (0.0, 0.3)
    )
    for layer in scattered.controller.layers:
        assert layer.bias.std().item() == pytest.approx(0.3, rel=0.15)  # of 300: four standard errors
        assert abs(layer.bias.mean().item()) < 0.07
    assert not any(layer.bias.any() for layer in plain.controller.layers)
    for ours, theirs in zip(plain.controller.layers, scattered.controller.layers, strict=True):
        assert torch.equal(ours.weight, theirs.weight)
    assert not scattered.interface.bias.any()


@pytest.mark.parametrize("name", CONTROLLERS)
@pytest.mark.parametrize("inputs", [1, 8])
def test_inputs_drive_a_controller_with_unit_variance_and_all_else_with_small_weights(name, inputs):
    model = models.build(settings_of(name=name, size=300, layers=2, width=20), inputs, 3, 1)
    first, second = (layer.gates if name == "ntm" else layer for layer in model.controller.layers)
    wide = [first.weight[:, :inputs]]
    narrow = [first.weight[:, inputs:], model.interface.weight, model.output.weight]
    if name == "ntm":  # whose second layer sees the inputs too
        wide.append(second.weight[:, :inputs])
        narrow.append(second.weight[:, inputs:])
    else:
        narrow.append(second.weight)
    for weight in wide:
        assert weight.std().item() * inputs**0.5 == pytest.approx(1, rel=0.15)
    for weight in narrow:
        assert weight.std().item() == pytest.approx(0.1, rel=0.1)
