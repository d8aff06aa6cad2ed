"""ntm-sweep: from a folder of runs to a page and a table, through the command line."""

import json

from support.helpers import TINY

WORDS = ("train", "-m", *TINY[:-1], "train.sequences=40", "train.log_every=10", "seed=1,2")


def test_a_sweep_is_compared(command, tmp_path):
    command(*WORDS, "train.learning_rate=1e-3,1e30", "optimiser=adam,graves_rmsprop", "results_dir=runs")
    done = command("sweep", "runs")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[:3] == ["runs/sweep.html", "runs/sweep.md", "runs/sweep.csv"]
    page = (tmp_path / "runs/sweep.html").read_text()
    assert "varied: optimiser, train.learning_rate." in page
    assert "http" not in page.replace("http-equiv", "")
    assert page.count("data:image/png") == 6
    table = (tmp_path / "runs/sweep.md").read_text()
    assert "| diverged |" in table
    best = done.stdout.splitlines()[3].partition(": ")[2]
    assert "train.learning_rate=0.001" in best
    assert "train.sequences=40" in best


def test_the_best_command_repeats_the_run(command, tmp_path):
    command(*WORDS, "train.learning_rate=1e-3,3e-3", "results_dir=runs")
    best = command("sweep", "runs").stdout.splitlines()[-1].partition(": ntm-train ")[2]
    done = command("train", *best.split(), "train.log_every=10", "results_dir=again")
    assert done.returncode == 0, done.stderr
    (summary,) = (tmp_path / "again").rglob("summary.json")
    repeated = json.loads(summary.read_text())["final_bits"]
    finals = [json.loads(path.read_text())["final_bits"] for path in (tmp_path / "runs").rglob("summary.json")]
    assert repeated in finals


def test_odd_words_are_one_line(command, tmp_path):
    for words, said in {
        (): "usage: ntm-sweep",
        ("nowhere",): "nowhere: no such folder",
        ("objective=final_bits",): "name a folder of runs",
        (".",): ".: no runs there",
        (".", "sequences=0"): "sequences=0: must be 1 or more",
        (".", "objective=speed"): "objective",
        (".", "out=page.txt"): "must end in .html",
    }.items():
        done = command("sweep", *words)
        assert done.returncode == 2, words
        assert said in done.stdout + done.stderr
        assert "Traceback" not in done.stderr
    assert not list(tmp_path.iterdir())
