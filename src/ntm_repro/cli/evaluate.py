"""ntm-eval: a trained run on its task's generalisation grid, written to eval.json in the run's folder."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from omegaconf import MISSING, DictConfig, OmegaConf

from ntm_repro.cli import exits, keywords, recorded, schema
from ntm_repro.errors import RunError, UsageError, require
from ntm_repro.files import write_json
from ntm_repro.training.run_folder import RunFolder

USAGE = """\
ntm-eval: evaluate a run on its task's generalisation grid and write eval.json into its folder

usage: ntm-eval run=PATH [lengths=[20,120]] [sequences=100] [locations=1024] [device=auto|cpu|cuda]
                [kernel=auto|eager|numba] [threads=1]

run         a run's folder: checkpoint.pt is evaluated, or weights.safetensors where there is none
lengths     settings to evaluate instead of the task's own grid: for copy lengths of sequences, for repeat copy pairs
            [length,repeats] as in lengths=[[10,20],[20,10]], for recall numbers of items
sequences   how many sequences for each setting, by default 100 (dynamic N-grams: 1,000); they are the same for every
            run of a seed
locations   memory locations N, where the run was trained with model.memory.start=shared
"""


@dataclass
class Options:
    """What ntm-eval takes."""

    run: str = MISSING
    lengths: Any = None
    sequences: int | None = None
    locations: int | None = None
    device: schema.Device = schema.Device.auto
    kernel: schema.Kernel = schema.Kernel.auto
    threads: int = 1


def main() -> None:
    """Entry point of the command."""
    exits.end("ntm-eval", command)


def command(argv: Sequence[str]) -> int:
    """The whole command; returns its exit code. Raises `UsageError` or `RunError`."""
    if not argv or {"-h", "--help"} & set(argv):
        print(USAGE, end="")
        return exits.DONE if argv else exits.USAGE
    options = parse(argv)
    folder = RunFolder(Path(options.run))
    result = _evaluate(folder, recorded.read_config(folder.path), options)
    try:
        write_json(folder.evaluation, result)
    except OSError as error:
        raise RunError(f"{folder.evaluation}: {error.strerror}") from error
    _show(result, folder)
    return exits.DONE


def parse(argv: Sequence[str]) -> DictConfig:
    """The options, typed and in range; raises `UsageError`."""
    options = keywords.parse("ntm-eval", Options, argv)
    if OmegaConf.is_missing(options, "run"):
        raise UsageError("run: name a run's folder, as in run=results/runs/first")
    require(options.sequences is None or options.sequences >= 1, "sequences", options.sequences, "must be 1 or more")
    require(options.threads >= 1, "threads", options.threads, "must be 1 or more")
    require(options.locations is None or options.locations >= 1, "locations", options.locations, "must be 1 or more")
    return options


def _evaluate(folder: RunFolder, config: DictConfig, options: DictConfig) -> dict[str, Any]:
    import torch

    from ntm_repro.evaluation.generalisation import evaluate

    torch.set_num_threads(options.threads)
    task = schema.settings(config.task)
    if options.lengths is None:
        settings: Sequence[Any] = task.grid
    else:
        lengths = OmegaConf.to_container(options.lengths) if OmegaConf.is_list(options.lengths) else None
        if not lengths:
            raise UsageError(f"lengths={options.lengths}: give a list, as in lengths=[20,120]")
        settings = [task.parse_setting(value) for value in lengths]
    if options.locations is not None:
        _enlarge(config, options.locations)
    run = recorded.load(folder.path, config, options.device.name, options.kernel.name)
    sequences_each = options.sequences or task.evaluation_sequences
    grid = evaluate(task, run.kernel, settings, sequences_each, config.seed)
    return {"checkpoint_sequences": run.sequences, "grid": grid}


def _enlarge(config: DictConfig, locations: int) -> None:
    if "memory" not in config.model:
        raise UsageError(f"locations={locations}: {config.model.name} has no memory")
    memory = config.model.memory
    if locations != memory.locations and memory.start.name != "shared":
        raise UsageError(
            f"locations={locations}: this run learned a start for each of its {memory.locations} locations; "
            "train with model.memory.start=shared to change their number"
        )
    memory.locations = locations
    schema.settings(config.model).check()


def _show(result: dict[str, Any], folder: RunFolder) -> None:
    print(f"after {result['checkpoint_sequences']:,} training sequences")
    has_optimum = any(entry["optimum_bits"] is not None for entry in result["grid"])
    above = f" {'optimum':>10} {'above it':>10}" if has_optimum else ""
    print(f"{'setting':>12} {'bits':>10} {'wrong bits':>11} {'perfect':>17}{above}")
    for entry in result["grid"]:
        perfect = f"{round(entry['perfect'] * entry['sequences']):,} of {entry['sequences']:,}"
        if has_optimum:
            above = f" {entry['optimum_bits']:10.3f} {entry['bits'] - entry['optimum_bits']:10.3f}"
        print(f"{entry['setting']!s:>12} {entry['bits']:10.3f} {entry['wrong_bits']:11.3f} {perfect:>17}{above}")
    print(folder.evaluation)


if __name__ == "__main__":
    main()
