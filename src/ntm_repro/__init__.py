"""Neural Turing Machines (Graves, Wayne & Danihelka, 2014), reproduced: models, tasks, training, figures.

The models are torch modules. Calling one runs whole sequences, by compiled code on the CPU:

>>> import torch
>>> from ntm_repro import NTM
>>> core = NTM(input_size=32, output_size=16, controller="lstm", hidden_size=100, num_layers=1, num_heads=1,
...            num_locations=128, width=20)
>>> x_TBI = torch.randn(10, 4, 32)                  # time, batch, input channels
>>> y_TBO, state = core(x_TBI)                      # differentiable: input, state and parameters
>>> y_TBO, state = core(x_TBI, state.detach())      # continue; truncated back-propagation through time
>>> y_TBO, state, trace = core(x_TBI, trace=True)   # what the heads and the memory did
>>> y_BO, state = core.step(x_TBI[0], state)        # a single step
>>> optimiser = torch.optim.Adam(core.parameters())
>>> y_TBO.shape, trace.memory_BNM.shape, y_BO.shape
(torch.Size([10, 4, 16]), torch.Size([10, 4, 128, 20]), torch.Size([4, 16]))

`LSTMBaseline` is the paper's baseline, `tasks` its five tasks, and `load` opens a recorded run.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ntm_repro import tasks
    from ntm_repro.loading import Loaded, load
    from ntm_repro.models.lstm import LSTMBaseline
    from ntm_repro.models.ntm import NTM

__all__ = ["NTM", "LSTMBaseline", "Loaded", "load", "tasks"]

__version__ = "0.2.0"

# Imported when first asked for: torch takes a second, which commands that need none of these should not wait for.
_MODULES = {
    "NTM": "ntm_repro.models.ntm",
    "LSTMBaseline": "ntm_repro.models.lstm",
    "Loaded": "ntm_repro.loading",
    "load": "ntm_repro.loading",
}


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return getattr(import_module(_MODULES[name]), name)
    if name == "tasks":
        return import_module("ntm_repro.tasks")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
