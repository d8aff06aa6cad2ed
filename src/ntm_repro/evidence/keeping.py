"""The record of a run copied to where another one goes on with its weights: from then on both are one record."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from safetensors.torch import save as to_safetensors

from ntm_repro.evidence.runs import Run
from ntm_repro.files import write_atomically
from ntm_repro.training.run_folder import RunFolder

if TYPE_CHECKING:
    from ntm_repro.training.weights import Weights


def keep_before(earlier: Run, weights: "Weights", folder: RunFolder) -> None:
    """Copy config, metrics and summary of a run to `before` in `folder`, with the weights and with its own `before`.

    What is there is replaced. Raises `OSError`, and leaves nothing half copied.
    """
    with _replacing(folder.before.path) as incoming:
        incoming.mkdir(parents=True)
        source, target = RunFolder(earlier.folder), RunFolder(incoming)
        for name in ("config", "metrics", "summary"):
            shutil.copyfile(getattr(source, name), getattr(target, name))
        tensors = {name: tensor.contiguous() for name, tensor in weights.tensors.items()}
        write_atomically(target.weights, to_safetensors(tensors, {"sequences": str(weights.sequences)}))
        if earlier.before is not None:
            shutil.copytree(earlier.before.folder, target.before.path)


def copy_before(run: Run, folder: RunFolder) -> None:
    """Copy a run's `before` to `folder`, replacing what is there. Raises `OSError`, and leaves nothing half copied."""
    with _replacing(folder.before.path) as incoming:
        shutil.copytree(RunFolder(run.folder).before.path, incoming)


@contextmanager
def _replacing(place: Path) -> Iterator[Path]:
    """A path for a folder to be made, which then replaces the one at `place`."""
    incoming = place.with_name(f"{place.name}.tmp")
    shutil.rmtree(incoming, ignore_errors=True)
    yield incoming
    shutil.rmtree(place, ignore_errors=True)
    incoming.replace(place)
