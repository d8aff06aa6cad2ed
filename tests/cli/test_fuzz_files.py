"""Paths that nobody would choose, files that no program would write: taken, or refused in three lines or less."""

import os
import shutil

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from support.fuzzing import SMALL, check_lines, fuzz
from support.helpers import TINY

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600)]

COUNTED = SMALL[:2]
ODD = (
    *("x #1", "004217", "jürgen", "a (b)", "a=b", "[x]", "it's", "a,b", "null", "yes", "1e3", "{a: 1}", "???", "~"),
    *("a\\b", '"q"', "tab\there", "a\nb", "+x", " x ", "-x", "=", "$HOME", "*", "%s", "a:b", "🧠", "é" * 120),
)
# Any bytes but those that end a name; not those that lead elsewhere.
names = st.one_of(
    st.sampled_from(ODD),
    st.binary(min_size=1, max_size=30).map(os.fsdecode),
    st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=20),
).filter(lambda name: not set(name) & {"/", "\0"} and name not in (".", "..") and name.strip())
# Each with a path for every key that takes one.
COMMANDS = (
    ("train", "run_dir={path}", *SMALL),
    ("train", "-m", "seed=1,2", "results_dir={path}", *SMALL),
    ("train", "run={path}"),
    ("train", "--config-dir", "{path}", "experiment=x"),
    ("eval", "run={path}"),
    ("eval", "run=run", "lengths=[1]", "sequences=1", "out={path}"),
    ("eval", "run=run", "input={path}"),
    ("eval", "run=run", "input=input.txt", "out={path}.npy", "trace=true", "picture={path}.png"),
    ("report", "run=run", "out={path}"),
    ("report", "run={path}"),
    ("figures", "tables", "evidence={path}"),
    ("figures", "tables", "evidence=empty", "tables={path}"),
)


@pytest.fixture(scope="module")
def recorded(forks, tmp_path_factory):
    """A folder with a finished run `run`, an input for it and an empty folder; copied for every example."""
    place = tmp_path_factory.mktemp("recorded")
    assert forks("train", "run_dir=run", *SMALL, cwd=place).returncode == 0
    assert forks("eval", "run=run", "lengths=[1]", "sequences=1", "kernel=eager", cwd=place).returncode == 0
    (place / "empty").mkdir()
    (place / "input.txt").write_text("0 0 0 0 0 0 0 0 1 0\n" * 3)
    return place


@pytest.fixture
def copied(recorded, tmp_path):
    """A function that gives a fresh copy of `recorded`."""

    def copy():
        place = tmp_path / "place"
        shutil.rmtree(place, ignore_errors=True)
        return shutil.copytree(recorded, place, symlinks=True)

    return copy


@given(name=names, words=st.sampled_from(COMMANDS))
@fuzz(120)
def test_any_path_is_taken_as_it_stands_or_refused(name, words, forks, copied):
    place = copied()
    line = [word.replace("{path}", name) for word in words]
    done = forks(*line, cwd=place)
    check_lines(done, line)
    if done.returncode == 0:  # what is made has the name that was typed, and no other
        made = {path.name for path in place.iterdir()} - {"run", "empty", "input.txt"}
        assert made <= {name, f"{name}.npy", f"{name}.png", "results"}, line


DAMAGED = ("config.yaml", "summary.json", "metrics.csv", "eval.json", "weights.safetensors", "checkpoint.pt")
USES = (
    ("train", "run_dir=run", *SMALL),
    ("train", "run_dir=run", *SMALL, "train.sequences=4"),
    ("train", "run=run", "run_dir=again"),
    ("eval", "run=run", "lengths=[1]", "sequences=1", "kernel=eager"),
    ("report", "run=run"),
)


@given(file=st.sampled_from(DAMAGED), words=st.sampled_from(USES), data=st.data())
@fuzz(120)
def test_any_damage_to_a_record_is_survived_or_refused(file, words, data, forks, copied):
    place = copied()
    path = place / "run" / file
    whole = path.read_bytes()
    at = data.draw(st.integers(0, len(whole) - 1), "at")
    kinds = {
        "cut": whole[:at],
        "changed": whole[:at] + data.draw(st.binary(min_size=1, max_size=3), "by") + whole[at + 1 :],
        "other": data.draw(st.binary(max_size=60), "content"),
    }
    path.write_bytes(kinds[data.draw(st.sampled_from(sorted(kinds)), "kind")])
    if file == "weights.safetensors":
        (place / "run/checkpoint.pt").unlink()  # which would be preferred
    check_lines(forks(*words, cwd=place), (file, words), codes=(0, 1, 2))


texts = st.one_of(
    st.binary(max_size=80),
    st.text(max_size=60).map(lambda text: text.encode("utf-8", "surrogatepass")),
    st.builds(
        lambda mark, text, coding: mark + f"# @package _global_\n{text}\n".encode(coding, "replace"),
        st.sampled_from([b"", b"\xef\xbb\xbf", b"\xff\xfe"]),
        st.sampled_from(["seed: 3", "# café\nseed: 3", "seed: [", "defaults: [/task/x]", "\t"]),
        st.sampled_from(["utf-8", "latin-1", "utf-16", "cp1252"]),
    ),
)


@given(content=texts, group=st.sampled_from(["experiment", "task", "model", "optimiser"]))
@example(content=b"", group="experiment")
@fuzz(120)
def test_any_config_of_ones_own_is_taken_or_refused(content, group, forks, tmp_path):
    path = tmp_path / "own" / group / "odd.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    line = ("train", "--config-dir", str(tmp_path / "own"), f"{group}=odd", "run_dir=run", *COUNTED)
    small = () if group == "task" else TINY[:1]
    done = forks(*line, *small, "kernel=eager", cwd=tmp_path)
    check_lines(done, (content, group))
    assert done.returncode == 0 or not (tmp_path / "run").exists()
    if content.decode("utf-8", "ignore").encode() != content:
        assert f"own/{group}/odd.yaml: " in done.stderr, content
    shutil.rmtree(tmp_path / "run", ignore_errors=True)
    path.unlink()
