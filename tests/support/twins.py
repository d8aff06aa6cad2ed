"""Small models of every kind, and the comparison of a kernel with the readable reference."""

from typing import NamedTuple

import torch
from hypothesis import strategies as st

from ntm_repro import models
from ntm_repro.models import lstm, ntm
from ntm_repro.models.base import leaves as named_leaves
from ntm_repro.models.base import rebuilt


class Shape(NamedTuple):
    """T steps, B sequences, I inputs, O outputs."""

    steps: int
    batch: int
    inputs: int
    outputs: int


def flatten(state):
    """A state's tensors, in order."""
    return [tensor for _, tensor in named_leaves(state)]


def unflatten(like, tensors):
    """The inverse of `flatten`, for a state of the form of `like`."""
    return rebuilt(like, iter(tensors))


@st.composite
def ntm_settings(draw):
    """Settings of small NTMs of every kind."""
    locations = draw(st.integers(1, 21))
    return models.settings_type(draw(st.sampled_from(["ntm", "ntm_ff"])))(
        controller=ntm.ControllerSettings(size=draw(st.integers(1, 9)), layers=draw(st.integers(1, 3))),
        heads=draw(st.integers(1, 3)),
        memory=ntm.MemorySettings(
            locations=locations, width=draw(st.integers(1, 7)), start=draw(st.sampled_from(list(ntm.Start)))
        ),
        shift_range=2 * draw(st.integers(0, (locations - 1) // 2)) + 1,
        activation=draw(st.sampled_from(list(ntm.Activation))),
        read_order=draw(st.sampled_from(list(ntm.ReadOrder))),
        output_from=draw(st.sampled_from(list(ntm.OutputFrom))),
    )


lstm_settings = st.builds(lstm.Settings, size=st.integers(1, 9), layers=st.integers(1, 3))
shapes = st.builds(Shape, st.integers(1, 6), st.integers(1, 5), st.integers(1, 4), st.integers(1, 3))


def build(settings, shape, dtype=torch.float64, spread=0.5, seed=0):
    """A model whose parameters are all N(0, spread²): none of them zero, as the initialisation leaves some."""
    model = models.build(settings, shape.inputs, shape.outputs, seed).to(dtype)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(spread * torch.randn(parameter.shape, generator=generator, dtype=torch.float64))
    return model


def random_state(model, batch, dtype=torch.float64, seed=1):
    """A state that no start would give, one for each sequence: weightings are distributions, the rest is N(0, 1)."""
    generator = torch.Generator().manual_seed(seed)
    state = model.initial_state(batch)
    leaves = [torch.randn(leaf.shape, generator=generator, dtype=torch.float64).to(dtype) for leaf in flatten(state)]
    if isinstance(state, ntm.NTMState):
        leaves[-2:] = [leaf.softmax(-1) for leaf in leaves[-2:]]
    return leaves


class Outcome(NamedTuple):
    """Everything that an unroll gives, and the gradient of one number made of all of it."""

    y_TBO: torch.Tensor
    state: list
    trace: list
    gradients: dict


def outcome(unroll, model, x_TBI, state=None, unflatten=None):
    """Unroll, then differentiate a sum in which every logit and every number of the last state counts differently."""
    x_TBI = x_TBI.detach().requires_grad_()
    given = None if state is None else [leaf.detach().requires_grad_() for leaf in state]
    start = None if given is None else unflatten(model.initial_state(x_TBI.shape[1]), given)
    unrolled = unroll(x_TBI, start, trace=True)
    leaves = flatten(unrolled.state)
    total = weighed(unrolled.y_TBO) + sum(weighed(leaf) for leaf in leaves)
    wanted = {"input": x_TBI, **{name: p for name, p in model.named_parameters() if p.requires_grad}}
    wanted |= {f"state {index}": leaf for index, leaf in enumerate(given or [])}
    found = torch.autograd.grad(total, list(wanted.values()), allow_unused=True, materialize_grads=True)
    return Outcome(
        unrolled.y_TBO.detach(),
        [leaf.detach() for leaf in leaves],
        [tensor.detach() for tensor in unrolled.trace or ()],
        dict(zip(wanted, found, strict=True)),
    )


def weighed(tensor):
    """Σ c x + x² with a different c for every entry."""
    return (tensor * torch.linspace(-1, 1.5, tensor.numel(), dtype=tensor.dtype).view(tensor.shape)).sum() + (
        tensor.square().sum()
    )


def distances(ours, theirs):
    """{name: |ours − theirs| / |theirs|} for every tensor of two outcomes, norms in float64."""
    pairs = {"logits": (ours.y_TBO, theirs.y_TBO)}
    for kind in ("state", "trace"):
        mine, other = getattr(ours, kind), getattr(theirs, kind)
        assert len(mine) == len(other)
        pairs |= {f"{kind} {index}": pair for index, pair in enumerate(zip(mine, other, strict=True))}
    assert ours.gradients.keys() == theirs.gradients.keys()
    pairs |= {f"gradient of {name}": (ours.gradients[name], theirs.gradients[name]) for name in theirs.gradients}
    return {name: distance(*pair) for name, pair in pairs.items()}


def distance(ours, theirs):
    assert ours.shape == theirs.shape
    ours, theirs = ours.double(), theirs.double()
    assert ours.isfinite().all()
    size = theirs.norm().item()
    return (ours - theirs).norm().item() / size if size else ours.norm().item()
