"""Which input channels hold bits."""

import numpy as np
import pytest

from ntm_repro import paper, tasks
from ntm_repro.tasks.base import Batch
from ntm_repro.tasks.input_channels import hold_bits

OTHERS = {"repeat_copy": [7], "priority_sort": [8]}  # the number of repeats; the priority


@pytest.mark.parametrize("name", paper.TASKS)
def test_of_the_papers_tasks_all_do_but_for_the_count_and_the_priority(name):
    task = tasks.find(name)()
    assert np.flatnonzero(~hold_bits(task)).tolist() == OTHERS.get(name, [])
    assert len(hold_bits(task)) == task.inputs


class Made:
    """A task of three channels: a single one at the last of its sequences that are looked at, nothing, and one half."""

    inputs = 3

    def draw(self, stream, first, count, condition=None):
        input_TBI = np.zeros((5, 1, 3), np.float32)
        input_TBI[2, 0, 0] = first == 399
        input_TBI[3, 0, 2] = 0.5 if first == 399 else 1.0
        return Batch(first, None, input_TBI, input_TBI, input_TBI[:, 0])


def test_a_single_other_value_is_enough():
    assert hold_bits(Made()).tolist() == [True, True, False]
