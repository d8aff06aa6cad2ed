"""What a run recorded about itself, read back as data: its config.yaml, and the command line that repeats the run."""

import re
from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from typing import Any

import yaml
from omegaconf import OmegaConf

from ntm_repro.cli import paths, schema
from ntm_repro.errors import UsageError


def load_record(folder: str | PathLike[str]) -> dict[str, Any] | None:
    """The plain config.yaml of a run's folder, or None where there is none that can be read.

    What no run writes counts as unreadable: aliases, of which a few lines make gigabytes, and interpolations, which
    would be resolved with what is on this machine.
    """
    try:
        text = (Path(folder) / "config.yaml").read_text(encoding="utf-8")
        if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text, yaml.SafeLoader)):
            return None
        record = OmegaConf.to_container(OmegaConf.create(text), resolve=False)
    except Exception:  # whatever a damaged YAML file makes the parser raise
        return None
    if not isinstance(record, dict) or not {"task", "model"} <= set(record):
        return None
    if any("${" in str(leaf) for leaf in schema.leaves(record).items()):
        return None
    return record  # type: ignore[return-value]


def expand_run(argv: Sequence[str]) -> list[str]:
    """`run=PATH` → the overrides that rebuild that run's own config, into results/reruns; later ones still win.

    Raises `UsageError` where there is no such record, or it sets a key that no run has.
    """
    named = [argument for argument in argv if argument.startswith("run=")]
    if not named:
        return list(argv)
    rest = [argument for argument in argv if argument not in named]
    if len(named) > 1:
        raise UsageError("run: give it once")
    groups = "|".join(("recipe", *schema.TYPED_GROUPS))
    if any(re.match(rf"[+~]*({groups})(=|$)", argument) for argument in rest):
        raise UsageError("run: already says which task and model; change single values, as in train.sequences=2000")
    path = Path(paths.literal("run", named[0].partition("=")[2]))
    record = load_record(path)
    if record is None:
        raise UsageError(f"run={path}: no readable config.yaml there; name a run's folder")
    return [*_overrides(path, schema.completed(record)), "results_dir=results/reruns", *rest]


def _overrides(path: Path, record: dict[str, Any]) -> list[str]:
    values = schema.leaves(record)
    overrides = [f"recipe={values.pop('recipe', schema.PAPER)}"]
    overrides += [f"{group}={values.pop(f'{group}.name', '')}" for group in schema.TYPED_GROUPS]
    for key in ("run_dir", "results_dir", "resume"):
        values.pop(key, None)
    for key in values:
        # The values go through the command line, where a key of Hydra's could name code to run.
        if not re.fullmatch(rf"({'|'.join(schema.Config.__dataclass_fields__)})(\.[a-z_][a-z0-9_]*)*", key):
            raise UsageError(f"run={path}: its config.yaml sets {key}, which no run has; remove that line to trust it")
    return overrides + [f"{key}={_value(key, value)}" for key, value in values.items()]


def _value(key: str, value: Any) -> str:
    if value is None:
        return "null"
    if key in paths.OF_RUNS:
        return str(value)  # which is taken as it stands
    if isinstance(value, str):
        return paths.quoted(value)
    return str(value).lower() if isinstance(value, bool) else str(value)
