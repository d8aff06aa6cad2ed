"""Vectors of another width than the paper's, from training to the page that shows the memory."""

import json

import numpy as np
import pytest
from support.run_results import summary

SMALL = ("model.controller.size=12", "model.memory.width=6", "train.sequences=4", "train.log_every=2")


@pytest.mark.parametrize(("task", "inputs", "outputs"), [("copy", 18, 17), ("priority_sort", 18, 16)])
def test_a_run_with_vectors_of_sixteen_bits(command, tmp_path, task, inputs, outputs):
    assert command("train", f"task={task}", "task.bits=16", *SMALL).returncode == 0
    (folder,) = (tmp_path / f"results/runs/{task}/ntm").iterdir()
    assert folder.name.endswith("-bits-16")
    assert summary(folder)["config"]["task"]["bits"] == 16
    np.savetxt(tmp_path / "mine.txt", np.zeros((3, inputs)))
    for words in (
        ("eval", "sequences=2"),
        ("eval", "grid=beyond", "sequences=1"),
        ("eval", "input=mine.txt", "out=found.npy", "trace=true"),
        ("report",),
    ):
        done = command(words[0], f"run={folder}", *words[1:])
        assert done.returncode == 0, done.stderr
    assert np.load(tmp_path / "found.npy").shape == (3, outputs)
    # An untrained machine pays about a bit for each bit that is asked for: sixteen for each vector.
    entry = json.loads((folder / "eval.json").read_text())["grid"][0]
    vectors = 10 if task == "copy" else 16
    assert 15 < entry["bits"] / vectors < 18
    assert (folder / "report.html").stat().st_size > 10_000
