"""ntm-report from the command line."""

import pytest
from support.helpers import TINY, files_no_longer_than
from support.recorded_runs import record

from ntm_repro.cli import report
from ntm_repro.errors import RunError


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (("evidence=nowhere",), "evidence=nowhere: no such folder; name one of runs"),
        (("run=nowhere",), "run=nowhere: no readable summary.json there; name a run's folder"),
        (("run=here", "evidence=there"), "evidence= and run= are two pages: name one of them"),
        (("page=here",), "page=here: unknown; ntm-report takes evidence= run= out="),
        (("out=",), "out=: needs a value"),
    ],
)
def test_bad_requests(words, named, command, tmp_path):
    done = command("report", *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert f"ntm-report: {named}" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


def test_help(command):
    done = command("report", "--help")
    assert done.returncode == 0
    assert "ntm-report run=PATH" in done.stdout


def test_a_page_for_a_run(command, tmp_path):
    assert command("train", "run_dir=mine", "train.sequences=20", *TINY).returncode == 0
    done = command("report", "run=mine")
    assert (done.returncode, done.stdout) == (0, "mine/report.html\n"), done.stderr
    assert "Copy, NTM, LSTM controller, seed 1" in (tmp_path / "mine/report.html").read_text()
    assert command("report", "run=mine", "out=there/page.html").stdout == "there/page.html\n"


def test_a_full_disk_leaves_the_old_page(tmp_path, monkeypatch):
    root, out = tmp_path / "evidence", tmp_path / "index.html"
    record(root, "copy", "ntm", 1, [1.0] * 10)
    monkeypatch.setattr("ntm_repro.report.page.page.__defaults__", ((), lambda _: None, 1))
    out.write_text("old")
    with files_no_longer_than(100), pytest.raises(RunError, match="File too large"):
        report.command([f"evidence={root}", f"out={out}"])
    assert out.read_text() == "old"
