"""All parameters of a model in one buffer, all their gradients in another, without the model noticing.

Each parameter becomes a view. The weights of an affine layer lie input-major, [inputs + 1, columns]: row j holds what
input j gives to every output, the last row is the bias, and rows are padded with zeros to whole cache lines. Padding
has no gradient, so an optimiser that runs over the whole buffer leaves it at zero.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

ALIGNMENT = 16


def _padded(count: int) -> int:
    return -(-count // ALIGNMENT) * ALIGNMENT


class FlatParameters:
    """`values` [P], of which the model's parameters are views, and `gradients` [P], laid out alike."""

    def __init__(self, model: nn.Module) -> None:
        # In inference mode parameters would become tensors that autograd never takes again.
        with torch.inference_mode(next(model.parameters()).is_inference()):
            self._move(model)

    def _move(self, model: nn.Module) -> None:
        first = next(model.parameters())
        blocks, biases = _affine_blocks(model)
        self._at: dict[int, int] = {}
        # (parameter, offset, shape, strides) of every view
        views: list[tuple[Tensor, int, tuple[int, ...], tuple[int, ...]]] = []
        end = 0
        parameter: Tensor
        for parameter in model.parameters():
            if id(parameter) in biases:
                continue
            self._at[id(parameter)] = end
            if id(parameter) in blocks:
                layer = blocks[id(parameter)]
                columns = _padded(layer.out_features)
                views.append((layer.weight, end, tuple(layer.weight.shape), (1, columns)))
                views.append((layer.bias, end + layer.in_features * columns, (layer.out_features,), (1,)))
                end += (layer.in_features + 1) * columns
            else:
                views.append((parameter, end, tuple(parameter.shape), parameter.contiguous().stride()))
                end += _padded(parameter.numel())
        self.values = torch.zeros(end, dtype=first.dtype, device=first.device)
        self.gradients = torch.zeros_like(self.values)
        self._views = views
        self.gradient_views = self.split(self.gradients)
        names = {id(parameter): name for name, parameter in model.named_parameters()}
        self._names = [names[id(parameter)] for parameter, *_ in views]
        for tensor, at, shape, strides in views:
            view = self.values.as_strided(shape, strides, at)
            view.copy_(tensor.detach())
            tensor.data = view
        self._pairs = [(view[0], gradient) for view, gradient in zip(views, self.gradient_views, strict=True)]
        self._structure = _Structure(list(model.modules()))

    def at(self, parameter: Tensor) -> int:
        """Where a parameter's first number lies; for the weight of an affine layer, where its block begins."""
        return self._at[id(parameter)]

    def split(self, buffer: Tensor) -> list[Tensor]:
        """The views of a buffer laid out like `values`, in the order of `parameters`."""
        return [buffer.as_strided(shape, strides, at) for _, at, shape, strides in self._views]

    def named(self, buffer: Tensor) -> dict[str, Tensor]:
        """The views of a buffer laid out like `values`, by the names of their parameters."""
        return dict(zip(self._names, self.split(buffer), strict=True))

    @property
    def parameters(self) -> list[Tensor]:
        """All parameters, in the order of `split`."""
        return [parameter for parameter, *_ in self._views]

    @contextmanager
    def holding(self, values_P: Tensor) -> Iterator[None]:
        """Inside, the parameters have the numbers of a buffer laid out like `values`."""
        own = self.values.clone()
        self.values.copy_(values_P)
        try:
            yield
        finally:
            self.values.copy_(own)

    def bind_gradients(self) -> None:
        """Make every parameter's `.grad` its view of `gradients`, whatever it was before (None, say)."""
        for parameter, view in self._pairs:
            if parameter.grad is not view and parameter.requires_grad:
                parameter.grad = view

    def is_current(self) -> bool:
        """Whether the model still consists of the same modules and parameters, all of them views of `values`.

        Not so after `model.to(…)`, or once a parameter or a layer was replaced, in whatever way.
        """
        return self._structure.holds()


def _affine_blocks(model: nn.Module) -> tuple[dict[int, nn.Linear], set[int]]:
    """Affine layers by their weight, and their biases: those whose parameters are their own and no other layer's."""
    blocks: dict[int, nn.Linear] = {}
    biases: set[int] = set()
    for layer in model.modules():
        if isinstance(layer, nn.Linear):
            weight, bias = layer._parameters.get("weight"), layer._parameters.get("bias")
            if weight is not None and bias is not None and id(weight) not in blocks and id(bias) not in biases:
                blocks[id(weight)] = layer
                biases.add(id(bias))
    return blocks, biases


class _Structure:
    """What modules consisted of when this was made. It is compared before every update, hence in plain loops."""

    def __init__(self, modules: list[nn.Module]) -> None:
        self._kinds = [(module, type(module)) for module in modules]
        owned = [entries for module in modules for entries in (module._parameters, module._modules)]
        self._counts = [(entries, len(entries)) for entries in owned]
        self._children = [
            (module._modules, name, child) for module in modules for name, child in module._modules.items()
        ]
        self._parameters = [
            (module._parameters, name, parameter, _address(parameter))
            for module in modules
            for name, parameter in module._parameters.items()
        ]

    def holds(self) -> bool:
        """Whether they still do, every parameter's numbers at the same place."""
        for module, kind in self._kinds:
            if type(module) is not kind:
                return False
        for entries, count in self._counts:
            if len(entries) != count:
                return False
        for children, name, child in self._children:
            if children.get(name) is not child:
                return False
        for parameters, name, parameter, address in self._parameters:
            if parameters.get(name) is not parameter or _address(parameter) != address:
                return False
        return True


def _address(tensor: Tensor | None) -> int:
    return 0 if tensor is None else tensor.data_ptr()
