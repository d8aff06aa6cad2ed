"""key=value command lines without Hydra: typed by a dataclass, paths as they stand, each mistake one line."""

from collections.abc import Sequence

from omegaconf import DictConfig, OmegaConf

from ntm_repro.cli import exit_codes, paths
from ntm_repro.errors import UsageError
from ntm_repro.files import readable


def parse(command: str, options: type, argv: Sequence[str]) -> DictConfig:
    """`argv` as an instance of the dataclass `options` for the command of that name; raises `UsageError`."""
    known: dict[str, object] = options.__dataclass_fields__  # type: ignore[attr-defined]
    places: dict[str, str] = {}
    for argument in argv:
        key, equals, value = argument.partition("=")
        if not equals or key not in known:
            raise UsageError(f"{argument}: unknown; {command} takes {' '.join(f'{name}=' for name in known)}")
        if not value.strip():
            raise UsageError(f"{argument}: needs a value")
        if key in paths.KEYS:
            places[key] = paths.literal(key, value)
    others = [_value(readable(argument)) for argument in argv if argument.partition("=")[0] not in paths.KEYS]
    try:
        parsed = OmegaConf.merge(OmegaConf.structured(options), *others, places)
        OmegaConf.to_container(parsed, resolve=True)
    except Exception as error:  # OmegaConf and YAML: all they see is what the user typed
        where = getattr(error, "full_key", None)
        raise UsageError(f"{where}: {exit_codes.one_line(error)}" if where else exit_codes.one_line(error)) from error
    assert isinstance(parsed, DictConfig)
    return parsed


def _value(argument: str) -> DictConfig:
    """One key with its value, a number, a word or a list; raises `UsageError` for one that YAML cannot read."""
    try:
        return OmegaConf.from_dotlist([argument])
    except Exception as error:
        problem = getattr(error, "problem", None) or exit_codes.one_line(error)
        raise UsageError(f"{argument}: cannot be read ({problem}); lists are written as in [20,120]") from error
