"""Trained weights read from a run's folder or a file, and put into a model that they fit; nothing in a file is run."""

from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from ntm_repro.errors import UsageError
from ntm_repro.training import checkpoint as checkpoints
from ntm_repro.training.run_folder import RunFolder


class Weights(NamedTuple):
    """path: the file they were in. sequences: on how many they were trained; 0 where the file does not say."""

    path: Path
    tensors: dict[str, Tensor]
    sequences: int

    @property
    def digest(self) -> str:
        """SHA-256 of names, types, shapes and values: the same whichever file they are in."""
        total = sha256()
        for name, tensor in sorted(self.tensors.items()):
            total.update(f"{name} {tensor.dtype} {list(tensor.shape)}\n".encode())
            total.update(tensor.reshape(-1).view(torch.uint8).numpy().tobytes())
        return total.hexdigest()

    def misfit(self, model: nn.Module) -> str:
        """Why they cannot be a model's weights, in words; empty where they can."""
        wanted = model.state_dict()
        for name in sorted(wanted.keys() | self.tensors.keys()):
            if name not in self.tensors:
                return f"it has no {name}, which the model has"
            if name not in wanted:
                return f"it has {name}, which the model does not have"
            own, its = self.tensors[name], wanted[name]
            if own.shape != its.shape:
                return f"its {name} is {list(own.shape)}, the model's {list(its.shape)}"
            if own.dtype != its.dtype:
                return f"its {name} is of the type {own.dtype}, the model's {its.dtype}"
            if not own.isfinite().all():
                return f"its {name} has numbers that are not finite"
        return ""


def of_folder(folder: RunFolder) -> Weights | None:
    """The weights of a run: of checkpoint.pt, or weights.safetensors where there is none; None where there is neither.

    Raises `UsageError` for a file that cannot be read.
    """
    newest = folder.path / checkpoints.NEWEST
    if newest.exists():
        checkpoint = checkpoints.load_or_name_previous(newest)
        return Weights(newest, checkpoint.model, checkpoint.sequences)
    return of_file(folder.weights) if folder.weights.exists() else None


def of_file(path: Path) -> Weights:
    """The weights in a safetensors file; raises `UsageError` where it cannot be read."""
    try:
        with safe_open(path, "pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 — not a dict
            sequences = int((file.metadata() or {}).get("sequences", "0"))
    except (SafetensorError, OSError, ValueError) as error:
        raise UsageError(f"{path}: cannot be read ({' '.join(str(error).split())})") from error
    return Weights(path, tensors, sequences)
