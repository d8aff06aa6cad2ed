"""docs/licences.md names every package that an installation brings along."""

import sys
from pathlib import Path

import pytest
from support import processes

SCRIPT = Path(__file__).resolve().parents[2] / "scripts/list_licences.py"


def test_the_list_is_up_to_date():
    done = processes.run([sys.executable, SCRIPT, "--check"])
    if "is not installed" in done.stderr:
        pytest.skip(done.stderr.strip())
    assert (done.returncode, done.stderr) == (0, "")


def test_every_package_has_a_licence():
    rows = [line.split("|") for line in (SCRIPT.parents[1] / "docs/licences.md").read_text().splitlines()]
    licences = {row[1].strip(): row[2].strip() for row in rows if len(row) == 5}
    assert {"torch", "numba", "hydra-core"} <= set(licences)
    assert not [name for name, licence in licences.items() if licence in ("", "not stated", "UNKNOWN")]
