"""Compiles one part of the code for one type of number and writes the machine code to standard output.

It is run in a process of its own (`cache.prepare`, `isolation.run`). What a process compiled before can change how LLVM
inlines and so how sums are rounded: the same sources would give other bits after another history. Here the history of a
part is always this.
"""

import os
from typing import Any

import torch

from ntm_repro import models, optimisers
from ntm_repro.jit import cache
from ntm_repro.jit.store import sealed
from ntm_repro.models import lstm, ntm
from ntm_repro.optimisers import mean


def main(part: str, dtype: str) -> None:
    """Compile one of `cache.PARTS` for "float32" or "float64".

    Standard output gets the sealed code, and what is printed goes to stderr.
    """
    output = os.dup(1)
    os.dup2(2, 1)
    cache.BUILDING = True
    compile_part(part, getattr(torch, dtype))
    with os.fdopen(output, "wb") as file:
        file.write(sealed(cache.compiled_code()))


def compile_part(part: str, dtype: torch.dtype) -> None:
    """Compile every entry of a part, for arguments of the types that training and unrolling give.

    Nothing is called that calls an entry of another part, which would be compiled as well.
    """
    from ntm_repro.kernels.fused.torch_interface import FusedSequences

    small_ntm = ntm.Settings(controller=ntm.ControllerSettings(size=2), memory=ntm.MemorySettings(locations=3, width=2))
    model = lstm.Settings(size=2, layers=1) if part.startswith("lstm_") else small_ntm
    kernel = FusedSequences(models.build(model, 2, 2, seed=1).to(dtype))  # type: ignore[arg-type]
    if part.endswith("_forward"):
        kernel.entries.group_forward.compile()
    elif part.endswith("_backward"):
        kernel.entries.group_backward.compile()
    else:
        _compile_rest(kernel, dtype)


def _compile_rest(kernel: Any, dtype: torch.dtype) -> None:
    """What calls others by their addresses comes last: so the others are what they were without it."""
    from ntm_repro.tasks import Batch
    from ntm_repro.training.block import BlockOfUpdates

    entries = kernel.entries
    entries.cost_and_gradient.compile()
    entries.weight_gradients.compile()
    rules = []
    for name in optimisers.names():
        optimiser = optimisers.make(optimisers.settings_type(name)(), kernel.parameters, compiled=True)
        optimiser.step(learning_rate=1e-4, factor=1.0, bound=10.0)
        optimiser.gradient_norm()
        rules.append(optimiser)
    entries.packed_weights.compile()
    entries.forward.compile()
    entries.backward.compile()
    entries.gradient.compile()
    entries.costs.compile()
    mean.step(kernel.parameters.values.clone(), kernel.parameters.values, share=0.5, compiled=True)
    shapes = ((1, 1, 2), (1, 1, 2), (1, 2))
    batch = Batch(0, None, *(torch.zeros(shape, dtype=dtype).numpy() for shape in shapes))
    for optimiser in rules:
        BlockOfUpdates(kernel, optimiser).compile(batch)
