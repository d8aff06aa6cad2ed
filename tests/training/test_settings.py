"""How the learning rate rises and falls, against a naive computation; what a bit counts in each loss."""

import math

import numpy as np
import pytest

from ntm_repro.errors import InvalidSetting
from ntm_repro.training.settings import Clip, Loss, Schedule, TrainSettings


def naive(sequences, rate, batch, warm_up, schedule, begin, end):
    """The rate of the update on the sequences from number `sequences` on."""
    if end > 0 and sequences > begin and schedule != "constant":
        done = (sequences - begin) / (end - begin)
        rate *= 1 - done if schedule == "linear" else 0.5 + 0.5 * math.cos(math.pi * done)
    if warm_up and sequences + batch < warm_up:
        rate *= (sequences + batch) / warm_up
    return rate


@pytest.mark.parametrize("schedule", ["linear", "cosine", "constant"])
@pytest.mark.parametrize(("begin", "end"), [(0, 0), (0, 40), (12, 40), (12, 80)])
@pytest.mark.parametrize(("warm_up", "batch"), [(0, 1), (8, 1), (8, 3), (20, 4)])
def test_the_rate_of_every_update(schedule, begin, end, warm_up, batch):
    settings = TrainSettings(
        sequences=40,
        batch_size=batch,
        learning_rate=0.01,
        warm_up=warm_up,
        schedule=Schedule[schedule],
        anneal_from=begin,
        anneal_to=end,
    )
    for sequences in range(0, 40, batch):
        expected = naive(sequences, 0.01, batch, warm_up, schedule, begin, end)
        assert settings.learning_rate_after(sequences) == pytest.approx(expected, rel=1e-12, abs=1e-18)


def test_with_the_defaults_it_is_the_rate_to_the_bit():
    settings = TrainSettings(learning_rate=1e-4)
    assert {settings.learning_rate_after(sequences) for sequences in (0, 1, 999_999)} == {1e-4}


def test_the_straight_line_has_the_bits_it_had_before_there_were_others():
    settings = TrainSettings(sequences=1000, learning_rate=3e-5, anneal_from=300, anneal_to=1000)
    for sequences in range(301, 1000):
        assert settings.learning_rate_after(sequences) == 3e-5 * ((1 - sequences / 1000) / (1 - 300 / 1000))


def test_a_half_cosine_is_half_way_down_in_the_middle():
    settings = TrainSettings(sequences=100, learning_rate=1.0, schedule=Schedule.cosine, anneal_to=100)
    assert settings.learning_rate_after(50) == pytest.approx(0.5, rel=1e-12)
    assert settings.learning_rate_after(1) > 0.999
    assert 0 < settings.learning_rate_after(99) < 0.001


@pytest.mark.parametrize("key", ["average_over", "warm_up", "anneal_from"])
def test_numbers_of_sequences_are_not_negative(key):
    with pytest.raises(InvalidSetting, match=f"^{key}=-1: must be 0 or more"):
        TrainSettings(**{key: -1})


@pytest.mark.parametrize(("batch_size", "over", "share"), [(1, 1_000, 0.001), (16, 1_000, 0.016), (16, 8, 1.0)])
def test_a_mean_over_sequences_takes_more_of_the_weights_after_a_larger_batch(batch_size, over, share):
    assert TrainSettings(batch_size=batch_size, average_over=over).share_of_the_mean == share


@pytest.mark.parametrize("sequences", [60, 100])
@pytest.mark.parametrize(("end", "expected"), [(100, [0, 0.072, 0.2, 0.072, 0]), (0, [0.2] * 5)])
def test_noise_on_the_inputs_is_full_half_way_however_long_the_run_is(sequences, end, expected):
    settings = TrainSettings(sequences=sequences, anneal_to=end, input_noise=0.2)
    widths = [settings.input_noise_after(sequences) for sequences in (0, 10, 50, 90, 100)]
    assert widths == pytest.approx(expected)


@pytest.mark.parametrize("sequences", [60, 100])
def test_noise_that_ends_before_the_rate_does_is_full_half_way_to_its_end_and_zero_after_it(sequences):
    settings = TrainSettings(sequences=sequences, anneal_to=100, input_noise=0.2, input_noise_until=0.6)
    widths = [settings.input_noise_after(sequences) for sequences in (0, 6, 30, 54, 60, 61, 100)]
    assert widths == pytest.approx([0, 0.072, 0.2, 0.072, 0, 0, 0])


@pytest.mark.parametrize("sequences", [60, 100])
def test_noise_that_begins_later_is_zero_until_then(sequences):
    settings = TrainSettings(
        sequences=sequences, anneal_to=100, input_noise=0.2, input_noise_from=0.2, input_noise_until=0.6
    )
    widths = [settings.input_noise_after(sequences) for sequences in (0, 19, 20, 24, 40, 56, 60, 61, 100)]
    assert widths == pytest.approx([0, 0, 0, 0.072, 0.2, 0.072, 0, 0, 0], abs=1e-12)


@pytest.mark.parametrize("begin", [-0.1, 0.6, 1.0, math.nan])
def test_noise_begins_before_it_ends(begin):
    with pytest.raises(InvalidSetting, match=r"^input_noise_from=.*: must be a share, from 0 to below .*_until=0.6"):
        TrainSettings(input_noise_from=begin, input_noise_until=0.6)


@pytest.mark.parametrize("until", [0.0, -0.5, 1.01, math.inf, math.nan])
def test_noise_ends_within_the_course_of_the_rate(until):
    with pytest.raises(InvalidSetting, match=r"^input_noise_until=.*: must be a share, above 0 and not above 1"):
        TrainSettings(input_noise_until=until)


# Losses

MASK_TO = np.array([[0, 0, 0], [1, 1, 0], [1, 1, 1]], np.float32)  # five scored outputs


@pytest.mark.parametrize(("loss", "bit"), [("bits", 1.0), ("nats", math.log(2)), ("mean", math.log(2) / 5)])
def test_what_a_bit_counts(loss, bit):
    settings = TrainSettings(loss=Loss[loss], clip_through_time=False)
    assert settings.loss_of_a_bit(MASK_TO) == pytest.approx(bit, rel=1e-15)


def test_a_sequence_without_a_scored_output_is_no_trouble():
    settings = TrainSettings(loss=Loss.mean, clip_through_time=False)
    assert settings.loss_of_a_bit(0 * MASK_TO) == math.log(2)


@pytest.mark.parametrize("clip", list(Clip), ids=lambda clip: clip.name)
@pytest.mark.parametrize("bit", [1.0, 0.25])
def test_it_is_the_gradient_of_the_loss_that_is_clipped(clip, bit):
    """The gradient of the bits is (30, 40), of norm 50; the limit is 20."""
    settings = TrainSettings(clip=clip, clip_at=20.0, loss_scale=3.0)
    factor, bound = settings.clip_of(50.0, bit)
    found = [min(factor * g, bound) for g in (30.0, 40.0)]
    of_loss = [bit * 30.0, bit * 40.0]
    clipped = {
        Clip.value: [min(g, 20.0) for g in of_loss],
        Clip.norm: [g * min(1.0, 20.0 / (bit * 50.0)) for g in of_loss],
        Clip.none: of_loss,
    }[clip]
    assert found == pytest.approx([3.0 * g for g in clipped], rel=1e-12)


def test_through_time_the_gradient_of_the_loss_is_bounded_too():
    assert TrainSettings(clip_at=5.0).gradient_bound == 5.0
    assert TrainSettings(clip_at=5.0, loss=Loss.nats).gradient_bound * math.log(2) == pytest.approx(5.0, rel=1e-15)
    assert TrainSettings(clip_at=5.0, loss=Loss.mean, clip_through_time=False).gradient_bound == math.inf
    with pytest.raises(InvalidSetting, match=r"^clip_through_time=True: must be false with loss=mean"):
        TrainSettings(loss=Loss.mean)
