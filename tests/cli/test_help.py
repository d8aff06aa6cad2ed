"""Help and printed configs: complete, and fast because they never import torch."""

import sys

import pytest
from support import processes


@pytest.mark.parametrize(
    "words",
    [("train", "--help"), ("train", "--cfg", "job"), ("eval", "--help"), ("bench", "--help"), ("figures", "--help")],
)
def test_without_torch(words):
    script = (
        "import sys; from ntm_repro.__main__ import main; sys.argv = ['ntm', *sys.argv[1:]]\n"
        "try: main()\nexcept SystemExit as end: assert not end.code, end.code\n"
        "assert 'torch' not in sys.modules"
    )
    done = processes.run([sys.executable, "-c", script, *words])
    assert done.returncode == 0, done.stderr


def test_help_names_every_setting(command):
    text = command("train", "--help").stdout
    for word in (
        "task: associative_recall, copy, dynamic_ngrams, priority_sort, repeat_copy",
        "model: lstm, ntm, ntm_ff",
        "train.",
        "seed",
        "kernel=auto|eager|numba",
        "resume",
        "exit codes",
        "run=PATH",
    ):
        assert word in text


def test_cfg_shows_the_papers_values_and_the_changes(command):
    text = command("train", "--cfg", "job", "model=lstm", "train.batch_size=4").stdout
    assert "learning_rate: 3.0e-05" in text
    assert "batch_size: 4" in text
    assert "size: 256" in text


def test_eval_help_and_bare_call(command):
    full = command("eval", "--help")
    assert full.returncode == 0
    assert "[kernel=auto|eager|numba]" in full.stdout
    bare = command("eval")
    assert bare.returncode == 2
    assert "usage: ntm-eval" in bare.stdout
