"""scripts/write_readme: the marked parts of README.md from the evidence in the working directory."""

import sys
from pathlib import Path

import pytest
from support import processes
from support.recorded_runs import record

SCRIPT = Path(__file__).resolve().parents[2] / "scripts/write_readme.py"


@pytest.fixture
def write(tmp_path):
    """A function that runs the script where one run of copy is recorded."""
    record(tmp_path / "results/paper", "copy", "ntm", 1, [8.0] * 20)
    return lambda *words: processes.run([sys.executable, SCRIPT, *words], cwd=tmp_path)


def test_it_fills_what_is_marked(write, tmp_path):
    text = "# Title\n\n<!-- costs:begin -->\nold\n<!-- costs:end -->\n\nthe end\n"
    (tmp_path / "README.md").write_text(text)
    done = write()
    assert (done.returncode, done.stdout) == (0, "README.md\n"), done.stderr
    made = (tmp_path / "README.md").read_text()
    assert "| copy | NTM-LSTM | 1 | 20,000 | **8.00** |" in made
    assert "old" not in made
    assert made.startswith("# Title\n\n<!-- costs:begin -->\n")
    assert made.endswith("<!-- costs:end -->\n\nthe end\n")


def test_it_takes_nothing_and_names_a_file_that_is_missing(write):
    assert write("here").stderr == "write_readme: here: unknown; write_readme takes nothing\n"
    done = write()
    assert (done.returncode, done.stderr) == (1, "write_readme: README.md: No such file or directory\n")
