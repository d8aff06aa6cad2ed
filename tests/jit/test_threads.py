"""Sharing work: every part once, and no failure lost."""

import pytest

from ntm_repro.jit.threads import share


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
