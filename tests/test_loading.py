"""A recorded run opened from Python."""

from pathlib import Path

import pytest
import torch
from support.helpers import TINY

from ntm_repro import NTM, load
from ntm_repro.randomness import Purpose, Stream
from ntm_repro.tasks.copy import Copy

EVIDENCE = Path(__file__).resolve().parents[1] / "results/paper"


@pytest.mark.parametrize("kind", [str, Path])
def test_the_committed_copy_machine_copies(kind):
    model, task = load(kind(EVIDENCE / "copy/ntm/seed1"))
    assert type(model) is NTM
    assert task == Copy()
    batch = task.draw(Stream(1, Purpose.EVALUATION), 0, 20, 40)
    with torch.no_grad():
        y_TBO, _ = model(torch.from_numpy(batch.input_TBI))
    wrong_TBO = (y_TBO > 0).numpy() != (batch.target_TBO > 0.5)
    assert (wrong_TBO & (batch.mask_TO > 0)[:, None]).sum() == 0


def test_it_can_be_trained_further():
    model, _ = load(EVIDENCE / "copy/ntm_ff/seed1")
    before = model.output.weight.detach().clone()
    optimiser = torch.optim.SGD(model.parameters(), lr=0.1)
    model(torch.rand(5, 2, 10))[0].square().sum().backward()
    optimiser.step()
    assert not torch.equal(model.output.weight, before)


def test_what_is_no_run_is_named(tmp_path):
    with pytest.raises(ValueError, match=f"^{tmp_path}/nowhere: no readable config.yaml there"):
        load(tmp_path / "nowhere")


def test_a_run_without_weights_is_named(forks, tmp_path):
    done = forks("train", "train.sequences=1", "run_dir=out", *TINY, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    for name in ("checkpoint.pt", "weights.safetensors"):
        (tmp_path / "out" / name).unlink()
    with pytest.raises(ValueError, match=r"^.*out: neither checkpoint.pt nor weights.safetensors there"):
        load(tmp_path / "out")
