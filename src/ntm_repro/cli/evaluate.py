"""ntm-eval: a trained run on its task's generalisation grid, written to eval.json in the run's folder.

Or beyond that grid, with memories enlarged, written to beyond.json; or on sequences of one's own: `own_input.py`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from omegaconf import MISSING, DictConfig, OmegaConf

from ntm_repro.cli import exit_codes, key_value, load_run, own_input, schema
from ntm_repro.errors import RunError, UsageError, require
from ntm_repro.evidence import evaluations
from ntm_repro.evidence.evaluations import Entry, Evaluation
from ntm_repro.files import write_json
from ntm_repro.training.run_folder import RunFolder

if TYPE_CHECKING:
    from ntm_repro.tasks import Probe, Task

USAGE = """\
ntm-eval: evaluate a run on its task's generalisation grid and write eval.json into its folder; or run it on one's own
sequences

usage: ntm-eval run=PATH [lengths=[20,120]] [sequences=100] [locations=1024] [grid=paper|beyond] [out=FILE]
                [device=auto|cpu|cuda] [kernel=auto|eager|numba] [threads=1]
       ntm-eval run=PATH input=FILE [out=FILE] [trace=true] [picture=FILE] [locations=1024] …

run         a run's folder: checkpoint.pt is evaluated, or weights.safetensors where there is none
lengths     conditions to test instead of the task's own grid: for copy lengths of sequences, for repeat copy pairs
            [length,repeats] as in lengths=[[10,20],[20,10]], for recall numbers of items
sequences   how many sequences for each condition, by default 100 (dynamic N-grams: 1,000); they are the same for every
            run of a seed
locations   memory locations N; no fewer than in training where each learned a start of its own
grid        beyond: conditions further than any of the paper's, such as copying 1,000 vectors, with as many memory
            locations as they need; writes beyond.json
out         write there instead of eval.json or beyond.json in the run's folder; with input, the outputs, to a .npy,
            .npz or .txt file instead of the terminal

eval.json and beyond.json keep one entry for each condition and number of locations; an entry made again replaces the
old one. Nothing is written into a folder without checkpoint.pt, such as those of results/paper and results/stable: what
was kept of a run stays as it is, the numbers are printed, and out=FILE writes them.

input       the inputs of a sequence [T, I], a line or row a step: a .npy file or a text of numbers with spaces or
            commas; or a .npz file with several sequences, of any lengths. Outputs are P(bit = 1), [T, O]
trace       true: also draw the memory at work, where it is written and read, to a PNG file beside `out` (or `input`)
picture     draw to this .png file instead
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
    out: str | None = None
    input: str | None = None
    trace: bool = False
    picture: str | None = None
    device: schema.Device = schema.Device.auto
    kernel: schema.Kernel = schema.Kernel.auto
    threads: int = 1


class Evaluated(NamedTuple):
    """The entries of an evaluation, and how many sequences the model was trained on."""

    entries: list[Entry]
    trained_on: int


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
    config = load_run.read_config(folder.path)
    try:
        if options.input is not None:
            _run_input(folder, config, options)
        else:
            _evaluate_and_record(folder, config, options)
    except MemoryError as error:
        raise RunError(f"run={folder.path}: not enough memory for sequences of this length") from error
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
    given = {argument.partition("=")[0] for argument in argv}
    excluded = ("lengths", "sequences", "grid") if options.input is not None else ("trace", "picture")
    for name in excluded:
        if name in given:
            why = "has no part in a run of input=" if options.input is not None else "belongs to input=FILE"
            raise UsageError(f"{name}: {why}; leave out {name}=")
    return options


def one_condition(path: Path, config: DictConfig, condition: Any) -> None:
    """Evaluate the run in the folder `path` under one condition, into its eval.json; prints what it finds.

    Raises `UsageError` or `RunError`.
    """
    parts = list(condition) if isinstance(condition, tuple) else condition
    options = OmegaConf.structured(Options(run=str(path), lengths=[parts], threads=config.threads))
    _evaluate_and_record(RunFolder(path), config.copy(), options)


def _run_input(folder: RunFolder, config: DictConfig, options: DictConfig) -> None:
    """input=FILE: what the machine makes of one's own sequences."""
    inputs = schema.settings(config, "task").inputs
    request = own_input.read(options.input, inputs, options.out, options.trace, options.picture)
    if options.locations is not None:
        _enlarge(config, options.locations)
    if request.pictures and not _has_memory(config):
        raise UsageError(f"trace=true: {config.model.name} has no memory")
    _set_threads(options.threads)
    own_input.run(request, load_run.load(folder.path, config, options.device.name, options.kernel.name))


def _evaluate_and_record(folder: RunFolder, config: DictConfig, options: DictConfig) -> None:
    target = Path(options.out or (folder.beyond if options.grid is Grid.beyond else folder.evaluation))
    recorded = evaluations.read(target)  # before the work is done: a damaged file ends the command
    trained_locations = _locations_of(config)
    evaluated = _evaluate(folder, config, options)
    _show(schema.settings(config, "task"), evaluated)
    if options.out is None and _is_kept(folder):
        print(f"{folder.path} stays as it was recorded; out=FILE writes these numbers")
    else:
        _record(target, recorded, evaluated, trained_locations)


def _is_kept(folder: RunFolder) -> bool:
    """Whether the folder is what was kept of a run, such as the evidence, rather than the run itself."""
    from ntm_repro.training import checkpoint

    return not (folder.path / checkpoint.NEWEST).exists()


def _record(target: Path, recorded: Evaluation | None, evaluated: Evaluated, trained_locations: int | None) -> None:
    """Merge the entries into the file; prints what became of them. Raises `RunError` where it cannot be written."""
    present = evaluations.marked(recorded["grid"], trained_locations) if recorded else []
    if recorded and recorded["checkpoint_sequences"] != evaluated.trained_on:
        after = f"the checkpoint after {recorded['checkpoint_sequences']:,} sequences"
        print(f"{target}: {len(present)} entries of {after} dropped")
        present = []
    grid = evaluations.merged(present, evaluated.entries)
    try:
        write_json(target, {"checkpoint_sequences": evaluated.trained_on, "grid": grid})
    except OSError as error:
        raise RunError(
            f"{target}: the numbers above could not be written ({error.strerror}); out=FILE writes them elsewhere"
        ) from error
    print(target)


def _evaluate(folder: RunFolder, config: DictConfig, options: DictConfig) -> Evaluated:
    from ntm_repro.evaluation.generalisation import evaluate

    _set_threads(options.threads)
    task = schema.settings(config, "task")
    sequences_each = options.sequences or task.evaluation_sequences
    entries: list[Entry] = []
    for locations, conditions in _by_locations(task, config, options):
        if locations is not None:
            _enlarge(config, locations)
        run = load_run.load(folder.path, config, options.device.name, options.kernel.name)
        marks = {"locations": _locations_of(config)}
        entries += [entry | marks for entry in evaluate(task, run.kernel, conditions, sequences_each, config.seed)]
    return Evaluated(entries, run.sequences)


def _set_threads(threads: int) -> None:
    import torch

    torch.set_num_threads(threads)


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
    """Whether there may be more locations than in training (`initial_state.with_more_locations`)."""
    return _start(config) != "random"


def _start(config: DictConfig) -> str:
    start = config.model.memory.get("start")
    return str(getattr(start, "name", start))


def _locations_of(config: DictConfig) -> int | None:
    return config.model.memory.locations if _has_memory(config) else None


def _has_memory(config: DictConfig) -> bool:
    return "locations" in config.model.get("memory", {})


def _enlarge(config: DictConfig, locations: int) -> None:
    if not _has_memory(config):
        raise UsageError(f"locations={locations}: {config.model.name} has no memory")
    memory = config.model.memory
    if locations > memory.locations and not _may_grow(config):
        raise UsageError(
            f"locations={locations}: model.memory.start=random fixed the {memory.locations} rows of this run; "
            f"give {memory.locations}"
        )
    if locations < memory.locations and _start(config) != "shared":
        raise UsageError(
            f"locations={locations}: this run has a start of its own for each of {memory.locations} locations; "
            f"give {memory.locations} or more"
        )
    memory.locations = locations
    schema.settings(config, "model")


def _show(task: "Task", evaluated: Evaluated) -> None:
    print(f"after {evaluated.trained_on:,} training sequences")
    has_optimum = any(entry["optimum_bits"] is not None for entry in evaluated.entries)
    above = f" {'optimum':>10} {'above it':>10}" if has_optimum else ""
    name = task.condition_name
    wide = max(12, len(name))
    print(f"{name:>{wide}} {'locations':>10} {'bits':>10} {'wrong bits':>11} {'perfect':>17}{above}")
    for entry in evaluated.entries:
        parts = entry["setting"] if isinstance(entry["setting"], list | tuple) else [entry["setting"]]
        setting = " × ".join(map(str, parts))
        locations = "–" if entry["locations"] is None else f"{entry['locations']:,}"
        perfect = f"{round(entry['perfect'] * entry['sequences']):,} of {entry['sequences']:,}"
        if has_optimum:
            above = f" {entry['optimum_bits']:10.3f} {entry['bits'] - entry['optimum_bits']:10.3f}"
        numbers = f"{entry['bits']:10.3f} {entry['wrong_bits']:11.3f} {perfect:>17}{above}"
        print(f"{setting:>{wide}} {locations:>10} {numbers}")


if __name__ == "__main__":
    main()
