"""ntm-eval on a trained run."""

import json

import pytest
from helpers import TINY


@pytest.fixture
def trained(command, tmp_path):
    assert command("train", "run_dir=out", "train.sequences=30", *TINY, "model.memory.start=shared").returncode == 0
    return tmp_path / "out"


def test_the_grid_of_copy(command, trained):
    done = command("eval", "run=out", "sequences=3")
    assert done.returncode == 0, done.stderr
    result = json.loads((trained / "eval.json").read_text())
    assert result["checkpoint_sequences"] == 30
    assert [entry["setting"] for entry in result["grid"]] == [10, 20, 30, 50, 120]
    for entry in result["grid"]:
        assert list(entry) == ["setting", "sequences", "bits", "wrong_bits", "perfect", "optimum_bits"]
        assert entry["sequences"] == 3
        assert 0 <= entry["wrong_bits"] <= 8 * entry["setting"]
    assert str(trained.name) in done.stdout


def test_weights_stand_in_for_a_missing_checkpoint(command, trained):
    command("eval", "run=out", "lengths=[4,7]", "sequences=5")
    with_checkpoint = json.loads((trained / "eval.json").read_text())
    (trained / "checkpoint.pt").unlink()
    command("eval", "run=out", "lengths=[4,7]", "sequences=5")
    assert json.loads((trained / "eval.json").read_text()) == with_checkpoint


def test_more_locations(command, trained):
    done = command("eval", "run=out", "locations=64", "lengths=[30]", "sequences=2")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (("lengths=[0]",), "lengths: 0 is no length"),
        (("lengths=[a]",), "lengths: 'a' is no length"),
        (("lengths=12",), "lengths=12: give a list"),
        (("lengths=[]",), "lengths=[]: give a list"),
        (("locations=2",), "model.shift_range=3"),
        (("device=cuda",), "device=cuda: no CUDA device"),
    ],
)
def test_bad_requests(words, named, command, trained):
    done = command("eval", "run=out", *words)
    assert done.returncode == 2
    assert named in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not (trained / "eval.json").exists()


def test_locations_are_fixed_where_each_was_learned(command, tmp_path):
    command("train", "run_dir=fixed", "train.sequences=10", *TINY, "model.memory.start=per_location")
    done = command("eval", "run=fixed", "locations=64")
    assert done.returncode == 2
    assert "model.memory.start=shared" in done.stderr


def test_nothing_to_evaluate(command, trained):
    for name in ("checkpoint.pt", "checkpoint.previous.pt", "weights.safetensors"):
        (trained / name).unlink(missing_ok=True)
    done = command("eval", "run=out")
    assert done.returncode == 2
    assert "neither checkpoint.pt nor weights.safetensors" in done.stderr
