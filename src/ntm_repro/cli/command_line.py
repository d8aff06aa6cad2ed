"""The shortest command line that repeats a recorded run."""

import shlex
from collections.abc import Sequence
from typing import Any

import hydra
from omegaconf import OmegaConf

from ntm_repro.cli import compose, paths, schema

LENGTH = "train.sequences"  # no part of a run's identity, but of its result


def of_record(record: dict[str, Any], seeds: Sequence[int] = ()) -> str:
    """`ntm-train …` with the choices of a run and the values that differ from what they bring; '' where it has none.

    seeds: of which there is to be a run each, by default the record's own. Inside a `compose.session`.
    """
    recipe = record.get("recipe", schema.PAPER)
    names = [
        f"{group}={record.get(group, {}).get('name', kind.default)}" for group, kind in schema.TYPED_GROUPS.items()
    ]
    choices = [*([] if recipe == schema.PAPER else [f"recipe={recipe}"]), *names]
    try:
        usual = _usual(choices)
        wanted = schema.identity(record) | {LENGTH: record["train"]["sequences"]}
    except Exception:  # of a task or model that is not installed here
        return ""
    changed = [f"{key}={_word(value)}" for key, value in wanted.items() if usual.get(key) != value and key != "seed"]
    default = f"optimiser={schema.TYPED_GROUPS['optimiser'].default}"
    said = [word for word in choices if word != default or recipe != schema.PAPER]
    seed = ",".join(map(str, seeds or [record.get("seed", 1)]))
    return shlex.join(["ntm-train", *(["-m"] if len(seeds) > 1 else []), *said, f"seed={seed}", *changed])


def _usual(choices: list[str]) -> dict[str, Any]:
    config = schema.typed(hydra.compose(compose.CONFIG, choices))
    return schema.identity(schema.plain(config)) | {LENGTH: OmegaConf.select(config, LENGTH)}


def _word(value: Any) -> str:
    """A value that Hydra reads back as the same: a number to its last digit."""
    if isinstance(value, str):
        return value if value.isidentifier() else paths.quoted(value)
    return {True: "true", False: "false"}[value] if isinstance(value, bool) else str(value)
