"""A phrase for each step, and those of the answer where the task scores."""

import pytest

from ntm_repro import tasks
from ntm_repro.evidence.runs import NAMES
from ntm_repro.figures.channels import CHANNELS
from ntm_repro.randomness import Purpose, Stream
from ntm_repro.report.recordings import SCENES
from ntm_repro.report.step_captions import extent, phases

SETTINGS = [(task, setting) for task, settings in SCENES.items() for setting in settings]


@pytest.mark.parametrize(("task", "setting"), SETTINGS)
def test_they_say_answer_where_the_task_scores(task, setting):
    batch = tasks.find(task)().draw(Stream(1, Purpose.EXAMPLE), 0, 1, setting)
    said = phases(task, setting)
    assert [phrase.startswith("answer") for phrase in said] == (batch.mask_TO > 0).any(1).tolist()


@pytest.mark.parametrize(("task", "setting"), SETTINGS)
def test_they_say_flag_where_a_flag_channel_is_set(task, setting):
    batch = tasks.find(task)().draw(Stream(1, Purpose.EXAMPLE), 0, 1, setting)
    first, flags = 0, set()
    for name, count in CHANNELS[task].inputs.items():
        if name in ("start", "end", "item", "query"):
            flags |= set(batch.input_TBI[:, 0, first].nonzero()[0].tolist())
        first += count
    assert {step for step, phrase in enumerate(phases(task, setting)) if "flag" in phrase} == flags


def test_every_task_has_scenes_of_different_extents():
    assert list(SCENES) == list(NAMES)
    assert len({(task, extent(task, setting)) for task, setting in SETTINGS}) == len(SETTINGS)
