#!/usr/bin/env python
"""Make the results in README.md and docs/ anew from results: scripts/write_readme.py

What stands between `<!-- name:begin -->` and `<!-- name:end -->` is replaced; `make tables` runs this.
"""

from pathlib import Path

from ntm_repro.cli import exit_codes, load_run
from ntm_repro.errors import RunError, UsageError
from ntm_repro.files import write_text
from ntm_repro.report import readme

README, DOCS, EVIDENCE = Path("README.md"), Path("docs"), Path("results/paper")


def command(argv: list[str]) -> int:
    """The whole command."""
    if argv:
        raise UsageError(f"{argv[0]}: unknown; write_readme takes nothing")
    page = README
    try:
        made = readme.parts(load_run.sources(EVIDENCE))
        for page in (README, *sorted(DOCS.glob("*.md"))):
            text = page.read_text(encoding="utf-8")
            if readme.MARKED.search(text):
                write_text(page, readme.filled(text, made))
                print(page)
    except OSError as error:
        raise RunError(f"{error.filename or page}: {error.strerror}") from error
    return exit_codes.DONE


if __name__ == "__main__":
    exit_codes.run_and_exit("write_readme", command)
