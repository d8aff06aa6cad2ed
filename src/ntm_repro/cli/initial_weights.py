"""The weights that `train.initial_weights` names: found, known by their digest, and fit for the model of a run."""

from pathlib import Path
from typing import TYPE_CHECKING

from omegaconf import DictConfig

from ntm_repro.cli import recorded, schema
from ntm_repro.errors import RunError, UsageError
from ntm_repro.files import readable
from ntm_repro.training.run_folder import RunFolder

if TYPE_CHECKING:
    from ntm_repro.evidence.runs import Run
    from ntm_repro.training.weights import Weights


def identified(config: DictConfig) -> DictConfig:
    """The config of a run with the digest of its initial weights, which is part of what makes it that run.

    A run that has begun in its folder needs them no more. Where they are gone, the digest recorded there counts; where
    they have changed since, it counts if the command line gives it. Raises `UsageError` where they cannot be read, or
    are not those of the digest given.
    """
    path = config.train.initial_weights
    if not path:
        return config
    config = config.copy()
    wanted = config.train.initial_weights_sha256
    begun = _recorded_digest(config)
    try:
        digest = begun if begun and begun == wanted else _read(path).digest
    except UsageError:
        if not begun:
            raise
        digest = begun
    if wanted and digest != wanted:
        why = f"these are not the weights of {schema.DIGEST}={wanted[:12]}…"
        raise UsageError(f"{schema.INITIAL_WEIGHTS}={path}: {why}; name those, or set {schema.DIGEST}= to take these")
    config.train.initial_weights_sha256 = digest
    return config


def _recorded_digest(config: DictConfig) -> str:
    """The digest of the run's initial weights in the record of its folder; empty where it began from others, or not."""
    begun = (recorded.load_record(config.run_dir) or {}).get("train")
    if not isinstance(begun, dict) or begun.get("initial_weights") != readable(config.train.initial_weights):
        return ""
    return str(begun.get("initial_weights_sha256") or "")


def fitting(config: DictConfig) -> "Weights | None":
    """The initial weights of a run, or None where it has none.

    Raises `UsageError` where they cannot be read, do not fit the model, or are not those of the config's digest.
    """
    from ntm_repro.cli import factory

    path = config.train.initial_weights
    if not path:
        return None
    found = _read(path)
    misfit = found.misfit(factory.fresh_model(config, schema.settings(config, "task")))
    if misfit:
        raise UsageError(f"{schema.INITIAL_WEIGHTS}={path}: {misfit}; name weights of a model of the same sizes")
    if found.digest != config.train.initial_weights_sha256:
        raise UsageError(f"{schema.INITIAL_WEIGHTS}={path}: changed just now; start again")
    return found


def _read(path: str) -> "Weights":
    """The weights of a run's folder or a file; raises `UsageError`, which names the setting."""
    from ntm_repro.training import weights

    place, key = Path(path), f"{schema.INITIAL_WEIGHTS}={path}"
    fix = "name a run's folder or its weights.safetensors"
    try:
        found = weights.of_folder(RunFolder(place)) if place.is_dir() else weights.of_file(place)
    except UsageError as error:
        raise UsageError(f"{key}: {str(error).removeprefix(f'{place}: ')}; {fix}") from error
    except OSError as error:
        raise UsageError(f"{key}: cannot be read ({error.strerror}); {fix}") from error
    if found is None:
        raise UsageError(f"{key}: neither checkpoint.pt nor weights.safetensors there; {fix}")
    return found


def keep_record(config: DictConfig, found: "Weights", folder: RunFolder) -> None:
    """Copy the record of the run whose weights these are to `before` in the folder of the one that goes on with it.

    That is one of the same task and model, which ends where this one begins: together they are one course of training.
    Other weights leave no record there. Raises `RunError` where it cannot be written.
    """
    from ntm_repro.evidence import keeping

    earlier = _earlier(config, found)
    if earlier is None:
        return
    try:
        keeping.keep_before(earlier, found, folder)
    except OSError as error:
        raise RunError(f"{error.filename or folder.path}: {error.strerror}; nothing was trained") from error


def _earlier(config: DictConfig, found: "Weights") -> "Run | None":
    """The run that these weights are the end of and that this one goes on with, if its record is whole."""
    from ntm_repro.evidence import runs

    source, first = Path(config.train.initial_weights), config.train.first_sequence
    if not (first and found.sequences == first and source.is_dir()):
        return None
    try:
        earlier = runs.read(source)
        if earlier is None or earlier.sequences != first or not earlier.rows:
            return None
    except (UsageError, OSError):
        return None
    theirs, ours = schema.identity(earlier.config), schema.identity(schema.plain(config))
    same = all(theirs.get(key) == value for key, value in ours.items() if key.startswith(("task.", "model.")))
    return earlier if same else None
