"""Compiles everything for one type of number: `python -m ntm_repro.jit.worker float32`.

It is run in a process of its own (`cache.prepare`). What a process compiled before can change how LLVM inlines and so
how sums are rounded: the same sources would give other bits after another history. Here the history is always this.
"""

import sys

import torch

from ntm_repro import models, optimisers
from ntm_repro.jit import cache
from ntm_repro.models.ntm import ControllerSettings, MemorySettings, Settings


def main(dtype: torch.dtype) -> None:
    """Call every entry once, with arguments of the types that training and unrolling give."""
    cache.BUILDING = True
    from ntm_repro.kernels.fused.torch_interface import FusedSequences

    settings = Settings(controller=ControllerSettings(size=2), memory=MemorySettings(locations=3, width=2))
    kernel = FusedSequences(models.build(settings, 2, 2, seed=1).to(dtype))  # type: ignore[arg-type]
    x_TBI, target_TBO, mask_TO = (torch.zeros(shape, dtype=dtype) for shape in ((1, 1, 2), (1, 1, 2), (1, 2)))
    kernel.cost_and_gradient(x_TBI, target_TBO, mask_TO)
    for name in optimisers.names():
        optimiser = optimisers.make(optimisers.settings_type(name)(), kernel.parameters, compiled=True)
        optimiser.step(learning_rate=1e-4, factor=1.0, bound=10.0)
        optimiser.gradient_norm()
    kernel.unroll(x_TBI).y_TBO.sum().backward()


if __name__ == "__main__":
    main(getattr(torch, sys.argv[1]))
