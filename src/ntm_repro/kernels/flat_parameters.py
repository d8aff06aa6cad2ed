"""All parameters of a model in one buffer, all their gradients in another, without the model noticing.

Each parameter becomes a view. The weights of an affine layer lie input-major, [inputs + 1, columns]: row j holds what
input j gives to every output, the last row is the bias, and rows are padded with zeros to whole cache lines. Padding
has no gradient, so an optimiser that runs over the whole buffer leaves it at zero.
"""

import torch
from torch import Tensor, nn

ALIGNMENT = 16


def _padded(count: int) -> int:
    return -(-count // ALIGNMENT) * ALIGNMENT


class FlatParameters:
    """`values` [P], of which the model's parameters are views, and `gradients` [P], laid out alike."""

    def __init__(self, model: nn.Module) -> None:
        first = next(model.parameters())
        affine = [module for module in model.modules() if isinstance(module, nn.Linear)]
        blocks = {id(module.weight): module for module in affine}
        biases = {id(module.bias) for module in affine}
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
        names = {id(parameter): name for name, parameter in model.named_parameters()}
        self._names = [names[id(parameter)] for parameter, *_ in views]
        for tensor, at, shape, strides in views:
            view = self.values.as_strided(shape, strides, at)
            view.copy_(tensor.detach())
            tensor.data = view
        self._places = [(tensor, tensor.data_ptr()) for tensor, *_ in views]

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
        return [parameter for parameter, *_ in self._views]

    def is_current(self) -> bool:
        """Whether all parameters are still views of `values`: not so after `model.to(…)`, for instance."""
        return all(tensor.data_ptr() == place for tensor, place in self._places)
