"""ntm-figures: the paper's figures and tables, drawn from the evidence in results/paper."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ntm_repro.cli import exit_codes, key_value, load_run
from ntm_repro.errors import RunError, UsageError
from ntm_repro.figures import MORE
from ntm_repro.paper import FIGURES

if TYPE_CHECKING:
    from ntm_repro.figures.run_store import RunStore

USAGE = f"""\
ntm-figures: draw figures of the paper from recorded runs, each with the paper's own curve beside ours

usage: ntm-figures all|tables|beyond|failures|reliability|recipes|seeds|fig03 [fig07 …]
                   [evidence=results/paper] [figures=results/figures] [tables=results/tables]

all, figNN  figures, by the paper's numbers: {" ".join(FIGURES)}
beyond      what models do on sequences beyond any of the paper's (among all)
failures    what plateaus, relapses and rare errors look like in a record (among all)
reliability how many seeds learn, recipe by recipe; others' evidence lies beside that of the paper's (among all)
recipes     the same of recipes that others use, on three tasks (among all)
seeds       the learning curve of every seed, with the paper's recipe and with the stable one (among all)
tables      Tables 1–3 beside ours, convergence, generalisation and run times, as Markdown and CSV
evidence    the folder of recorded runs, <task>/<model>/seed<k>/
figures     where figNN.png go
tables      where the tables go
"""
TABLES = "tables"
ALL = (*FIGURES, *MORE)


@dataclass
class Options:
    """What ntm-figures takes beside names."""

    evidence: str = "results/paper"
    figures: str = "results/figures"
    tables: str = "results/tables"


def main() -> None:
    """Entry point of the command."""
    exit_codes.run_and_exit("ntm-figures", command)


def command(argv: Sequence[str]) -> int:
    """The whole command; returns its exit code. Raises `UsageError` or `RunError`."""
    if not argv or {"-h", "--help"} & set(argv):
        print(USAGE, end="")
        return exit_codes.DONE if argv else exit_codes.USAGE
    names = _names([argument for argument in argv if "=" not in argument])
    options = key_value.parse("ntm-figures", Options, [argument for argument in argv if "=" in argument])
    sources = load_run.sources(Path(options.evidence))
    with _errors_in_one_line(Path(options.tables)):
        if TABLES in names:
            _write_tables(sources, Path(options.tables))
    with _errors_in_one_line(Path(options.figures)):
        _draw([name for name in names if name != TABLES], sources, Path(options.figures))
    return exit_codes.DONE


@contextmanager
def _errors_in_one_line(out: Path) -> Iterator[None]:
    """Raise `RunError` with one line for an `OSError`; it names `out` if the error names no file, as on a full disk."""
    try:
        yield
    except OSError as error:
        raise RunError(f"{error.filename or out}: {error.strerror}") from error


def _names(arguments: Sequence[str]) -> list[str]:
    """Figures and "tables", each once, in the order given."""
    if not arguments:
        raise UsageError(f"name what to draw: all, {TABLES}, or some of {' '.join(ALL)}")
    names: list[str] = []
    for name in arguments:
        if name not in {*ALL, TABLES, "all"}:
            raise UsageError(f"{name}: unknown; choose all, {TABLES}, or some of {' '.join(ALL)}")
        names += list(ALL) if name == "all" else [name]
    return list(dict.fromkeys(names))


def _draw(names: Sequence[str], sources: "RunStore", out: Path) -> None:
    from io import BytesIO

    from ntm_repro.figures import drawer
    from ntm_repro.figures.style import styled
    from ntm_repro.files import write_atomically

    for name in names:
        content = BytesIO()
        with styled():
            # No date and no version inside: the same evidence gives the same file.
            drawer(name)(sources).savefig(content, format="png", metadata={"Software": None})
        out.mkdir(parents=True, exist_ok=True)
        write_atomically(out / f"{name}.png", content.getvalue())
        print(out / f"{name}.png", flush=True)


def _write_tables(sources: "RunStore", out: Path) -> None:
    from ntm_repro.evidence import tables

    out.mkdir(parents=True, exist_ok=True)
    for path in tables.write(sources.evidence, out):
        print(path)


if __name__ == "__main__":
    main()
