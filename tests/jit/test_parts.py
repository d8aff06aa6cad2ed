"""The parts of the compiled code: each holds its own entries, whatever else is compiled at the same time."""

import sys

import pytest
from support import processes
from support.helpers import environment

from ntm_repro.jit import cache

# Costs and gradients of both kinds of model, once the parts are prepared in groups.
MEASURE = """
import sys
import numpy as np
import torch
from ntm_repro import models
from ntm_repro.jit import cache
from ntm_repro.kernels import choose
from ntm_repro.models import lstm, ntm

for parts in {groups}:
    cache.prepare("float32", parts)
numbers = np.random.default_rng(1).standard_normal
for sizes in (ntm.Settings(), lstm.Settings(size=48)):
    kernel = choose("numba", models.build(sizes, 10, 9, 1))
    x_TBI, target_TBO = torch.tensor(numbers((30, 3, 10)), dtype=torch.float32), torch.zeros(30, 3, 9)
    cost = kernel.cost_and_gradient(x_TBI, target_TBO, torch.ones(30, 9))
    print(cost.bits_B.tobytes().hex(), kernel.parameters.gradients.numpy().tobytes().hex())
"""


@pytest.mark.slow
def test_parts_compiled_alone_or_together_give_the_same_bits(tmp_path):
    outputs = []
    for name, groups in (("together", [cache.PARTS]), ("alone", [(part,) for part in reversed(cache.PARTS)])):
        folder = tmp_path / name
        folder.mkdir()
        env = environment() | {"NUMBA_CACHE_DIR": str(folder), "XDG_CACHE_HOME": "/dev/null", "HOME": "/dev/null"}
        env["TMPDIR"] = str(folder)
        done = processes.run([sys.executable, "-c", MEASURE.format(groups=groups)], cwd=tmp_path, env=env, check=True)
        assert len(done.stderr.splitlines()) == len(groups)
        assert len([path for path in (folder / "ntm-repro").iterdir() if path.suffix == ""]) == len(cache.PARTS)
        outputs.append(done.stdout)
    assert outputs[0] == outputs[1]


def test_a_kind_of_model_needs_its_own_groups_and_the_rest():
    assert cache.parts_for("ntm") == ("rest", "ntm_forward", "ntm_backward")
    assert cache.parts_for("lstm") == ("rest", "lstm_forward", "lstm_backward")
