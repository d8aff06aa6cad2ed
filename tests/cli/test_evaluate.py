"""ntm-eval on a trained run."""

import json
import shutil

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
        assert list(entry) == ["setting", "sequences", "bits", "wrong_bits", "perfect", "optimum_bits", "locations"]
        assert (entry["sequences"], entry["locations"]) == (3, 10)
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
    assert done.stdout.splitlines()[1].split()[:2] == ["length", "locations"]
    assert done.stdout.splitlines()[2].split()[:2] == ["30", "64"]


def grid_of(path):
    return {(entry["setting"], entry["locations"]): entry for entry in json.loads(path.read_text())["grid"]}


def test_entries_are_added_and_replaced_one_by_one(command, trained):
    command("eval", "run=out", "sequences=3")
    before = grid_of(trained / "eval.json")
    command("eval", "run=out", "lengths=[30,200]", "sequences=2", "locations=64")
    after = grid_of(trained / "eval.json")
    assert {key: after.pop(key)["sequences"] for key in [(30, 64), (200, 64)]} == {(30, 64): 2, (200, 64): 2}
    assert after == before
    command("eval", "run=out", "lengths=[30]", "sequences=4")
    after = grid_of(trained / "eval.json")
    assert [key for key in after if after[key] != before.get(key)] == [(30, 10), (30, 64), (200, 64)]
    assert after[30, 10]["sequences"] == 4


def test_an_older_record_without_locations_goes_on(command, trained):
    command("eval", "run=out", "lengths=[10,20]", "sequences=3")
    record = json.loads((trained / "eval.json").read_text())
    for entry in record["grid"]:
        del entry["locations"]
    (trained / "eval.json").write_text(json.dumps(record))
    command("eval", "run=out", "lengths=[20,30]", "sequences=2")
    grid = grid_of(trained / "eval.json")
    assert {key: entry["sequences"] for key, entry in grid.items()} == {(10, 10): 3, (20, 10): 2, (30, 10): 2}


def test_entries_of_another_checkpoint_are_dropped_and_that_is_said(command, trained):
    command("eval", "run=out", "lengths=[10,20]", "sequences=3")
    assert command("train", "run_dir=out", "train.sequences=60", *TINY, "model.memory.start=shared").returncode == 0
    done = command("eval", "run=out", "lengths=[30]", "sequences=2")
    assert "out/eval.json: 2 entries of the checkpoint after 30 sequences dropped\n" in done.stdout
    assert list(grid_of(trained / "eval.json")) == [(30, 10)]


def test_nothing_is_written_where_a_run_was_kept(command, trained):
    command("eval", "run=out", "lengths=[10,20]", "sequences=3")
    (trained / "checkpoint.pt").unlink()
    before = {path: path.read_bytes() for path in trained.rglob("*") if path.is_file()}
    for words in (["lengths=[20,30]"], ["lengths=[20]", "locations=20"], ["grid=beyond"]):
        done = command("eval", "run=out", *words, "sequences=2")
        assert done.returncode == 0, done.stderr
        assert done.stdout.endswith("out stays as it was recorded; out=FILE writes these numbers\n")
        assert "bits" in done.stdout
    assert command("eval", "run=out", "lengths=[20]", "sequences=2", "out=mine.json").returncode == 0
    assert {path: path.read_bytes() for path in trained.rglob("*") if path.is_file()} == before
    assert grid_of(trained.parent / "mine.json")[20, 10]["sequences"] == 2


def test_numbers_are_shown_before_they_are_written(command, trained):
    (trained / "eval.json.tmp").mkdir()  # where the file is written first: nobody can open it, not even root
    done = command("eval", "run=out", "lengths=[20]", "sequences=2")
    assert done.returncode == 1
    assert done.stdout.splitlines()[2].split()[:2] == ["20", "10"]
    (line,) = done.stderr.splitlines()
    assert "out/eval.json: the numbers above could not be written" in line
    assert "out=FILE" in line


@pytest.mark.parametrize("length", [10**15, 10**30])
def test_sequences_longer_than_any_memory_are_one_line(length, command, trained):
    done = command("eval", "run=out", f"lengths=[{length}]", "sequences=1")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "ntm-eval: run=out: not enough memory for sequences of this length\n"


@pytest.mark.parametrize(("name", "words"), [("eval.json", ()), ("beyond.json", ("grid=beyond",))])
def test_a_torn_record_is_named_before_the_work_is_done(name, words, command, trained):
    (trained / name).write_text('{"checkpoint_sequences": 30, "grid": [{"sett')
    done = command("eval", "run=out", *words)
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert f"out/{name}: damaged" in line


def test_beyond_the_paper_with_the_locations_that_it_takes(command, trained):
    done = command("eval", "run=out", "grid=beyond", "sequences=1")
    assert done.returncode == 0, done.stderr
    result = json.loads((trained / "beyond.json").read_text())
    assert result["checkpoint_sequences"] == 30
    found = [(entry["setting"], entry["locations"]) for entry in result["grid"]]
    assert found == [(120, 128), (200, 256), (500, 512), (1000, 1024)]
    assert not (trained / "eval.json").exists()
    assert "beyond.json" in done.stdout


def test_no_more_locations_than_were_fixed_and_none_without_a_memory(command, tmp_path):
    command("train", "run_dir=fixed", "train.sequences=10", *TINY, "model.memory.start=random")
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


def test_more_locations_where_each_learned_a_start(command, tmp_path):
    command("train", "run_dir=own", "train.sequences=10", *TINY, "model.memory.start=per_location")
    done = command("eval", "run=own", "locations=64", "lengths=[2]", "sequences=2")
    assert done.returncode == 0, done.stderr
    assert json.loads((tmp_path / "own/eval.json").read_text())["grid"][0]["locations"] == 64
    fewer = command("eval", "run=own", "locations=9")
    assert fewer.returncode == 2
    assert "give 10 or more" in fewer.stderr


def test_no_more_locations_where_their_rows_are_fixed(command, tmp_path):
    command("train", "run_dir=fixed", "train.sequences=10", *TINY, "model.memory.start=random")
    done = command("eval", "run=fixed", "locations=64")
    assert done.returncode == 2
    assert "model.memory.start=random" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_another_seed_whose_weights_were_kept_is_named(command, tmp_path, trained):
    for seed in (1, 4):
        shutil.copytree(trained, tmp_path / f"pair/seed{seed}")
    for name in ("checkpoint.pt", "checkpoint.previous.pt", "weights.safetensors"):
        (tmp_path / "pair/seed4" / name).unlink(missing_ok=True)
    done = command("eval", "run=pair/seed4")
    assert done.returncode == 2
    assert "seed1 has weights, and ntm-train run=" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_nothing_to_evaluate(command, trained):
    for name in ("checkpoint.pt", "checkpoint.previous.pt", "weights.safetensors"):
        (trained / name).unlink(missing_ok=True)
    done = command("eval", "run=out")
    assert done.returncode == 2
    assert "neither checkpoint.pt nor weights.safetensors" in done.stderr
    assert "ntm-train run=" in done.stderr
