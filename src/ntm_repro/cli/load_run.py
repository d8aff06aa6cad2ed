"""A recorded run opened again: from its folder to its config, task and trained model."""

from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from omegaconf import DictConfig, OmegaConf

from ntm_repro.cli import exit_codes, recorded, schema
from ntm_repro.errors import UsageError
from ntm_repro.training.run_folder import RunFolder

if TYPE_CHECKING:
    from ntm_repro.figures.run_store import RunStore
    from ntm_repro.kernels import Kernel


class Recorded(NamedTuple):
    """A run's typed config, its task, the kernel with the trained model, and how many sequences that was trained on."""

    config: DictConfig
    task: Any
    kernel: "Kernel"
    sequences: int


def read_config(folder: str | PathLike[str]) -> DictConfig:
    """The typed config.yaml of a run's folder; raises `UsageError`."""
    folder = Path(folder)
    record = recorded.load_record(folder)
    if record is None:
        raise UsageError(f"run={folder}: no readable config.yaml there; name a run's folder")
    try:
        return schema.typed(OmegaConf.create(record))
    except UsageError:
        raise
    except Exception as error:  # a config.yaml edited by hand
        raise UsageError(f"{RunFolder(folder).config}: {exit_codes.one_line(error)}") from error


def load(folder: str | PathLike[str], config: DictConfig, device: str = "auto", kernel: str = "auto") -> Recorded:
    """The trained model of a run's folder, built as `config` says; raises `UsageError`."""
    from ntm_repro import kernels
    from ntm_repro.cli import factory

    task = schema.settings(config, "task")
    model = factory.model(config, task)
    sequences = load_weights(model, RunFolder(Path(folder)))
    model.to(factory.device(device))
    return Recorded(config, task, kernels.choose(kernel, model), sequences)


def sources(evidence: Path) -> "RunStore":
    """What figures and reports draw from: the runs in a folder; raises `UsageError` where there is none."""
    if not evidence.is_dir():
        raise UsageError(f"evidence={evidence}: no such folder; name one of runs, <task>/<model>/seed<k>/")
    from ntm_repro.figures.run_store import RunStore

    return RunStore(evidence, task_and_kernel)


def task_and_kernel(folder: Path) -> "tuple[Any, Kernel]":
    """The task and the trained model of a run's folder; raises `UsageError`."""
    run = load(folder, read_config(folder))
    return run.task, run.kernel


def load_weights(model: Any, folder: RunFolder) -> int:
    """Fill `model` from the run's checkpoint, or its weights.safetensors; the number of sequences it was trained on.

    Raises `UsageError` where there is neither, or it does not fit; nothing in a file is ever executed.
    """
    from ntm_repro.models.initial_state import with_more_locations
    from ntm_repro.training import weights

    found = weights.of_folder(folder)
    if found is None:
        missing = f"neither checkpoint.pt nor {folder.weights.name} there"
        raise UsageError(f"run={folder.path}: {missing}; {_instead_of(folder)}")
    try:
        model.load_state_dict(with_more_locations(found.tensors, getattr(model, "num_locations", 0)))
    except RuntimeError as error:
        raise UsageError(f"{found.path}: its weights do not fit the run's config.yaml") from error
    return found.sequences


def _instead_of(folder: RunFolder) -> str:
    """What to do about a run without weights: of a recorded pair those of a single seed are kept."""
    train = f"ntm-train run={folder.path} trains it again"
    beside = sorted(folder.path.parent.glob(f"seed*/{folder.weights.name}"))
    return f"{beside[0].parent} has weights, and {train}" if beside else train
