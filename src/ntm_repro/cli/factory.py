"""From a typed config to the objects that train or evaluate; the one place that knows both."""

from typing import Any

import torch
from omegaconf import DictConfig

from ntm_repro import kernels, models
from ntm_repro.cli import schema
from ntm_repro.errors import UsageError
from ntm_repro.tasks import input_scale
from ntm_repro.training.loop import Trainer
from ntm_repro.training.weights import Weights


def device(name: str) -> torch.device:
    """The device that `device=` names.

    `auto` is the CPU as long as no kernel runs whole sequences on a GPU: step by step, a GPU would spend its time
    launching hundreds of tiny operations. Raises `UsageError` for cuda without a CUDA device.
    """
    if name == "cuda" and not torch.cuda.is_available():
        raise UsageError("device=cuda: no CUDA device here; use device=cpu or device=auto")
    return torch.device("cuda" if name == "cuda" else "cpu")


def model(config: DictConfig, task: Any) -> models.Model:
    """The model of a typed config for `task`, for weights that were trained before.

    It is built from the config's seed, but without what only matters for training from the start.
    """
    return models.build(schema.settings(config, "model"), task.inputs, task.outputs, config.seed)


def fresh_model(config: DictConfig, task: Any) -> models.Model:
    """The model of a typed config for `task` as training begins: drawn from the config's seed, its inputs scaled."""
    settings = schema.settings(config, "model")
    rule = input_scale.RULES.get(getattr(getattr(settings, "scale_inputs", None), "name", ""))
    scale = None if rule is None else rule(task)
    return models.build(settings, task.inputs, task.outputs, config.seed, scale)


def trainer(config: DictConfig, weights: Weights | None = None) -> Trainer:
    """Everything a run needs, at its first sequence. Sets the process's number of threads.

    weights: to begin with, which fit, in place of those drawn from the seed.
    """
    torch.set_num_threads(config.threads)
    task = schema.settings(config, "task")
    where = device(config.device.name)
    built = fresh_model(config, task)
    if weights is not None:
        built.load_state_dict(weights.tensors)
    built.to(where)
    return Trainer(
        task=task,
        kernel=kernels.choose(config.kernel.name, built),
        settings=schema.settings(config, "train"),
        seed=config.seed,
        device=where,
        optimiser_settings=schema.settings(config, "optimiser"),
        identity=schema.canonical(schema.identity(schema.plain(config))),
    )
