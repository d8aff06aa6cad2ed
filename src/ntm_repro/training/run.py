"""One run from its plan to its summary: everything around the loop that touches the run's folder."""

import logging
import os
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from safetensors.torch import save as to_safetensors

from ntm_repro.environment import SourceState, cpu_name, source_state, versions
from ntm_repro.errors import RunError
from ntm_repro.files import write_atomically, write_json, write_text
from ntm_repro.randomness import Purpose, Stream
from ntm_repro.training import checkpoint as checkpoints
from ntm_repro.training import convergence, metrics, tensorboard_images
from ntm_repro.training.interruption import Interrupted, StopRequest
from ntm_repro.training.loggers import CsvLogger, Judge, Loggers, TensorBoardLogger, TerminalLogger
from ntm_repro.training.loop import Diverged, Trainer, to_tensors
from ntm_repro.training.resume import ResumeDecision
from ntm_repro.training.run_folder import RunFolder

log = logging.getLogger(__name__)

# Settings that change no number of a run: columns of TensorBoard's table that would hide the others.
NO_HYPERPARAMETERS = (
    "device",
    "kernel",
    "threads",
    "resume",
    "objective",
    "results_dir",
    "run_dir",
    "train.log_every",
    "train.checkpoint_every",
)


def run(
    trainer: Trainer,
    folder: RunFolder,
    plan: ResumeDecision,
    record: dict[str, Any],
    record_yaml: str,
    is_hopeless: Callable[[Sequence[metrics.Row]], bool] = lambda _: False,
) -> dict[str, Any]:
    """Train in `folder`, whose lock the caller holds since before the plan was made; returns the summary.

    record: the resolved config as plain values, also given as the YAML text to keep. is_hopeless: asked after each row
    about all rows so far, whether to end the run there, as `pruned`, with everything saved. Raises `Interrupted` on
    Ctrl-C or SIGTERM with everything saved, and `RunError` where the run diverges or the disk fails; checkpoints stay
    usable.
    """
    with StopRequest() as stop:
        try:
            return _run(trainer, folder, plan, record, record_yaml, stop, is_hopeless)
        except OSError as error:
            log.exception("cannot write")
            name = os.fsdecode(error.filename or folder.path)  # TensorBoard's are bytes
            raise RunError(
                f"{name}: {error.strerror or error}; stopped at {trainer.sequences:,} "
                f"sequences, the checkpoints in {folder.path} are as they were"
            ) from error


def _run(
    trainer: Trainer,
    folder: RunFolder,
    plan: ResumeDecision,
    record: dict[str, Any],
    record_yaml: str,
    stop: StopRequest,
    is_hopeless: Callable[[Sequence[metrics.Row]], bool],
) -> dict[str, Any]:
    if plan.checkpoint is not None:
        trainer.restore(plan.checkpoint)
    if plan.went_back:
        checkpoints.go_back(folder.path)  # or, killed now, the next start would go on ahead of the record
    resumed_at = trainer.sequences
    write_text(folder.config, record_yaml)
    source = source_state()  # as it is when this process has read it
    # Until it ends otherwise, this is what a run is: after a power cut the summary is still true.
    _write_summary(trainer, folder, record, source, "interrupted")
    log.info("begin at %d sequences", resumed_at)

    sink = Loggers()
    saved_at = resumed_at if plan.checkpoint is not None else None

    def save() -> None:
        nonlocal saved_at
        if saved_at == trainer.sequences:
            return  # a second copy would push out the older checkpoint
        sink.flush()
        checkpoints.save(folder.path, trainer.checkpoint())
        saved_at = trainer.sequences
        _write_summary(trainer, folder, record, source, "interrupted")
        sink.pictures(trainer.sequences, draw_example(trainer))
        log.info("checkpoint at %d sequences", trainer.sequences)

    try:
        sink.add(CsvLogger(folder.metrics, metrics.columns(trainer.has_optimum), resumed_at))
        board = TensorBoardLogger(folder.path, record_yaml, resumed_at)
        sink.add(board)
        sink.add(TerminalLogger(trainer.settings.sequences, resumed_at))
        judge = Judge(is_hopeless, metrics.read_rows(folder.metrics, up_to=resumed_at))
        sink.add(judge)
        if plan.checkpoint is None:
            sink.pictures(trainer.sequences, draw_example(trainer))
        done = trainer.run(sink, save, lambda: stop.received or judge.gave_up)
        save()
        save_weights(trainer, folder)
        status = "finished" if done else "pruned" if judge.gave_up else "interrupted"
        summary = _write_summary(trainer, folder, record, source, status)
        if done:
            folder.diverged.unlink(missing_ok=True)  # of an earlier attempt
            names = [name for name in convergence.RESULTS if not name.startswith("solved")]  # an older name of `stays`
            results = {f"hparam/{name}": summary[name] for name in names}
            settings = {key: value for key, value in _flat(record).items() if not key.startswith(NO_HYPERPARAMETERS)}
            board.hyperparameters(trainer.sequences, settings, results)
    except Diverged as divergence:
        keep_for_replay(trainer, folder, divergence)
        _write_summary(trainer, folder, record, source, "diverged")
        raise RunError(
            f"{divergence}; its batch and the weights are in {folder.diverged}, earlier checkpoints are intact"
        ) from divergence
    finally:
        sink.close()
    log.info("%s at %d sequences", summary["status"], trainer.sequences)
    if status == "interrupted":
        raise Interrupted(f"stopped at {trainer.sequences:,} sequences, everything saved")
    return summary


def draw_example(trainer: Trainer) -> dict[str, np.ndarray]:
    """Pictures of one fixed sequence as the model answers it now: the bits, and each head's weightings over time."""
    task = trainer.task
    batch = task.draw(Stream(trainer.seed, Purpose.EXAMPLE), 0, 1, task.longest_condition)
    with torch.no_grad(), trainer.evaluating() as kernel:
        x_TBI, _, _ = to_tensors(batch, trainer.device)
        y_TBO, _, trace = kernel.unroll(x_TBI, trace=True)
    output_TO = y_TBO[:, 0].sigmoid().cpu().numpy() * batch.mask_TO
    drawn = {
        "example/input_target_output": tensorboard_images.stacked(
            [batch.input_TBI[:, 0], batch.target_TBO[:, 0], output_TO]
        )
    }
    if trace is not None:
        for kind, weighting_TBKN in (("read", trace.read_weighting_BRN), ("write", trace.write_weighting_BWN)):
            heads = weighting_TBKN[:, 0].cpu().numpy().swapaxes(0, 1)
            drawn[f"example/{kind}_weighting"] = tensorboard_images.stacked(list(heads))
    return drawn


def save_weights(trainer: Trainer, folder: RunFolder) -> None:
    """weights.safetensors: the parameters alone, for sharing. Raises `OSError`."""
    tensors = {name: tensor.cpu().contiguous() for name, tensor in trainer.weights.items()}
    write_atomically(folder.weights, to_safetensors(tensors, {"sequences": str(trainer.sequences)}))


def keep_for_replay(trainer: Trainer, folder: RunFolder, divergence: Diverged) -> None:
    """diverged.safetensors: the batch (`batch.*`) and the weights it met (`model.*`). Raises `OSError`."""
    tensors = {f"model.{name}": tensor.cpu().contiguous() for name, tensor in trainer.model.state_dict().items()}
    batch = divergence.batch
    for name in ("input_TBI", "target_TBO", "mask_TO"):
        tensors[f"batch.{name}"] = torch.from_numpy(getattr(batch, name))
    about = {"sequence": str(batch.first), "setting": str(batch.condition), "cause": str(divergence)}
    write_atomically(folder.diverged, to_safetensors(tensors, about))


def _write_summary(
    trainer: Trainer, folder: RunFolder, record: dict[str, Any], source: SourceState, status: str
) -> dict[str, Any]:
    rows = metrics.read_rows(folder.metrics, up_to=trainer.sequences) if folder.metrics.exists() else []
    summary = {
        "task": trainer.task.name,
        "model": record["model"]["name"],
        "seed": trainer.seed,
        "parameters": trainer.model.parameter_count,
        "sequences": trainer.sequences,
        "first_sequence": trainer.settings.first_sequence,
        "initial_weights": trainer.settings.initial_weights or None,
        "initial_weights_sha256": trainer.settings.initial_weights_sha256 or None,
        **convergence.results(rows, trainer.settings.first_sequence),
        "wall_seconds": round(trainer.wall_seconds, 3),
        "status": status,
        "versions": versions(),
        "commit": source.commit,
        "dirty": source.dirty,
        "cpu": cpu_name(),
        "vector_bits": _vector_bits() if trainer.kernel.compiled else None,
        "device": str(trainer.device),
        "threads": torch.get_num_threads(),
        "optimiser": trainer.optimiser_settings.name,
        "recipe": record.get("recipe", "paper"),
        "config": record,
    }
    write_json(folder.summary, summary)
    return summary


def _vector_bits() -> int | None:
    from ntm_repro.jit.vectors import vector_bits  # here, so that eager runs never import numba

    return vector_bits()


def _flat(record: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in record.items():
        if isinstance(value, dict):
            flat |= _flat(value, f"{prefix}{key}.")
        elif isinstance(value, int | float | str | bool):
            flat[prefix + key] = value
    return flat
