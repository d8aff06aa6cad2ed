"""The training loop does what its parts say, and goes on from a checkpoint to the same bits.

Shape suffixes: T steps, B sequences, I inputs, O outputs.
"""

import copy
import math
from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn.functional import binary_cross_entropy_with_logits

from ntm_repro import loss
from ntm_repro.errors import UsageError
from ntm_repro.optimisers import graves_rmsprop
from ntm_repro.randomness import Purpose, Stream
from ntm_repro.tasks.copy import Copy
from ntm_repro.training import checkpoint as checkpoints
from ntm_repro.training import loop
from ntm_repro.training.block import BlockOfUpdates
from ntm_repro.training.loop import Diverged, Trainer, to_tensors
from ntm_repro.training.settings import Clip, Loss

CPU = torch.device("cpu")
TIMES = ("sequences_per_second", "wall_seconds")

every_kernel = pytest.mark.parametrize("kernel", ["eager", "numba"])


def never():
    return False


def nothing():
    pass


def timeless(rows):
    """Rows without what depends on the clock."""
    return [{name: value for name, value in row.items() if name not in TIMES} for row in rows]


def essence(checkpoint):
    """All of a checkpoint that does not depend on the clock."""
    window = {name: value for name, value in vars(checkpoint.window).items() if name != "opened_at"}
    return {
        "identity": checkpoint.identity,
        "sequences": checkpoint.sequences,
        "window": window,
        "model": dict(checkpoint.model),
        "optimiser": checkpoint.optimiser,
    }


# One update


@every_kernel
@pytest.mark.parametrize("batch_size", [1, 3])
def test_an_update_is_a_step_down_the_gradient_of_the_mean_cost(tiny_trainer, batch_size, kernel):
    trainer = tiny_trainer(batch_size=batch_size, learning_rate=0.01, clip=Clip.none, kernel=kernel)
    twin = copy.deepcopy(trainer.model)  # whose gradients are its own
    parameters = list(twin.parameters())
    slots = [{name: torch.zeros(p.shape) for name in graves_rmsprop.SLOTS} for p in parameters]
    bits, wrong, norms = 0.0, 0.0, []
    for k in range(3):
        trainer.update()

        batch = Copy(max_length=3).draw(Stream(1, Purpose.TRAIN), k * batch_size, batch_size)
        x_TBI, target_TBO, mask_TO = map(torch.from_numpy, (batch.input_TBI, batch.target_TBO, batch.mask_TO))
        y_TBO = twin.unroll(x_TBI).y_TBO
        bits_B = loss.bits(y_TBO, target_TBO, mask_TO)
        gradients = torch.autograd.grad(bits_B.sum() / batch_size, parameters)
        norms.append(sum(gradient.double().square().sum().item() for gradient in gradients) ** 0.5)
        for parameter, gradient, slot in zip(parameters, gradients, slots, strict=True):
            graves_rmsprop.step(parameter.data, gradient, slot, 0.01, k + 1, graves_rmsprop.Settings())
        bits += bits_B.sum().item()
        wrong += loss.wrong_bits(y_TBO, target_TBO, mask_TO).sum().item()

        assert trainer.sequences == (k + 1) * batch_size
        for ours, theirs in zip(trainer.model.parameters(), parameters, strict=True):
            torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-6)
    window = trainer.window
    assert (window.sequences, window.updates) == (3 * batch_size, 3)
    assert window.bits == pytest.approx(bits, rel=1e-5)
    assert window.error_bits == wrong
    assert window.grad_norm == pytest.approx(sum(norms), rel=1e-5)
    assert window.grad_norm_max == pytest.approx(max(norms), rel=1e-5)
    assert window.optimum_bits == 0


@every_kernel
@pytest.mark.parametrize("batch_size", [1, 3])
def test_rows_are_the_costs_of_the_running_mean_before_each_update(tiny_trainer, batch_size, kernel):
    trainer = tiny_trainer(batch_size=batch_size, learning_rate=0.01, average_over=12, kernel=kernel)
    twin = copy.deepcopy(trainer.model)
    mean = [parameter.detach().clone().double() for parameter in twin.parameters()]
    bits, wrong = 0.0, 0.0
    for k in range(4):
        with torch.no_grad():
            for parameter, number in zip(twin.parameters(), mean, strict=True):
                parameter.copy_(number)
            batch = to_tensors(Copy(max_length=3).draw(Stream(1, Purpose.TRAIN), k * batch_size, batch_size), CPU)
            y_TBO = twin.unroll(batch[0]).y_TBO
        bits += loss.bits(y_TBO, *batch[1:]).sum().item()
        wrong += loss.wrong_bits(y_TBO, *batch[1:]).sum().item()
        trainer.update()
        weights = [parameter.detach().double() for parameter in trainer.model.parameters()]
        share = batch_size / 12
        mean = [(1 - share) * old + share * new for old, new in zip(mean, weights, strict=True)]
    assert trainer.window.bits == pytest.approx(bits, rel=1e-5)
    assert trainer.window.error_bits == wrong
    names = [name for name, _ in trainer.model.named_parameters()]
    for name, expected in zip(names, mean, strict=True):
        torch.testing.assert_close(trainer.weights[name].double(), expected, rtol=1e-5, atol=1e-6)
    twin.load_state_dict(trainer.weights)
    with torch.no_grad(), trainer.evaluating() as kernel:
        torch.testing.assert_close(kernel.unroll(batch[0]).y_TBO, twin.unroll(batch[0]).y_TBO)
    for name, own in zip(names, weights, strict=True):
        assert torch.equal(trainer.model.state_dict()[name].double(), own)


@every_kernel
@pytest.mark.parametrize("clip", list(Clip), ids=lambda clip: clip.name)
def test_an_update_steps_along_clipped_gradients_and_records_their_norm_before(tiny_trainer, clip, kernel):
    unclipped = tiny_trainer(clip=Clip.none, clip_through_time=False, kernel=kernel)
    unclipped.update()
    full = unclipped.kernel.parameters.gradients
    norm = full.double().norm().item()

    trainer = tiny_trainer(clip=clip, clip_at=0.1, clip_through_time=False, kernel=kernel)
    trainer.update()
    assert norm > 0.1
    expected = {Clip.value: full.clamp(-0.1, 0.1), Clip.norm: full * (0.1 / norm), Clip.none: full}[clip]
    # After one step from nothing, the mean is a twentieth of what was stepped along.
    torch.testing.assert_close(20 * trainer.optimiser.slots["mean"], expected, rtol=1e-5, atol=1e-9)
    assert torch.equal(trainer.kernel.parameters.gradients, full)
    assert trainer.window.grad_norm == pytest.approx(norm, rel=1e-6)


@every_kernel
def test_an_update_clips_the_states_gradient_through_time_at_clip_at(tiny_trainer, kernel):
    """Each sequence's own, of which the mean over a batch has its share."""
    trainer = tiny_trainer(batch_size=2, clip=Clip.none, clip_at=0.02, kernel=kernel)
    twin = copy.deepcopy(trainer.model)
    trainer.update()
    batch = Copy(max_length=3).draw(Stream(1, Purpose.TRAIN), 0, 2)
    x_TBI, target_TBO, mask_TO = map(torch.from_numpy, (batch.input_TBI, batch.target_TBO, batch.mask_TO))
    bounds = {}
    for bound in (0.01, math.inf):
        y_TBO = twin.unroll(x_TBI, gradient_bound=bound).y_TBO
        bounds[bound] = torch.autograd.grad(loss.bits(y_TBO, target_TBO, mask_TO).mean(), list(twin.parameters()))
    found = trainer.kernel.parameters.split(trainer.kernel.parameters.gradients)
    for ours, clipped in zip(found, bounds[0.01], strict=True):
        torch.testing.assert_close(ours, clipped, rtol=1e-4, atol=1e-6)
    differences = [(a - b).abs().max() for a, b in zip(*bounds.values(), strict=True)]
    assert max(differences) > 1e-2


@every_kernel
@pytest.mark.parametrize("chosen", [Loss.nats, Loss.mean], ids=lambda chosen: chosen.name)
def test_an_update_clips_and_steps_along_the_gradient_of_the_chosen_loss(tiny_trainer, chosen, kernel):
    """Torch's own, over the scored outputs alone: the sum of each sequence, or the mean of all."""
    trainer = tiny_trainer(
        batch_size=3, loss=chosen, clip=Clip.norm, clip_at=1e-3, clip_through_time=False, kernel=kernel
    )
    twin = copy.deepcopy(trainer.model)
    trainer.update()
    batch = Copy(max_length=3).draw(Stream(1, Purpose.TRAIN), 0, 3)
    x_TBI, target_TBO, mask_TO = map(torch.from_numpy, (batch.input_TBI, batch.target_TBO, batch.mask_TO))
    scored_TBO = mask_TO[:, None].expand_as(target_TBO) > 0
    y_S, target_S = twin.unroll(x_TBI).y_TBO[scored_TBO], target_TBO[scored_TBO]
    value = binary_cross_entropy_with_logits(y_S, target_S, reduction="mean" if chosen is Loss.mean else "sum")
    gradients = torch.autograd.grad(value if chosen is Loss.mean else value / 3, list(twin.parameters()))
    length = sum(gradient.double().square().sum().item() for gradient in gradients) ** 0.5
    assert length > 1e-3
    means = trainer.kernel.parameters.split(trainer.optimiser.slots["mean"])
    # After one step from nothing, the mean is a twentieth of what was stepped along.
    for found, gradient in zip(means, gradients, strict=True):
        torch.testing.assert_close(20 * found, gradient * (1e-3 / length), rtol=1e-4, atol=1e-9)
    # What is recorded is the cost in bits, and the norm of its gradient.
    assert trainer.window.bits / 3 == pytest.approx(
        loss.bits(twin.unroll(x_TBI).y_TBO, target_TBO, mask_TO).mean().item(), rel=1e-5
    )
    outputs = mask_TO.sum().item() if chosen is Loss.mean else 1
    assert trainer.window.grad_norm == pytest.approx(length * outputs / math.log(2), rel=1e-4)


@dataclass(frozen=True)
class WithOptimum(Copy):
    """Copy, but sequence number k is said to cost at least k bits."""

    has_optimum = True

    def optimum_bits(self, batch):
        return (batch.first + np.arange(batch.size)).astype(float)


def test_the_optimum_is_that_of_the_sequences_trained_on(tiny_trainer, recorder):
    sink = recorder()
    trainer = tiny_trainer(task=WithOptimum(max_length=1), batch_size=2, sequences=8, log_every=4)
    trainer.run(sink, nothing, never)
    assert [row["optimum_bits"] for row in sink.rows] == [1.5, 5.5]


def test_without_an_optimum_there_is_no_column(tiny_trainer, recorder):
    sink = recorder()
    tiny_trainer(sequences=1, log_every=1).run(sink, nothing, never)
    assert "optimum_bits" not in sink.rows[0]


def test_a_batch_becomes_tensors_of_its_arrays():
    batch = Copy().draw(Stream(1, Purpose.TRAIN), 0, 2, 3)
    for tensor, array in zip(to_tensors(batch, CPU), (batch.input_TBI, batch.target_TBO, batch.mask_TO), strict=True):
        assert tensor.dtype == torch.float32
        assert np.array_equal(tensor.numpy(), array)


# When rows close and checkpoints are saved


def pretend(trainer):
    """Let updates do nothing but count; sequence number k costs k bits, 2 k of them wrong."""

    def update():
        batch = range(trainer.sequences, trainer.sequences + trainer.settings.batch_size)
        trainer.sequences += len(batch)
        trainer.window.add(len(batch), float(sum(batch)), 2.0 * sum(batch), 0.0, 1.0)

    trainer.update = update
    return trainer


@given(
    sequences=st.integers(1, 60),
    batch_size=st.integers(1, 12),
    log_every=st.integers(1, 20),
    checkpoint_every=st.integers(1, 20),
)
def test_rows_and_checkpoints_come_with_the_first_update_that_reaches_a_multiple(
    tiny_trainer, sequences, batch_size, log_every, checkpoint_every
):
    trainer = pretend(
        tiny_trainer(sequences=sequences, batch_size=batch_size, log_every=log_every, checkpoint_every=checkpoint_every)
    )
    rows, saved, progress = [], [], []
    sink = SimpleNamespace(row=rows.append, progress=progress.append)
    assert trainer.run(sink, lambda: saved.append(trainer.sequences), never)

    updates = -(-sequences // batch_size)
    ends = [batch_size * (k + 1) for k in range(updates)]

    def reaching(every):
        return [end for end in ends if any(m % every == 0 for m in range(end - batch_size + 1, end + 1))]

    assert trainer.sequences == ends[-1]
    assert progress == [batch_size] * updates
    assert [row["sequences"] for row in rows] == reaching(log_every)
    assert saved == reaching(checkpoint_every)
    # Each row is the mean over the sequences since the row before.
    for begin, end, row in zip([0, *reaching(log_every)], reaching(log_every), rows, strict=False):
        assert row["bits_per_sequence"] == pytest.approx((begin + end - 1) / 2, rel=1e-12)
        assert row["error_bits"] == pytest.approx(begin + end - 1, rel=1e-12)
        assert row["learning_rate"] == trainer.settings.learning_rate


@every_kernel
def test_the_rate_falls_on_a_straight_line_from_where_it_is_to(tiny_trainer, recorder, monkeypatch, kernel):
    """Of eight updates the fifth is the last at the full rate, the next would be at zero."""
    trainer = tiny_trainer(
        sequences=16,
        batch_size=2,
        log_every=4,
        learning_rate=0.01,
        anneal_from=8,
        anneal_to=16,
        clip=Clip.none,
        kernel=kernel,
    )
    used, step, run = [], trainer.optimiser.step, BlockOfUpdates.run

    def watched(learning_rate, *rest):
        used.append(learning_rate)
        step(learning_rate, *rest)

    def watched_block(block, batches, rates, settings):
        updates = run(block, batches, rates, settings)
        used.extend(rates[: len(updates)])
        return updates

    monkeypatch.setattr(trainer.optimiser, "step", watched)
    monkeypatch.setattr(BlockOfUpdates, "run", watched_block)
    sink = recorder()
    trained(trainer, sink)
    expected = [0.01] * 5 + [0.0075, 0.005, 0.0025]
    assert used == pytest.approx(expected, rel=1e-12)
    assert [row["learning_rate"] for row in sink.rows] == pytest.approx(expected[1::2], rel=1e-12)


def test_a_row_is_written_before_the_checkpoint_of_the_same_update(tiny_trainer):
    """A checkpoint without its row would leave a hole in the record."""
    calls = []
    trainer = pretend(tiny_trainer(sequences=4, log_every=2, checkpoint_every=2))
    sink = SimpleNamespace(row=lambda row: calls.append("row"), progress=lambda count: None)
    trainer.run(sink, lambda: calls.append("save"), never)
    assert calls == ["row", "save", "row", "save"]


def test_the_window_in_a_checkpoint_is_open_since_the_last_row(tiny_trainer, recorder):
    windows = []
    trainer = pretend(tiny_trainer(sequences=12, log_every=4, checkpoint_every=3))
    trainer.run(recorder(), lambda: windows.append(trainer.checkpoint().window.sequences), never)
    assert windows == [3, 2, 1, 0]


def test_a_run_stops_before_the_next_update_when_told_to(tiny_trainer, recorder):
    trainer = pretend(tiny_trainer(sequences=10, batch_size=2))
    assert not trainer.run(recorder(), nothing, lambda: trainer.sequences >= 4)
    assert trainer.sequences == 4
    assert not trainer.run(recorder(), nothing, lambda: True)
    assert trainer.sequences == 4
    assert trainer.run(recorder(), nothing, never)
    assert trainer.sequences == 10


def test_a_stop_with_the_last_update_comes_too_late(tiny_trainer, recorder):
    trainer = pretend(tiny_trainer(sequences=10, batch_size=2))
    assert trainer.run(recorder(), nothing, lambda: trainer.sequences >= 10)


def test_a_run_that_has_all_its_sequences_does_nothing(tiny_trainer, recorder):
    sink, trainer = recorder(), pretend(tiny_trainer(sequences=10))
    trainer.sequences = 11
    assert trainer.run(sink, nothing, never)
    assert trainer.sequences == 11
    assert sink.calls == []


# The clock


def test_wall_seconds_add_up_over_resumes_and_rows_take_their_time_from_them(tiny_trainer, recorder, monkeypatch):
    clock = SimpleNamespace(now=1_000.0)
    monkeypatch.setattr("ntm_repro.training.loop.time", SimpleNamespace(monotonic=lambda: clock.now))

    def ticking(trainer):
        update = pretend(trainer).update

        def slow():
            clock.now += 2.0
            update()

        trainer.update = slow
        return trainer

    sink = recorder()
    trainer = ticking(tiny_trainer(sequences=3, log_every=2))
    trainer.run(sink, nothing, never)
    checkpoint = trainer.checkpoint()
    assert checkpoint.wall_seconds == trainer.wall_seconds == 6.0
    clock.now = 500_000.0  # the machine was off
    trainer = ticking(tiny_trainer(sequences=6, log_every=2))
    clock.now += 1.0  # reading the checkpoint does not count
    trainer.restore(checkpoint)
    trainer.run(sink, nothing, never)
    assert trainer.wall_seconds == 12.0
    assert [(row["sequences"], row["wall_seconds"]) for row in sink.rows] == [(2, 4.0), (4, 8.0), (6, 12.0)]
    assert [row["sequences_per_second"] for row in sink.rows] == [0.5, 0.5, 0.5]


# Going on


def trained(trainer, sink, save=nothing, until=None):
    """The trainer after its run; one that ends early ends after whole updates, not blocks of them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loop, "BLOCK_SECONDS", 0 if until is not None else loop.BLOCK_SECONDS)
        trainer.run(sink, save, never if until is None else lambda: trainer.sequences >= until)
    return trainer


def another_shape(checkpoint):
    name, tensor = next(iter(checkpoint.model.items()))
    checkpoint.model[name] = tensor[None]


def another_type(checkpoint):
    name, tensor = next(iter(checkpoint.model.items()))
    checkpoint.model[name] = tensor.double()


def a_tensor_missing(checkpoint):
    checkpoint.model.popitem()


def a_tensor_more(checkpoint):
    checkpoint.model["moon"] = torch.zeros(1)


def a_moment_that_would_broadcast(checkpoint):
    name = next(iter(checkpoint.optimiser["mean"]))
    checkpoint.optimiser["mean"][name] = torch.zeros(())


def a_moment_missing(checkpoint):
    del checkpoint.optimiser["change"]


@pytest.mark.parametrize(
    "spoil",
    [another_shape, another_type, a_tensor_missing, a_tensor_more, a_moment_that_would_broadcast, a_moment_missing],
)
def test_a_checkpoint_that_does_not_fit_is_refused_and_changes_nothing(tiny_trainer, snapshot, same, spoil):
    trainer = tiny_trainer()
    trainer.update()
    checkpoint = snapshot(trainer)
    checkpoint.model = dict(checkpoint.model)
    checkpoint.sequences += 5
    spoil(checkpoint)
    before = snapshot(trainer)
    with pytest.raises(UsageError, match="do not fit the model"):
        trainer.restore(checkpoint)
    before.wall_seconds = (after := snapshot(trainer)).wall_seconds
    assert same(after, before)


@every_kernel
@given(updates=st.integers(0, 5), batch_size=st.integers(1, 3), log_every=st.integers(1, 7), on_disk=st.booleans())
@settings(max_examples=20)
def test_a_restored_run_goes_on_to_the_same_bits(
    tiny_trainer, recorder, snapshot, same, tmp_path_factory, kernel, updates, batch_size, log_every, on_disk
):
    sizes = {"sequences": 5 * batch_size, "batch_size": batch_size, "log_every": log_every}
    asked = {**sizes, "learning_rate": 0.01, "kernel": kernel}
    straight_rows, first_rows, second_rows = recorder(), recorder(), recorder()
    straight = trained(tiny_trainer(**asked), straight_rows)

    first = trained(tiny_trainer(**asked), first_rows, until=updates * batch_size)
    assert first.sequences == updates * batch_size
    checkpoint = snapshot(first)
    if on_disk:
        folder = tmp_path_factory.mktemp("run")
        checkpoints.save(folder, checkpoint)
        checkpoint = checkpoints.load(folder / checkpoints.NEWEST)
    # Whatever the trainer did before, it goes on from the checkpoint.
    second = tiny_trainer(**asked)
    second.update()
    second.restore(checkpoint)
    trained(second, second_rows)

    assert same(essence(second.checkpoint()), essence(straight.checkpoint()))
    assert timeless(first_rows.rows + second_rows.rows) == timeless(straight_rows.rows)


@pytest.mark.parametrize(("first", "second"), [("eager", "numba"), ("numba", "eager")])
def test_a_run_can_go_on_with_another_kernel(tiny_trainer, recorder, snapshot, first, second):
    """To the same weights but for roundings, and to the same sequences."""
    asked = {"sequences": 8, "batch_size": 2, "learning_rate": 0.01}
    straight = trained(tiny_trainer(**asked, kernel=first), recorder())
    begun = trained(tiny_trainer(**asked, kernel=first), recorder(), until=4)
    changed = tiny_trainer(**asked, kernel=second)
    changed.restore(snapshot(begun))
    trained(changed, recorder())
    assert changed.sequences == straight.sequences == 8
    assert changed.window.bits == pytest.approx(straight.window.bits, rel=1e-5)
    for ours, theirs in zip(changed.model.parameters(), straight.model.parameters(), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-6)


def test_a_checkpoint_on_disk_is_not_touched_by_the_run_that_goes_on(tiny_trainer, recorder, same, tmp_path):
    trainer = tiny_trainer(sequences=4, checkpoint_every=2, learning_rate=0.01)
    trained(trainer, recorder(), lambda: checkpoints.save(tmp_path, trainer.checkpoint()), until=2)
    at_two = checkpoints.load(tmp_path / checkpoints.NEWEST)
    trained(trainer, recorder(), lambda: checkpoints.save(tmp_path, trainer.checkpoint()))
    assert checkpoints.load(tmp_path / checkpoints.NEWEST).sequences == 4
    assert same(checkpoints.load(tmp_path / checkpoints.PREVIOUS), at_two)


def test_how_often_a_run_logs_or_saves_does_not_change_what_it_learns(tiny_trainer, recorder, same):
    asked = {"sequences": 6, "learning_rate": 0.01, "anneal_from": 1, "anneal_to": 6}
    often = trained(tiny_trainer(**asked, log_every=1, checkpoint_every=1), recorder())
    seldom = trained(tiny_trainer(**asked, log_every=100, checkpoint_every=100), recorder())
    assert same(dict(often.model.state_dict()), dict(seldom.model.state_dict()))


def test_more_sequences_go_on_as_if_they_had_been_asked_for_at_once(tiny_trainer, recorder, snapshot, same):
    asked = {"batch_size": 2, "log_every": 3, "learning_rate": 0.01}
    # 5 is reached in the middle of a batch, which is trained on whole.
    short = trained(tiny_trainer(**asked, sequences=5), recorder())
    longer = tiny_trainer(**asked, sequences=10)
    longer.restore(snapshot(short))
    trained(longer, recorder())
    straight = trained(tiny_trainer(**asked, sequences=10), recorder())
    assert same(essence(longer.checkpoint()), essence(straight.checkpoint()))


def test_seeds_differ_in_weights_and_in_sequences(tiny_trainer):
    one, other = tiny_trainer(seed=1), tiny_trainer(seed=2)
    assert not torch.equal(one.model.output.weight, other.model.output.weight)
    assert not np.array_equal(one.stream.words(0, 4), other.stream.words(0, 4))


# Divergence


def breaking(change):
    """A way to break a trainer: from now on `change` has its way with what the kernel is given and what it gives."""

    def break_(trainer):
        compute = trainer.kernel.cost_and_gradient
        trainer.kernel.cost_and_gradient = lambda *given: change(trainer.kernel, compute, *given)

    break_.__name__ = change.__name__
    return break_


@breaking
def nan_everywhere(kernel, compute, x_TBI, target_TBO, mask_TO, bound):
    """A NaN on one input of the first step, and its way through the real kernel."""
    x_TBI = x_TBI.clone()
    x_TBI[0, 0, 0] = torch.nan
    return compute(x_TBI, target_TBO, mask_TO, bound)


@breaking
def nan_target(kernel, compute, x_TBI, target_TBO, mask_TO, bound):
    return compute(x_TBI, target_TBO * torch.nan, mask_TO, bound)


@breaking
def infinite_loss(kernel, compute, *given):
    cost = compute(*given)
    cost.bits_B[-1] = np.inf
    return cost


@breaking
def infinite_gradient(kernel, compute, *given):
    cost = compute(*given)
    kernel.parameters.named(kernel.parameters.gradients)["output.bias"][2] = -torch.inf
    return cost


@breaking
def nan_gradient(kernel, compute, *given):
    cost = compute(*given)
    kernel.parameters.named(kernel.parameters.gradients)["controller.layers.0.gates.weight"][1, 1] = torch.nan
    return cost


def overflowing_loss(trainer):
    """Each bit costs a finite amount, and their sum does not; the gradient is finite."""
    unroll = trainer.model.unroll

    def broken(x_TBI, **options):
        unrolled = unroll(x_TBI, **options)
        return unrolled._replace(y_TBO=unrolled.y_TBO * 0 + 3e38)

    trainer.model.unroll = broken


def assert_it_stops(trainer, snapshot, same, break_, what):
    """Before anything is changed, with the batch that gave it."""
    for _ in range(2):
        trainer.update()
    before = essence(snapshot(trainer))
    break_(trainer)
    with pytest.raises(Diverged, match=f"^the {what} is not finite at sequence 4$") as caught:
        trainer.update()
    assert same(essence(snapshot(trainer)), before)
    expected = trainer.task.draw(Stream(1, Purpose.TRAIN), 4, 2)
    assert caught.value.batch.first == 4
    assert np.array_equal(caught.value.batch.input_TBI, expected.input_TBI)
    assert np.array_equal(caught.value.batch.target_TBO, expected.target_TBO)


@every_kernel
@pytest.mark.parametrize("clip", list(Clip), ids=lambda clip: clip.name)
@pytest.mark.parametrize(
    ("break_", "what"),
    [
        (nan_everywhere, "loss"),
        (nan_target, "loss"),
        (infinite_loss, "loss"),
        (infinite_gradient, "gradient"),
        (nan_gradient, "gradient"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_what_is_not_finite_reaches_no_weight(tiny_trainer, snapshot, same, break_, what, clip, kernel):
    trainer = tiny_trainer(batch_size=2, clip=clip, learning_rate=0.01, kernel=kernel)
    assert_it_stops(trainer, snapshot, same, break_, what)


@pytest.mark.parametrize("clip", list(Clip), ids=lambda clip: clip.name)
def test_a_loss_that_overflows_where_it_is_summed_reaches_no_weight(tiny_trainer, snapshot, same, clip):
    trainer = tiny_trainer(batch_size=2, clip=clip, learning_rate=0.01)
    assert_it_stops(trainer, snapshot, same, overflowing_loss, "loss")


@every_kernel
def test_large_gradients_that_clipping_bounds_are_no_divergence(tiny_trainer, kernel):
    """Even if their squares overflow float32."""

    @breaking
    def huge(kernel, compute, *tensors):
        cost = compute(*tensors)
        kernel.parameters.gradients.mul_(1e25)
        return cost

    trainer = tiny_trainer(clip=Clip.value, learning_rate=0.01, kernel=kernel)
    huge(trainer)
    trainer.update()
    assert trainer.sequences == 1
    assert 1e24 < trainer.window.grad_norm_max < 1e27
    # A twentieth of what was stepped along.
    assert trainer.optimiser.slots["mean"].abs().max().item() == pytest.approx(10 / 20, rel=1e-6)
    assert all(parameter.isfinite().all() for parameter in trainer.model.parameters())


# Learning


@every_kernel
def test_it_learns(tiny_trainer, recorder, kernel):
    """One random byte is read back: it costs 8 bits to guess, and little after 2,400 sequences."""
    sink = recorder()
    trainer = tiny_trainer(
        task=Copy(max_length=1), seed=1, batch_size=8, sequences=2_400, log_every=400, learning_rate=0.01, kernel=kernel
    )
    trainer.run(sink, nothing, never)
    assert sink.rows[0]["bits_per_sequence"] > 5
    assert sink.rows[-1]["bits_per_sequence"] < 2
    assert sink.rows[-1]["error_bits"] < 0.5


def test_a_trainer_begins_at_sequence_0(tiny_trainer):
    trainer = tiny_trainer()
    assert isinstance(trainer, Trainer)
    assert trainer.sequences == 0
    assert trainer.checkpoint().window.updates == 0
