"""Every job of a command line, composed and checked before Hydra creates anything."""

import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, NoReturn

import yaml
from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra._internal.utils import create_config_search_path, get_args_parser
from hydra.core.config_store import ConfigStore
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.plugins import Plugins
from hydra.core.utils import setup_globals
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf, open_dict

from ntm_repro.cli import override_policy, schema
from ntm_repro.errors import UsageError

CONFIG = "train"
# Options of Hydra that make no sense here, by their names in its argument parser.
REFUSED_OPTIONS = ("config_name", "config_path", "config_dir", "experimental_rerun")


def config_dir() -> str:
    """The folder of configs: inside an installed package, else beside `src` in the repository."""
    here = Path(__file__).resolve()
    for folder in (here.parents[1] / "configs", here.parents[3] / "configs"):
        if (folder / f"{CONFIG}.yaml").is_file():
            return str(folder)
    raise FileNotFoundError("no configs folder beside the package")


def register() -> None:
    """Make the schema and the resolvers of train.yaml known to Hydra."""
    ConfigStore.instance().store(name="schema", node=schema.Config)
    OmegaConf.register_new_resolver("abspath", schema.absolute, replace=True)
    OmegaConf.register_new_resolver("variant", _variant, replace=True)


def _variant(*, _root_: DictConfig) -> str:
    record = {key: _root_.get(key) for key in schema.IDENTITY_KEYS}
    plain = OmegaConf.to_container(OmegaConf.create(record), resolve=True, enum_to_str=True)
    assert isinstance(plain, dict)
    return schema.variant(plain, _usual(_root_.task.name, _root_.model.name))  # type: ignore[arg-type]


@cache
def _usual(task: str, model: str) -> dict[str, Any]:
    """The recorded values of a pair that nobody has changed."""
    composed = _loader().load_configuration(CONFIG, overrides=[f"task={task}", f"model={model}"], run_mode=RunMode.RUN)
    usual = OmegaConf.create({key: composed[key] for key in schema.IDENTITY_KEYS})
    return OmegaConf.to_container(usual, resolve=True, enum_to_str=True)  # type: ignore[return-value]


def _loader() -> ConfigLoaderImpl:
    setup_globals()
    return ConfigLoaderImpl(create_config_search_path(config_dir()))


def options(group: str) -> list[str]:
    """The names that `group=` takes."""
    return sorted(path.stem for path in (Path(config_dir()) / group).glob("*.yaml"))


def _refuse(message: str) -> NoReturn:
    raise UsageError(f"{message}; settings are written key=value (see ntm-train --help)")


def jobs(argv: Sequence[str]) -> tuple[list[DictConfig] | None, bool]:
    """The typed config of every job of this command line, and whether it is a sweep; (None, …) if it asks for help.

    Creates nothing. Raises `UsageError`, or an error of Hydra's or OmegaConf's whose first line says what is wrong.
    """
    arguments = get_args_parser()
    arguments.error = _refuse  # type: ignore[method-assign]
    args, unknown = arguments.parse_known_args(list(argv))
    if unknown:
        _refuse(f"{unknown[0]}: unknown option")
    for name in REFUSED_OPTIONS:
        if getattr(args, name, None):
            _refuse(f"--{name.replace('_', '-')}: not supported")
    loader = _loader()
    parser = OverridesParser.create(config_loader=loader)
    overrides = parser.parse_overrides(list(args.overrides))
    override_policy.check(overrides, options)
    if any(override.key_or_group == override_policy.LAUNCHER for override in overrides):
        Plugins.instance()  # finds the launchers that are installed; a moment that other commands save

    def compose(overrides: Sequence[str], mode: RunMode) -> DictConfig:
        composed = loader.load_configuration(
            CONFIG, overrides=list(overrides), run_mode=mode, validate_sweep_overrides=mode is RunMode.RUN
        )
        HydraConfig.instance().set_config(composed)
        return composed

    if args.hydra_help or args.shell_completion:
        return None, False
    master = compose(args.overrides, RunMode.MULTIRUN)
    sweep = bool(args.multirun or master.hydra.mode is RunMode.MULTIRUN)
    several = next((override for override in overrides if override.is_sweep_override()), None)
    if several is not None and not sweep:
        raise UsageError(f"{several.input_line}: more than one value; to run each, add -m")
    if args.help or args.info or args.cfg:
        return None, sweep
    if not sweep:
        each = [list(args.overrides)]
    else:
        parameters = [f"{key}={value}" for key, value in (master.hydra.sweeper.get("params") or {}).items()]
        typed_here = {override.key_or_group for override in overrides}
        parameters = [entry for entry in parameters if entry.partition("=")[0] not in typed_here]
        parsed = parser.parse_overrides(parameters + list(args.overrides))
        each = [list(job) for job in BasicSweeper.split_arguments(parsed, None)[0]]
    checked: list[DictConfig] = []
    taken: dict[str, list[str]] = {}
    for job_overrides in each:
        composed = compose(job_overrides, RunMode.RUN)
        with open_dict(composed):
            job = schema.typed(OmegaConf.masked_copy(composed, [key for key in map(str, composed) if key != "hydra"]))
        folder = schema.absolute(job.run_dir)
        if folder in taken:
            both = f"{' '.join(taken[folder])} | {' '.join(job_overrides)}"
            raise UsageError(f"run_dir={job.run_dir}: two jobs of this sweep would share it ({both})")
        taken[folder] = job_overrides
        checked.append(job)
    return checked, sweep


def recorded_run(argv: Sequence[str]) -> list[str]:
    """`run=PATH` → the overrides that rebuild that run's own config, into results/reruns; later ones still win."""
    named = [argument for argument in argv if argument.startswith("run=")]
    if not named:
        return list(argv)
    rest = [argument for argument in argv if argument not in named]
    if len(named) > 1:
        raise UsageError("run: give it once")
    if any(re.match(r"[+~]*(task|model)(=|$)", argument) for argument in rest):
        raise UsageError("run: already says which task and model; change single values, as in train.sequences=2000")
    path = Path(named[0].partition("=")[2])
    record = load_record(path)
    if record is None:
        raise UsageError(f"run={path}: no readable config.yaml there; name a run's folder")
    values = schema.leaves(_completed(record))
    overrides = [f"task={values.pop('task.name', '')}", f"model={values.pop('model.name', '')}"]
    for key in ("run_dir", "results_dir", "resume"):
        values.pop(key, None)
    for key in values:
        # The values go through the command line, where a key of Hydra's could name code to run.
        if not re.fullmatch(rf"({'|'.join(schema.Config.__dataclass_fields__)})(\.[a-z_]+)*", key):
            raise UsageError(f"run={path}: its config.yaml sets {key}, which no run has; remove that line to trust it")
    overrides += [f"{key}={_quoted(value)}" for key, value in values.items()]
    return [*overrides, "results_dir=results/reruns", *rest]


def _completed(record: dict[str, Any]) -> dict[str, Any]:
    """`record` with the defaults of keys that were added since it was written, which is how it was before."""
    try:
        return schema.plain(schema.typed(OmegaConf.create(record)))
    except Exception:  # what is wrong with it is said where it is composed
        return record


def _quoted(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, str):
        return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
    return str(value).lower() if isinstance(value, bool) else str(value)


def load_record(folder: Path) -> dict[str, Any] | None:
    """The plain config.yaml of a run's folder, or None where there is none that can be read.

    What no run writes counts as unreadable: aliases, of which a few lines make gigabytes, and interpolations, which
    would be resolved with what is on this machine.
    """
    try:
        text = (folder / "config.yaml").read_text(encoding="utf-8")
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
