"""A model is called like any torch module, and whatever was done to it before, the call gives what its `unroll` gives.

Shape suffixes: T steps, B sequences, I inputs, O outputs.
"""

import copy
import io
import pickle
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from support.twins import build, distance, flatten, lstm_settings, ntm_settings, shapes
from torch import nn
from torch.nn.utils import parametrizations, parametrize

from ntm_repro import NTM, LSTMBaseline
from ntm_repro.kernels.fused.torch_interface import FusedSequences

any_settings = st.one_of(ntm_settings(), lstm_settings)
INPUTS, OUTPUTS = 4, 3


def ntm(**more):
    return NTM(INPUTS, OUTPUTS, hidden_size=6, num_locations=9, width=5, **more)


CORES = {
    "lstm controller": ntm,
    "feedforward controller": lambda: ntm(controller="feedforward", num_layers=2, num_heads=2),
    "locations that differ": lambda: ntm(memory_start="per_location"),
    "baseline": lambda: LSTMBaseline(INPUTS, OUTPUTS, 5, 2),
}
every_core = pytest.mark.parametrize("make", CORES.values(), ids=CORES)


def sequences(steps=5, batch=3, dtype=torch.float32, seed=1):
    return torch.randn(steps, batch, INPUTS, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def learned(core):
    """All parameters but a memory that is fixed."""
    return [parameter for parameter in core.parameters() if parameter.requires_grad]


def assert_as_unrolled(core, x_TBI=None):
    """Values and the gradients of all parameters, to what float32 roundings of a few dozen terms leave."""
    x_TBI = sequences() if x_TBI is None else x_TBI
    y_TBO, state = core(x_TBI)
    expected = core.unroll(x_TBI)
    parameters = learned(core)
    ours, theirs = (
        torch.autograd.grad(y.square().sum(), parameters, allow_unused=True, materialize_grads=True)
        for y in (y_TBO, expected.y_TBO)
    )
    torch.testing.assert_close(y_TBO, expected.y_TBO, rtol=1e-4, atol=1e-5)
    for mine, other in zip(flatten(state), flatten(expected.state), strict=True):
        torch.testing.assert_close(mine, other, rtol=1e-4, atol=1e-5)
    for mine, other in zip(ours, theirs, strict=True):
        assert (mine - other).norm() <= 1e-4 * other.norm() + 1e-5


def is_fused(core):
    return isinstance(core._kernel_slot.kernel, FusedSequences)


# A call


@every_core
def test_a_call_is_an_unroll_by_the_fused_kernel(make):
    core = make()
    assert_as_unrolled(core)
    assert is_fused(core)


@every_core
def test_the_state_carries_on_and_its_gradient_can_be_cut(make):
    core, x_TBI = make(), sequences(6)
    whole, _ = core(x_TBI)
    first, state = core(x_TBI[:2])
    second, _ = core(x_TBI[2:], state)
    torch.testing.assert_close(torch.cat([first, second]), whole, rtol=1e-5, atol=1e-6)
    (with_past,) = torch.autograd.grad(second.sum(), core.output.bias, retain_graph=True)
    cut, _ = core(x_TBI[2:], state.detach())
    assert not any(tensor.requires_grad for tensor in flatten(state.detach()))
    assert torch.equal(cut, second)
    assert torch.equal(torch.autograd.grad(cut.sum(), core.output.bias)[0], with_past)
    assert type(state.detach()) is type(state)


def test_a_trace_comes_third_and_a_model_without_memory_has_none():
    core, x_TBI = ntm(), sequences()
    trace = core(x_TBI, trace=True)[2]
    assert trace.memory_BNM.shape == (5, 3, 9, 5)
    expected = core.unroll(x_TBI, trace=True).trace
    for ours, theirs in zip(trace, expected, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-5)
    assert CORES["baseline"]()(x_TBI, trace=True)[2] is None


@every_core
def test_steps_are_a_sequence(make):
    core, x_TBI = make(), sequences()
    y_TBO, last = core(x_TBI)
    state = core.initial_state(3)
    for t, x_BI in enumerate(x_TBI):
        y_BO, state = core.step(x_BI, state)
        torch.testing.assert_close(y_BO, y_TBO[t], rtol=1e-5, atol=1e-6)
    for ours, theirs in zip(flatten(state), flatten(last), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-6)


@settings(max_examples=40)
@given(any_settings, shapes, st.sampled_from([1.0, 0.03, 1e-3]), st.integers(0, 99))
def test_the_gradient_is_bounded_through_time_as_in_unroll(model_settings, shape, bound, seed):
    core = build(model_settings, shape, seed=seed)
    generator = torch.Generator().manual_seed(seed)
    x_TBI = torch.randn(shape.steps, shape.batch, shape.inputs, generator=generator, dtype=torch.float64)
    results = []
    for y_TBO in (core(x_TBI, gradient_bound=bound)[0], core.unroll(x_TBI, gradient_bound=bound).y_TBO):
        results.append(
            torch.autograd.grad(y_TBO.square().sum(), learned(core), allow_unused=True, materialize_grads=True)
        )
    for ours, theirs in zip(*results, strict=True):
        assert (ours - theirs).norm() <= 1e-9 * theirs.norm() + 1e-15


# Padded batches


@settings(max_examples=40)
@given(any_settings, shapes, st.data(), st.integers(0, 99))
def test_a_padded_batch_is_each_of_its_sequences_alone(model_settings, shape, data, seed):
    """Outputs, trace, last state and all gradients; what lies past a sequence's end has no influence, NaN included."""
    core = build(model_settings, shape, seed=seed)
    lengths = data.draw(st.lists(st.integers(1, shape.steps), min_size=shape.batch, max_size=shape.batch))
    generator = torch.Generator().manual_seed(seed)
    x_TBI = torch.randn(shape.steps, shape.batch, shape.inputs, generator=generator, dtype=torch.float64)
    for b, length in enumerate(lengths):
        x_TBI[length:, b] = torch.nan
    y_TBO, state, trace = core(x_TBI, trace=True, lengths_B=torch.tensor(lengths))
    total = y_TBO.square().sum() + sum(tensor.square().sum() for tensor in flatten(state))
    expected_total = torch.zeros((), dtype=torch.float64)
    for b, length in enumerate(lengths):
        alone, alone_state, alone_trace = core(x_TBI[:length, b : b + 1], trace=True)
        torch.testing.assert_close(y_TBO[:length, b], alone[:, 0], rtol=0, atol=1e-12)
        assert (y_TBO[length:, b] == 0).all()
        for ours, theirs in zip(flatten(state), flatten(alone_state), strict=True):
            torch.testing.assert_close(ours[b], theirs[0], rtol=0, atol=1e-12)
        for ours, theirs in zip(trace or (), alone_trace or (), strict=True):
            torch.testing.assert_close(ours[:length, b], theirs[:, 0], rtol=0, atol=1e-12)
            assert (ours[length:, b] == 0).all()
        expected_total = expected_total + alone.square().sum()
        expected_total = expected_total + sum(tensor.square().sum() for tensor in flatten(alone_state))
    ours, theirs = (
        torch.autograd.grad(each, learned(core), allow_unused=True, materialize_grads=True)
        for each in (total, expected_total)
    )
    assert max(distance(mine, other) for mine, other in zip(ours, theirs, strict=True)) < 1e-9


# Whatever was done to the model before


def assign(core):
    core.load_state_dict({key: value.clone() + 0.1 for key, value in core.state_dict().items()}, assign=True)


def new_layer(core):
    core.output = nn.Linear(core.output.in_features, OUTPUTS)


def layer_of_another_size(core):
    core.output = nn.Linear(core.output.in_features, OUTPUTS + 4)


def new_parameter(core):
    core.output.weight = nn.Parameter(torch.randn(core.output.weight.shape))


def new_data(core):
    core.output.weight.data = torch.randn(core.output.weight.shape)


def in_place(core):
    with torch.no_grad():
        core.output.weight.mul_(2)


def weight_norm(core):
    parametrizations.weight_norm(core.output)


def weight_norm_and_back(core):
    parametrizations.weight_norm(core.output)
    core(sequences())
    parametrize.remove_parametrizations(core.output, "weight")


def shared_parameter(core):
    core.output.bias = nn.Parameter(torch.randn(OUTPUTS))
    core.another = nn.Linear(2, OUTPUTS)
    core.another.bias = core.output.bias


def frozen(core):
    core.output.requires_grad_(False)


def there_and_back(core):
    core.double()
    core(sequences(dtype=torch.float64))
    core.float()


def reset(core):
    core.reset_parameters()


CHANGES = [
    *(assign, new_layer, layer_of_another_size, new_parameter, new_data, in_place, weight_norm, weight_norm_and_back),
    *(shared_parameter, frozen, there_and_back, reset),
]


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
@every_core
def test_the_next_call_uses_the_model_as_it_now_is(make, change):
    core = make()
    before, _ = core(sequences())
    change(core)
    assert_as_unrolled(core)
    if change not in (frozen, shared_parameter, there_and_back, weight_norm, weight_norm_and_back):
        after, _ = core(sequences())
        assert before.shape != after.shape or not torch.equal(before, after)


def pickled(core):
    return pickle.loads(pickle.dumps(core))


def saved(core):
    file = io.BytesIO()
    torch.save(core, file)
    file.seek(0)
    return torch.load(file, weights_only=False)


@pytest.mark.parametrize("copied", [copy.deepcopy, pickled, saved, copy.copy], ids=lambda copied: copied.__name__)
@every_core
def test_a_copy_and_its_original_run_side_by_side(make, copied):
    core, x_TBI = make(), sequences()
    y_TBO, _ = core(x_TBI)
    twin = copied(core)
    for each in (twin, core, twin):
        assert torch.equal(each(x_TBI)[0], y_TBO)
        assert_as_unrolled(each)
    with torch.no_grad():
        twin.output.bias.add_(1)
    same = copied is copy.copy  # a shallow copy shares the parameters
    assert torch.equal(core(x_TBI)[0], twin(x_TBI)[0]) == same


def test_a_pickle_holds_each_number_once():
    core = LSTMBaseline(INPUTS, OUTPUTS, 40)
    core(sequences())
    assert len(pickle.dumps(core)) < 1.1 * 4 * core.parameter_count + 20_000


def test_hooks_of_inner_layers_are_called():
    core, calls = ntm(), []
    core(sequences())
    hook = core.controller.register_forward_hook(lambda *_: calls.append(1))
    assert_as_unrolled(core)
    assert len(calls) == 2 * 5  # by the call and by unroll, in each step
    hook.remove()
    assert_as_unrolled(core)
    assert len(calls) == 2 * 5


def test_hooks_of_the_core_itself_are_torchs():
    core, seen = ntm(), []
    core.register_forward_hook(lambda module, arguments, output: seen.append(output[0]))
    y_TBO, _ = core(sequences())
    assert seen[0] is y_TBO
    assert is_fused(core)


@every_core
def test_a_replica_for_data_parallelism_runs(make):
    core = make()
    expected, _ = core(sequences())
    replica = core._replicate_for_data_parallel()
    for module, twin in zip(core.modules(), list(replicated(core, replica)), strict=True):
        for name, parameter in module._parameters.items():
            setattr(twin, name, parameter.view_as(parameter))
    y_TBO, _ = replica(sequences())
    torch.testing.assert_close(y_TBO, expected, rtol=1e-5, atol=1e-6)
    assert torch.equal(core(sequences())[0], expected)


def replicated(module, twin):
    """As `nn.parallel.replicate` does: every inner module replicated too."""
    twin._parameters = {}
    yield twin
    twin._modules = dict(twin._modules)
    for name, child in module._modules.items():
        twin._modules[name] = child._replicate_for_data_parallel()
        yield from replicated(child, twin._modules[name])


# In a network


class Network(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Linear(2, INPUTS)
        self.core, self.second = ntm(), LSTMBaseline(OUTPUTS, 2, 5, 1)
        self.head = nn.Linear(2, 2)

    def forward(self, x_TBI):
        y_TBO, _ = self.core(torch.tanh(self.embed(x_TBI)))
        z_TBO, _ = self.second(y_TBO)
        return self.head(z_TBO)


def gradients(network, y):
    network.zero_grad()
    y.square().sum().backward()
    return [parameter.grad.clone() for parameter in network.parameters()]


def test_two_cores_in_one_network_several_passes_before_one_backward():
    torch.manual_seed(1)
    network = Network()
    x, other = torch.randn(5, 3, 2), torch.randn(7, 2, 2)
    together = gradients(network, torch.cat([network(x).flatten(), network(other).flatten()]))
    apart = [gradients(network, network(each)) for each in (x, other)]
    for both, one, two in zip(together, *apart, strict=True):
        torch.testing.assert_close(both, one + two, rtol=1e-4, atol=1e-6)


def test_gradients_accumulate_over_backward_passes():
    core = ntm()
    for _ in range(2):
        core(sequences())[0].sum().backward()
    doubled = core.output.weight.grad.clone()
    core.zero_grad()
    core(sequences())[0].sum().backward()
    torch.testing.assert_close(doubled, 2 * core.output.weight.grad, rtol=1e-5, atol=1e-6)


@pytest.mark.filterwarnings("ignore")  # torch's own, of what torch.compile imports
def test_under_torch_compile_the_core_stays_outside_the_graph():
    torch.manual_seed(1)
    network, x = Network(), torch.randn(5, 3, 2)
    expected = network(x)
    expected_gradients = gradients(network, expected)
    found = torch._dynamo.explain(network)(x)
    assert (found.graph_count, found.graph_break_count) == (2, 1)  # what comes before the cores, and what after
    compiled = torch.compile(network, backend="eager")
    y = compiled(x)
    torch.testing.assert_close(y, expected, rtol=1e-5, atol=1e-6)
    for ours, theirs in zip(gradients(network, y), expected_gradients, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("mode", ["no_grad", "inference_mode", "trace", "grad"])
@every_core
def test_several_threads_at_once_give_what_one_gives(make, mode):
    core = make()
    batches = [sequences(3 + k % 7, 1 + k % 5, seed=k) for k in range(60)]

    def run(x_TBI):
        if mode == "grad":
            y_TBO, _ = core(x_TBI)
            return torch.cat([y_TBO.flatten(), torch.autograd.grad(y_TBO.sum(), core.output.weight)[0].flatten()])
        with torch.inference_mode() if mode == "inference_mode" else torch.no_grad():
            return core(x_TBI, trace=mode == "trace")[0].flatten()

    expected = [run(x_TBI).detach().clone() for x_TBI in batches]
    with ThreadPoolExecutor(4) as pool:
        for ours, theirs in zip(pool.map(run, batches), expected, strict=True):
            assert torch.equal(ours, theirs)


def test_several_threads_may_make_the_kernel():
    for _ in range(10):
        core = ntm()
        with ThreadPoolExecutor(4) as pool:
            first, *others = pool.map(lambda x_TBI, core=core: core(x_TBI)[0].detach(), [sequences()] * 8)
        assert all(torch.equal(first, other) for other in others)


# What does not fit


def of(core):
    return core(sequences())[1].detach()


WRONG = {
    "channels": (lambda core: core(torch.rand(5, 3, 5)), "x_TBI: shape [T, B, 4] wanted, [5, 3, 5] given"),
    "axes": (lambda core: core(torch.rand(5, 4)), "x_TBI: shape [T, B, 4] wanted, [5, 4] given"),
    "no step": (
        lambda core: core(torch.rand(0, 3, 4)),
        "x_TBI: at least one step and one sequence wanted, shape [0, 3, 4] given",
    ),
    "type": (
        lambda core: core(sequences(dtype=torch.float64)),
        "x_TBI: torch.float32 wanted, as the model's parameters are, torch.float64 given",
    ),
    "no tensor": (lambda core: core([[1.0]]), "x_TBI: a tensor wanted, list given"),
    "state of another memory": (
        lambda core: core(sequences(), of(core)._replace(memory_BNM=torch.rand(3, 8, 5))),
        "state.memory_BNM: shape [3, 9, 5] wanted, [3, 8, 5] given",
    ),
    "state of another batch": (
        lambda core: core(sequences(batch=2), of(core)),
        "state.controller.layers.0.hidden_BH: shape [2, 6] wanted, [3, 6] given",
    ),
    "state of another kind": (lambda core: core(sequences(), of(CORES["baseline"]())), "state: one of this model's"),
    "step": (lambda core: core.step(torch.rand(4), of(core)), "x_BI: shape [B, 4] wanted, [4] given"),
    "too few lengths": (
        lambda core: core(sequences(), lengths_B=torch.tensor([1, 2])),
        "lengths_B: integers of shape [3] wanted, torch.int64 of shape [2] given",
    ),
    "too long": (
        lambda core: core(sequences(), lengths_B=torch.tensor([1, 2, 6])),
        "lengths_B: from 1 to the 5 steps of x_TBI wanted, 6 given",
    ),
    "lengths that are no integers": (
        lambda core: core(sequences(), lengths_B=torch.tensor([1.0, 2, 3])),
        "lengths_B: integers of shape [3] wanted, torch.float32 of shape [3] given",
    ),
}


@pytest.mark.parametrize("wrong", WRONG)
@pytest.mark.parametrize("kernel", ["fused", "eager"])
def test_what_does_not_fit_is_named_with_what_is_wanted(wrong, kernel):
    core = ntm()
    if kernel == "eager":  # any reason will do
        core.__class__ = type("Subclass", (NTM,), {})
    call, message = WRONG[wrong]
    with pytest.raises(ValueError) as caught:  # noqa: PT011 — the message is compared below
        call(core)
    assert str(caught.value).startswith(message)


@settings(max_examples=60)
@given(st.sampled_from(["x_TBI", "target_TBO", "mask_TO"]), st.lists(st.integers(1, 6), min_size=1, max_size=4))
def test_no_array_of_another_shape_reaches_compiled_code(name, shape):
    core = ntm()
    kernel = FusedSequences(core)
    arrays = {"x_TBI": sequences(), "target_TBO": torch.zeros(5, 3, OUTPUTS), "mask_TO": torch.ones(5, OUTPUTS)}
    fits = tuple(shape) == tuple(arrays[name].shape)
    arrays[name] = torch.zeros(shape)
    if fits:
        kernel.cost_and_gradient(*arrays.values())
    else:
        with pytest.raises(ValueError, match="wanted"):
            kernel.cost_and_gradient(*arrays.values())


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"hidden_size": 0}, "hidden_size=0: must be 1 or more"),
        ({"input_size": 0}, "input_size=0: must be 1 or more"),
        ({"controller": "gru"}, "controller=gru: choose lstm or feedforward"),
        ({"memory_start": "zero"}, "memory_start=zero: choose per_location or shared"),
        ({"shift_range": 4}, "shift_range=4: must be odd and positive"),
        ({"shift_range": 11}, "shift_range=11: must not exceed num_locations=9"),
        ({"hidden_bias": -1.0}, "hidden_bias=-1.0: must be 0 or more"),
    ],
)
def test_impossible_arguments_are_refused_by_name(changed, message):
    with pytest.raises(ValueError) as caught:  # noqa: PT011 — the message is compared below
        NTM(**({"input_size": INPUTS, "output_size": OUTPUTS, "num_locations": 9} | changed))
    assert str(caught.value).startswith(message)


# Initial weights


@every_core
def test_initial_weights_come_from_torchs_generator(make):
    torch.manual_seed(7)
    first, second = make(), make()
    torch.manual_seed(7)
    again = make()
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), again.parameters(), strict=True))
    assert not torch.equal(first.output.weight, second.output.weight)
    torch.manual_seed(7)
    second.reset_parameters()
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), second.parameters(), strict=True))


@every_core
def test_or_from_a_generator_which_leaves_torchs_alone(make):
    before = torch.random.get_rng_state()
    core = make()
    core.reset_parameters(torch.Generator().manual_seed(3))
    torch.random.set_rng_state(before)
    core.reset_parameters(torch.Generator().manual_seed(3))
    assert torch.equal(torch.random.get_rng_state(), before)
