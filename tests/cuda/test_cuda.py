"""A GPU: the same numbers as the CPU's, commands that run and resume there. Left out where there is none."""

import json

import numpy as np
import pytest
import torch
from support import processes
from support.helpers import TINY, arguments, environment

from ntm_repro import NTM, LSTMBaseline
from ntm_repro.models.base import leaves

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")


def core(controller, dtype=torch.float64):
    torch.manual_seed(3)
    if controller is None:
        return LSTMBaseline(5, 4, hidden_size=7, num_layers=2).to(dtype)
    return NTM(5, 4, controller=controller, hidden_size=9, num_heads=2, num_locations=11, width=6).to(dtype)


@pytest.mark.parametrize("controller", ["lstm", "feedforward", None])
def test_calls_and_gradients_are_those_of_the_cpu(controller):
    x_TBI = torch.randn(6, 3, 5, dtype=torch.float64)
    lengths_B = torch.tensor([6, 4, 1])
    answers = {}
    for device in ("cpu", "cuda"):
        model = core(controller).to(device)
        y_TBO, state = model(x_TBI.to(device), lengths_B=lengths_B, gradient_bound=0.01)
        (y_TBO.square().sum() + sum(tensor.sum() for _, tensor in leaves(state))).backward()
        answers[device] = [y_TBO, *(tensor for _, tensor in leaves(state)), *(p.grad for p in model.parameters())]
        assert all(tensor.device.type == device for tensor in answers[device])
    for ours, theirs in zip(answers["cuda"], answers["cpu"], strict=True):
        torch.testing.assert_close(ours.cpu(), theirs, rtol=1e-9, atol=1e-11)


def test_a_model_that_was_called_on_the_cpu_moves_there_and_back():
    model = core("lstm", torch.float32)
    x_TBI = torch.randn(4, 2, 5)
    before, _ = model(x_TBI)
    on_gpu, _ = model.to("cuda")(x_TBI.to("cuda"))
    after, _ = model.to("cpu")(x_TBI)
    torch.testing.assert_close(on_gpu.cpu(), before, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(after, before, rtol=0, atol=0)


def test_an_input_on_the_wrong_device_is_named():
    with pytest.raises(ValueError, match="x_TBI: on cuda:0 wanted, where the model is, on cpu given"):
        core("lstm", torch.float32).to("cuda")(torch.randn(4, 2, 5))


def test_autocast_computes_in_the_parameters_type():
    model, x_TBI = core("feedforward", torch.float32).to("cuda"), torch.randn(4, 2, 5, device="cuda")
    plain, _ = model(x_TBI)
    with torch.autocast("cuda"):
        cast, _ = model(x_TBI)
    assert cast.dtype == torch.float32
    torch.testing.assert_close(cast, plain)


def train(tmp_path, run_dir, *words):
    command = arguments("train", "debug=fast", f"run_dir={run_dir}", *TINY, *words)
    return processes.run(command, cwd=tmp_path, env=environment())


def rows(tmp_path, run_dir):
    return np.genfromtxt(tmp_path / run_dir / "metrics.csv", delimiter=",", names=True)


@pytest.mark.parametrize("optimiser", ["graves_rmsprop", "steady_adam", "adam", "rmsprop"])
def test_training_follows_the_cpu(tmp_path, optimiser):
    words = ("train.sequences=60", "train.log_every=20", f"optimiser={optimiser}", "kernel=eager")
    for device in ("cpu", "cuda"):
        done = train(tmp_path, device, f"device={device}", *words)
        assert done.returncode == 0, done.stderr
    ours, theirs = (rows(tmp_path, device)["bits_per_sequence"] for device in ("cuda", "cpu"))
    np.testing.assert_allclose(ours, theirs, rtol=1e-4)
    assert json.loads((tmp_path / "cuda/summary.json").read_text())["device"] == "cuda"


def test_a_run_goes_on_to_the_bit_and_moves_between_devices(tmp_path):
    words = ("device=cuda", "train.log_every=20", "train.checkpoint_every=20")
    for run, lengths in (("whole", (80,)), ("parts", (40, 80))):
        for sequences in lengths:
            done = train(tmp_path, run, *words, f"train.sequences={sequences}")
            assert done.returncode == 0, done.stderr
    whole, parts = rows(tmp_path, "whole"), rows(tmp_path, "parts")
    np.testing.assert_array_equal(parts["bits_per_sequence"], whole["bits_per_sequence"])

    moved = train(tmp_path, "parts", "device=cpu", *words[1:], "train.sequences=100")
    assert moved.returncode == 0, moved.stderr
    assert len(rows(tmp_path, "parts")) == 5

    done = processes.run(
        arguments("eval", "run=whole", "device=cuda", "lengths=[2]", "sequences=5"), cwd=tmp_path, env=environment()
    )
    assert done.returncode == 0, done.stderr


def test_the_compiled_kernel_is_refused_and_auto_says_what_it_does(tmp_path):
    refused = train(tmp_path, "refused", "device=cuda", "kernel=numba")
    assert refused.returncode == 2
    assert refused.stderr.startswith("ntm-train: kernel=numba: ")
    assert len(refused.stderr.splitlines()) == 1
    assert not (tmp_path / "refused").exists()
    auto = train(tmp_path, "auto", "device=cuda", "train.sequences=20")
    assert auto.returncode == 0
    assert "eager kernel, cuda" in auto.stdout.splitlines()[0]
