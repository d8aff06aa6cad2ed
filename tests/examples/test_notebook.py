"""examples/watch_it_learn.ipynb: what it shows is what running it gives."""

import json
import shutil
import sys
from pathlib import Path

import pytest
from support import processes

NOTEBOOK = Path(__file__).resolve().parents[2] / "examples/watch_it_learn.ipynb"


def outputs(path):
    """All outputs of all cells; fails where a cell has not been run."""
    cells = [cell for cell in json.loads(path.read_text())["cells"] if cell["cell_type"] == "code"]
    assert all(cell["execution_count"] for cell in cells)
    return [output for cell in cells for output in cell["outputs"]]


def told(path):
    """What is printed, and how many pictures are drawn."""
    found = outputs(path)
    printed = "".join("".join(output.get("text", ())) for output in found)
    return printed, sum("image/png" in output.get("data", ()) for output in found)


def test_it_is_kept_with_what_it_gave():
    printed, pictures = told(NOTEBOOK)
    assert "finished: 12,000 sequences" in printed
    assert "20 vectors: 0 of 160 bits wrong" in printed
    assert "60 vectors: 0 of 480 bits wrong" in printed
    assert pictures == 3


@pytest.mark.slow
def test_it_runs_and_learns(tmp_path):
    mine = tmp_path / NOTEBOOK.name
    shutil.copy(NOTEBOOK, mine)
    done = processes.run([Path(sys.executable).with_name("jupyter-execute"), "--inplace", mine], cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    printed, pictures = told(mine)
    assert "finished: 12,000 sequences" in printed
    assert "20 vectors: 0 of 160 bits wrong" in printed
    assert pictures == 3
