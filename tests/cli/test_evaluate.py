"""ntm-eval on a trained run."""

import json

import pytest
from support.helpers import TINY


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


def test_beyond_the_paper_with_the_locations_that_it_takes(command, trained):
    done = command("eval", "run=out", "grid=beyond", "sequences=1")
    assert done.returncode == 0, done.stderr
    result = json.loads((trained / "beyond.json").read_text())
    assert result["checkpoint_sequences"] == 30
    found = [(entry["setting"], entry["locations"]) for entry in result["grid"]]
    assert found == [(120, 128), (200, 256), (500, 512), (1000, 1024)]
    assert not (trained / "eval.json").exists()
    assert "beyond.json" in done.stdout


def test_no_more_locations_than_were_learned_and_none_without_a_memory(command, tmp_path):
    command("train", "run_dir=fixed", "train.sequences=10", *TINY, "model.memory.start=per_location")
    command("train", "run_dir=lstm", "train.sequences=10", "model=lstm", "model.size=4", "model.layers=1")
    for folder, locations in (("fixed", 10), ("lstm", None)):
        done = command("eval", f"run={folder}", "grid=beyond", "sequences=1")
        assert done.returncode == 0, done.stderr
        grid = json.loads((tmp_path / folder / "beyond.json").read_text())["grid"]
        assert [entry["locations"] for entry in grid] == 4 * [locations]


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (("grid=beyond", "lengths=[10]"), "leave out lengths="),
        (("grid=beyond", "locations=512"), "leave out locations="),
        (("grid=moon",), "grid"),
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
    assert not {"eval.json", "beyond.json"} & {path.name for path in trained.iterdir()}


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
