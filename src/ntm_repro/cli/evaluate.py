"""ntm-eval: a trained run on its task's generalisation grid, written to eval.json in the run's folder.

Or beyond that grid, with memories enlarged, written to beyond.json.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from omegaconf import MISSING, DictConfig, OmegaConf

from ntm_repro.cli import exit_codes, key_value, load_run, schema
from ntm_repro.errors import RunError, UsageError, require
from ntm_repro.files import write_json
from ntm_repro.training.run_folder import RunFolder

if TYPE_CHECKING:
    from ntm_repro.tasks import Probe, Task

USAGE = """\
ntm-eval: evaluate a run on its task's generalisation grid and write eval.json into its folder

usage: ntm-eval run=PATH [lengths=[20,120]] [sequences=100] [locations=1024] [grid=paper|beyond]
                [device=auto|cpu|cuda] [kernel=auto|eager|numba] [threads=1]

run         a run's folder: checkpoint.pt is evaluated, or weights.safetensors where there is none
lengths     conditions to test instead of the task's own grid: for copy lengths of sequences, for repeat copy pairs
            [length,repeats] as in lengths=[[10,20],[20,10]], for recall numbers of items
sequences   how many sequences for each condition, by default 100 (dynamic N-grams: 1,000); they are the same for every
            run of a seed
locations   memory locations N, where the run was trained with model.memory.start=shared
grid        beyond: conditions further than any of the paper's, such as copying 1,000 vectors, with as many memory
            locations as they need where the run was trained with model.memory.start=shared; writes beyond.json
"""

Grid = Enum("Grid", "paper beyond")


@dataclass
class Options:
    """What ntm-eval takes."""

    run: str = MISSING
    lengths: Any = None
    sequences: int | None = None
    locations: int | None = None
    grid: Grid = Grid.paper
    device: schema.Device = schema.Device.auto
    kernel: schema.Kernel = schema.Kernel.auto
    threads: int = 1


def main() -> None:
    """Entry point of the command."""
    exit_codes.run_and_exit("ntm-eval", command)


def command(argv: Sequence[str]) -> int:
    """The whole command; returns its exit code. Raises `UsageError` or `RunError`."""
    if not argv or {"-h", "--help"} & set(argv):
        print(USAGE, end="")
        return exit_codes.DONE if argv else exit_codes.USAGE
    options = parse(argv)
    folder = RunFolder(Path(options.run))
    result = _evaluate(folder, load_run.read_config(folder.path), options)
    target = folder.beyond if options.grid is Grid.beyond else folder.evaluation
    try:
        write_json(target, result)
    except OSError as error:
        raise RunError(f"{target}: {error.strerror}") from error
    _show(result, target)
    return exit_codes.DONE


def parse(argv: Sequence[str]) -> DictConfig:
    """The options, typed and in range; raises `UsageError`."""
    options = key_value.parse("ntm-eval", Options, argv)
    if OmegaConf.is_missing(options, "run"):
        raise UsageError("run: name a run's folder, as in run=results/runs/first")
    require(options.sequences is None or options.sequences >= 1, "sequences", options.sequences, "must be 1 or more")
    require(options.threads >= 1, "threads", options.threads, "must be 1 or more")
    require(options.locations is None or options.locations >= 1, "locations", options.locations, "must be 1 or more")
    for name in ("lengths", "locations"):
        if options.grid is Grid.beyond and options[name] is not None:
            raise UsageError(f"grid=beyond: has its own {name}; leave out {name}=")
    return options


def _evaluate(folder: RunFolder, config: DictConfig, options: DictConfig) -> dict[str, Any]:
    import torch

    from ntm_repro.evaluation.generalisation import evaluate

    torch.set_num_threads(options.threads)
    task = schema.settings(config, "task")
    sequences_each = options.sequences or task.evaluation_sequences
    grid: list[dict[str, Any]] = []
    for locations, conditions in _by_locations(task, config, options):
        if locations is not None:
            _enlarge(config, locations)
        run = load_run.load(folder.path, config, options.device.name, options.kernel.name)
        entries = evaluate(task, run.kernel, conditions, sequences_each, config.seed)
        grid += [{**entry, "locations": locations} for entry in entries] if options.grid is Grid.beyond else entries
    return {"checkpoint_sequences": run.sequences, "grid": grid}


def _by_locations(task: "Task", config: DictConfig, options: DictConfig) -> list[tuple[int | None, list[Any]]]:
    """Conditions with the memory locations to have for them (None: as trained), neighbours with the same together."""
    if options.grid is Grid.beyond:
        if not task.probes:
            raise UsageError(f"grid=beyond: {task.label} has none; name conditions, as in lengths=[…]")
        groups = groupby(task.probes, partial(_locations, config))
        return [(locations, [probe.condition for probe in probes]) for locations, probes in groups]
    if options.lengths is None:
        return [(options.locations, list(task.test_conditions))]
    lengths = OmegaConf.to_container(options.lengths) if OmegaConf.is_list(options.lengths) else None
    if not lengths:
        raise UsageError(f"lengths={options.lengths}: give a list, as in lengths=[20,120]")
    try:
        return [(options.locations, [task.parse_condition(value) for value in lengths])]
    except ValueError as error:
        raise UsageError(f"lengths: {error}") from error


def _locations(config: DictConfig, probe: "Probe") -> int | None:
    """How many locations the run has, or may have, for a probe; None without a memory."""
    if not _has_memory(config):
        return None
    locations = config.model.memory.locations
    return max(locations, probe.locations) if _may_grow(config) else locations


def _may_grow(config: DictConfig) -> bool:
    """Whether no parameter belongs to a single location, so that there may be more of them than in training."""
    start = config.model.memory.get("start")
    return getattr(start, "name", start) == "shared"


def _has_memory(config: DictConfig) -> bool:
    return "locations" in config.model.get("memory", {})


def _enlarge(config: DictConfig, locations: int) -> None:
    if not _has_memory(config):
        raise UsageError(f"locations={locations}: {config.model.name} has no memory")
    memory = config.model.memory
    if locations != memory.locations and not _may_grow(config):
        raise UsageError(
            f"locations={locations}: this run learned a start for each of its {memory.locations} locations; "
            "train with model.memory.start=shared to change their number"
        )
    memory.locations = locations
    schema.settings(config, "model")


def _show(result: dict[str, Any], target: Path) -> None:
    print(f"after {result['checkpoint_sequences']:,} training sequences")
    has_optimum = any(entry["optimum_bits"] is not None for entry in result["grid"])
    above = f" {'optimum':>10} {'above it':>10}" if has_optimum else ""
    print(f"{'setting':>12} {'bits':>10} {'wrong bits':>11} {'perfect':>17}{above}")
    for entry in result["grid"]:
        perfect = f"{round(entry['perfect'] * entry['sequences']):,} of {entry['sequences']:,}"
        if has_optimum:
            above = f" {entry['optimum_bits']:10.3f} {entry['bits'] - entry['optimum_bits']:10.3f}"
        print(f"{entry['setting']!s:>12} {entry['bits']:10.3f} {entry['wrong_bits']:11.3f} {perfect:>17}{above}")
    print(target)


if __name__ == "__main__":
    main()
