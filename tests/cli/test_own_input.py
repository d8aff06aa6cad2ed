"""ntm-eval input=FILE: a machine on one's own sequences."""

import numpy as np
import pytest
import torch
from matplotlib.image import imread
from support.helpers import TINY

from ntm_repro import load
from ntm_repro.cli import load_run


@pytest.fixture
def trained(command, tmp_path):
    assert command("train", "run_dir=out", "train.sequences=30", *TINY, "model.memory.start=shared").returncode == 0
    return tmp_path / "out"


@pytest.fixture
def sequences(tmp_path):
    """Two of different lengths, in mine.npz; the shorter also in mine.npy and mine.txt."""
    rng = np.random.default_rng(1)
    found = {"short": rng.integers(0, 2, (4, 10)).astype(float), "long": rng.random((9, 10))}
    np.savez(tmp_path / "mine.npz", **found)
    np.save(tmp_path / "mine.npy", found["short"])
    np.savetxt(tmp_path / "mine.txt", found["short"], delimiter=",")
    return found


def probabilities(folder, input_TI):
    """By the reference, in plain torch."""
    model, _ = load(str(folder))
    with torch.no_grad():
        return model.unroll(torch.tensor(input_TI, dtype=torch.float32)[:, None]).y_TBO[:, 0].sigmoid().numpy()


def test_a_runs_folder_may_be_text_or_a_path(trained):
    for folder in (str(trained), trained):
        run = load_run.load(folder, load_run.read_config(folder))
        assert (run.sequences, run.task.max_length) == (30, 2)
        assert load(folder).task == run.task


@pytest.mark.parametrize("name", ["mine.npy", "mine.txt"])
def test_outputs_of_one_sequence(name, command, trained, sequences, tmp_path):
    expected = probabilities(trained, sequences["short"])
    done = command("eval", "run=out", f"input={name}", "out=found.npy")
    assert (done.returncode, done.stdout) == (0, "found.npy\n"), done.stderr
    np.testing.assert_allclose(np.load(tmp_path / "found.npy"), expected, atol=1e-5)
    done = command("eval", "run=out", f"input={name}")
    assert done.stdout.splitlines()[0] == "# mine: 4 steps, 9 columns: P(1) of bits (8)"
    np.testing.assert_allclose(np.loadtxt(done.stdout.splitlines()), expected, atol=6e-5)
    assert not (trained / "eval.json").exists()


def test_sequences_of_different_lengths_each_run_by_themselves(command, trained, sequences, tmp_path):
    done = command("eval", "run=out", "input=mine.npz", "out=found.npz", "locations=20")
    assert done.returncode == 0, done.stderr
    with np.load(tmp_path / "found.npz") as found:
        assert {name: found[name].shape for name in found} == {"short": (4, 9), "long": (9, 9)}
    done = command("eval", "run=out", "input=mine.npz", "out=found.npz")
    with np.load(tmp_path / "found.npz") as found:
        for name, input_TI in sequences.items():
            np.testing.assert_allclose(found[name], probabilities(trained, input_TI), atol=1e-5)


def test_the_memory_at_work_is_drawn(command, trained, sequences, tmp_path):
    done = command("eval", "run=out", "input=mine.npy", "out=found.npy", "trace=true")
    assert done.stdout.splitlines() == ["# found.png", "found.npy"], done.stderr
    assert imread(tmp_path / "found.png").std() > 0.1
    done = command("eval", "run=out", "input=mine.npz", "trace=true", "picture=drawn.png")
    assert done.returncode == 0, done.stderr
    assert {path.name for path in tmp_path.glob("drawn*")} == {"drawn-short.png", "drawn-long.png"}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("input=none.npy",), "input=none.npy: cannot be read (No such file or directory)"),
        (("input=out",), "input=out: cannot be read (Is a directory)"),
        (("input=narrow.txt",), "input=narrow.txt: 2 channels a step, but the model has 10 inputs"),
        (("input=mine.npz", "out=a.npy"), "out=a.npy: must end in .npz for 2 sequences"),
        (("input=mine.npy", "out=a.pdf"), "out=a.pdf: must end in .npy, .npz, .txt"),
        (("input=mine.npy", "out=mine.npy"), "out=mine.npy: is the input"),
        (("input=mine.npy", "trace=true", "picture=a.pdf"), "picture=a.pdf: must end in .png"),
        (("input=mine.npy", "picture=a.png"), "picture=a.png: needs trace=true"),
        (("input=mine.npy", "lengths=[3]"), "lengths: has no part in a run of input="),
        (("input=mine.npy", "sequences=3"), "sequences: has no part in a run of input="),
        (("trace=true",), "trace: belongs to input=FILE"),
    ],
)
def test_what_cannot_be_is_one_line(words, message, command, trained, sequences, tmp_path):
    (tmp_path / "narrow.txt").write_text("1 2\n")
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()}
    done = command("eval", "run=out", *words)
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"ntm-eval: {message}")
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()} == before


def test_a_model_without_memory_has_no_memory_to_draw(command, sequences):
    command("train", "run_dir=lstm", "train.sequences=10", "model=lstm", "model.size=4", "model.layers=1")
    assert command("eval", "run=lstm", "input=mine.npy").returncode == 0
    done = command("eval", "run=lstm", "input=mine.npy", "trace=true")
    assert (done.returncode, done.stderr) == (2, "ntm-eval: trace=true: lstm has no memory\n")


def test_outputs_that_cannot_be_written_are_one_line(command, trained, sequences):
    done = command("eval", "run=out", "input=mine.npy", "out=nowhere/a.npy")
    assert (done.returncode, done.stderr) == (
        1,
        "ntm-eval: nowhere/a.npy: cannot be written (No such file or directory)\n",
    )
