"""Several processes draw what one draws."""

import pytest
from support.recorded_runs import record

from ntm_repro.cli.load_run import task_and_kernel
from ntm_repro.figures.run_store import RunStore
from ntm_repro.report.drawing import pictures

NAMES = ["fig03", "fig07", "fig10"]


@pytest.fixture(scope="module")
def evidence(tmp_path_factory):
    root = tmp_path_factory.mktemp("evidence")
    for task in ("copy", "repeat_copy", "associative_recall"):
        record(root, task, "ntm", 1, [8.0] * 10 + [0.01] * 20)
    return RunStore(root, task_and_kernel)


def test_the_same_pictures_by_more_processes_than_figures(evidence):
    told = []
    alone = pictures(NAMES, evidence, 1, told.append)
    assert (list(alone), told) == (NAMES, NAMES)
    assert [picture.width for picture in alone.values()] == [1200] * 3
    assert len({picture.data for picture in alone.values()}) == 3
    told.clear()
    assert pictures(NAMES, evidence, 5, told.append) == alone
    assert told == NAMES[:1]  # the others are drawn elsewhere


def test_what_fails_in_another_process_is_told_here(evidence):
    with pytest.raises(KeyError, match="fig99"):
        pictures(["fig03", "fig99"], evidence, 2)


def test_nothing_to_draw(evidence):
    assert pictures([], evidence, 2) == {}
