"""Checkpoints and weights that are not what was written: cut, flipped, of others, hostile. Nothing is run."""

import os
import pickle
import random
import shutil
import signal
import struct

import pytest
import torch
from safetensors.torch import load_file, save_file
from support.hostile import Payload
from support.surviving import WORDS, check_refused, check_same, content

from ntm_repro.training import checkpoint

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600)]


@pytest.fixture(scope="module")
def halfway(forks, straight, tmp_path_factory):
    """Where a run was killed in the middle, with two checkpoints."""
    place = tmp_path_factory.mktemp("halfway")
    forks(*WORDS, cwd=place, signal=signal.SIGKILL, at_event=straight.events // 2)
    assert (place / "out/checkpoint.previous.pt").exists()
    return place


@pytest.fixture(scope="module")
def refused(forks, halfway, ledger):
    """A function that puts other bytes in place of the checkpoint, starts the run, and sees it refused."""
    path = halfway / "out/checkpoint.pt"
    whole = path.read_bytes()

    def check(kind, damaged, *words):
        path.write_bytes(damaged)
        before = content(halfway / "out")
        with ledger.fault(f"checkpoint {kind}"):
            check_refused(forks(*WORDS, cwd=halfway), "checkpoint.pt", *words)
            assert content(halfway / "out") == before
        path.write_bytes(whole)

    return check


@pytest.fixture
def whole(halfway):
    return (halfway / "out/checkpoint.pt").read_bytes()


def sealed(thing, path):
    """The bytes of `thing` as a checkpoint that somebody who knows the format would make."""
    torch.save(thing, path)
    return checkpoint.sealed(path.read_bytes())


GOOD = "checkpoint.previous.pt is good: resume=previous continues from its"


def test_cut_anywhere(refused, whole):
    chance = random.Random("cut")
    for offset in sorted(chance.sample(range(len(whole)), 20)):
        refused("cut at a random offset", whole[:offset], GOOD)


def test_flipped_anywhere(refused, whole):
    chance = random.Random("flipped")
    for bit in sorted(chance.sample(range(8 * len(whole)), 50)):
        damaged = bytearray(whole)
        damaged[bit // 8] ^= 1 << bit % 8
        refused("with a flipped bit", bytes(damaged), GOOD)


def test_of_another_model(refused, halfway, forks, tmp_path):
    for word in ("model.heads=2", "model.memory.width=7", "seed=2"):
        place = tmp_path / word
        place.mkdir()
        assert forks(*WORDS, word, "train.sequences=30", cwd=place).returncode == 0
        refused("of another model", (place / "out/checkpoint.pt").read_bytes(), "belongs to another run")


def test_of_another_format(refused, halfway, tmp_path):
    found = torch.load(halfway / "out/checkpoint.pt", weights_only=True)
    for change, words in (({"format": 3, "moon": 1}, "update to use it"), ({"format": 1}, "an older ntm-repro")):
        refused("of another format", sealed(found | change, tmp_path / "other"), words)


def test_with_tensors_of_another_shape(forks, halfway, straight, ledger, tmp_path):
    """Sealed, and with the run's own identity."""
    path = halfway / "out/checkpoint.pt"
    whole = path.read_bytes()
    found = torch.load(path, weights_only=True)
    name = next(iter(found["model"]))
    for model in ({**found["model"], name: found["model"][name][None]}, {name: found["model"][name]}):
        path.write_bytes(sealed(found | {"model": model}, tmp_path / "other"))
        with ledger.fault("checkpoint with tensors that do not fit"):
            check_refused(forks(*WORDS, cwd=halfway), "do not fit the model")
        path.write_bytes(whole)


def test_that_would_run_code(refused, halfway, tmp_path):
    trap = tmp_path / "executed"
    torch.save(Payload(trap), tmp_path / "zip")
    found = torch.load(halfway / "out/checkpoint.pt", weights_only=True)
    for damaged in (
        pickle.dumps(Payload(trap)),
        (tmp_path / "zip").read_bytes(),
        sealed(Payload(trap), tmp_path / "a"),
        sealed(found | {"identity": Payload(trap)}, tmp_path / "b"),
    ):
        refused("with a pickle payload", damaged, "refused without running anything from it")
        assert not trap.exists()


def test_weights_that_do_not_fit(forks, straight, ledger, tmp_path):
    """ntm-eval falls back on weights.safetensors where there is no checkpoint."""
    shutil.copytree(straight.folder, tmp_path / "out")
    for name in ("checkpoint.pt", "checkpoint.previous.pt"):
        (tmp_path / "out" / name).unlink()
    path = tmp_path / "out/weights.safetensors"
    whole = load_file(path)
    name = next(iter(whole))
    raw = path.read_bytes()
    wrong = [
        {**whole, name: whole[name][None].clone()},
        {key: tensor for key, tensor in whole.items() if key != name},
        {**whole, "moon": torch.zeros(2)},
    ]
    for tensors in wrong:
        save_file(tensors, path)
        with ledger.fault("weights.safetensors of other shapes"):
            check_refused(forks("eval", "run=out", cwd=tmp_path), "weights.safetensors", "do not fit")
    for damaged in (b"", raw[:100], raw[:-7], struct.pack("<Q", 2**62) + raw[8:], os.urandom(500)):
        path.write_bytes(damaged)
        with ledger.fault("weights.safetensors damaged"):
            check_refused(forks("eval", "run=out", cwd=tmp_path), "weights.safetensors", "cannot be read")
    assert not (tmp_path / "out/eval.json").exists()


def test_after_all_that_the_run_goes_on(forks, halfway, straight):
    assert forks(*WORDS, cwd=halfway).returncode == 0
    check_same(halfway / "out", straight.folder)
