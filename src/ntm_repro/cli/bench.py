"""ntm-bench: how fast training is on this machine, written to results/bench."""

import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

from omegaconf import DictConfig, OmegaConf

from ntm_repro.cli import compose, exit_codes, key_value, schema
from ntm_repro.errors import RunError, UsageError, require

if TYPE_CHECKING:
    from ntm_repro.bench.cases import Case
    from ntm_repro.bench.cell import Measurement

USAGE = """\
ntm-bench: measure the speed of training, pair by pair of task and model, and write it to results/bench

usage: ntm-bench [pairs=all|copy/ntm,…] [batch=[1,16]] [threads=[1,2]] [repeats=9] [compile=true] [compile_seconds=200]
                 [jax=true] [jax_seconds=300] [growth=true] [out=results/bench]

pairs            task/model, several separated by commas; all are the fifteen of the paper, at the paper's sizes; a
                 model that no fused kernel covers is measured eagerly
batch            batch sizes
threads          numbers of threads, by default 1 and 2, or 1 alone on a machine with one core
repeats          rounds of paired measurements; where a round takes long there are fewer, but at least three
compile          whether to measure torch.compile too, which needs a C++ compiler
compile_seconds  how long it may compile in all; what is left after that is not measured with it
jax              whether to measure the same models in JAX too, on one thread; pip install 'ntm-repro[bench]' adds it
jax_seconds      how long that may compile in all
growth           whether to measure how the time grows with length, memory, heads, controller and batch, copy/ntm alone
out              where bench.csv (every measurement), growth.csv and bench.md (tables) go; those of an earlier run are
                 replaced

All of it takes some 20 minutes on two cores. Leave the machine alone meanwhile.
"""

THREADS = (1, 2)


@dataclass
class Options:
    """What ntm-bench takes."""

    pairs: Any = "all"
    batch: Any = field(default_factory=lambda: [1, 16])
    threads: Any = None
    repeats: int = 9
    compile: bool = True
    compile_seconds: float = 200.0
    jax: bool = True
    jax_seconds: float = 300.0
    growth: bool = True
    out: str = "results/bench"


def main() -> None:
    """Entry point of the command."""
    exit_codes.run_and_exit("ntm-bench", command)


def command(argv: Sequence[str]) -> int:
    """The whole command; returns its exit code. Raises `UsageError` or `RunError`."""
    if {"-h", "--help"} & set(argv):
        print(USAGE, end="")
        return exit_codes.DONE
    options = key_value.parse("ntm-bench", Options, argv)
    require(options.repeats >= 1, "repeats", options.repeats, "must be 1 or more")
    for key in ("compile_seconds", "jax_seconds"):
        require(options[key] >= 0, key, options[key], "must be 0 or more")
    pairs = _pairs(options.pairs)
    batches = _counts("batch", options.batch)
    threads = _threads(options.threads)
    folder = _folder(options.out)
    _bench(pairs, batches, threads, folder, options)
    return exit_codes.DONE


def _pairs(value: Any) -> list[str]:
    """Names as task/model, each once."""
    from ntm_repro import models, paper, tasks

    of_paper = [f"{task}/{model}" for task, model in product(paper.TASKS, paper.MODELS)]
    if value == "all":
        return of_paper
    every = (f"{task}/{model}" for task, model in product(tasks.names(), models.names()))
    known = list(dict.fromkeys([*of_paper, *every]))
    named = OmegaConf.to_container(value) if OmegaConf.is_list(value) else str(value).split(",")
    assert isinstance(named, list)
    for name in named or [value]:
        if name not in known:
            raise UsageError(f"pairs={name}: unknown; choose all, or some of {','.join(known)}")
    return list(dict.fromkeys(named))


def _counts(key: str, value: Any) -> list[int]:
    """A list of integers from 1, each once."""
    counts = OmegaConf.to_container(value) if OmegaConf.is_list(value) else [value]
    assert isinstance(counts, list)
    for count in counts or [value]:
        whole = isinstance(count, int) and not isinstance(count, bool) and count >= 1
        require(whole, key, count, f"give a list of positive integers, as in {key}=[1,2]")
    return list(dict.fromkeys(counts))


def _threads(value: Any) -> list[int]:
    from ntm_repro.environment import cores

    available = cores()
    if value is None:
        return [count for count in THREADS if count <= available]
    counts = _counts("threads", value)
    require(
        max(counts) <= available, "threads", max(counts), f"ask for no more than this machine's cores ({available})"
    )
    return counts


def _folder(name: str) -> Path:
    """The folder of that name, made if need be; known to be writable before anything is measured."""
    folder = Path(name)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise UsageError(f"out={name}: cannot be written ({error.strerror}); choose another folder") from error
    return folder


def _subject(pair: str) -> "Case":
    """The pair as ntm-train composes it."""
    from ntm_repro.bench.cases import Case

    task, _, model = pair.partition("/")
    configs, _ = compose.jobs([f"task={task}", f"model={model}"])
    assert configs
    (config,) = configs
    return Case(
        name=pair,
        task=schema.settings(config, "task"),
        model=schema.settings(config, "model"),
        train=schema.settings(config, "train"),
        seed=config.seed,
    )


def _bench(
    pairs: Sequence[str], batches: Sequence[int], threads: Sequence[int], folder: Path, options: DictConfig
) -> None:
    from ntm_repro.bench import cell, growth, op_count, report
    from ntm_repro.bench.host import this_machine

    subjects = [_subject(pair) for pair in pairs]
    compiling = cell.Budget(options.compile_seconds) if options.compile else None
    jax = cell.Budget(options.jax_seconds) if options.jax else None
    machine = this_machine(op_count.peak())
    # The two extremes first, all pairs each: the time for compiling may run out.
    sizes = list(product(batches, threads))
    sizes = list(dict.fromkeys([sizes[0], sizes[-1], *sizes]))
    cells = [(batch, count, subject) for batch, count in sizes for subject in subjects]
    measurements: list[Measurement] = []
    begin = time.monotonic()
    for number, (batch, count, subject) in enumerate(cells, 1):
        measured = list(cell.measure(subject, batch, count, options.repeats, machine.peak, compiling, jax))
        measurements += measured
        spent = int(time.monotonic() - begin)
        print(f"[{number}/{len(cells)} {spent // 60}:{spent % 60:02}] {report.line(measured)}", flush=True)
    measurements.sort(key=lambda it: (batches.index(it.batch), threads.index(it.threads), pairs.index(it.pair)))
    grown = growth.measure(progress=partial(print, flush=True)) if options.growth else []
    try:
        report.write(folder, measurements, machine, grown)
    except OSError as error:
        raise RunError(f"{error.filename or folder}: {error.strerror}") from error
    print(folder / report.MARKDOWN)


if __name__ == "__main__":
    main()
