"""The typed configuration of a run, its identity, and the folder that its identity names. Torch-free."""

import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from hashlib import sha256
from typing import Any, NamedTuple

from omegaconf import MISSING, DictConfig, OmegaConf

from ntm_repro.errors import InvalidSetting, UsageError, require
from ntm_repro.files import readable
from ntm_repro.sweeps.objective import Objective
from ntm_repro.training.run_folder import Resume
from ntm_repro.training.settings import TrainSettings

Device = Enum("Device", "auto cpu cuda")
Kernel = Enum("Kernel", "auto eager numba")


class TypedGroup(NamedTuple):
    """A config group whose chosen `name` selects the class that types its settings.

    settings_type: from the name to the dataclass; raises `InvalidSetting` for an unknown one. default: the choice of
    records that are older than the group, or None for a group that every record has.
    """

    settings_type: Callable[[str], type]
    default: str | None = None


def _task_settings(name: str) -> type:
    from ntm_repro import tasks

    return tasks.find(name)


def _model_settings(name: str) -> type:
    from ntm_repro import models  # brings torch, which is slow to import

    return models.settings_type(name)


def _optimiser_settings(name: str) -> type:
    from ntm_repro import optimisers  # likewise

    return optimisers.settings_type(name)


TYPED_GROUPS = {
    "task": TypedGroup(_task_settings),
    "model": TypedGroup(_model_settings),
    "optimiser": TypedGroup(_optimiser_settings, default="graves_rmsprop"),
}
# What makes a run another run; of `train`, where and how often it is saved and how long it lasts do not. Initial
# weights do by what they are, not by where they lie.
IDENTITY_KEYS = (*TYPED_GROUPS, "train", "seed")
INITIAL_WEIGHTS, DIGEST = "train.initial_weights", "train.initial_weights_sha256"
NOT_IDENTITY = {"train.sequences", "train.log_every", "train.checkpoint_every", INITIAL_WEIGHTS}
PAPER = "paper"  # the recipe that reproduces the paper, whose folders do not name it
LONGEST_VARIANT = 120  # bytes of a folder's name


@dataclass
class Config:
    """One run. The groups of `TYPED_GROUPS` are typed by the settings classes that their `name` selects.

    recipe: whose values all others begin with: the paper's for its pairs of task and model, or those of short runs that
    are meant to succeed with every seed.
    seed: of the data and the initial weights, 0 or more.
    device: where tensors are; auto is the CPU as long as no kernel runs whole sequences on a GPU.
    kernel: what runs the model; auto is the compiled one where it covers the model, else step by step.
    threads: of the CPU, 1 or more.
    resume: what to do in a folder that holds this run; previous goes on from the older checkpoint.
    objective: what the runs of a sweep are judged by: the bits at the end, the number of sequences until they are below
    1, 0.1 or 0.05 (first, or from then on), or the wrong bits on the longest sequences of ntm-eval's grid.
    results_dir: the folder below which runs get one each.
    run_dir: the folder of this run, in place of its usual one below results_dir.
    """

    recipe: str = PAPER
    task: Any = MISSING
    model: Any = MISSING
    optimiser: Any = MISSING
    train: TrainSettings = field(default_factory=TrainSettings)
    seed: int = 1
    device: Device = Device.auto
    kernel: Kernel = Kernel.auto
    threads: int = 1
    resume: Resume = Resume.auto
    objective: Objective = Objective.final_bits
    results_dir: str = MISSING
    run_dir: str = MISSING


def typed(composed: DictConfig) -> DictConfig:
    """A composed config merged with the settings classes of its groups, every range checked.

    Raises `UsageError` or an OmegaConf error for a wrong key, type or range.
    """
    plain = OmegaConf.to_container(composed, resolve=True)
    assert isinstance(plain, dict)
    config = _with_types(plain)  # type: ignore[arg-type]
    require(0 <= config.seed < 2**63, "seed", config.seed, "must be 0 or more, and below 2**63")
    require(config.threads >= 1, "threads", config.threads, "must be 1 or more")
    for key in ("results_dir", "run_dir"):
        require(bool(config[key].strip()) and "\0" not in config[key], key, config[key], "must name a folder")
    for section in ("train", *TYPED_GROUPS):
        settings(config, section)
    return config


def _with_types(plain: dict[str, Any]) -> DictConfig:
    """A plain config merged with the settings classes of its groups, which add the defaults of keys it lacks."""
    usual = {group: {"name": kind.default} for group, kind in TYPED_GROUPS.items() if kind.default is not None}
    config = OmegaConf.merge(OmegaConf.structured(Config), usual | plain)
    assert isinstance(config, DictConfig)
    for group, kind in TYPED_GROUPS.items():
        name = config[group].get("name") if OmegaConf.is_dict(config[group]) else None
        if not isinstance(name, str):
            raise UsageError(f"{group}={config[group]}: names no {group}")
        try:
            settings_class = kind.settings_type(name)
        except InvalidSetting as error:
            raise UsageError(error.within(group)) from error
        config[group] = _typed_node(group, settings_class, config[group])
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
    """A typed config as the plain values that are recorded: enumerations by name, paths as `files.readable`."""
    content = OmegaConf.to_container(config, resolve=True, enum_to_str=True)
    assert isinstance(content, dict)
    places = {key: readable(content[key]) for key in ("results_dir", "run_dir")}
    content["train"]["initial_weights"] = readable(content["train"]["initial_weights"])
    return content | places  # type: ignore[return-value]


def leaves(node: Any, prefix: str = "") -> dict[str, Any]:
    """{dotted key: value} of all values below a plain node."""
    if not isinstance(node, dict):
        return {prefix[:-1]: node}
    return {key: value for name in node for key, value in leaves(node[name], f"{prefix}{name}.").items()}


def completed(record: dict[str, Any]) -> dict[str, Any]:
    """A recorded config with the defaults of keys that were added since, which is how the run was before they were.

    The one rule of forward compatibility: every comparison of identities goes through it. A record that the settings of
    today cannot complete, because it has keys that are gone or is no run's, is returned as it is.
    """
    try:
        return plain(_with_types({"results_dir": "", "run_dir": ""} | record))
    except Exception:  # a record is a file, and may hold anything; composition reports the error with a better message
        return record


def identity(record: dict[str, Any]) -> dict[str, Any]:
    """What makes the run what it is, as {dotted key: value}: its config without where it runs, how fast and how long.

    The record is completed first: a run recorded before a key was added is the run with its default.
    """
    return _identity(completed(record))


def _identity(record: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in _deciding(record).items() if key not in NOT_IDENTITY}


def _deciding(record: dict[str, Any]) -> dict[str, Any]:
    """The values of all settings of `IDENTITY_KEYS`, by their names in order."""
    return dict(sorted(leaves({key: record[key] for key in IDENTITY_KEYS if key in record}).items()))


def canonical(identity: dict[str, Any]) -> str:
    """An identity as text that is equal where the identities are."""
    return json.dumps(identity, sort_keys=True)


def completed_text(text: str) -> str:
    """A `canonical` identity that a checkpoint has kept, with the defaults of keys that were added since."""
    try:
        return canonical(identity(_nested(json.loads(text))))
    except (ValueError, AttributeError, TypeError):  # no identity: equal to none
        return text


def _nested(dotted: dict[str, Any]) -> dict[str, Any]:
    """The inverse of `leaves`."""
    root: dict[str, Any] = {}
    for key, value in dotted.items():
        *above, last = key.split(".")
        node = root
        for name in above:
            node = node.setdefault(name, {})
        node[last] = value
    return root


def difference(there: dict[str, Any], wanted: dict[str, Any]) -> str:
    """How two identities differ, in a few words: the first key that does."""
    for key in sorted(there | wanted):
        if there.get(key) != wanted.get(key):
            return f"its {key} is {_shown(there.get(key))}, not {_shown(wanted.get(key))}"
    return ""


def _shown(value: Any) -> str:
    """A value in a message: of a digest, as much as tells two apart."""
    text = str(value)
    return "none" if text == "" else f"{text[:12]}…" if len(text) == 64 else text


def recipe_folder(recipe: str) -> str:
    """What of a run's folder says by which recipe it was trained: nothing for the paper's, else "<recipe>/"."""
    return "" if recipe == PAPER else f"{recipe}/"


def variant(record: dict[str, Any], base: dict[str, Any], chosen: Sequence[str] = ()) -> str:
    """'' for the recipe's own values, else for instance '-learning_rate-0.001': one folder per result, no '=' or ','.

    base: the config of the same choices of groups with nothing changed. chosen: names of choices that neither the
    folder's path nor the recipe says.
    """
    # What initial weights are is only known when the run begins; until then their path stands for them.
    named = _identity(record).keys() - {"seed", DIGEST} | {INITIAL_WEIGHTS}
    wanted, usual = _deciding(record), _deciding(base)
    parts = [f"-{name}" for name in chosen]
    for key, value in wanted.items():
        if key in named and usual.get(key) != value:
            shown = "".join(c if c.isalnum() or c in ".-" else "_" for c in str(value))
            parts.append(f"-{key.partition('.')[2]}-{shown}")
    name = "".join(parts)
    if len(name.encode()) > LONGEST_VARIANT:
        begin = name.encode()[:LONGEST_VARIANT].decode(errors="ignore")
        name = f"{begin}-{sha256(name.encode()).hexdigest()[:8]}"
    return name


def absolute(path: str) -> str:
    """The absolute form of a path, for the config."""
    return os.path.abspath(path)  # noqa: PTH100 — a resolver's result is a string
