"""What a command says last."""

import os
import subprocess
import sys

import pytest
from helpers import arguments, environment

ENDS = {
    "KeyboardInterrupt()": (130, "ntm-x: interrupted\n"),
    "KeyboardInterrupt('stopped at 7')": (130, "ntm-x: stopped at 7\n"),
    "UsageError('seed=x: no')": (2, "ntm-x: seed=x: no\n"),
    "RunError('disk full')": (1, "ntm-x: disk full\n"),
}


@pytest.mark.parametrize("raised", ENDS)
def test_every_end_is_one_line(raised):
    script = (
        "from ntm_repro.cli import exits; from ntm_repro.errors import RunError, UsageError\n"
        f"def body(argv): raise {raised}\n"
        "exits.end('ntm-x', body)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == ENDS[raised]


@pytest.mark.parametrize("words", [("train", "--help"), ("train", "--cfg", "job"), ("figures", "--help")])
def test_a_reader_who_leaves_hears_no_more(words):
    reader, output = os.pipe()
    os.close(reader)  # before the command begins, or a quick one may be done first
    done = subprocess.run(arguments(*words), stdout=output, stderr=subprocess.PIPE, env=environment())
    os.close(output)
    assert (done.returncode, done.stderr) == (1, b"")
