"""Sweeps: every combination in a folder of its own, past failures, with a table at the end."""

import json
import signal
import time
from pathlib import Path

from support.helpers import PATIENCE, TINY

COMMON = ("train.sequences=20", "train.log_every=10")


def test_models_and_seeds(command, tmp_path):
    small = ("task.max_length=1",)
    done = command("train", "-m", "model=ntm,ntm_ff,lstm", "seed=1,2", *small, *COMMON)
    assert done.returncode == 0, done.stderr
    for model in ("ntm", "ntm_ff", "lstm"):
        for seed in (1, 2):
            folder = Path(f"results/runs/copy/{model}/seed{seed}-max_length-1")
            assert json.loads((tmp_path / folder / "summary.json").read_text())["status"] == "finished"
            assert f"{folder}: 20 sequences" in done.stdout.partition("\nresults\n")[2]


def test_hyperparameters_get_a_folder_each(command, tmp_path):
    done = command("train", "-m", *TINY[:-1], *COMMON, "train.learning_rate=1e-4,3e-5")
    assert done.returncode == 0, done.stderr
    # 1e-4 is the paper's value for the pair and needs no mention.
    usual = "seed1-controller.size-12-memory.locations-10-memory.width-6-max_length-2"
    names = {path.parent.name for path in tmp_path.rglob("summary.json")}
    assert names == {usual, f"{usual}-learning_rate-3e-05"}


def test_a_diverged_job_is_a_result_and_stops_no_other(command, tmp_path):
    done = command(
        "train", "-m", *TINY[:-1], "train.sequences=60", "train.log_every=10", "train.learning_rate=1e30,1e-3"
    )
    assert done.returncode == 0, done.stderr
    table = done.stdout.partition("\nresults\n")[2]
    assert "learning_rate-1e_30: DIVERGED at" in table
    assert "learning_rate-0.001: 60 sequences" in table
    assert "Traceback" not in done.stderr


def test_unlike_lengths_are_compared_over_the_same_sequences(command, tmp_path):
    """A job that was trained on for longer counts as it was then; one that was shorter is run on."""
    words = ("train", "-m", *TINY, "train.log_every=10")
    first = command(*words, "seed=1,2", "train.sequences=20").stdout.partition("\nresults\n")[2].splitlines()
    command(*words, "seed=2", "train.sequences=60")
    again = command(*words, "seed=1,2", "train.sequences=20")
    one, other = again.stdout.partition("\nresults\n")[2].splitlines()
    assert one == first[0]
    assert other == first[1].replace("20 sequences", "the first 20 of its 60 sequences", 1)
    longer = command(*words, "seed=1,2", "train.sequences=60").stdout.partition("\nresults\n")[2]
    assert longer.count(": 60 sequences, mean of all 60") == 2


def test_an_objective_that_a_longer_run_cannot_tell_is_refused(command, tmp_path):
    words = ("train", "-m", *TINY, "train.log_every=10", "seed=1,2")
    command(*words, "train.sequences=40")
    done = command(*words, "train.sequences=20", "objective=wrong_bits_long")
    assert done.returncode == 2
    assert "was trained on 40 sequences, and what it did after 20" in done.stderr


def test_the_same_sweep_skips_what_is_finished(command):
    words = ("train", "-m", "seed=1,2", *COMMON, *TINY)
    command(*words)
    again = command(*words)
    assert again.returncode == 0
    assert again.stdout.count("finished: 20 sequences") == 2


def test_globs_and_ranges_sweep_too(command, tmp_path):
    """And a run shorter than a log interval, which has no final bits to show, is still a finished run."""
    done = command("train", "-m", "model=glob(ntm*)", "seed=range(1,3)", "train.sequences=2", "task.max_length=1")
    assert done.returncode == 0, done.stderr
    assert len(list(tmp_path.rglob("summary.json"))) == 4
    assert done.stdout.count("2 sequences, shorter than train.log_every") == 4


def test_an_experiment_sweeps_and_can_be_narrowed(command, tmp_path):
    done = command("train", "experiment=fig03", "model=ntm,ntm_ff", "task.max_length=1", *COMMON)
    assert done.returncode == 0, done.stderr
    found = {path.parent.parent.name for path in tmp_path.rglob("summary.json")}
    assert found == {"ntm", "ntm_ff"}


def test_ctrl_c_ends_the_whole_sweep(start, tmp_path):
    process = start("train", "-m", "seed=1,2", "train.sequences=1000000", "train.log_every=10", *TINY)
    end = time.monotonic() + PATIENCE
    while not list(tmp_path.glob("results/runs/copy/ntm/*/metrics.csv")):
        assert time.monotonic() < end
        time.sleep(0.05)
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=PATIENCE)  # it may have to compile to the end
    assert process.returncode == 130, (out, err)
    assert "resume with: ntm-train -m seed=1,2" in err
    assert len(list(tmp_path.rglob("summary.json"))) == 1
    assert "NOT STARTED" in out


def test_runs_are_evaluated_where_that_is_the_objective(command, tmp_path):
    words = ("train", "-m", *TINY, *COMMON, "seed=1,2", "objective=wrong_bits_long")
    assert command(*words).returncode == 0
    values = {}
    for path in tmp_path.rglob("eval.json"):
        (entry,) = json.loads(path.read_text())["grid"]
        assert entry["setting"] == 120
        values[json.loads((path.parent / "summary.json").read_text())["seed"]] = entry["wrong_bits"]
    assert set(values) == {1, 2}
    done = command("sweep", "results")
    assert f"| 1: {values[1]:.4f}, 2: {values[2]:.4f} |" in (tmp_path / "results/sweep.md").read_text()
    assert "wrong_bits_long, the smaller the better" in (tmp_path / "results/sweep.html").read_text()
    assert done.returncode == 0
