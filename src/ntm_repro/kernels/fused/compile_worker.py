"""Compiles the kernel for one type of number: `python -m ntm_repro.kernels.fused.compile_worker float32`.

It is run in a process of its own (`jit_cache.prepare`). What a process compiled before can change how LLVM inlines and
so how sums are rounded: the same sources would give other bits after another history. Here the history is always this.
"""

import sys

import torch

from ntm_repro import models
from ntm_repro.kernels.base import Moments
from ntm_repro.kernels.fused import jit_cache
from ntm_repro.models.ntm import ControllerSettings, MemorySettings, Settings


def main(dtype: torch.dtype) -> None:
    """Call every entry once, with arguments of the types that training and unrolling give."""
    jit_cache.BUILDING = True
    from ntm_repro.kernels.fused.torch_interface import FusedSequences

    settings = Settings(controller=ControllerSettings(size=2), memory=MemorySettings(locations=3, width=2))
    kernel = FusedSequences(models.build(settings, 2, 2, seed=1).to(dtype))  # type: ignore[arg-type]
    x_TBI, target_TBO, mask_TO = (torch.zeros(shape, dtype=dtype) for shape in ((1, 1, 2), (1, 1, 2), (1, 2)))
    kernel.cost_and_gradient(x_TBI, target_TBO, mask_TO)
    kernel.gradient_norm()
    kernel.descend(Moments(*(torch.zeros_like(kernel.parameters.values) for _ in range(3))), 1e-4, 1.0, 10.0)
    kernel.unroll(x_TBI).y_TBO.sum().backward()


if __name__ == "__main__":
    main(getattr(torch, sys.argv[1]))
