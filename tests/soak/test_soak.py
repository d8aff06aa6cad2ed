"""A long soak: more than a million sequences over every task and NTM, some at ten times the rate or from wild weights.

What it looks at again and again: all weights are finite, and every weighting of every head is a distribution, on the
sequences of training and on those longer ones of the tests. `make soak` prints a line for each case: task, model, times
the learning rate, times the initial weights, sequences, worst error of a weighting.
"""

from typing import NamedTuple

import numpy as np
import pytest

from ntm_repro import paper
from ntm_repro.cli import compose, factory
from ntm_repro.evaluation.traces import trace

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600)]

LOOKS = 10  # times that a case is looked at
SIMPLEX = 1e-5  # the largest error of a weighting in float32: 128 roundings of about 1e-7


class Case(NamedTuple):
    """`rate` times the paper's learning rate; weights begin `scale` times as large as they should."""

    task: str
    model: str
    sequences: int
    rate: float = 1.0
    scale: float = 1.0


# What a sequence takes differs by a factor of ten: the cheap ones make up the million.
PLAIN = {
    ("copy", "ntm"): 150_000,
    ("copy", "ntm_ff"): 200_000,
    ("repeat_copy", "ntm"): 100_000,
    ("repeat_copy", "ntm_ff"): 150_000,
    ("associative_recall", "ntm"): 150_000,
    ("associative_recall", "ntm_ff"): 40_000,
    ("dynamic_ngrams", "ntm"): 15_000,
    ("dynamic_ngrams", "ntm_ff"): 20_000,
    ("priority_sort", "ntm"): 15_000,
    ("priority_sort", "ntm_ff"): 10_000,
}
PAIRS = [(task, model) for task in paper.TASKS for model in ("ntm", "ntm_ff")]
CASES = [
    *(Case(*pair, sequences) for pair, sequences in PLAIN.items()),
    *(Case(*pair, max(PLAIN[pair] // 5, 5_000), rate=10.0) for pair in PAIRS),
    *(Case(*pair, 1_000, scale=scale) for pair in PAIRS for scale in (1e-6, 30.0)),
]


def trainer_of(case):
    compose.register()
    words = [f"task={case.task}", f"model={case.model}", "seed=7", f"train.sequences={case.sequences}"]
    jobs, _ = compose.jobs(words)
    (config,) = jobs
    config.train.learning_rate *= case.rate
    trainer = factory.trainer(config)
    trainer.kernel.parameters.values.mul_(case.scale)
    return trainer


def worst_weighting(trainer, number):
    """How far the weightings of a sequence are from distributions, on the longest of training and of the tests."""
    worst = 0.0
    for condition in {trainer.task.longest_condition, *trainer.task.test_conditions}:
        heads = trace(trainer.task, trainer.kernel, condition, seed=7, number=number).heads
        for weighting_TKN in (heads.read_weighting_TRN, heads.write_weighting_TWN):
            assert np.isfinite(weighting_TKN).all()
            sums_TK = weighting_TKN.sum(-1, dtype=np.float64)
            worst = max(worst, np.abs(sums_TK - 1).max(), -weighting_TKN.min(), weighting_TKN.max() - 1)
    return float(worst)


def test_it_is_a_million():
    assert sum(case.sequences for case in CASES) >= 1_000_000


@pytest.mark.parametrize(
    "case", CASES, ids=lambda case: f"{case.task}-{case.model}-rate{case.rate:g}-scale{case.scale:g}"
)
def test_numbers_stay_sound(case):
    trainer = trainer_of(case)
    worst = 0.0
    for look in range(1, LOOKS + 1):
        while trainer.sequences < case.sequences * look // LOOKS:
            trainer.update()  # raises for a loss or gradient that is not finite
        assert trainer.kernel.parameters.values.isfinite().all()
        worst = max(worst, worst_weighting(trainer, look))
        assert worst <= SIMPLEX
    print(f"| {case.task} | {case.model} | {case.rate:g} | {case.scale:g} | {case.sequences:,} | {worst:.1e} |")
