"""How often a config is composed and checked, and configs in a folder of the user's own."""

import ast
import copy
import pickle
import sys

import hydra
import pytest
from hydra.core.config_store import ConfigStore
from support import processes
from support.helpers import TINY

from ntm_repro.cli import compose

COUNTING = """
import sys
from collections import Counter
from hydra.core.config_loader import ConfigLoader
from ntm_repro.cli import schema, train

counts = Counter()

def counted(owner, name):
    function = getattr(owner, name)

    def wrapper(*arguments, **settings):
        counts[name] += 1
        return function(*arguments, **settings)

    setattr(owner, name, wrapper)

(loader,) = ConfigLoader.__subclasses__()
counted(loader, "load_configuration")
counted(schema, "typed")
counted(train, "plan")
train.command(sys.argv[1:])
print(dict(counts))
"""
SHORT = ("train.sequences=2", "train.log_every=1", "kernel=eager")


@pytest.mark.parametrize(
    ("words", "counts"),
    [
        # The job, and once for the folder's name: the same pair with nothing changed.
        ((), {"load_configuration": 2, "typed": 1, "plan": 2}),
        # Also what the launcher is made from; the plan is made anew under each folder's lock.
        (("-m", "seed=1,2,3"), {"load_configuration": 5, "typed": 3, "plan": 6}),
    ],
    ids=["one run", "three"],
)
def test_a_job_is_composed_and_checked_once(words, counts, tmp_path):
    line = [sys.executable, "-c", COUNTING, *words, *SHORT, *TINY]
    done = processes.run(line, cwd=tmp_path, check=True)
    assert ast.literal_eval(done.stdout.splitlines()[-1]) == counts


@pytest.fixture
def own(tmp_path):
    """A folder of configs beside the folder in which commands run."""
    for name, text in {
        "task/short.yaml": "name: copy\nmin_length: 1\nmax_length: 2\n",
        "experiment/mine.yaml": "# @package _global_\ndefaults:\n  - override /task: short\ntrain: {sequences: 2}\n",
        "experiment/calling.yaml": "# @package _global_\nhydra: {callbacks: {x: {_target_: os.mkdir}}}\n",
    }.items():
        path = tmp_path / "a folder, mine" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path / "a folder, mine"


def test_a_folder_of_the_users_own_adds_tasks_and_experiments(own, command, tmp_path):
    small = [word for word in TINY if not word.startswith("task.")]
    for words in (("experiment=mine",), ("-m", "experiment=mine", "seed=2,3")):
        done = command("train", "--config-dir", str(own), *words, "train.log_every=1", "kernel=eager", *small)
        assert done.returncode == 0, done.stderr
    folders = sorted(path.name for path in (tmp_path / "results/runs/copy/ntm").iterdir())
    shared = "-controller.size-12-memory.locations-10-memory.width-6-max_length-2-learning_rate-0.001"
    assert folders == [f"seed{seed}{shared}" for seed in (1, 2, 3)]


def test_its_choices_are_named_and_shown(own, command):
    wrong = command("train", "--config-dir", str(own), "task=long")
    assert (wrong.returncode, wrong.stderr.count("or repeat_copy or short")) == (2, 1), wrong.stderr
    assert "task: associative_recall, copy, " in command("train", "--config-dir", str(own), "--help").stdout
    assert "max_length: 2" in command("train", "--config-dir", str(own), "--cfg", "job", "task=short").stdout


def test_its_callbacks_are_refused(own, command, tmp_path):
    done = command("train", "--config-dir", str(own), "experiment=calling")
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert "hydra.callbacks: not supported" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == [own.name]


HEADER = "# @package _global_\n"
UNREADABLE = {
    "byte order mark": (f"{HEADER}seed: 3\n".encode("utf-8-sig"), "begins with a byte order mark"),
    "Latin-1": (f"{HEADER}# café\nseed: 3\n".encode("latin-1"), "line 2 is not UTF-8 (byte 0xe9)"),
    "UTF-16": (f"{HEADER}seed: 3\n".encode("utf-16"), "is in UTF-16"),
}


@pytest.mark.parametrize(("content", "reason"), UNREADABLE.values(), ids=UNREADABLE)
@pytest.mark.parametrize(
    "words",
    [
        ("experiment=odd",),
        ("experiment=by_way",),
        ("-m", "seed=1,2", "experiment=odd"),
        ("--cfg", "job", "experiment=odd"),
    ],
)
def test_an_experiment_in_another_encoding_is_named_with_the_fix(own, command, tmp_path, content, reason, words):
    (own / "experiment/odd.yaml").write_bytes(content)
    (own / "experiment/by_way.yaml").write_text(f"{HEADER}defaults: [/experiment/odd]\n")
    done = command("train", "--config-dir", str(own), *words)
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"ntm-train: {own}/experiment/odd.yaml: {reason}")
    assert line.endswith("; save it as UTF-8 without a byte order mark")
    assert [path.name for path in tmp_path.iterdir()] == [own.name]


def test_a_byte_order_mark_that_hides_nothing_is_no_fault(own, command):
    (own / "task/marked.yaml").write_bytes("name: copy\nmin_length: 1\nmax_length: 2\n".encode("utf-8-sig"))
    assert "max_length: 2" in command("train", "--config-dir", str(own), "--cfg", "job", "task=marked").stdout
    done = command("train", "--config-dir", str(own), "task=marked", "seed=x")
    assert (done.returncode, "seed=x" in done.stderr) == (2, True)


def test_a_damaged_file_that_nothing_names_is_not_blamed(own, command):
    (own / "experiment/odd.yaml").write_bytes(UNREADABLE["Latin-1"][0])
    done = command("train", "--config-dir", str(own), "experiment=mine", "seed=x")
    assert (done.returncode, "seed=x" in done.stderr) == (2, True)


def test_hydras_store_is_not_copied_and_what_is_composed_shares_nothing():
    with compose.session():
        store = ConfigStore.instance()
        assert copy.deepcopy(store).repo is store.repo
        first = hydra.compose(compose.CONFIG, ["task=copy"])
        first.train.batch_size = 77
        first.task.max_length = 3
        second = hydra.compose(compose.CONFIG, ["task=copy"])
        assert (second.train.batch_size, second.task.max_length) == (1, 20)
    with compose.session():
        assert ConfigStore.instance().repo is store.repo
        assert len(pickle.loads(pickle.dumps(store.repo))) == len(store.repo)
