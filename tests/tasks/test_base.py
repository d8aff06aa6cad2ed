"""What holds for every task."""

import pytest

from ntm_repro import tasks
from ntm_repro.evidence.runs import TASKS
from ntm_repro.randomness import Purpose, Stream


@pytest.mark.parametrize("name", TASKS)
def test_every_setting_that_models_are_tested_on_is_one_of_the_task(name):
    task = tasks.find(name)()
    for setting in (*task.grid, *(probe.setting for probe in task.beyond)):
        plain = list(setting) if isinstance(setting, tuple) else setting
        assert task.parse_setting(plain) == setting
        batch = task.draw(Stream(1, Purpose.EVALUATION), 0, 2, setting)
        assert batch.setting == setting
        assert batch.mask_TO.any()


@pytest.mark.parametrize("name", TASKS)
def test_what_is_tested_beyond_the_paper_goes_further_than_the_grid(name):
    task = tasks.find(name)()

    def steps(setting):
        return task.draw(Stream(1, Purpose.EVALUATION), 0, 1, setting).input_TBI.shape[0]

    furthest = max(map(steps, task.grid))
    assert max(steps(probe.setting) for probe in task.beyond) > furthest
    assert len(set(task.beyond)) == len(task.beyond)
