"""What a command says last."""

import os
import sys
import time

import pytest
from support import processes
from support.helpers import TINY, arguments, environment

from ntm_repro.cli import exit_codes

ENDS = {
    "KeyboardInterrupt()": (130, "ntm-x: interrupted\n"),
    "KeyboardInterrupt('stopped at 7')": (130, "ntm-x: stopped at 7\n"),
    "UsageError('seed=x: no')": (2, "ntm-x: seed=x: no\n"),
    "RunError('disk full')": (1, "ntm-x: disk full\n"),
}


@pytest.mark.parametrize("raised", ENDS)
def test_every_end_is_one_line(raised):
    script = (
        "from ntm_repro.cli import exit_codes; from ntm_repro.errors import RunError, UsageError\n"
        f"def body(argv): raise {raised}\n"
        "exit_codes.run_and_exit('ntm-x', body)"
    )
    done = processes.run([sys.executable, "-c", script])
    assert (done.returncode, done.stderr) == ENDS[raised]


def test_one_line_says_nothing_twice():
    def raised(message, cause):
        error = ValueError(message)
        error.__cause__ = cause
        return error

    cause = ValueError("empty choice is not legal")
    said = "Error parsing 'a=choice()'\nValueError while evaluating 'choice()': empty choice is not legal"
    assert exit_codes.one_line(raised(f"{said}\nSee https://hydra.cc", cause)) == said.replace("\n", " ")
    assert exit_codes.one_line(raised("not read", cause)) == "not read empty choice is not legal"
    assert exit_codes.one_line(ValueError("\n")) == "ValueError"


@pytest.mark.parametrize("words", [("train", "run_dir=/nowhere"), ("train", "--help"), ("report", "run=/nowhere")])
def test_a_working_directory_that_was_removed(words, tmp_path):
    (tmp_path / "gone").mkdir()
    script = 'cd gone && rmdir ../gone && exec "$@"'
    done = processes.run(["sh", "-c", script, "sh", *arguments(*words)], cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"ntm-{words[0]}: the working directory was removed; change to one that exists\n"


def write_until_refused(output):
    for _ in range(1_000):
        os.write(output, b"x")
        time.sleep(0.01)


@pytest.fixture
def output_without_reader():
    """The writing end of a pipe that no process reads, not even one that is just being started from this one."""
    reader, output = os.pipe()
    os.close(reader)
    with pytest.raises(BrokenPipeError):
        write_until_refused(output)
    yield output
    os.close(output)


@pytest.mark.parametrize("buffered", [True, False])
@pytest.mark.parametrize("words", [("train", "--help"), ("train", "--cfg", "job"), ("figures", "--help")])
def test_a_reader_who_leaves_hears_no_more(words, buffered, output_without_reader):
    env = environment() | {"PYTHONUNBUFFERED": "" if buffered else "1"}
    done = processes.run(arguments(*words), stdout=output_without_reader, env=env)
    assert (done.returncode, done.stderr) == (1, "")


IN_A_THREAD = """
import sys, threading
from ntm_repro.cli import train
codes = []
thread = threading.Thread(target=lambda: codes.append(train.command(sys.argv[1:])))
thread.start()
thread.join()
sys.exit(codes[0] if codes else "failed")
"""


def test_training_in_a_thread_that_is_not_the_main_one(tmp_path):
    words = ("run_dir=out", "train.sequences=3", "kernel=eager", *TINY)
    done = processes.run([sys.executable, "-c", IN_A_THREAD, *words], cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "out/weights.safetensors").exists()
