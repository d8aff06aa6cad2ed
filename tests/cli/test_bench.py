"""ntm-bench from the command line."""

import csv

import pytest


@pytest.mark.slow  # half a minute of measuring
def test_one_pair_from_end_to_end(command, tmp_path):
    left_out = ("compile=false", "jax=false", "growth=false")
    done = command("bench", "pairs=copy/ntm_ff", "batch=[1]", "threads=[1]", "repeats=1", *left_out, "out=here")
    assert done.returncode == 0, done.stderr
    with (tmp_path / "here/bench.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [(row["pair"], row["what"]) for row in rows] == [
        ("copy/ntm_ff", what) for what in ("fused", "eager", "end to end")
    ]
    assert all(float(row["median_ms_per_sequence"]) > 0 for row in rows)
    assert "| copy | ntm_ff |" in (tmp_path / "here/bench.md").read_text()
    progress, where = done.stdout.splitlines()
    assert progress.startswith("[1/1 ")
    assert "copy/ntm_ff, batch 1, 1 thread: fused" in progress
    assert where == "here/bench.md"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["here"]


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (
            ("pairs=copy",),
            "pairs=copy: unknown; choose all, or some of copy/ntm,copy/ntm_ff,copy/lstm,repeat_copy/ntm,",
        ),
        (("pairs=[copy/ntm,copy/foo]",), "pairs=copy/foo: unknown"),
        (("pairs=[]",), "pairs=[]: unknown"),
        (("pairs=",), "pairs=: needs a value"),
        (("batch=0",), "batch=0: give a list of positive integers, as in batch=[1,2]"),
        (("batch=[1,x]",), "batch=x: give a list"),
        (("batch=[]",), "batch=[]: give a list"),
        (("threads=[true]",), "threads=True: give a list"),
        (("threads=[4096]",), "threads=4096: ask for no more than this machine's cores"),
        (("repeats=0",), "repeats=0: must be 1 or more"),
        (("repeats=x",), "repeats"),
        (("compile=maybe",), "compile"),
        (("compile_seconds=-1",), "compile_seconds=-1.0: must be 0 or more"),
        (("jax=maybe",), "jax"),
        (("jax_seconds=-1",), "jax_seconds=-1.0: must be 0 or more"),
        (("growth=1.5",), "growth"),
        (("out=/proc/x",), "out=/proc/x: cannot be written"),
        (("foo=1",), "foo=1: unknown; ntm-bench takes pairs= batch="),
        (("copy/ntm",), "copy/ntm: unknown"),
    ],
)
def test_bad_requests(words, named, command, tmp_path):
    done = command("bench", *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert named in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []
