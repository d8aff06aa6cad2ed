"""ntm-figures from the command line."""

import pytest
from support.helpers import files_no_longer_than
from support.recorded_runs import record

from ntm_repro.cli import figures
from ntm_repro.errors import RunError


@pytest.fixture
def evidence(tmp_path):
    """One run of copy, where ntm-figures looks for it."""
    root = tmp_path / "results/paper"
    record(root, "copy", "ntm", 1, [50.0] * 10 + [0.1] * 10)
    return root


def test_figures_and_tables(command, evidence, tmp_path):
    done = command("figures", "fig03", "tables", "fig18", "fig03")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-2:] == ["results/figures/fig03.png", "results/figures/fig18.png"]
    results = tmp_path / "results"
    assert sorted(path.name for path in (results / "figures").iterdir()) == ["fig03.png", "fig18.png"]
    names = ("ablation", "beyond", "choices", "convergence", "generalisation", "recipes", "reliability", "runs")
    names += ("settings", "targets")
    assert sorted(path.name for path in (results / "tables").iterdir()) == sorted(
        f"{name}.{ending}" for name in names for ending in ("csv", "md")
    )


def test_the_same_evidence_gives_the_same_files(command, evidence, tmp_path):
    for folder in ("one", "two"):
        done = command("figures", "fig03", "tables", f"figures={folder}", f"tables={folder}")
        assert done.returncode == 0, done.stderr
    one, two = ({path.name: path.read_bytes() for path in (tmp_path / name).iterdir()} for name in ("one", "two"))
    assert one == two
    assert len(one) == 21


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (("fig01",), "fig01: unknown; choose all, tables, or some of fig03 fig04"),
        (("fig03", "fig99"), "fig99: unknown"),
        (("evidence=here",), "name what to draw: all, tables, or some of fig03"),
        (("fig03", "evidence=nowhere"), "evidence=nowhere: no such folder; name one of runs"),
        (("fig03", "out=here"), "out=here: unknown; ntm-figures takes evidence= figures= tables="),
        (("fig03", "figures="), "figures=: needs a value"),
    ],
)
def test_bad_requests(words, named, command, evidence, tmp_path):
    done = command("figures", *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert f"ntm-figures: {named}" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert [path.name for path in (tmp_path / "results").iterdir()] == ["paper"]


def test_without_words_it_says_how(command):
    done = command("figures")
    assert done.returncode == 2
    assert "usage: ntm-figures" in done.stdout


@pytest.mark.parametrize("word", ["fig03", "tables"])
def test_a_full_disk_leaves_the_old_files(word, evidence, tmp_path):
    out = tmp_path / "out"
    words = [word, f"evidence={evidence}", f"figures={out}", f"tables={out}"]
    figures.command(words)
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    with files_no_longer_than(100), pytest.raises(RunError, match=f"^{out}: File too large$"):
        figures.command(words)
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before


def test_a_record_that_is_gone_is_named(command, evidence):
    (evidence / "copy/ntm/seed1/metrics.csv").unlink()
    done = command("figures", "fig03")
    assert done.returncode == 1
    assert done.stderr == "ntm-figures: results/paper/copy/ntm/seed1/metrics.csv: No such file or directory\n"
