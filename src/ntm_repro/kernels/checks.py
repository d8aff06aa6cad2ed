"""Whether arrays fit a model, before compiled code takes them as they are.

Shape suffixes: T time steps, B sequences of the batch, I input channels, O output channels.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from ntm_repro.models.base import Model, State, leaves


def check_input(
    model: Model, x_TBI: Tensor, state: State | None, state_shapes: "dict[str, torch.Size]", like: Tensor
) -> None:
    """Raise `ValueError` unless `x_TBI` and `state` fit the model, and are of the type and on the device of `like`.

    state_shapes: of the model's own initial state, by `leaves`, with a batch of any size in front.
    """
    _check(x_TBI, "x_TBI", ("T", "B", model.input_size), like)
    if 0 in x_TBI.shape[:2]:
        raise ValueError(f"x_TBI: at least one step and one sequence wanted, shape {list(x_TBI.shape)} given")
    if state is None:
        return
    try:
        tensors = dict(leaves(state))
    except TypeError:
        tensors = {}
    if tensors.keys() != state_shapes.keys():
        raise ValueError(f"state: one of this model's wanted ({', '.join(state_shapes)}), {type(state).__name__} given")
    for name, tensor in tensors.items():
        _check(tensor, name, (x_TBI.shape[1], *state_shapes[name][1:]), like)


def check_targets(model: Model, x_TBI: Tensor, target_TBO: Tensor, mask_TO: Tensor, like: Tensor) -> None:
    """Raise `ValueError` unless targets and mask fit the input and the model."""
    steps, batch, _ = x_TBI.shape
    _check(target_TBO, "target_TBO", (steps, batch, model.output_size), like)
    _check(mask_TO, "mask_TO", (steps, model.output_size), like)


def check_lengths(lengths_B: Tensor, x_TBI: Tensor) -> list[int]:
    """The lengths as integers; raises `ValueError` unless there is one from 1 to T for each sequence."""
    steps, batch, _ = x_TBI.shape
    lengths = torch.as_tensor(lengths_B, device="cpu")
    if lengths.shape != (batch,) or lengths.is_floating_point() or lengths.is_complex() or lengths.dtype is torch.bool:
        actual = f"{lengths.dtype} of shape {list(lengths.shape)}"
        raise ValueError(f"lengths_B: integers of shape [{batch}] wanted, {actual} given")
    numbers: list[int] = lengths.tolist()
    outside = [number for number in numbers if not 1 <= number <= steps]
    if outside:
        raise ValueError(f"lengths_B: from 1 to the {steps} steps of x_TBI wanted, {outside[0]} given")
    return numbers


def _check(tensor: Tensor, name: str, shape: Sequence[int | str], like: Tensor) -> None:
    if not isinstance(tensor, Tensor):
        raise ValueError(f"{name}: a tensor wanted, {type(tensor).__name__} given")
    if tensor.layout is not torch.strided or tensor.is_nested:
        kind = "nested" if tensor.is_nested else tensor.layout
        raise ValueError(f"{name}: a dense tensor wanted, a {kind} one given")
    if tensor.shape != shape and not _fits(tensor.shape, shape):
        raise ValueError(f"{name}: shape [{', '.join(map(str, shape))}] wanted, {list(tensor.shape)} given")
    if tensor.dtype != like.dtype:
        raise ValueError(f"{name}: {like.dtype} wanted, as the model's parameters are, {tensor.dtype} given")
    if tensor.device != like.device:
        raise ValueError(f"{name}: on {like.device} wanted, where the model is, on {tensor.device} given")


def _fits(given: Sequence[int], wanted: Sequence[int | str]) -> bool:
    """Whether a shape is the one wanted, where a letter stands for any size."""
    return len(given) == len(wanted) and all(
        size == want or isinstance(want, str) for size, want in zip(given, wanted, strict=True)
    )
