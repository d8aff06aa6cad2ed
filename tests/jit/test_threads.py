"""Sharing work: every part once, no failure lost, and no two groups that wait for each other's threads."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from ntm_repro.jit.threads import share, share_together


@pytest.mark.parametrize("parts", [1, 2, 5])
def test_every_part_is_done_once(parts):
    done = []
    share(lambda what, part, of: done.append((what, part, of)), parts, "work")
    assert sorted(done) == [("work", part, parts) for part in range(parts)]


@pytest.mark.parametrize("failing", [0, 1, 2])
def test_a_failure_in_any_part_is_raised(failing):
    done = []

    def work(part, parts):
        done.append(part)
        if part == failing:
            raise ValueError(f"part {part}")

    with pytest.raises(ValueError, match=f"part {failing}"):
        share(work, 3)
    assert sorted(done) == [0, 1, 2]


def test_groups_whose_parts_wait_for_each_other_do_not_mix():
    """Of three parts each two run on the pool's two threads: were they of two groups, both would wait for ever."""

    def meet(_):
        all_here = Barrier(3)
        for _ in range(20):
            share_together(lambda part, parts: all_here.wait(timeout=60), 3)

    with ThreadPoolExecutor(4) as callers:
        list(callers.map(meet, range(4)))
