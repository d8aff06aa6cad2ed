"""From a command line to its jobs: each composed once, typed and checked before Hydra creates anything.

Only what Hydra offers in public is used. A `session` holds what composing and launching need; inside it `read` gives
the jobs with which `launch` goes on.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import hydra
from hydra.core.config_loader import ConfigLoader
from hydra.core.config_store import ConfigStore
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf, open_dict
from tqdm import tqdm

from ntm_repro.cli import (
    arguments,
    exit_codes,
    installed,
    override_policy,
    own_configs,
    paths,
    schema,
    search_settings,
    settings_help,
    unknown_keys,
)
from ntm_repro.cli.arguments import Arguments
from ntm_repro.errors import UsageError

CONFIG = "train"


class Job(NamedTuple):
    """One run of a command line.

    overrides: those from which Hydra composed it. composed: with Hydra's own settings. config: the run's, checked.
    """

    overrides: list[str]
    composed: DictConfig
    config: DictConfig


class Request(NamedTuple):
    """What a command line asks for.

    master: for a sweep, the config that Hydra's launchers and sweepers are made from. Without jobs an installed
    sweeper decides, one after the other, what they are.
    """

    jobs: list[Job]
    master: DictConfig | None = None


class Nodes(dict[str, Any]):
    """What is in Hydra's store of configs, copied by nobody.

    Hydra copies the whole store for every config that it composes and every group that it lists, though what is loaded
    from there is a copy of its own: `--help` spent two thirds of its time so.
    """

    def __deepcopy__(self, memo: dict[int, Any]) -> "Nodes":
        return self


def config_dir() -> str:
    """The folder of configs: inside an installed package, else beside `src` in the repository."""
    here = Path(__file__).resolve()
    for folder in (here.parents[1] / "configs", here.parents[3] / "configs"):
        if (folder / f"{CONFIG}.yaml").is_file():
            return str(folder)
    raise FileNotFoundError("no configs folder beside the package")


def options(group: str) -> list[str]:
    """The names in this repository that `group=` takes."""
    return sorted(path.stem for path in (Path(config_dir()) / group).glob("*.yaml"))


def register(settings: bool = True) -> None:
    """Make known to Hydra: the schema, the resolvers of train.yaml, the tasks and models of installed packages.

    settings: whether those of the packages' tasks and models are needed, for which they are imported.
    """
    store = ConfigStore.instance()
    if not isinstance(store.repo, Nodes):
        store.repo = Nodes(store.repo)
    store.store(name="schema", node=schema.Config)
    for group in installed.GROUPS:
        for name, node in installed.nodes(group, set(options(group)), settings).items():
            store.store(group=group, name=name, node=node)
    search_settings.register()
    OmegaConf.register_new_resolver("abspath", schema.absolute, replace=True)
    OmegaConf.register_new_resolver("variant", _variant, replace=True)
    OmegaConf.register_new_resolver("if_recipe", _if_recipe, replace=True)
    OmegaConf.register_new_resolver("recipe_folder", schema.recipe_folder, replace=True)
    OmegaConf.register_new_resolver("settings_help", settings_help.read, replace=True)


def _if_recipe(wanted: str, recipe: str, option: str) -> str:
    """In the list of defaults: `option` of a group that only the recipe `wanted` has, else the name of no option."""
    return option if recipe == wanted else "none"


def _variant(*, _root_: DictConfig) -> str:
    record = {key: _root_.get(key) for key in schema.IDENTITY_KEYS}
    plain = OmegaConf.to_container(OmegaConf.create(record), resolve=True, enum_to_str=True)
    assert isinstance(plain, dict)
    names = {group: plain[group]["name"] for group in schema.TYPED_GROUPS}
    places = HydraConfig.get().searchpath if HydraConfig.initialized() else []
    said = (f"recipe={_root_.get('recipe', schema.PAPER)}", f"task={names['task']}", f"model={names['model']}")
    base = _unchanged((*_search(places), *said))
    # A recipe has choices of its own for the groups that are not in the folder's path.
    others = [group for group, name in names.items() if base[group]["name"] != name]
    if others:
        base = _unchanged((*_search(places), *said, *(f"{group}={names[group]}" for group in others)))
    return schema.variant(plain, base, [names[group] for group in others])  # type: ignore[arg-type]


@cache
def _unchanged(overrides: tuple[str, ...]) -> dict[str, Any]:
    """The recorded values of a run of these choices that nobody has changed; composed once for all jobs of a process.

    Asked for inside a `session`, or in a process of a launcher, which restores the session it was started from.
    """
    composed = hydra.compose(CONFIG, overrides=list(overrides))
    usual = OmegaConf.create({key: composed[key] for key in schema.IDENTITY_KEYS})
    return OmegaConf.to_container(usual, resolve=True, enum_to_str=True)  # type: ignore[return-value]


@contextmanager
def session(settings: bool = True) -> Iterator[ConfigLoader]:
    """Hydra initialised with the folder of configs and all that `register` makes known; gives its loader."""
    register(settings)
    with hydra.initialize_config_dir(config_dir(), job_name=CONFIG, version_base="1.3"):
        yield GlobalHydra.instance().config_loader()


def jobs(argv: Sequence[str]) -> tuple[list[DictConfig], bool]:
    """The typed config of every job of this command line, and whether it is a sweep; creates nothing.

    Raises `UsageError`, or an error of Hydra's or OmegaConf's whose first line says what is wrong.
    """
    with session() as loader:
        request = read(arguments.parse(argv), loader)
    return [job.config for job in request.jobs], request.master is not None


def check(words: Arguments, loader: ConfigLoader) -> list[Override]:
    """The overrides of a command line, parsed; raises `UsageError` for those that the suite must not take."""
    overrides = OverridesParser.create(config_loader=loader).parse_overrides(words.overrides)
    override_policy.check(overrides, lambda group: _choices(group, words, loader))
    return overrides


def _choices(group: str, words: Arguments, loader: ConfigLoader) -> list[str]:
    return loader.get_group_options(group, config_name=CONFIG, overrides=search_override(words.config_dir))


def search_override(config_dir: str | None) -> list[str]:
    """The override that makes Hydra look for configs in the folder that `--config-dir` names, too, if there is one."""
    if config_dir is None:
        return []
    folder = Path(config_dir).absolute()
    if not folder.is_dir():
        raise UsageError(f"--config-dir {config_dir}: no such folder")
    return _search([f"file://{folder}"])


def _search(places: Sequence[str]) -> list[str]:
    """The override with which Hydra looks for configs in further places too."""
    return [f"hydra.searchpath=[{','.join(map(paths.quoted, places))}]"] if places else []


def read(words: Arguments, loader: ConfigLoader) -> Request:
    """The jobs of a command line, checked. Raises as `jobs` does; for one of several jobs the error names it."""
    with own_configs.explaining(words.config_dir, words.overrides):
        return _read(words, loader)


def _read(words: Arguments, loader: ConfigLoader) -> Request:
    overrides = check(words, loader)
    here = [*search_override(words.config_dir), *words.overrides]
    several = next((override for override in overrides if override.is_sweep_override()), None)
    if several is None and not words.multirun:
        job = _job(here)
        if job.composed.hydra.mode is not RunMode.MULTIRUN:  # an experiment may ask for a sweep
            return Request([job])
    mode = ["hydra.mode=MULTIRUN"] if words.multirun else []
    with explaining(here):
        master = loader.load_configuration(CONFIG, [*here, *mode], RunMode.MULTIRUN)
    if several is not None and master.hydra.mode is not RunMode.MULTIRUN:
        raise UsageError(f"{several.input_line}: more than one value; to run each, add -m")
    if master.hydra.runtime.choices["hydra/sweeper"] != "basic":
        fixed = [str(override.input_line) for override in overrides if not override.is_sweep_override()]
        _job([*search_override(words.config_dir), *fixed])
        return Request([], master)
    return Request(_sweep(words, master, loader), master)


def _job(overrides: Sequence[str]) -> Job:
    with explaining(overrides):
        return checked(list(overrides), hydra.compose(CONFIG, list(overrides), return_hydra_config=True))


def checked(overrides: list[str], composed: DictConfig) -> Job:
    """The job of a composed config, its settings typed and in range; raises `UsageError`."""
    if composed.hydra.callbacks:  # of a file in --config-dir: the command line is checked before
        override_policy.refuse("hydra.callbacks")
    HydraConfig.instance().set_config(composed)
    with open_dict(composed):
        ours = OmegaConf.masked_copy(composed, [key for key in map(str, composed) if key != "hydra"])
    return Job(overrides, composed, schema.typed(ours))


def _sweep(words: Arguments, master: DictConfig, loader: ConfigLoader) -> list[Job]:
    """Every combination of a sweep, in the order of Hydra's own basic sweeper."""
    parameters = [f"{key}={value}" for key, value in (master.hydra.sweeper.params or {}).items()]
    overrides = check(words._replace(overrides=parameters + words.overrides), loader)
    values: dict[str, list[str]] = {}
    for override in overrides:
        if not override.is_hydra_override():
            values[override.get_key_element()] = _values(override)
    found: list[Job] = []
    taken: dict[str, str] = {}
    every = [list(job_overrides) for job_overrides in product(*values.values())]
    # A quarter of a second each: hundreds would keep silent for a minute.
    for job_overrides in tqdm(every, "checking", unit="job", delay=3, leave=False, disable=None):
        name = " ".join(job_overrides)
        try:
            with explaining([*search_override(words.config_dir), *job_overrides]):
                job = checked(job_overrides, loader.load_sweep_config(master, job_overrides))
        except Exception as error:
            line = str(error) if isinstance(error, UsageError) else exit_codes.one_line(error)
            raise UsageError(f"{line} (in the job {name})") from error
        folder = schema.absolute(job.config.run_dir)
        if folder in taken:
            both = f"{taken[folder]} | {name}"
            raise UsageError(f"run_dir={job.config.run_dir}: two jobs of this sweep would share it ({both})")
        taken[folder] = name
        found.append(job)
    return found


def _values(override: Override) -> list[str]:
    """The override once for each of its values."""
    key = override.get_key_element()
    if not override.is_sweep_override():
        return [f"{key}={override.get_value_element_as_str()}"]
    if not override.is_discrete_sweep():
        raise UsageError(f"{override.input_line}: has no single values; a sweeper that chooses some is needed")
    return [f"{key}={value}" for value in override.sweep_string_iterator()]


@contextmanager
def explaining(overrides: Sequence[str]) -> Iterator[None]:
    """Inside a session: an error met because of an unknown key becomes a `UsageError` that names the nearest known."""
    try:
        yield
    except Exception as error:
        unknown = _unknown_key(overrides)
        if unknown is None:
            raise
        raise unknown from error


def _unknown_key(overrides: Sequence[str]) -> UsageError | None:
    groups = ("hydra.searchpath", *override_policy.GROUPS)
    try:
        parsed = OverridesParser.create().parse_overrides(list(overrides))
        chosen = [override for override in parsed if override.key_or_group in groups]
        composed = hydra.compose(CONFIG, [str(override.input_line) for override in chosen])
        known = schema.leaves(OmegaConf.to_container(composed, resolve=False))
    except Exception:  # what is wrong is the grammar or a choice, which is said without this
        return None
    inner = {".".join(parts[:end]) for key in known for parts in [key.split(".")] for end in range(1, len(parts))}
    for override in parsed:
        key = override.key_or_group
        if override in chosen or override.is_hydra_override() or not key or key in known or key in inner:
            continue
        meant = unknown_keys.nearest(key, known)
        group = key.partition(".")[0]
        owner = f" with {group}={composed[group].name}" if group in schema.TYPED_GROUPS else ""
        hint = f"did you mean {meant}?" if meant else "ntm-train --help names them all"
        # A task has few settings, and what a model calls by the same name may be something else.
        if group == "task" and not (meant or "").startswith("task."):
            own = sorted(name for name in known if name.startswith("task.") and name != "task.name")
            hint = f"it has {', '.join(own)}; or {hint}"
        return UsageError(f"{key}: no such setting{owner}; {hint}")
    return None
