"""The settings of `hydra/sweeper=optuna`, with the keys that Hydra's own sweeper of that name has. Optuna-free."""

import importlib.util
from dataclasses import dataclass, field
from typing import Any

from hydra.core.config_store import ConfigStore
from omegaconf import MISSING, DictConfig

TARGET = "ntm_repro.cli.search.sweep"  # by which a config says that it is ours


@dataclass
class Sampler:
    """How points are chosen: tpe learns from the trials so far, random does not, grid takes all there are."""

    name: str = MISSING
    seed: int = 1
    n_startup_trials: int = 10


@dataclass
class Pruner:
    """Which trials end early.

    n_startup_trials: finished ones without which none does. n_warmup_steps: sequences before which none does; null is a
    fifth of train.sequences.
    """

    name: str = MISSING
    n_startup_trials: int = 5
    n_warmup_steps: int | None = None


@dataclass
class Settings:
    """hydra.sweeper.* of this sweeper.

    storage: URL of another database than study.db. study_name: also the folder's in results/sweeps. n_trials: of the
    study in all, over every process and start. n_jobs: trials that are launched together; null is 1, or 2 where a
    launcher runs several. max_failure_rate: the share of failed trials of those launched together beyond which the
    sweep stops.
    """

    defaults: list[Any] = field(default_factory=lambda: [{"sampler": "tpe"}, {"pruner": "median"}, "_self_"])
    _target_: str = TARGET
    sampler: Sampler = field(default_factory=Sampler)
    pruner: Pruner = field(default_factory=Pruner)
    direction: str = "minimize"
    storage: str | None = None
    study_name: str | None = None
    n_trials: int = 20
    n_jobs: int | None = None
    max_failure_rate: float = 0.0
    params: dict[str, str] | None = None


def register() -> None:
    """Make the sweeper known to Hydra, where Optuna is installed."""
    if importlib.util.find_spec("optuna") is None:
        return
    store = ConfigStore.instance()
    store.store(group="hydra/sweeper", name="optuna", node=Settings)
    for name in ("tpe", "random", "grid"):
        store.store(group="hydra/sweeper/sampler", name=name, node=Sampler(name))
    for name in ("median", "none"):
        store.store(group="hydra/sweeper/pruner", name=name, node=Pruner(name))


def is_ours(master: DictConfig | None) -> bool:
    """Whether a config's sweeper is this one."""
    return master is not None and master.hydra.sweeper.get("_target_") == TARGET
