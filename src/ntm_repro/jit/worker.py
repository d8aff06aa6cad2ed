"""Compiles everything for one type of number and writes the machine code to standard output.

It is run in a process of its own (`cache.prepare`, `isolation.run`). What a process compiled before can change how LLVM
inlines and so how sums are rounded: the same sources would give other bits after another history. Here the history is
always this.
"""

import os

import torch

from ntm_repro import models, optimisers
from ntm_repro.jit import cache
from ntm_repro.jit.store import sealed
from ntm_repro.models.ntm import ControllerSettings, MemorySettings, Settings


def main(dtype: str) -> None:
    """Compile for "float32" or "float64"; standard output gets the sealed code, and what is printed goes to stderr."""
    output = os.dup(1)
    os.dup2(2, 1)
    cache.BUILDING = True
    call_all(getattr(torch, dtype))
    with os.fdopen(output, "wb") as file:
        file.write(sealed(cache.compiled_code()))


def call_all(dtype: torch.dtype) -> None:
    """Call every entry once, with arguments of the types that training and unrolling give.

    What calls others by their addresses comes last: so the others are what they were without it.
    """
    from ntm_repro.kernels.fused.torch_interface import FusedSequences
    from ntm_repro.tasks import Batch
    from ntm_repro.training.block import BlockOfUpdates
    from ntm_repro.training.settings import TrainSettings

    model = Settings(controller=ControllerSettings(size=2), memory=MemorySettings(locations=3, width=2))
    kernel = FusedSequences(models.build(model, 2, 2, seed=1).to(dtype))  # type: ignore[arg-type]
    x_TBI, target_TBO, mask_TO = (torch.zeros(shape, dtype=dtype) for shape in ((1, 1, 2), (1, 1, 2), (1, 2)))
    kernel.cost_and_gradient(x_TBI, target_TBO, mask_TO)
    rules = []
    for name in optimisers.names():
        optimiser = optimisers.make(optimisers.settings_type(name)(), kernel.parameters, compiled=True)
        optimiser.step(learning_rate=1e-4, factor=1.0, bound=10.0)
        optimiser.gradient_norm()
        rules.append(optimiser)
    kernel.unroll(x_TBI).y_TBO.sum().backward()
    batch = Batch(0, None, x_TBI.numpy(), target_TBO.numpy(), mask_TO.numpy())
    for optimiser in rules:
        BlockOfUpdates(kernel, optimiser).run([batch], [1e-4], TrainSettings())
