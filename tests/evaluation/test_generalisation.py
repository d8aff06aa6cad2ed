"""Evaluation counts right, on sequences of its own.

Shape suffixes: T steps, B sequences, I inputs, O outputs, L length.
"""

from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from ntm_repro import kernels, loss, models
from ntm_repro.evaluation.generalisation import evaluate
from ntm_repro.models import Unrolled
from ntm_repro.models.ntm import ControllerSettings, MemorySettings, Settings
from ntm_repro.randomness import Purpose, Stream
from ntm_repro.tasks.copy import Copy


def answering(unroll):
    """A kernel of which evaluation sees the answers, and of its model only where the parameters are."""
    return SimpleNamespace(model=torch.nn.Linear(1, 1), unroll=unroll)


def right_answers(x_TBI):
    """The targets of copy as −1 or 1, found in its inputs."""
    length = (x_TBI.shape[0] - 2) // 2
    y_TBO = -torch.ones(*x_TBI.shape[:2], 9)
    y_TBO[length + 2 :, :, :8] = 2 * x_TBI[1 : length + 1, :, :8] - 1
    return y_TBO


def perfect(x_TBI, state=None, trace=False):
    return Unrolled(1000 * right_answers(x_TBI), None, None)


def coin_flip(x_TBI, state=None, trace=False):
    return Unrolled(torch.zeros(*x_TBI.shape[:2], 9), None, None)


def imperfect(x_TBI, state=None, trace=False):
    """Right but for the first vector of about half of the sequences, and surer in some than in others."""
    y_TBO = right_answers(x_TBI)
    sure_B = 1 + x_TBI[1, :, :8].sum(-1)
    y_TBO *= sure_B[:, None]
    length = (x_TBI.shape[0] - 2) // 2
    y_TBO[length + 2] *= 1 - 2 * x_TBI[1, :, :1]
    return Unrolled(y_TBO, None, None)


def test_perfect_answers_cost_nothing():
    for entry in evaluate(Copy(), answering(perfect), [10, 120], 20, seed=1):
        assert entry["bits"] == 0
        assert entry["wrong_bits"] == 0
        assert entry["perfect"] == 1


def test_opposite_answers_are_all_wrong():
    def opposite(x_TBI, state=None, trace=False):
        return Unrolled(-10 * right_answers(x_TBI), None, None)

    (entry,) = evaluate(Copy(), answering(opposite), [10], 20, seed=1)
    assert entry["wrong_bits"] == 80
    assert entry["perfect"] == 0
    assert entry["bits"] == pytest.approx(80 * np.log2(1 + np.exp(10)), rel=1e-5)


def test_coin_flips_cost_a_bit_each():
    (entry,) = evaluate(Copy(), answering(coin_flip), [20], 200, seed=1)
    assert entry["bits"] == pytest.approx(160, rel=1e-6)
    # A logit of 0 is read as a 0: half of the bits, give or take five standard deviations.
    assert entry["wrong_bits"] == pytest.approx(80, abs=5 * np.sqrt(40 / 200))
    assert entry["perfect"] == 0


@pytest.mark.parametrize("sequences", [1, 99, 100, 101, 250])
def test_batches_add_up_to_one_naive_pass(sequences):
    (entry,) = evaluate(Copy(), answering(imperfect), [5], sequences, seed=3)
    bits, wrong, flawless = 0.0, 0, 0
    for number in range(sequences):
        batch = Copy().draw(Stream(3, Purpose.EVALUATION), number, 1, 5)
        x_TBI, target_TBO, mask_TO = map(torch.from_numpy, (batch.input_TBI, batch.target_TBO, batch.mask_TO))
        y_TBO = imperfect(x_TBI).y_TBO
        bits += loss.bits(y_TBO, target_TBO, mask_TO).item()
        wrong_bits = loss.wrong_bits(y_TBO, target_TBO, mask_TO).item()
        wrong += wrong_bits
        flawless += wrong_bits == 0
    assert entry["setting"] == 5
    assert entry["sequences"] == sequences
    assert entry["bits"] == pytest.approx(bits / sequences, rel=1e-6)
    assert entry["wrong_bits"] == wrong / sequences
    assert entry["perfect"] == flawless / sequences
    if sequences == 250:
        assert 0.3 < entry["perfect"] < 0.7


def test_memory_is_bounded_by_batches_of_a_hundred():
    sizes = []

    def counting(x_TBI, state=None, trace=False):
        sizes.append(x_TBI.shape[1])
        return perfect(x_TBI)

    evaluate(Copy(), answering(counting), [2], 250, seed=1)
    assert sizes == [100, 100, 50]


def test_batches_of_long_sequences_are_smaller():
    sizes = []

    def counting(x_TBI, state=None, trace=False):
        sizes.append(x_TBI.shape[:2])
        return perfect(x_TBI)

    evaluate(Copy(), answering(counting), [1000], 30, seed=1)
    assert sizes == [(2002, 12), (2002, 12), (2002, 6)]
    sizes.clear()
    evaluate(Copy(), answering(counting), [20_000], 2, seed=1)
    assert sizes == [(40_002, 1)] * 2


@pytest.fixture
def seen():
    """A function that gives the sequences shown in an evaluation, one [T, I] array each."""

    def run(seed, sequences=150):
        inputs = []

        def looking(x_TBI, state=None, trace=False):
            inputs.extend(x_TBI.numpy().swapaxes(0, 1).copy())
            return perfect(x_TBI)

        evaluate(Copy(), answering(looking), [10], sequences, seed)
        return [x_TI.tobytes() for x_TI in inputs]

    return run


def test_the_same_seed_shows_the_same_sequences_and_none_twice(seen):
    shown = seen(seed=1)
    assert len(set(shown)) == 150
    assert seen(seed=1) == shown
    assert not set(seen(seed=2)) & set(shown)


def test_more_sequences_begin_with_the_same_ones(seen):
    assert seen(seed=1)[:120] == seen(seed=1, sequences=120)


@pytest.mark.parametrize("purpose", [Purpose.TRAIN, Purpose.VALIDATION, Purpose.EXAMPLE])
def test_evaluation_shows_no_sequence_of_another_purpose(seen, purpose):
    x_TBI = Copy().draw(Stream(1, purpose), 0, 1_000, 10).input_TBI
    others = {np.ascontiguousarray(x_TBI[:, b]).tobytes() for b in range(1_000)}
    assert len(others) == 1_000
    assert not others & set(seen(seed=1))


def test_the_same_seed_gives_the_same_entries():
    settings = [3, 5]
    first = evaluate(Copy(), answering(imperfect), settings, 130, seed=1)
    assert evaluate(Copy(), answering(imperfect), settings, 130, seed=1) == first
    assert evaluate(Copy(), answering(imperfect), settings, 130, seed=2) != first


def test_entries_come_in_the_order_of_the_settings_with_the_keys_of_the_contract():
    entries = evaluate(Copy(), answering(perfect), [7, 3, 7], 2, seed=1)
    assert [entry["setting"] for entry in entries] == [7, 3, 7]
    assert entries[0] == entries[2]
    for entry in entries:
        assert list(entry) == ["setting", "sequences", "bits", "wrong_bits", "perfect", "optimum_bits"]


def test_a_task_without_an_optimum_has_none():
    (entry,) = evaluate(Copy(), answering(perfect), [3], 2, seed=1)
    assert entry["optimum_bits"] is None


@dataclass(frozen=True)
class WithOptimum(Copy):
    """Copy, but sequence number k is said to cost at least 2 k bits."""

    def optimum_bits(self, batch):
        return 2.0 * (batch.first + np.arange(batch.size))


@pytest.mark.parametrize(("sequences", "mean"), [(1, 0.0), (2, 1.0), (250, 249.0)])
def test_the_optimum_is_averaged_over_the_same_sequences(sequences, mean):
    (entry,) = evaluate(WithOptimum(), answering(perfect), [3], sequences, seed=1)
    assert entry["optimum_bits"] == mean


def test_no_gradients_are_recorded():
    def checking(x_TBI, state=None, trace=False):
        assert not torch.is_grad_enabled()
        return perfect(x_TBI)

    evaluate(Copy(), answering(checking), [3], 2, seed=1)
    assert torch.is_grad_enabled()


@pytest.mark.parametrize("name", ["eager", "numba"])
def test_a_model_is_left_as_it_was(name):
    sizes = Settings(controller=ControllerSettings(size=8), memory=MemorySettings(locations=8, width=4))
    kernel = kernels.choose(name, models.build(sizes, Copy().inputs, Copy().outputs, seed=1))
    before = {name: tensor.clone() for name, tensor in kernel.model.state_dict().items()}
    entries = evaluate(Copy(), kernel, [2, 3], 5, seed=1)
    assert all(torch.equal(before[name], tensor) for name, tensor in kernel.model.state_dict().items())
    assert (kernel.parameters.gradients == 0).all()
    assert [entry["bits"] for entry in entries] == pytest.approx([16, 24], rel=0.2)


def test_kernels_come_to_the_same_results():
    """Over more sequences than the fused kernel or evaluation take at once."""
    sizes = Settings(controller=ControllerSettings(size=8), memory=MemorySettings(locations=8, width=4))
    eager, fused = (
        evaluate(
            Copy(), kernels.choose(name, models.build(sizes, Copy().inputs, Copy().outputs, 1)), [1, 12], 130, seed=1
        )
        for name in ("eager", "numba")
    )
    for ours, theirs in zip(fused, eager, strict=True):
        assert ours["bits"] == pytest.approx(theirs["bits"], rel=1e-5)
        assert ours["wrong_bits"] == pytest.approx(theirs["wrong_bits"], abs=2 / 130)  # a logit may be about 0
