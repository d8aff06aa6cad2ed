#!/usr/bin/env python
"""Make the results in README.md anew from results/paper: scripts/write_readme.py

What stands between `<!-- name:begin -->` and `<!-- name:end -->` is replaced; `make tables` runs this.
"""

from pathlib import Path

from ntm_repro.cli import exit_codes, load_run
from ntm_repro.errors import RunError, UsageError
from ntm_repro.files import write_text
from ntm_repro.report import readme

README, EVIDENCE = Path("README.md"), Path("results/paper")


def command(argv: list[str]) -> int:
    """The whole command."""
    if argv:
        raise UsageError(f"{argv[0]}: unknown; write_readme takes nothing")
    try:
        text = README.read_text(encoding="utf-8")
        write_text(README, readme.filled(text, load_run.sources(EVIDENCE)))
    except OSError as error:
        raise RunError(f"{error.filename or README}: {error.strerror}") from error
    print(README)
    return exit_codes.DONE


if __name__ == "__main__":
    exit_codes.run_and_exit("write_readme", command)
