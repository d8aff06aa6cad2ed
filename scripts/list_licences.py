#!/usr/bin/env python
"""Write docs/licences.md: every package an installation brings along, and its licence, from the installed metadata.

With --check, say whether the file is up to date instead, by names and licences; versions are those of constraints.txt.
"""

import sys
from collections.abc import Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

FILE = Path(__file__).resolve().parents[1] / "docs/licences.md"
EXTRAS = ("", "sweep", "slurm", "tune", "notebook", "dev")


def needed(package: str, extras: tuple[str, ...], found: dict[str, Distribution]) -> Iterator[str]:
    """Names of what `package` with these extras brings along here, itself left out; fills `found` on the way."""
    for line in distribution(package).requires or []:
        requirement = Requirement(line)
        if requirement.marker and not any(requirement.marker.evaluate({"extra": extra}) for extra in extras):
            continue
        name = canonicalize_name(requirement.name)
        if name not in found and name != "ntm-repro":
            found[name] = distribution(name)
            yield name
            yield from needed(name, ("", *requirement.extras), found)


def licence(package: Distribution) -> str:
    """The licence in a few words: the expression, else the classifiers, else the first line of the text."""
    about = package.metadata
    if about.get("License-Expression"):
        return about["License-Expression"]
    named = [line.rpartition(" :: ")[2] for line in about.get_all("Classifier") or [] if line.startswith("License ::")]
    if named:
        return ", ".join(name for name in named if name != "OSI Approved") or named[0]
    return (about.get("License") or "not stated").strip().splitlines()[0][:60]


def table() -> str:
    """The whole file."""
    lines = [
        "# Licences of what is installed",
        "",
        "ntm-repro itself is under the MIT licence. This list is made by `scripts/list_licences.py` from the metadata",
        "of the installed packages, those that they need in turn included. `sweep`, `slurm`, `tune`, `notebook` and",
        "`dev` are extras.",
        "",
        "| package | licence | for |",
        "|---|---|---|",
    ]
    found: dict[str, Distribution] = {}
    for extra in EXTRAS:
        for name in sorted(needed("ntm-repro", ("", extra), found)):
            lines.append(f"| {name} | {licence(found[name])} | {extra or 'all'} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    try:
        text = table()
    except PackageNotFoundError as missing:
        sys.exit(f"list_licences: {missing.name} is not installed; pip install -e '.[sweep,slurm,tune,dev]' first")
    if "--check" in sys.argv[1:]:
        if FILE.read_text() != text:
            sys.exit("list_licences: docs/licences.md is not up to date; run scripts/list_licences.py")
    else:
        FILE.write_text(text)
