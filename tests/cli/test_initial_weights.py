"""Runs that begin from given weights: `train.initial_weights` and `train.first_sequence`, as commands."""

import pickle
import shutil
import signal
import time
from pathlib import Path

import numpy as np
import pytest
import yaml
from safetensors.numpy import load_file, save_file
from support.helpers import PATIENCE, TINY
from support.hostile import Payload
from support.run_results import rows, same_weights, summary

from ntm_repro.evidence import runs

OFTEN = ("train.log_every=10", "train.checkpoint_every=20")
COMMITTED = Path(__file__).parents[2] / "results/paper/copy/ntm/seed1"


@pytest.fixture
def base(command, tmp_path):
    """The folder of a finished run of 40 sequences."""
    done = command("train", "run_dir=base", "train.sequences=40", *OFTEN, *TINY)
    assert done.returncode == 0, done.stderr
    return tmp_path / "base"


def config(folder):
    return yaml.safe_load((folder / "config.yaml").read_text())


def test_a_run_goes_on_from_the_weights_of_another(command, base, tmp_path):
    words = ("train.initial_weights=base", "train.first_sequence=40", "train.sequences=70", *OFTEN, *TINY)
    done = command("train", "run_dir=more", *words)
    assert done.returncode == 0, done.stderr
    assert "from base at 40 sequences" in done.stdout
    assert "70 sequences (from 40 on)" in done.stdout
    more = tmp_path / "more"
    assert [row["sequences"] for row in rows(more)] == ["50", "60", "70"]
    train = config(more)["train"]
    assert (train["initial_weights"], train["first_sequence"]) == ("base", 40)
    assert summary(more)["first_sequence"] == 40
    assert summary(more)["initial_weights"] == "base"
    assert summary(more)["initial_weights_sha256"] == train["initial_weights_sha256"] != ""
    # The whole course in one record, with its joint; the weights at the joint are kept.
    run = runs.read(more)
    assert [row["sequences"] for row in run.rows] == [10, 20, 30, 40, 50, 60, 70]
    assert (run.begin, run.joints) == (0, [40])
    kept, original = (load_file(folder / "weights.safetensors") for folder in (more / "before", base))
    assert all(np.array_equal(kept[name], original[name]) for name in original)


def test_weights_alone_begin_a_run_at_sequence_0_with_nothing_learned_lost(command, base, tmp_path):
    """A learning rate of almost nothing leaves them as they were, and a random start would not be they."""
    weights = "train.initial_weights=base/weights.safetensors"
    done = command("train", "run_dir=more", weights, "train.sequences=20", *OFTEN, *TINY, "train.learning_rate=1e-30")
    assert done.returncode == 0, done.stderr
    assert [row["sequences"] for row in rows(tmp_path / "more")] == ["10", "20"]
    ours, theirs = (load_file(folder / "weights.safetensors") for folder in (tmp_path / "more", base))
    assert all(np.array_equal(ours[name], theirs[name]) for name in theirs)
    assert not (tmp_path / "more" / "before").exists()


def test_stopped_and_resumed_equals_straight_to_the_bit(command, start, base, tmp_path):
    words = ("train.initial_weights=base", "train.first_sequence=40", "train.sequences=9000")
    words += ("train.log_every=1000", "train.checkpoint_every=1500", *TINY)
    assert command("train", "run_dir=straight", *words).returncode == 0
    stopped, record = start("train", "run_dir=stopped", *words), tmp_path / "stopped" / "metrics.csv"
    while stopped.poll() is None and not (record.exists() and len(record.read_text().splitlines()) > 2):
        time.sleep(0.02)
    stopped.send_signal(signal.SIGINT)
    _, err = stopped.communicate(timeout=PATIENCE)
    assert stopped.returncode == 130, err
    assert "train.initial_weights=base" in err
    assert command("train", "run_dir=stopped", *words).returncode == 0
    assert rows(tmp_path / "stopped") == rows(tmp_path / "straight")
    assert same_weights(tmp_path / "stopped", tmp_path / "straight")


def test_a_run_that_has_begun_needs_the_weights_no_more(command, base, tmp_path):
    words = ("train", "run_dir=more", "train.initial_weights=base", *OFTEN, *TINY)
    assert command(*words, "train.sequences=20").returncode == 0
    shutil.rmtree(base)
    done = command(*words, "train.sequences=40")
    assert done.returncode == 0, done.stderr
    assert "resumed at 20 sequences" in done.stdout


def test_other_weights_are_another_run_and_the_same_elsewhere_are_not(command, base, tmp_path):
    words = ("train", "run_dir=more", "train.sequences=20", *OFTEN, *TINY)
    assert command(*words, "train.initial_weights=base").returncode == 0
    shutil.copytree(base, tmp_path / "copy, of = it")
    assert "finished" in command(*words, "train.initial_weights=copy, of = it").stdout
    command("train", "run_dir=other", "seed=2", "train.sequences=20", *OFTEN, *TINY)
    refused = command(*words, "train.initial_weights=other")
    assert refused.returncode == 2
    assert "train.initial_weights_sha256" in refused.stderr
    assert refused.stderr.count("\n") == 1


def test_a_recorded_run_is_repeated_from_the_same_weights_only(command, base, tmp_path):
    words = ("train", "run_dir=more", "train.initial_weights=base", "train.first_sequence=40", "train.sequences=60")
    assert command(*words, *OFTEN, *TINY).returncode == 0
    again = command("train", "run=more", "run_dir=again")
    assert again.returncode == 0, again.stderr
    assert rows(tmp_path / "again") == rows(tmp_path / "more")
    assert same_weights(tmp_path / "again", tmp_path / "more")
    shutil.rmtree(base)
    command("train", "run_dir=base", "seed=2", "train.sequences=40", *OFTEN, *TINY)
    refused = command("train", "run=more", "run_dir=third")
    assert refused.returncode == 2
    assert "not the weights" in refused.stderr
    assert not (tmp_path / "third").exists()


def test_each_run_of_a_sweep_begins_from_them_in_a_folder_that_says_so(command, base, tmp_path):
    done = command("train", "-m", "seed=1,2", "train.initial_weights=base", "train.sequences=20", *OFTEN, *TINY)
    assert done.returncode == 0, done.stderr
    folders = sorted((tmp_path / "results/runs/copy/ntm").iterdir())
    assert [folder.name[:5] for folder in folders] == ["seed1", "seed2"]
    assert all("-initial_weights-base" in folder.name for folder in folders)
    digests = {summary(folder)["initial_weights_sha256"] for folder in folders}
    assert len(digests) == 1
    assert rows(folders[0]) != rows(folders[1])


def damaged(base, name):
    weights = load_file(base / "weights.safetensors")
    first = sorted(weights)[0]
    if name == "shape":
        weights[first] = np.zeros((3, 3), np.float32)
    elif name == "type":
        weights[first] = weights[first].astype(np.float64)
    elif name == "missing":
        del weights[first]
    elif name == "more":
        weights["more"] = np.zeros(2, np.float32)
    elif name == "nan":
        weights[first] = np.full_like(weights[first], np.nan)
    save_file(weights, base.parent / f"{name}.safetensors")


@pytest.mark.parametrize(
    ("path", "what"),
    [
        ("nowhere", "nowhere"),
        ("empty", "neither checkpoint.pt nor weights.safetensors"),
        ("text", "cannot be read"),
        ("shape.safetensors", "[3, 3]"),
        ("type.safetensors", "float64"),
        ("missing.safetensors", "it has no "),
        ("more.safetensors", "it has more"),
        ("nan.safetensors", "not finite"),
    ],
)
def test_weights_that_cannot_be_are_refused_in_one_line_and_nothing_is_made(command, base, tmp_path, path, what):
    (tmp_path / "empty").mkdir()
    (tmp_path / "text").write_text("no weights")
    if path.endswith(".safetensors"):
        damaged(base, path.removesuffix(".safetensors"))
    refused = command("train", "run_dir=out", f"train.initial_weights={path}", *TINY)
    assert refused.returncode == 2
    assert refused.stderr.count("\n") == 1, refused.stderr
    assert f"train.initial_weights={path}" in refused.stderr
    assert what in refused.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("words", "key"),
    [
        (("train.first_sequence=5",), "train.first_sequence=5"),
        (("train.initial_weights=base", "train.first_sequence=-1"), "train.first_sequence=-1"),
        (("train.initial_weights=base", "train.first_sequence=20"), "train.first_sequence=20"),
        (("train.initial_weights=base", "train.initial_weights_sha256=abc"), "train.initial_weights_sha256=abc"),
    ],
)
def test_settings_that_contradict_are_refused(command, base, tmp_path, words, key):
    refused = command("train", "run_dir=out", "train.sequences=20", *words, *TINY)
    assert refused.returncode == 2
    assert key in refused.stderr
    assert not (tmp_path / "out").exists()


def test_nothing_in_a_file_is_run(command, base, tmp_path):
    mark = tmp_path / "ran"
    (tmp_path / "hostile").mkdir()
    for path in (tmp_path / "hostile" / "checkpoint.pt", tmp_path / "hostile.safetensors"):
        path.write_bytes(pickle.dumps(Payload(mark)))
    for path in ("hostile", "hostile.safetensors"):
        refused = command("train", "run_dir=out", f"train.initial_weights={path}", *TINY)
        assert refused.returncode == 2, refused.stderr
    assert not mark.exists()


@pytest.mark.slow
def test_the_committed_copy_machine_stays_solved(command, tmp_path):
    """A fresh optimiser at the full learning rate does not undo what was learned."""
    words = (f"train.initial_weights={COMMITTED}", "train.first_sequence=1000000", "train.sequences=1020000")
    done = command("train", "run_dir=more", *words)
    assert done.returncode == 0, done.stderr
    assert max(float(row["bits_per_sequence"]) for row in rows(tmp_path / "more")) < 0.05
    run = runs.read(tmp_path / "more")
    assert run.joints == [1_000_000]
    assert len(run.rows) == 1_020
