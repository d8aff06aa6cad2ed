"""Tasks and models of other installed packages, as choices of the config groups `task` and `model`."""

from collections.abc import Collection
from importlib.metadata import entry_points
from typing import Any

from omegaconf import OmegaConf

from ntm_repro.cli import schema

# Group of configs: group of entry points.
GROUPS = {"task": "ntm_repro.tasks", "model": "ntm_repro.models"}


def nodes(group: str, in_repository: Collection[str], settings: bool) -> dict[str, dict[str, Any]]:
    """{name: its config, made of the defaults of its settings} for what packages add to `group`.

    in_repository: the names that have a config file here and are not replaced. settings: whether the settings are
    needed; without them nothing of the packages is imported, and a config is the name alone.
    """
    names = sorted({point.name for point in entry_points(group=GROUPS[group])} - set(in_repository))
    return {name: _defaults(group, name) if settings else {"name": name} for name in names if name.isidentifier()}


def _defaults(group: str, name: str) -> dict[str, Any]:
    try:
        node = OmegaConf.structured(schema.TYPED_GROUPS[group].settings_type(name))
        return OmegaConf.to_container(node, enum_to_str=True)  # type: ignore[return-value]
    except Exception:  # what is wrong with a package is said where it is chosen, not whenever it is installed
        return {"name": name}
