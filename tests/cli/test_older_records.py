"""A run recorded before a key was added goes on: from its config.yaml, and from its checkpoint."""

import json

import yaml
from support.helpers import TINY
from support.run_results import rows, same_weights

from ntm_repro.training import checkpoint as checkpoints

WORDS = ("train.log_every=10", "train.checkpoint_every=20", "kernel=eager", *TINY)


def age(folder):
    """Take a setting out of everything that the run has recorded, as if it had been added since."""
    config = yaml.safe_load((folder / "config.yaml").read_text())
    assert config["train"].pop("loss_scale") == 1.0
    (folder / "config.yaml").write_text(yaml.safe_dump(config))
    kept = checkpoints.load(folder / "checkpoint.pt")
    identity = json.loads(kept.identity)
    assert identity.pop("train.loss_scale") == 1.0
    kept.identity = json.dumps(identity, sort_keys=True)
    checkpoints.save(folder, kept)


def test_it_is_resumed_from_its_checkpoint(command, tmp_path):
    command("train", "run_dir=straight", "train.sequences=60", *WORDS)
    command("train", "run_dir=old", "train.sequences=30", *WORDS)
    age(tmp_path / "old")
    done = command("train", "run_dir=old", "train.sequences=30", *WORDS)
    assert (done.returncode, done.stdout.count("finished: 30 sequences")) == (0, 1), done
    done = command("train", "run_dir=old", "train.sequences=60", *WORDS)
    assert "resumed at 30 sequences" in done.stdout, done
    assert rows(tmp_path / "old") == rows(tmp_path / "straight")
    assert same_weights(tmp_path / "old", tmp_path / "straight")


def test_with_another_value_it_is_another_run(command, tmp_path):
    command("train", "run_dir=old", "train.sequences=30", *WORDS)
    age(tmp_path / "old")
    done = command("train", "run_dir=old", "train.sequences=60", *WORDS, "train.loss_scale=0.5")
    assert done.returncode == 2
    assert "its train.loss_scale is 1.0, not 0.5" in done.stderr
