"""Command lines that nobody would write by hand: each is done, or refused in three lines or less with nothing begun."""

import shlex
import shutil

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.fuzzing import SMALL, check_lines, fuzz

numbers = st.one_of(
    st.integers(-3, 12).map(str),
    st.sampled_from(
        ["1e-300", "1e300", "-0.0", "nan", "inf", "-inf", "1_0", "0x3", "01", "1e-5", ".5", "1.", "9" * 40, "1e-9999"]
    ),
)
# No letter or digit beyond these: a drawn word is never a number of sequences that takes hours.
words = st.text(
    st.one_of(
        st.characters(exclude_categories=("Cs", "Nd", "No", "Nl")), st.sampled_from("\0\n\t\\'\"${}[](),:=+~@/.*|")
    ),
    max_size=12,
)
odd = st.sampled_from(
    [" ", "null", "true", "[]", "{}", "[1,2]", "[[1],[2]]", "{a:1}", "1,2", "range(1,3)", "glob(*)", "choice(1,2)", ""]
)
ODDER = """
${seed} ${oc.env:HOME} ${variant:} ${nowhere} ${run_dir} $ ??? ' " \\ é 日本 🧠 interval(0,1) shuffle(1,2) sort(2,1)
tag(a,1) str(1) float(2) int(1.5) extend_list(1) @
"""
odder = st.sampled_from(ODDER.split())
values = st.one_of(numbers, odd, odder, words)
# Those that make a run longer or larger take small values only, if valid ones at all.
KEYS = """
seed train train.batch_size train.learning_rate train.clip_at train.clip train.clip_through_time train.loss_scale
train.anneal_from train.anneal_to train.log_every train.checkpoint_every model model.heads model.shift_range
model.activation model.read_order model.controller model.memory.start model.controller.layers model.moon task
task.min_length task.name resume device threads debug experiment run_dir results_dir paper run moon hydra hydra.mode
hydra/launcher hydra.launcher.n_jobs hydra.verbose hydra.sweeper.params hydra.job.env_set.A hydra.callbacks.x._target_
hydra/job_logging hydra.searchpath
"""
keys = st.sampled_from(KEYS.split())
prefixes = st.sampled_from(["", "", "", "", "+", "++", "~"])
overrides = st.one_of(
    st.builds("{}{}={}".format, prefixes, keys, values),
    st.builds("{}{}={}".format, prefixes, words, values),
    st.builds("~{}".format, keys),
    words,
)
options = st.sampled_from(
    [(), (), (), ("-m",), ("--cfg", "job"), ("--help",), ("--version",), ("--info", "defaults"), ("-r",)]
)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("fuzz")


def check(done, place, typed):
    """As the contract has it, and the folder as it was."""
    check_lines(done, typed)
    if done.returncode == 2:
        assert list(place.iterdir()) == [], typed
    for folder in place.rglob("config.yaml"):
        if folder.parent.name != ".hydra":
            assert (folder.parent / "weights.safetensors").exists(), typed
    for entry in place.iterdir():
        shutil.rmtree(entry) if entry.is_dir() else entry.unlink()


@pytest.mark.slow
@pytest.mark.timeout(3600)
@given(typed=st.lists(overrides, max_size=4), option=options)
@fuzz(600)
def test_any_command_line_is_done_or_refused(typed, option, forks, place):
    typed = [word.replace("\0", "") for word in typed]  # the operating system passes on none
    line = ("train", *option, *SMALL, *typed)
    check(forks(*line, cwd=place), place, shlex.join(line))


@pytest.mark.slow
@pytest.mark.timeout(3600)
@given(
    typed=st.lists(overrides, max_size=3),
    key=st.sampled_from(["lengths", "sequences", "locations", "threads", "run"]),
    value=values,
)
@fuzz(150)
def test_any_evaluation_is_refused_where_there_is_no_run(typed, key, value, forks, place):
    typed = [word.replace("\0", "") for word in (*typed, f"{key}={value}")]
    line = ("eval", "run=nowhere", *typed)
    check(forks(*line, cwd=place), place, shlex.join(line))
