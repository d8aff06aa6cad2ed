"""ntm-report: one page that lets anyone judge the reproduction and look inside the memory; or one for a single run."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from ntm_repro.cli import exit_codes, key_value, load_run
from ntm_repro.errors import RunError, UsageError

USAGE = """\
ntm-report: one page, paper vs ours figure by figure, with a viewer of the memory at work; opens from a file

usage: ntm-report [evidence=results/paper] [out=results/report/index.html]
       ntm-report run=PATH [out=PATH/report.html]

evidence    the folder of recorded runs, <task>/<model>/seed<k>/
run         the folder of one run: a page that says how far it came, with the viewer; for an NTM
out         the file to write
"""
PAGE = Path("results/report/index.html")
MOST_PROCESSES = 4  # of some 500 MB each


@dataclass
class Options:
    """What ntm-report takes; `out` has a default for each use."""

    evidence: str = "results/paper"
    run: str | None = None
    out: str | None = None


def main() -> None:
    """Entry point of the command."""
    exit_codes.run_and_exit("ntm-report", command)


def command(argv: Sequence[str]) -> int:
    """The whole command; returns its exit code. Raises `UsageError` or `RunError`."""
    if {"-h", "--help"} & set(argv):
        print(USAGE, end="")
        return exit_codes.DONE
    options = key_value.parse("ntm-report", Options, argv)
    keys = {argument.partition("=")[0] for argument in argv}
    if {"run", "evidence"} <= keys:
        raise UsageError("evidence= and run= are two pages: name one of them")
    out = Path(options.out or (PAGE if options.run is None else Path(options.run) / "report.html"))
    from ntm_repro.files import write_text

    try:
        text = _of_evidence(Path(options.evidence)) if options.run is None else _of_run(Path(options.run))
        out.parent.mkdir(parents=True, exist_ok=True)
        write_text(out, text)
    except OSError as error:
        raise RunError(f"{error.filename or out}: {error.strerror}") from error
    print(out)
    return exit_codes.DONE


def _of_evidence(evidence: Path) -> str:
    from ntm_repro.environment import cores
    from ntm_repro.report.page import page

    told = partial(print, flush=True)
    return page(load_run.sources(evidence), progress=told, processes=min(cores(), MOST_PROCESSES))


def _of_run(folder: Path) -> str:
    from ntm_repro.report.run_page import page

    return page(folder, load_run.task_and_kernel)


if __name__ == "__main__":
    main()
