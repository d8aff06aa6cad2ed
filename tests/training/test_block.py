"""Updates in blocks are the updates one by one, to the bit, whatever a block's size and wherever it ends."""

import math
import signal
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ntm_repro import kernels, models
from ntm_repro.models import lstm, ntm
from ntm_repro.models.ntm import ControllerSettings, MemorySettings
from ntm_repro.optimisers import adam, graves_rmsprop, norm, rmsprop, steady_adam
from ntm_repro.tasks.copy import Copy
from ntm_repro.training import drawing, loop
from ntm_repro.training.block import BlockOfUpdates
from ntm_repro.training.interruption import StopRequest
from ntm_repro.training.loop import Diverged, Trainer
from ntm_repro.training.settings import Clip, Loss, TrainSettings

NTM = ntm.Settings("ntm", ControllerSettings(size=8), memory=MemorySettings(locations=8, width=4))
LSTM = lstm.Settings(size=9, layers=2)
RULES = {"adam": adam, "graves_rmsprop": graves_rmsprop, "rmsprop": rmsprop, "steady_adam": steady_adam}
# A rate that rises, stays and falls, from update to update.
CHANGING = {"learning_rate": 0.01, "warm_up": 20, "anneal_from": 50, "anneal_to": 4_000}

every_rule = pytest.mark.parametrize("rule", RULES)


def make(model=NTM, task=None, rule="graves_rmsprop", kernel="numba", **train):
    task = task or Copy(max_length=3)
    return Trainer(
        task=task,
        kernel=kernels.choose(kernel, models.build(model, task.inputs, task.outputs, seed=1)),
        settings=TrainSettings(**{"sequences": 200, **CHANGING, **train}),
        seed=1,
        device=torch.device("cpu"),
        identity="",
        optimiser_settings=RULES[rule].Settings(),
    )


@pytest.fixture
def size(monkeypatch):
    """A function that sets the number of updates in a block, whatever time they take."""

    def set_size(updates):
        monkeypatch.setattr(drawing, "BATCHES", updates)
        monkeypatch.setattr(drawing, "SECONDS", 3600)
        monkeypatch.setattr(loop, "BLOCK_SECONDS", math.inf)

    return set_size


@pytest.fixture
def threads():
    """Set the number of torch's threads; as before afterwards."""
    before = torch.get_num_threads()
    yield torch.set_num_threads
    torch.set_num_threads(before)


def one_by_one(trainer, until=None):
    while trainer.sequences < (until or trainer.settings.sequences):
        trainer.update()
    return trainer


def in_blocks(trainer, recorder, stopped=lambda: False, save=lambda: None):
    """The sink of a run, and the number of sequences of each of its blocks."""
    sink = recorder()
    trainer.run(sink, save, stopped)
    return sink, [call[1] for call in sink.calls if call[0] == "progress"]


def state(trainer):
    """All that a checkpoint keeps but the times."""
    kept = vars(trainer.checkpoint()) | {"window": vars(trainer.window) | {"opened_at": 0.0}}
    del kept["wall_seconds"]
    return {**kept, "rate": trainer.learning_rate, "gradient": trainer.kernel.parameters.gradients}


# The same bits


@every_rule
@pytest.mark.parametrize("updates", [1, 2, 7, 64])
@pytest.mark.parametrize("model", [NTM, LSTM], ids=["ntm", "lstm"])
def test_any_size_of_block_gives_the_same_bits(model, updates, rule, size, recorder, same):
    size(updates)
    trainer = make(model, rule=rule)
    _, sizes = in_blocks(trainer, recorder)
    assert sizes == [updates] * (200 // updates) + [200 % updates] * (200 % updates > 0)
    assert same(state(trainer), state(one_by_one(make(model, rule=rule))))


@every_rule
@pytest.mark.parametrize("count", [1, 2])
@pytest.mark.parametrize("batch_size", [3, 9])
def test_any_number_of_threads_gives_the_same_bits(batch_size, count, rule, size, threads, recorder, same):
    """With two threads a batch of nine is shared out, update by update; one of three is not worth it."""
    size(16)
    asked = {"rule": rule, "batch_size": batch_size, "sequences": 20 * batch_size}
    expected = state(one_by_one(make(**asked)))
    threads(count)
    trainer = make(**asked)
    _, sizes = in_blocks(trainer, recorder)
    whole = count == 1 or batch_size == 3
    assert sizes == ([16 * batch_size, 4 * batch_size] if whole else [batch_size] * 20)
    assert same(state(trainer), expected)


@pytest.mark.parametrize("loss_scale", [1.0, 0.3])
@pytest.mark.parametrize("clip", list(Clip), ids=lambda clip: clip.name)
def test_every_clip_gives_the_same_bits(clip, loss_scale, size, recorder, same):
    """At a limit that some gradients exceed, through time too."""
    size(16)
    asked = {"clip": clip, "clip_at": 0.4, "loss_scale": loss_scale, "batch_size": 2}
    trainer = make(**asked)
    in_blocks(trainer, recorder)
    assert trainer.window.grad_norm_max > 0.4
    assert same(state(trainer), state(one_by_one(make(**asked))))


def test_noise_on_the_inputs_is_the_same_in_a_block(size, recorder, same):
    size(16)
    trainer = make(input_noise=0.1, batch_size=2)
    in_blocks(trainer, recorder)
    assert same(state(trainer), state(one_by_one(make(input_noise=0.1, batch_size=2))))
    assert not same(state(trainer), state(one_by_one(make(batch_size=2))))


@every_rule
@pytest.mark.parametrize("batch_size", [1, 2])
def test_the_mean_of_the_weights_and_its_costs_are_the_same_in_a_block(batch_size, rule, size, recorder, same):
    size(16)
    asked = {"average_over": 30, "batch_size": batch_size, "rule": rule}
    trainer, single = make(**asked), one_by_one(make(**asked))
    in_blocks(trainer, recorder)
    assert same(state(trainer), state(single))
    plain = one_by_one(make(**asked | {"average_over": 0}))
    assert torch.equal(trainer.kernel.parameters.values, plain.kernel.parameters.values)  # steps know nothing of it
    assert not torch.equal(trainer.mean_P, trainer.kernel.parameters.values)


@pytest.mark.parametrize("clip", [Clip.value, Clip.norm], ids=lambda clip: clip.name)
@pytest.mark.parametrize("loss", [Loss.nats, Loss.mean], ids=lambda loss: loss.name)
def test_every_loss_gives_the_same_bits(loss, clip, size, recorder, same):
    """At a limit that some gradients exceed, of sequences of three lengths."""
    size(16)
    asked = {"loss": loss, "clip": clip, "clip_at": 0.02, "clip_through_time": False, "batch_size": 2}
    trainer = make(**asked)
    in_blocks(trainer, recorder)
    assert same(state(trainer), state(one_by_one(make(**asked))))
    if clip is Clip.value:  # a norm at its limit is the same for all
        assert not same(state(trainer), state(one_by_one(make(**asked | {"loss": Loss.bits}))))


@given(
    updates=st.integers(1, 12),
    sequences=st.integers(1, 60),
    batch_size=st.integers(1, 4),
    log_every=st.integers(1, 20),
    checkpoint_every=st.integers(1, 20),
    rule=st.sampled_from(list(RULES)),
)
@settings(max_examples=30)
def test_rows_and_checkpoints_are_those_of_single_updates(
    tmp_path_factory, recorder, same, updates, sequences, batch_size, log_every, checkpoint_every, rule
):
    asked = {"sequences": sequences, "batch_size": batch_size, "log_every": log_every}
    asked |= {"checkpoint_every": checkpoint_every, "rule": rule}

    def trained(updates):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(drawing, "BATCHES", updates)
            patch.setattr(loop, "BLOCK_SECONDS", math.inf)
            trainer, saved = make(**asked), []
            sink, _ = in_blocks(trainer, recorder, save=lambda: saved.append(trainer.kernel.parameters.values.clone()))
        times = {"sequences_per_second": 0, "wall_seconds": 0}
        return [row | times for row in sink.rows], saved, state(trainer)

    assert same(trained(updates), trained(1))


@given(
    stops=st.lists(st.tuples(st.integers(1, 9), st.integers(1, 40)), min_size=1, max_size=4),
    average_over=st.sampled_from([0, 10]),
)
@settings(max_examples=30)
def test_a_run_that_is_stopped_and_resumed_gives_the_same_bits(stops, average_over, recorder, same):
    """Stopped after the block in which a number of sequences is reached, in blocks of another size each time."""
    asked = {"sequences": 50, "average_over": average_over}
    straight, before = one_by_one(make(**asked)), None
    for updates, after in [*stops, (64, 50)]:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(drawing, "BATCHES", updates)
            patch.setattr(loop, "BLOCK_SECONDS", math.inf)
            trainer = make(**asked)
            if before is not None:
                trainer.restore(before.checkpoint())
            in_blocks(trainer, recorder, stopped=lambda trainer=trainer, after=after: trainer.sequences >= after)
        before = trainer
    assert same(state(before), state(straight))


# Signals


def test_a_signal_in_a_block_stops_the_run_after_it(size, recorder, same, monkeypatch):
    """It comes while compiled code runs, and is noted as that returns."""
    size(7)
    trainer = make()
    run = BlockOfUpdates.run

    def interrupted(block, *given):
        updates = run(block, *given)
        if trainer.sequences == 14:
            signal.raise_signal(signal.SIGTERM)
        return updates

    monkeypatch.setattr(BlockOfUpdates, "run", interrupted)
    with StopRequest() as stop:
        _, sizes = in_blocks(trainer, recorder, stopped=lambda: stop.received)
    assert sizes == [7, 7, 7]
    assert same(state(trainer), state(one_by_one(make(), until=21)))


def test_a_block_takes_no_more_time_than_it_may_as_far_as_is_known(monkeypatch, recorder):
    monkeypatch.setattr(drawing, "SECONDS", 3600)
    monkeypatch.setattr(loop, "BLOCK_SECONDS", 1.0)
    trainer = make(task=Copy(min_length=3, max_length=3))  # eight steps each
    given, run = [], BlockOfUpdates.run

    def timed(block, batches, *rest):
        given.append(len(batches))
        updates = run(block, batches, *rest)
        Clock.now += 0.3 * len(batches)
        return updates

    class Clock:
        now = 0.0
        perf_counter = monotonic = classmethod(lambda clock: clock.now)

    monkeypatch.setattr(BlockOfUpdates, "run", timed)
    monkeypatch.setattr(loop, "time", Clock)
    in_blocks(trainer, recorder, stopped=lambda: trainer.sequences >= 10)
    assert given == [1, 3, 3, 3]


# What a block leaves to single updates


@dataclass(frozen=True)
class Heavy(Copy):
    """Copy, but each bit of sequence 11 counts `weight` times."""

    max_length: int = 3
    weight: float = math.nan

    def draw(self, stream, first, count, condition=None):
        batch = super().draw(stream, first, count, condition)
        if first <= 11 < first + count:
            batch.mask_TO[:] *= np.float32(self.weight)
        return batch


@every_rule
@pytest.mark.parametrize("clip", list(Clip), ids=lambda clip: clip.name)
@pytest.mark.parametrize(("weight", "what"), [(math.nan, "loss"), (3e38, "gradient")])
def test_divergence_within_a_block_changes_nothing_and_names_its_batch(weight, what, clip, rule, size, recorder, same):
    size(8)
    task = Heavy(min_length=12, max_length=12, weight=weight)
    asked = {"task": task, "batch_size": 2, "rule": rule, "clip": clip, "learning_rate": 1e-4}
    trainer = make(**asked)
    with pytest.raises(Diverged, match=f"^the {what} is not finite at sequence 10$") as caught:
        in_blocks(trainer, recorder)
    assert caught.value.batch.first == 10
    assert np.array_equal(caught.value.batch.mask_TO.max(), np.float32(weight), equal_nan=True)
    trainer.kernel.parameters.gradients.zero_()
    expected = one_by_one(make(**asked), until=10)
    expected.kernel.parameters.gradients.zero_()
    assert same(state(trainer), state(expected))


@every_rule
@pytest.mark.parametrize("clip", [Clip.value, Clip.norm], ids=lambda clip: clip.name)
def test_squares_that_overflow_are_looked_at_closer_and_the_run_goes_on(clip, rule, size, recorder, same):
    size(8)
    asked = {"task": Heavy(weight=1e22), "clip": clip, "sequences": 30, "rule": rule}
    trainer = make(**asked)
    _, sizes = in_blocks(trainer, recorder)
    assert sizes == [8, 4, 4, 8, 6]  # the last of the first four is sequence 11, by itself
    assert 1e20 < trainer.window.grad_norm_max < math.inf
    assert same(state(trainer), state(one_by_one(make(**asked))))


def refusing(monkeypatch, threads):
    monkeypatch.setattr(norm, "WHOLE", 0)


def worth_sharing(monkeypatch, threads):
    monkeypatch.setattr("ntm_repro.jit.threads.WORTH_SHARING", 1)
    threads(2)


@pytest.mark.parametrize("why", [refusing, worth_sharing])
def test_what_a_block_does_not_take_is_trained_one_by_one(why, size, recorder, same, monkeypatch, threads):
    expected = state(one_by_one(make(sequences=20)))
    size(8)
    why(monkeypatch, threads)
    trainer = make(sequences=20)
    _, sizes = in_blocks(trainer, recorder)
    assert sizes == [1] * 20
    assert same(state(trainer), expected)


def test_a_rule_without_a_compiled_step_trains_one_by_one(size, recorder, monkeypatch):
    size(8)
    compiled = one_by_one(make(rule="adam", sequences=20))
    monkeypatch.delattr(adam, "compiled_step")
    trainer = make(rule="adam", sequences=20)
    _, sizes = in_blocks(trainer, recorder)
    assert sizes == [1] * 20
    torch.testing.assert_close(
        trainer.kernel.parameters.values, compiled.kernel.parameters.values, rtol=1e-3, atol=1e-5
    )


def test_an_eager_model_trains_one_by_one(size, recorder):
    size(8)
    _, sizes = in_blocks(make(kernel="eager", sequences=5), recorder)
    assert sizes == [1] * 5


def test_a_batch_of_another_kind_is_refused_as_ever(size, recorder):
    @dataclass(frozen=True)
    class Misshapen(Copy):
        max_length: int = 3

        def draw(self, stream, first, count, condition=None):
            batch = super().draw(stream, first, count, condition)
            return batch if first < 3 else batch._replace(target_TBO=batch.target_TBO[:, :, :-1])

    size(8)
    trainer = make(task=Misshapen())
    with pytest.raises(ValueError, match="target_TBO: shape"):
        in_blocks(trainer, recorder)
    assert trainer.sequences == 3
