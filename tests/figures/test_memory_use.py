"""Figures 6, 9 and 12 hold what went in and out of memory, and where. T: time steps, N: locations."""

import numpy as np
import pytest
from matplotlib.patches import Rectangle
from support.untrained import images, sources, sticks_out, texts

from ntm_repro.evaluation.locations import mean_maximum, used_rows, written_last
from ntm_repro.evaluation.traces import answer, trace
from ntm_repro.figures import memory_use


@pytest.fixture(scope="module", params=memory_use.SCENES)
def drawn(request, tmp_path_factory):
    """The task, its figure, and the trace it is drawn from."""
    evidence = sources(tmp_path_factory.mktemp("evidence"), (request.param, "ntm"))
    trained = evidence.trained(request.param, "ntm")
    condition = memory_use.SCENES[request.param].condition
    traced = trace(trained.task, trained.kernel, condition, 1)
    return request.param, memory_use.draw(evidence, request.param), traced


def columns(task, traced):
    """What both columns show: the steps up to the answer and those of the answer, or in recall twice all of them."""
    asked, steps = answer(traced).first, len(traced.output_TO)
    whole = task == "associative_recall"
    return (slice(0, steps), slice(0, steps)) if whole else (slice(0, asked), slice(asked, steps))


def rows(task, traced):
    left, _ = columns(task, traced)
    said = answer(traced)
    written = traced.heads.write_weighting_TWN[left, 0].max(0)
    read = traced.heads.read_weighting_TRN[said.first :, 0].max(0)
    return used_rows(np.maximum(written, read))


def test_panels_hold_the_traced_numbers(drawn):
    task, figure, traced = drawn
    (left, right), row_N, heads = columns(task, traced), rows(task, traced), traced.heads
    expected = [
        traced.batch.input_TBI[left, 0],
        traced.output_TO[right, : {"copy": 8}.get(task)],
        heads.add_TWM[left, 0],
        heads.read_TRM[right, 0],
        heads.write_weighting_TWN[left, 0][:, row_N],
        heads.read_weighting_TRN[right, 0][:, row_N],
    ]
    for found, array in zip(images(figure), expected, strict=True):
        np.testing.assert_array_equal(found, array.T)


def test_the_caption_says_how_sharp_the_heads_are(drawn):
    task, figure, traced = drawn
    said = answer(traced)
    reading = mean_maximum(traced.heads.read_weighting_TRN[said.first :, 0])
    writing = mean_maximum(traced.heads.write_weighting_TWN[memory_use.SCENES[task].seen, 0])
    assert f"reading {reading:.3f}" in texts(figure)
    assert f"writing {writing:.3f}" in texts(figure)
    assert f"{said.wrong_AC.sum()} of {said.wrong_AC.size} bits wrong" in texts(figure)


def test_the_steps_said_to_show_what_is_to_be_remembered_do(drawn):
    task, _, traced = drawn
    bits = {"copy": 8}.get(task, 6)
    shown_T = traced.batch.input_TBI[:, 0, :bits].any(1)
    seen = memory_use.SCENES[task].seen
    query = 4 if task == "associative_recall" else 0  # shown once more after the items
    assert shown_T[seen].sum() >= 0.6 * (seen.stop - seen.start)
    assert not shown_T[seen.stop + query :].any()


def test_nothing_is_cut_off(drawn):
    assert max(sticks_out(drawn[1])) == 0


def test_recall_frames_what_the_answer_is_read_from(drawn):
    task, figure, traced = drawn
    if task != "associative_recall":
        return
    writing, reading = [axes for axes in figure.axes if axes.images][-2:]
    framed = [
        [tuple(np.add(patch.get_xy(), 0.5)) for patch in axes.patches if isinstance(patch, Rectangle)]
        for axes in (writing, reading)
    ]
    row_N = rows(task, traced).tolist()
    read_TN, write_TN = traced.heads.read_weighting_TRN[:, 0], traced.heads.write_weighting_TWN[:, 0]
    locations = [(step, int(read_TN[step].argmax())) for step in (29, 30, 31)]
    assert framed[1] == [(step, row_N.index(n)) for step, n in locations if n in row_N]
    written = [(written_last(write_TN, n, 24), row_N.index(n)) for _, n in locations if n in row_N]
    assert framed[0] == [(step, row) for step, row in written if step is not None]


@pytest.mark.parametrize("task", memory_use.SCENES)
def test_without_weights_it_says_how_to_get_them(task, tmp_path):
    assert f"make reproduce TASKS={task} MODELS=ntm" in texts(memory_use.draw(sources(tmp_path), task))
