"""Paths on the command line are what was typed, whatever characters they hold."""

import os
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from support.helpers import TINY
from support.run_results import summary

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


WORDS = ("train.sequences=2", "train.log_every=1", "kernel=eager", *TINY)


def test_a_run_in_an_odd_folder_is_trained_evaluated_and_repeated(command, tmp_path):
    folder = "it's #1, [x]=ü (b) 'q' \\"
    for line in (
        ("train", f"run_dir={folder}", *WORDS),
        ("eval", f"run={folder}", "lengths=[2]", "sequences=2"),
        ("train", f"run={folder}", f"run_dir={folder}/again"),
        ("train", "-m", "seed=1", f"results_dir={folder}/more", *WORDS),
    ):
        done = command(*line)
        assert done.returncode == 0, done.stderr
    assert {path.name for path in tmp_path.iterdir()} == {folder}
    for path in (tmp_path / folder, tmp_path / folder / "again", *Path(tmp_path / folder / "more/copy/ntm").iterdir()):
        assert (path / "summary.json").is_file()


def test_a_name_that_python_cannot_decode_is_as_good_as_another(command, tmp_path):
    """Bytes of a path that are no text in this locale: in files that are text something readable stands for them."""
    folder = os.fsdecode(b"lat\xfcn")
    (tmp_path / f"{folder}.txt").write_text("0 0 0 0 0 0 0 0 1 0\n")
    for line in (
        ("train", f"run_dir={folder}", *WORDS),
        ("eval", f"run={folder}", "lengths=[2]", "sequences=2"),
        ("eval", f"run={folder}", f"input={folder}.txt", f"out={folder}/{folder}.npy", "trace=true"),
        ("report", f"run={folder}"),
        ("train", f"run={folder}", f"run_dir={folder}/again"),
        ("train", "-m", "seed=1", f"results_dir={folder}/more", *WORDS),
    ):
        done = command(*line)
        assert done.returncode == 0, done.stderr
    assert "run_dir: lat\ufffdn\n" in (tmp_path / folder / "config.yaml").read_text(encoding="utf-8")
    assert (tmp_path / folder / f"{folder}.png").is_file()
    record = summary(tmp_path / folder)
    assert (record["status"], record["config"]["run_dir"]) == ("finished", "lat\ufffdn")
    assert list((tmp_path / folder).glob("events.out.tfevents.*"))
