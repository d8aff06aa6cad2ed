"""Paths on the command line are what was typed, whatever characters they hold."""

from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from support.helpers import TINY

from ntm_repro.cli import compose, key_value, paths
from ntm_repro.cli.report import Options
from ntm_repro.errors import UsageError

ODD = (
    *("x #1", "004217", "/home/jürgen/x", "a (b)", "a=b", "[x]", "it's", "a,b", "null", "1e3", "{a: 1}", "???", "~"),
    *("$HOME", "a\\b", "a\\", "\\'", "a\\\\", "'q'", '"q"', "tab\there", "a\nb", "+x", " x "),
)
any_path = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), min_size=1).filter(
    lambda text: text.strip() and "${" not in text
)


def with_odd_examples(test):
    for text in ODD:
        test = example(text)(test)
    return test


@with_odd_examples
@given(any_path)
@settings(max_examples=50)
def test_hydra_reads_back_what_was_typed(text):
    (job,), sweep = compose.jobs([f"run_dir={text}", f"results_dir={text}"])
    assert (job.run_dir, job.results_dir) == (paths.literal("", text), paths.literal("", text))
    assert not sweep


@with_odd_examples
@given(any_path)
def test_commands_without_hydra_take_what_was_typed(text):
    options = key_value.parse("ntm-report", Options, [f"run={text}", f"out={text}"])
    assert options.run == options.out == paths.literal("", text)


def test_a_path_with_a_comma_is_no_sweep():
    jobs, sweep = compose.jobs(["-m", "run_dir=a,b"])
    assert sweep
    assert [job.run_dir for job in jobs] == ["a,b"]


def test_a_leading_tilde_is_the_home_folder(monkeypatch):
    monkeypatch.setenv("HOME", "/somewhere")
    assert paths.literal("run", "~/runs") == "/somewhere/runs"
    assert paths.literal("run", "a/~/b") == "a/~/b"


def test_an_interpolation_is_refused():
    with pytest.raises(UsageError, match=r"run=\$\{oc.env:HOME\}: a path is taken as it stands"):
        paths.literal("run", "${oc.env:HOME}")


def test_a_run_in_an_odd_folder_is_trained_evaluated_and_repeated(command, tmp_path):
    folder = "it's #1, [x]=ü (b) 'q' \\"
    words = ("train.sequences=2", "train.log_every=1", "kernel=eager", *TINY)
    for line in (
        ("train", f"run_dir={folder}", *words),
        ("eval", f"run={folder}", "lengths=[2]", "sequences=2"),
        ("train", f"run={folder}", f"run_dir={folder}/again"),
        ("train", "-m", "seed=1", f"results_dir={folder}/more", *words),
    ):
        done = command(*line)
        assert done.returncode == 0, done.stderr
    assert {path.name for path in tmp_path.iterdir()} == {folder}
    for path in (tmp_path / folder, tmp_path / folder / "again", *Path(tmp_path / folder / "more/copy/ntm").iterdir()):
        assert (path / "summary.json").is_file()
