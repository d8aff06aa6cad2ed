"""ntm-sweep: compares the runs of a sweep on one page, and in a table as Markdown and CSV."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from omegaconf import DictConfig

from ntm_repro.cli import command_line, compose, exit_codes, key_value, schema
from ntm_repro.errors import RunError, UsageError, require
from ntm_repro.evidence.runs import Run
from ntm_repro.sweeps import comparison, importance, objective
from ntm_repro.sweeps.comparison import Comparison
from ntm_repro.sweeps.objective import Objective

if TYPE_CHECKING:
    from ntm_repro.report.sweep_page import Part

USAGE = """\
ntm-sweep: compare the runs of a sweep: what was varied, what each setting came to over its seeds, and which is the best

usage: ntm-sweep PATH… [objective=final_bits] [sequences=N] [out=PATH/sweep.html]

PATH        a folder of runs, such as results/sweeps/learning_rate; several are compared together
objective   by what they are judged, as for ntm-train; by default what the runs were trained with
sequences   after how many sequences they are compared, by default as many as the shortest run was to see
out         the page to write, which opens from a file; its table goes beside it as .md and .csv
"""
KEYS = ("objective", "sequences", "out")


@dataclass
class Options:
    """What ntm-sweep takes beside its folders."""

    objective: Objective | None = None
    sequences: int | None = None
    out: str | None = None


def main() -> None:
    """Entry point of the command."""
    exit_codes.run_and_exit("ntm-sweep", command)


def command(argv: Sequence[str]) -> int:
    """The whole command; returns its exit code. Raises `UsageError` or `RunError`."""
    if not argv or {"-h", "--help"} & set(argv):
        print(USAGE, end="")
        return exit_codes.DONE if argv else exit_codes.USAGE
    words = [word for word in argv if word.partition("=")[0] in KEYS and "=" in word]
    places = [Path(word) for word in argv if word not in words]
    options = key_value.parse("ntm-sweep", Options, words)
    sequences = options.sequences
    require(sequences is None or sequences >= 1, "sequences", sequences, "must be 1 or more")
    if not places:
        raise UsageError("name a folder of runs, as in ntm-sweep results/sweeps/learning_rate")
    out = Path(options.out or places[0] / "sweep.html")
    require(out.suffix == ".html", "out", out, "must end in .html; the table goes beside it")
    found = comparison.find(places)
    title = f"Sweep: {', '.join(place.name or str(place.absolute()) for place in places)}"
    try:
        _write(out, title, _parts(found, options), places)
    except OSError as error:
        raise RunError(f"{error.filename or out}: {error.strerror}") from error
    return exit_codes.DONE


def _parts(found: Sequence[Run], options: DictConfig) -> "list[Part]":
    """What is said of each task: costs of different tasks are not comparable."""
    from ntm_repro.report import sweep_page

    parts = []
    for task in sorted({run.task for run in found}):
        runs = [run for run in found if run.task == task]
        compared = comparison.compare(
            runs, _identity, options.objective or _objective_of(runs), options.sequences, _long_condition(runs[0])
        )
        parts.append(sweep_page.part(compared, _command, importance.of(compared)))
    return parts


def _write(out: Path, title: str, parts: "Sequence[Part]", places: Sequence[Path]) -> None:
    from ntm_repro.evidence import rendering
    from ntm_repro.files import write_text
    from ntm_repro.report import sweep_page

    out.parent.mkdir(parents=True, exist_ok=True)
    write_text(out, sweep_page.page(title, parts, comparison.never_begun(places)))
    print(out)
    for part in parts:
        name = out.stem if len(parts) == 1 else f"{out.stem}_{part.comparison.task}"
        for path in rendering.write(out.parent, part.table._replace(name=name)):
            print(path)
    for part in parts:
        _say_best(part.comparison, part.best)


def _say_best(compared: Comparison, best: str) -> None:
    if best:
        said = objective.said(compared.objective, compared.settings[0].median)
        count = len(compared.settings[0].known)
        print(f"best of {len(compared.settings)} settings, {said}, the median of {count}: {best}")


def _identity(run: Run) -> dict[str, Any]:
    return schema.identity(run.config)


def _objective_of(runs: Sequence[Run]) -> Objective:
    """What all of them were trained with; final_bits where they differ, or are older than the setting."""
    names = {run.config.get("objective", Objective.final_bits.name) for run in runs}
    name = names.pop() if len(names) == 1 else ""
    return Objective[name] if name in Objective.__members__ else Objective.final_bits


def _long_condition(run: Run) -> objective.Condition:
    from omegaconf import OmegaConf

    try:
        return objective.long_condition(schema.settings(schema.typed(OmegaConf.create(run.config)), "task"))
    except Exception:  # of a task that is not installed here
        return None


def _command(setting: comparison.Setting) -> str:
    with compose.session():
        return command_line.of_record(setting.best.run.config)


if __name__ == "__main__":
    main()
