"""Parameters in one buffer: the model does not notice, and whoever runs over the whole buffer harms nothing."""

import copy

import pytest
import torch
from safetensors.torch import load, save

from ntm_repro import kernels, optimisers
from ntm_repro.kernels.flat_parameters import ALIGNMENT, FlatParameters
from ntm_repro.models.initial_state import Start
from ntm_repro.optimisers import adam, graves_rmsprop, rmsprop, steady_adam

MODELS = ["ntm", "ntm_ff", "lstm"]
models = pytest.mark.parametrize("which", MODELS)


CASES = [*((which, start) for which in MODELS[:2] for start in Start), ("lstm", Start.shared)]  # which has no memory


@pytest.fixture(params=CASES, ids=lambda case: f"{case[0]}-{case[1].name}")
def model(request, built):
    return built(request.param[0], start=request.param[1])


def copies(model):
    return {name: parameter.detach().clone() for name, parameter in model.named_parameters()}


def padding(flat):
    """Which numbers of the buffer belong to no parameter."""
    unused = torch.ones_like(flat.values)
    for view in flat.split(unused):
        view.zero_()
    return unused.bool()


def lines(tensor):
    """Where a tensor lies in its memory, number by number."""
    return tensor.storage_offset() + sum(
        index * stride
        for index, stride in zip(
            torch.meshgrid(*map(torch.arange, tensor.shape), indexing="ij"), tensor.stride(), strict=True
        )
    )


def test_the_model_does_not_notice(model):
    before = copies(model)
    shapes = {name: parameter.shape for name, parameter in model.named_parameters()}
    names = list(before)
    fixed = [name for name, parameter in model.named_parameters() if not parameter.requires_grad]
    x_TBI = torch.randn(3, 2, 4, generator=torch.Generator().manual_seed(1))
    expected = model.unroll(x_TBI).y_TBO.detach()
    FlatParameters(model)
    assert [name for name, _ in model.named_parameters()] == names
    for name, parameter in model.named_parameters():
        assert isinstance(parameter, torch.nn.Parameter)
        assert parameter.requires_grad == (name not in fixed)
        assert parameter.shape == shapes[name]
        assert torch.equal(parameter, before[name])
    # The same numbers in another layout: a product may sum in another order.
    torch.testing.assert_close(model.unroll(x_TBI).y_TBO.detach(), expected, rtol=1e-5, atol=1e-6)


def test_every_parameter_is_a_view(model):
    flat = FlatParameters(model)
    assert flat.values.dtype == flat.gradients.dtype == torch.float32
    assert flat.values.shape == flat.gradients.shape
    for parameter in model.parameters():
        assert parameter.untyped_storage().data_ptr() == flat.values.untyped_storage().data_ptr()
        assert parameter.grad is None
    flat.values.fill_(2)
    assert all((parameter == 2).all() for parameter in model.parameters())


def test_no_two_numbers_share_a_place(model):
    flat = FlatParameters(model)
    places = torch.cat([lines(parameter.data).flatten() for parameter in model.parameters()])
    count = sum(parameter.numel() for parameter in model.parameters())  # fixed ones, too
    assert len(places.unique()) == len(places) == count
    assert int(places.max()) < len(flat.values)
    assert int(padding(flat).sum()) == len(flat.values) - count


def test_an_affine_layer_lies_input_by_input_the_bias_below_and_rows_on_cache_lines(model):
    flat = FlatParameters(model)
    affine = [module for module in model.modules() if isinstance(module, torch.nn.Linear)]
    assert affine
    for layer in affine:
        columns = -(-layer.out_features // ALIGNMENT) * ALIGNMENT
        begin = flat.at(layer.weight)
        assert begin % ALIGNMENT == 0
        block = flat.values[begin : begin + (layer.in_features + 1) * columns].reshape(-1, columns)
        assert torch.equal(block[:-1, : layer.out_features], layer.weight.T)
        assert torch.equal(block[-1, : layer.out_features], layer.bias)
        assert (block[:, layer.out_features :] == 0).all()


def test_every_other_parameter_lies_as_it_was_on_a_cache_line(model):
    flat = FlatParameters(model)
    biases_and_weights = {
        id(tensor) for layer in model.modules() if isinstance(layer, torch.nn.Linear) for tensor in layer.parameters()
    }
    others = [parameter for parameter in model.parameters() if id(parameter) not in biases_and_weights]
    assert others
    for parameter in others:
        begin = flat.at(parameter)
        assert begin % ALIGNMENT == 0
        assert torch.equal(flat.values[begin : begin + parameter.numel()], parameter.flatten())


@pytest.mark.parametrize("name", ["eager", "numba"])
def test_padding_stays_zero_whoever_learns(model, name):
    kernel = kernels.choose(name, model)
    flat, unused = kernel.parameters, padding(kernel.parameters)
    assert unused.any()
    optimiser = optimisers.make(graves_rmsprop.Settings(), flat, kernel.compiled)
    for seed in range(3):
        generator = torch.Generator().manual_seed(seed)
        x_TBI, target_TBO = torch.randn(6, 2, 4, generator=generator), torch.rand(6, 2, 2, generator=generator).round()
        kernel.cost_and_gradient(x_TBI, target_TBO, torch.ones(6, 2))
        before = flat.values.clone()
        optimiser.step(0.01, 1.0, 10.0)
        assert (flat.values != before).any()
        for buffer in (flat.values, flat.gradients, *optimiser.slots.values()):
            assert (buffer[unused] == 0).all()


@pytest.mark.parametrize("name", ["eager", "numba"])
@pytest.mark.parametrize("rule", [adam, graves_rmsprop, rmsprop, steady_adam], ids=lambda rule: rule.__name__)
@pytest.mark.parametrize("start", [Start.random, Start.constant], ids=lambda start: start.name)
def test_a_fixed_memory_stays_what_it_was_whoever_learns(built, start, rule, name):
    """And is neither counted nor given a gradient of its own."""
    kernel = kernels.choose(name, built("ntm", start=start))
    memory_NM = kernel.model.start.memory_NM
    before = copies(kernel.model)
    optimiser = optimisers.make(rule.Settings(), kernel.parameters, kernel.compiled)
    for seed in range(3):
        generator = torch.Generator().manual_seed(seed)
        x_TBI, target_TBO = torch.randn(6, 2, 4, generator=generator), torch.rand(6, 2, 2, generator=generator).round()
        kernel.cost_and_gradient(x_TBI, target_TBO, torch.ones(6, 2))
        optimiser.step(0.01, 1.0, 10.0)
    assert memory_NM.grad is None
    changed = {key for key, parameter in kernel.model.named_parameters() if not torch.equal(parameter, before[key])}
    assert changed == set(before) - {"start.memory_NM"}
    numbers = sum(parameter.numel() for parameter in kernel.model.parameters())
    assert kernel.model.parameter_count == numbers - memory_NM.numel()


def test_autograd_leaves_the_buffer_alone(model):
    """A parameter's .grad belongs to whoever calls backward, with or without the layout that torch prefers."""
    flat = FlatParameters(model)
    model.unroll(torch.randn(3, 2, 4, generator=torch.Generator().manual_seed(1))).y_TBO.sum().backward()
    assert all((parameter.grad is not None) == parameter.requires_grad for parameter in model.parameters())
    assert not flat.gradients.any()


# Other buffers of the same layout


def test_a_buffer_splits_in_the_order_of_the_parameters(model):
    flat = FlatParameters(model)
    assert sorted(map(id, flat.parameters)) == sorted(map(id, model.parameters()))
    buffer = torch.arange(len(flat.values))
    for parameter, view, own in zip(flat.parameters, flat.split(buffer), flat.split(flat.values), strict=True):
        assert torch.equal(own, parameter)
        assert own.data_ptr() == parameter.data_ptr()
        assert view.shape == parameter.shape
        assert torch.equal(view, lines(parameter.data))


def test_a_buffer_has_the_names_of_the_parameters(model):
    flat = FlatParameters(model)
    named = flat.named(flat.values)
    assert sorted(named) == sorted(name for name, _ in model.named_parameters())
    for name, parameter in model.named_parameters():
        assert named[name].data_ptr() == parameter.data_ptr()
        assert torch.equal(named[name], parameter)


# Whether the model has gone elsewhere


def test_what_moves_the_parameters_is_noticed(model):
    flat = FlatParameters(model)
    assert flat.is_current()
    model.to(torch.float32)  # there already
    assert flat.is_current()
    model.double()
    assert not flat.is_current()
    model.float()
    assert not flat.is_current()
    again = FlatParameters(model)
    assert again.is_current()
    assert not flat.is_current()


@models
def test_one_parameter_that_moved_is_enough(built, which):
    count = len(list(built(which).parameters()))
    for index in range(count):
        model = built(which)
        flat = FlatParameters(model)
        parameter = list(model.parameters())[index]
        parameter.data = parameter.data.clone()
        assert not flat.is_current()


def test_training_and_loading_keep_parameters_where_they_are(model):
    flat = FlatParameters(model)
    state = copies(model)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(2)
    model.load_state_dict(state)
    assert flat.is_current()


def test_it_takes_the_models_type(built):
    model = built("ntm").double()
    flat = FlatParameters(model)
    assert flat.values.dtype == flat.gradients.dtype == torch.float64
    assert flat.is_current()


# There and back


def other_weights(model):
    """A state dict of the model's shape with numbers of its own, laid out plainly."""
    generator = torch.Generator().manual_seed(7)
    return {name: torch.randn(tensor.shape, generator=generator) for name, tensor in model.state_dict().items()}


def test_a_state_dict_goes_through_the_buffer_and_back(model):
    flat = FlatParameters(model)
    state = other_weights(model)
    model.load_state_dict(state)
    assert all(torch.equal(tensor, state[name]) for name, tensor in flat.named(flat.values).items())
    assert (flat.values[padding(flat)] == 0).all()
    assert all(torch.equal(tensor, state[name]) for name, tensor in model.state_dict().items())


def test_weights_go_from_one_buffer_into_another_and_into_a_model_without(model):
    twin, plain = copy.deepcopy(model), copy.deepcopy(model)
    FlatParameters(model)
    model.load_state_dict(other_weights(model))
    flat = FlatParameters(twin)
    for other in (twin, plain):
        other.load_state_dict(model.state_dict())
        assert all(torch.equal(tensor, other.state_dict()[name]) for name, tensor in model.state_dict().items())
    assert flat.is_current()
    assert all(parameter.is_contiguous() for parameter in plain.parameters())


def test_weights_go_through_safetensors_and_back(model):
    """Which neither takes a tensor that is not contiguous nor two that overlap."""
    plain = copy.deepcopy(model)
    FlatParameters(model)
    model.load_state_dict(other_weights(model))
    tensors = {name: tensor.contiguous() for name, tensor in model.state_dict().items()}
    content = load(save(tensors))
    assert {name: tensor.shape for name, tensor in content.items()} == {
        name: tensor.shape for name, tensor in model.state_dict().items()
    }
    plain.load_state_dict(content)
    assert all(torch.equal(tensor, plain.state_dict()[name]) for name, tensor in model.state_dict().items())
