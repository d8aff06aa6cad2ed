"""The typed configuration of a run, its identity, and the folder that its identity names. Torch-free."""

import json
import os
from dataclasses import dataclass, field
from enum import Enum
from hashlib import sha256
from typing import Any

from omegaconf import MISSING, DictConfig, OmegaConf

from ntm_repro.errors import InvalidSetting, UsageError, require
from ntm_repro.training.run_folder import Resume
from ntm_repro.training.settings import TrainSettings

Device = Enum("Device", "auto cpu cuda")
Kernel = Enum("Kernel", "auto eager numba")

# What makes a run another run; of `train`, where and how often it is saved and how long it lasts do not.
IDENTITY_KEYS = ("task", "model", "train", "seed")
NOT_IDENTITY = {"train.sequences", "train.log_every", "train.checkpoint_every"}
LONGEST_VARIANT = 120  # characters of a folder's name


@dataclass
class Config:
    """One run. `task` and `model` are typed by the settings classes that their `name` selects."""

    task: Any = MISSING
    model: Any = MISSING
    train: TrainSettings = field(default_factory=TrainSettings)
    seed: int = 1
    device: Device = Device.auto
    kernel: Kernel = Kernel.auto
    threads: int = 1
    resume: Resume = Resume.auto
    results_dir: str = MISSING
    run_dir: str = MISSING


def typed(composed: DictConfig) -> DictConfig:
    """A composed config merged with the settings classes of its task and model, every range checked.

    Raises `UsageError` or an OmegaConf error for a wrong key, type or range.
    """
    from ntm_repro import models, tasks  # models bring torch, which is slow to import

    plain = OmegaConf.to_container(composed, resolve=True)
    config = OmegaConf.merge(OmegaConf.structured(Config), plain)
    assert isinstance(config, DictConfig)
    require(0 <= config.seed < 2**63, "seed", config.seed, "must be 0 or more, and below 2**63")
    require(config.threads >= 1, "threads", config.threads, "must be 1 or more")
    for key in ("results_dir", "run_dir"):
        require(bool(config[key].strip()) and "\0" not in config[key], key, config[key], "must name a folder")
    config.task = _typed_node("task", tasks.find(config.task.name), config.task)
    config.model = _typed_node("model", models.settings_type(config.model.name), config.model)
    for section in ("train", "model", "task"):
        settings(config, section)
    return config


def _typed_node(key: str, settings_class: type, node: DictConfig) -> DictConfig:
    """`node` with the types of a settings class; the error for a wrong key or value names it in full."""
    empty = OmegaConf.structured(settings_class)
    OmegaConf.set_readonly(empty, False)  # frozen dataclasses are read-only otherwise
    for name in empty:
        if OmegaConf.is_dict(empty[name]) and not OmegaConf.is_dict(node.get(name, empty[name])):
            single = ", ".join(f"{key}.{name}.{inner}" for inner in empty[name])
            raise UsageError(f"{key}.{name}={node[name]}: is a group of settings; set {single}")
    try:
        return OmegaConf.merge(empty, node)  # type: ignore[return-value]
    except Exception as error:
        full_key = getattr(error, "full_key", None)
        first = str(error).splitlines()[0]
        raise UsageError(f"{key}.{full_key}: {first}" if full_key else f"{key}: {first}") from error


def settings(config: DictConfig, section: str) -> Any:
    """A section of a typed config as its settings class; raises `UsageError` for a value out of range."""
    try:
        return OmegaConf.to_object(config[section])
    except InvalidSetting as error:
        raise UsageError(error.within(section)) from error


def plain(config: DictConfig) -> dict[str, Any]:
    """A typed config as the plain values that are recorded: enumerations by name."""
    content = OmegaConf.to_container(config, resolve=True, enum_to_str=True)
    assert isinstance(content, dict)
    return content  # type: ignore[return-value]


def leaves(node: Any, prefix: str = "") -> dict[str, Any]:
    """{dotted key: value} of all values below a plain node."""
    if not isinstance(node, dict):
        return {prefix[:-1]: node}
    return {key: value for name in node for key, value in leaves(node[name], f"{prefix}{name}.").items()}


def identity(record: dict[str, Any]) -> dict[str, Any]:
    """What makes the run what it is, as {dotted key: value}: its resolved config less where, how fast and how long."""
    kept = leaves({key: record[key] for key in IDENTITY_KEYS if key in record})
    return {key: value for key, value in sorted(kept.items()) if key not in NOT_IDENTITY}


def canonical(identity: dict[str, Any]) -> str:
    """An identity as text that is equal where the identities are."""
    return json.dumps(identity, sort_keys=True)


def difference(there: dict[str, Any], wanted: dict[str, Any]) -> str:
    """How two identities differ, in a few words: the first key that does."""
    for key in sorted(there | wanted):
        if there.get(key) != wanted.get(key):
            return f"its {key} is {there.get(key)}, not {wanted.get(key)}"
    return ""


def variant(record: dict[str, Any], base: dict[str, Any]) -> str:
    """'' for the paper's own values, else for instance '-learning_rate-0.001': one folder per result, no '=' or ','."""
    wanted, usual = identity(record), identity(base)
    parts = []
    for key, value in wanted.items():
        if key != "seed" and usual.get(key) != value:
            shown = "".join(c if c.isalnum() or c in ".-" else "_" for c in str(value))
            parts.append(f"-{key.partition('.')[2]}-{shown}")
    name = "".join(parts)
    if len(name) > LONGEST_VARIANT:
        name = f"{name[:LONGEST_VARIANT]}-{sha256(name.encode()).hexdigest()[:8]}"
    return name


def absolute(path: str) -> str:
    """The absolute form of a path, for the config."""
    return os.path.abspath(path)  # noqa: PTH100 — a resolver's result is a string
