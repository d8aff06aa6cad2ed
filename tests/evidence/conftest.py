"""The committed evidence."""

from pathlib import Path

import pytest

from ntm_repro.evidence import runs

ROOT = Path(__file__).resolve().parents[2] / "results/paper"


@pytest.fixture
def evidence():
    """A function from task and model to the committed runs."""
    return lambda task, model: runs.find(ROOT, task, model)
