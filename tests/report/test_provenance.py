"""What stands behind a figure is what was recorded."""

from support.recorded_runs import record

from ntm_repro import paper
from ntm_repro.figures.run_store import RunStore
from ntm_repro.report.provenance import behind


def test_what_stands_behind_a_figure(tmp_path):
    record(tmp_path, "copy", "ntm", 2, [1.0] * 10, commit="a" * 40, wall_seconds=1_800.0)
    record(tmp_path, "copy", "ntm", 3, [1.0] * 10, commit="b" * 40, dirty=True, planned=20_000)
    ntm, _, lstm = behind(RunStore(tmp_path, None), paper.FIGURES["fig03"])
    assert (ntm.model, ntm.command) == ("NTM-LSTM", "ntm-train task=copy model=ntm seed=2")
    assert (ntm.seeds, ntm.commits, ntm.hours) == ("2, 3", "aaaaaaaaaa; bbbbbbbbbb, changed", 1.5)
    assert list(ntm.gaps) == ["seed 3: 10,000 of 20,000 sequences so far: make reproduce TASKS=copy MODELS=ntm SEEDS=3"]
    assert (lstm.seeds, lstm.hours) == ("", 0)
    assert list(lstm.gaps) == ["not run yet: make reproduce TASKS=copy MODELS=lstm"]


def test_a_run_recorded_without_git_has_no_commit(tmp_path):
    record(tmp_path, "copy", "ntm", 1, [1.0] * 10, commit=None, dirty=None)
    assert behind(RunStore(tmp_path, None), paper.FIGURES["fig06"])[0].commits == "–"
