"""What is recorded can be had again: the first thousands of every committed run, from nothing but its folder."""

from pathlib import Path

import pytest
from support import processes
from support.helpers import arguments

from ntm_repro.training import metrics

pytestmark = pytest.mark.slow

EVIDENCE = Path(__file__).parents[2] / "results/paper"
FOLDERS = sorted(path.parent for path in EVIDENCE.glob("*/*/seed*/summary.json"))
SEQUENCES = 2_000
# The same machine type gives the same bits; another one, or other versions of the libraries, rounds otherwise.
ELSEWHERE = 1e-3


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: "-".join(folder.parts[-3:]))
def test_a_recorded_run_begins_again_as_it_did(folder, tmp_path):
    words = ("train", f"run={folder}", f"train.sequences={SEQUENCES}", "run_dir=again")
    done = processes.run(arguments(*words), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    recorded = metrics.read_rows(folder / "metrics.csv", up_to=SEQUENCES)
    again = metrics.read_rows(tmp_path / "again/metrics.csv")
    names = ("sequences", "bits_per_sequence", "error_bits", "grad_norm", "grad_norm_max")
    assert len(again) == len(recorded) == SEQUENCES / 1_000
    for ours, theirs in zip(again, recorded, strict=True):
        assert [ours[name] for name in names] == pytest.approx([theirs[name] for name in names], rel=ELSEWHERE)
    exact = all(ours[name] == theirs[name] for ours, theirs in zip(again, recorded, strict=True) for name in names)
    print(f"{folder.relative_to(EVIDENCE)}: {'bit for bit' if exact else 'not to the bit'}")  # shown by -rP
