"""Standard streams that are closed, gone, full, or of few characters end no command."""

import fcntl
import os
import signal
import struct
import sys
import termios

import pytest
from support import processes
from support.helpers import PATIENCE, TINY, arguments, environment
from support.run_results import summary

RUN = ("train", "run_dir=out", "train.sequences=30", "train.log_every=10", "kernel=eager", *TINY)
QUICK = {"train": RUN, "train --help": ("train", "--help"), "bench --help": ("bench", "--help")}
PLAIN = {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}
COMMANDS = {
    "train --cfg": ("train", "--cfg", "job"),
    "train --version": ("train", "--version"),
    "eval --help": ("eval", "--help"),
    "figures --help": ("figures", "--help"),
    "report --help": ("report", "--help"),
}


def shell(words, redirection, tmp_path, **env):
    """Run a command in a shell that redirects its streams."""
    command = ["sh", "-c", f'exec "$@" {redirection}', "sh", *arguments(*words)]
    return processes.run(command, cwd=tmp_path, env=environment() | env)


@pytest.mark.parametrize(
    "words", [*QUICK.values(), *(pytest.param(words, marks=pytest.mark.slow) for words in COMMANDS.values())]
)
@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_streams_are_as_good_as_no_reader(words, closed, tmp_path):
    done = shell(words, closed, tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert (done.stdout == "") == (" >&-" in f" {closed}")
    if words is RUN:
        assert summary(tmp_path / "out")["status"] == "finished"
        assert len((tmp_path / "out/metrics.csv").read_text().splitlines()) == 4


def test_an_error_with_standard_error_closed_keeps_its_exit_code(tmp_path):
    done = shell(("train", "seed=x"), "2>&-", tmp_path)
    assert (done.returncode, done.stdout) == (2, "")


@pytest.mark.parametrize("redirection", ["1<&0", "2<&0"])
def test_streams_that_are_open_for_reading_only(redirection, tmp_path):
    done = shell(RUN, f"</dev/null {redirection}", tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert summary(tmp_path / "out")["status"] == "finished"


@pytest.mark.parametrize("words", [("train", "--help"), ("train", "--version"), ("figures", "--help")])
def test_an_output_that_takes_nothing_more_is_one_line(words, tmp_path):
    done = shell(words, ">/dev/full", tmp_path)
    assert done.returncode == 1
    assert done.stderr == f"ntm-{words[0]}: standard output: No space left on device\n"


@pytest.mark.parametrize(
    ("words", "encoding"),
    [
        *((words, "ascii") for words in QUICK.values()),
        *(pytest.param(RUN, encoding, marks=pytest.mark.slow) for encoding in ("ascii:strict", "latin-1", "cp437")),
        *(pytest.param(words, "ascii:strict", marks=pytest.mark.slow) for words in COMMANDS.values()),
    ],
)
def test_characters_that_an_output_lacks_are_replaced(words, encoding, tmp_path):
    env = environment() | {"PYTHONIOENCODING": encoding}
    done = processes.run(arguments(*words), cwd=tmp_path, env=env, errors="replace")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout != ""
    if words is RUN and encoding.startswith("ascii"):
        assert done.stdout.startswith("copy ? ntm ? seed 1")


def test_an_error_with_characters_that_the_output_lacks(tmp_path):
    done = shell(("train", "run=nirgendwo/jürgen"), "", tmp_path, PYTHONIOENCODING="ascii:strict")
    assert done.returncode == 2
    assert "j\\xfcrgen" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_in_a_plain_locale_everything_is_replaced_too(tmp_path):
    done = shell(RUN, "", tmp_path, **PLAIN)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("copy ? ntm")


def test_in_a_plain_locale_paths_are_what_was_typed(tmp_path):
    """Python takes every byte beyond ASCII for one that is no text."""
    for words in (
        (*RUN, "run_dir=jürgen"),
        ("eval", "run=jürgen", "lengths=[2]", "sequences=2"),
        ("report", "run=jürgen"),
    ):
        done = shell(words, "", tmp_path, **PLAIN)
        assert (done.returncode, done.stderr) == (0, "")
    assert summary(tmp_path / "jürgen")["config"]["run_dir"] == "jürgen"
    assert (tmp_path / "jürgen/eval.json").exists()
    assert "From jürgen." in (tmp_path / "jürgen/report.html").read_text(encoding="utf-8")


ON_A_TERMINAL = """
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.executable, [sys.executable, "-m", "ntm_repro", *sys.argv[1:]])
"""


def test_a_terminal_that_hangs_up_saves_the_run(tmp_path):
    """As when ssh drops: the kernel sends SIGHUP, and nothing can be written any more."""
    ours, theirs = os.openpty()
    fcntl.ioctl(ours, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 100, 0, 0))  # without a width there is no bar
    words = [*RUN, "train.sequences=1000000"]
    command = [sys.executable, "-c", ON_A_TERMINAL, *words]
    with processes.started(command, cwd=tmp_path, stdin=theirs, stdout=theirs, stderr=theirs, text=None) as process:
        os.close(theirs)
        metrics = tmp_path / "out/metrics.csv"
        while not (metrics.exists() and metrics.read_text().count("\n") > 3):
            os.read(ours, 1000)  # or the terminal takes no more of its bar
        os.close(ours)
        assert process.wait(timeout=PATIENCE) == 130
    found = summary(tmp_path / "out")
    assert found["status"] == "interrupted"
    assert 0 < found["sequences"] < 1_000_000
    assert (tmp_path / "out/checkpoint.pt").exists()
    assert "Error" not in (tmp_path / "out/train.log").read_text()


def test_under_nohup_a_run_goes_on_without_its_terminal(tmp_path):
    command = ["nohup", *arguments(*RUN, "train.sequences=200")]
    with processes.started(command, cwd=tmp_path) as process:
        assert process.stdout.readline().startswith("copy")
        process.send_signal(signal.SIGHUP)
        _, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, err
    assert summary(tmp_path / "out")["status"] == "finished"
