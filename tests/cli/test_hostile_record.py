"""A recorded run from somebody else: its config.yaml is read, and whatever it says, nothing of it is run."""

import pytest
from support.helpers import TINY

TRAP = "executed"
# Each names a function that would make a folder, in a way that Hydra or YAML could be made to follow.
HOSTILE = {
    "a callback of Hydra's": f"'+hydra.callbacks.evil._target_': os.mkdir\n'+hydra.callbacks.evil.path': {TRAP}\n",
    "a callback, nested": f"hydra: {{callbacks: {{evil: {{_target_: os.mkdir, path: {TRAP}}}}}}}\n",
    "a launcher": f"hydra: {{launcher: {{_target_: os.mkdir}}, mode: MULTIRUN}}\n'++hydra.launcher.path': {TRAP}\n",
    "a logging handler": f"hydra: {{job_logging: {{handlers: {{evil: {{'()': os.mkdir, path: {TRAP}}}}}}}}}\n",
    "a key with an override in it": f"'seed=1 +hydra.callbacks.evil._target_': os.mkdir\npath: {TRAP}\n",
    "a YAML tag": f"evil: !!python/object/apply:os.mkdir [{TRAP}]\n",
    "an interpolation": "moon: ${oc.env:HOME}\n",
    "an alias": "moon: &a [1, 2]\nstars: *a\n",
    "a key that no run has": "moon: 1\n",
}


@pytest.fixture
def recorded(command, tmp_path):
    """The config.yaml of a run in the folder `run`."""
    text = command("train", "--cfg", "job", "--resolve", "train.sequences=2", "kernel=eager", *TINY).stdout
    (tmp_path / "run").mkdir()
    path = tmp_path / "run/config.yaml"
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("word", "what"),
    [*(("train", what) for what in HOSTILE), ("eval", "a callback, nested"), ("eval", "a YAML tag")],
)
def test_nothing_of_it_is_run(what, word, recorded, command, tmp_path):
    recorded.write_text(recorded.read_text() + HOSTILE[what])
    done = command(word, "run=run")
    assert done.returncode == 2, done
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert "config.yaml" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_without_additions_it_is_run(recorded, command, tmp_path):
    """So that the others fail for what was added."""
    assert command("train", "run=run").returncode == 0
    assert (tmp_path / "results/reruns").is_dir()
