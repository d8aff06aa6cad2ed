"""ntm-train from its first start to its last resume, as subprocesses."""

import pickle
import re
import shlex
import shutil
import signal
import time
from pathlib import Path

import pytest
import torch
import yaml
from safetensors.torch import load_file
from support import processes
from support.helpers import PATIENCE, TINY, arguments, environment
from support.hostile import Payload
from support.recorded_runs import record
from support.run_results import rows, same_weights, summary

from ntm_repro.cli import compose, train
from ntm_repro.errors import UsageError
from ntm_repro.training.run_folder import RunFolder

RUN = Path("results/runs/copy/ntm/seed1")
OFTEN = ("train.log_every=10", "train.checkpoint_every=20")
SUMMARY_KEYS = [
    *("task", "model", "seed", "parameters", "sequences"),
    *("first_sequence", "initial_weights", "initial_weights_sha256", "final_bits"),
    *("first_below_1", "first_below_0_1", "first_below_0_05"),
    *("stays_below_1", "stays_below_0_1", "stays_below_0_05"),
    *("solved_below_1", "solved_below_0_1", "solved_below_0_05", "wall_seconds", "status"),
    *("versions", "commit", "dirty", "cpu", "vector_bits", "device", "threads", "optimiser", "recipe", "config"),
]


def complaints(stderr: str) -> list[str]:
    """The lines of stderr, less the one of a machine's first run, which says that the fused kernel is compiled."""
    return [line for line in stderr.splitlines() if not line.startswith("compiling the fused kernel")]


def test_a_run_leaves_what_the_contract_promises(command, tmp_path):
    done = command("train", "run_dir=out", "train.sequences=40", *OFTEN, *TINY)
    assert done.returncode == 0, done.stderr
    folder = tmp_path / "out"
    names = {path.name for path in folder.iterdir()}
    assert {
        ".hydra",
        "config.yaml",
        "train.log",
        "metrics.csv",
        "checkpoint.pt",
        "checkpoint.previous.pt",
        "weights.safetensors",
        "summary.json",
    } <= names
    assert sum(name.startswith("events.out.tfevents") for name in names) == 1
    assert not [name for name in names if name.endswith((".tmp", ".new"))]
    header = (folder / "metrics.csv").read_text().splitlines()[0]
    assert header == (
        "sequences,bits_per_sequence,error_bits,grad_norm,grad_norm_max,learning_rate,sequences_per_second,wall_seconds"
    )
    assert [row["sequences"] for row in rows(folder)] == ["10", "20", "30", "40"]
    assert list(summary(folder)) == SUMMARY_KEYS
    assert summary(folder)["status"] == "finished"
    assert torch.load(folder / "checkpoint.previous.pt", weights_only=True)["sequences"] == 20
    weights = load_file(folder / "weights.safetensors")
    assert sum(tensor.numel() for tensor in weights.values()) == summary(folder)["parameters"]


@pytest.mark.parametrize("kernel", ["eager", "numba"])
def test_off_a_terminal_each_row_is_a_line(kernel, command):
    words = ("train", f"kernel={kernel}", "train.sequences=30", "train.log_every=10", *TINY)
    if kernel == "numba":
        command(*words, "run_dir=first")  # on this machine perhaps, and then it says that it compiles
    done = command(*words)
    lines = done.stdout.strip().splitlines()
    assert lines[0].startswith("copy · ntm · seed 1 · ")
    assert len(lines) == 1 + 3 + 1
    assert lines[-1].startswith("finished: 30 sequences")
    assert "mean of all 30 sequences" in lines[-1]
    assert done.stderr == ""


def test_a_summary_older_than_its_results_is_closed_by_the_same_line(tmp_path):
    """They are computed from metrics.csv."""
    folder = record(tmp_path, "copy", "ntm", 1, [8.0] * 10 + [0.01] * 20, wall_seconds=90.0)
    assert train.finished_line(RunFolder(folder)) == (
        "finished: 30,000 sequences in 1.5 min · mean of the last 10,000 sequences 0.0100 bits · first below 0.1 bits "
        f"at 20,000 · stays below from 20,000 · {folder}"
    )


def test_a_finished_run_says_so_and_changes_nothing(command, tmp_path):
    words = ("train", "run_dir=out", "train.sequences=20", "train.log_every=10", *TINY)
    command(*words)
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*")}
    done = command(*words)
    assert (done.returncode, len(done.stdout.splitlines())) == (0, 1)
    assert done.stdout.startswith("finished: 20 sequences")
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*")} == before


@pytest.mark.parametrize("rate", [(), ("train.anneal_from=20", "train.anneal_to=60")], ids=["constant", "falling"])
def test_more_sequences_go_on_from_a_finished_run(command, tmp_path, rate):
    common = (*OFTEN, *TINY, *rate)
    command("train", "run_dir=long", "train.sequences=60", *common)
    command("train", "run_dir=grown", "train.sequences=30", *common)
    done = command("train", "run_dir=grown", "train.sequences=60", *common)
    assert "resumed at 30 sequences" in done.stdout
    assert rows(tmp_path / "grown") == rows(tmp_path / "long")
    assert same_weights(tmp_path / "grown", tmp_path / "long")


def interrupted_to_the_end(start, folder: Path, words: tuple[str, ...], signals: list[tuple[int, int]]) -> None:
    """Start `words` again and again, sending each signal once that many rows are in the record, then let it finish."""
    for number, after in signals:
        process = start(*words)
        while process.poll() is None and _row_count(folder) < after:
            time.sleep(0.02)
        assert process.poll() is None, process.communicate()
        process.send_signal(number)
        out, err = process.communicate(timeout=PATIENCE)
        if number == signal.SIGKILL:
            assert process.returncode == -signal.SIGKILL
        else:
            assert process.returncode == 130, (out, err)
            assert f"resume with: ntm-train {' '.join(words[1:])}" in err
            assert summary(folder)["status"] == "interrupted"
    process = start(*words)
    out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, (out, err)


def _row_count(folder: Path) -> int:
    return len((folder / "metrics.csv").read_text().splitlines()) - 1 if (folder / "metrics.csv").exists() else 0


@pytest.mark.parametrize(("batch_size", "log_every"), [(1, 1_000), pytest.param(3, 2_000, marks=pytest.mark.slow)])
def test_stopped_killed_and_resumed_equals_straight_to_the_bit(batch_size, log_every, command, start, tmp_path):
    """Log and checkpoint intervals that do not divide each other leave windows open across resumes."""
    common = (
        f"train.sequences={27 * log_every}",
        f"train.batch_size={batch_size}",
        f"train.log_every={log_every}",
        f"train.checkpoint_every={2 * log_every + 10}",
        *TINY,
    )
    assert command("train", "run_dir=straight", *common).returncode == 0
    stops = [(signal.SIGINT, 5), (signal.SIGKILL, 10), (signal.SIGTERM, 14), (signal.SIGKILL, 20)]
    interrupted_to_the_end(start, tmp_path / "stopped", ("train", "run_dir=stopped", *common), stops)
    assert rows(tmp_path / "stopped") == rows(tmp_path / "straight")
    assert same_weights(tmp_path / "stopped", tmp_path / "straight")
    assert float(rows(tmp_path / "straight")[-1]["bits_per_sequence"]) < 10, "12 bits are chance: it should learn"


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("model", ["ntm", "ntm_ff"])
def test_stopped_killed_and_resumed_equals_straight_at_the_papers_sizes(model, command, start, tmp_path):
    common = (f"model={model}", "train.sequences=20000", "train.log_every=1000", "train.checkpoint_every=3000")
    assert command("train", "run_dir=straight", *common).returncode == 0
    stops = [(signal.SIGINT, 3), (signal.SIGKILL, 6), (signal.SIGTERM, 10)]
    interrupted_to_the_end(start, tmp_path / "stopped", ("train", "run_dir=stopped", *common), stops)
    assert rows(tmp_path / "stopped") == rows(tmp_path / "straight")
    assert same_weights(tmp_path / "stopped", tmp_path / "straight")


def test_resume_previous_starts_from_the_older_checkpoint(command, tmp_path):
    words = ("train", "run_dir=out", "train.sequences=60", *OFTEN, *TINY)
    command(*words)
    expected = rows(tmp_path / "out")
    shutil.copytree(tmp_path / "out", tmp_path / "first")
    done = command(*words, "resume=previous")
    assert "resumed at 40 sequences" in done.stdout
    assert rows(tmp_path / "out") == expected
    assert same_weights(tmp_path / "out", tmp_path / "first")


def test_another_identity_and_resume_never_are_refused(command, tmp_path):
    command("train", "run_dir=out", "train.sequences=20", *TINY)
    other = command("train", "run_dir=out", "train.sequences=20", *TINY, "model.heads=2")
    assert other.returncode == 2
    assert "its model.heads is 1, not 2" in other.stderr
    never = command("train", "run_dir=out", "train.sequences=20", *TINY, "resume=never")
    assert never.returncode == 2
    assert "resume=never" in never.stderr
    assert len((other.stderr + never.stderr).splitlines()) == 2


def damage(kind: str, path: Path, trap: Path) -> None:
    if kind == "truncated":
        path.write_bytes(path.read_bytes()[:-500])
    elif kind == "flipped":
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 1
        path.write_bytes(content)
    elif kind == "foreign":
        torch.save({"weight": torch.zeros(3)}, path)
    elif kind == "hostile":
        path.write_bytes(pickle.dumps(Payload(trap)))
    elif kind == "hostile in a zip":
        torch.save(Payload(trap), path)


# The fault campaign tries more of each; here one that is damaged and one that would do harm.
RARER = [pytest.param(kind, marks=pytest.mark.slow) for kind in ("truncated", "foreign", "hostile")]


@pytest.mark.parametrize("kind", ["flipped", "hostile in a zip", *RARER])
def test_a_bad_checkpoint_is_refused_and_the_good_one_named(kind, command, tmp_path):
    words = ("train", "run_dir=out", *OFTEN, *TINY)
    command(*words, "train.sequences=40")
    trap = tmp_path / "executed"
    damage(kind, tmp_path / "out/checkpoint.pt", trap)
    for refused in (command(*words, "train.sequences=80"), command("eval", "run=out", "lengths=[3]")):
        assert refused.returncode == 2, refused
        assert len(refused.stderr.splitlines()) == 1
        assert "checkpoint.previous.pt is good: resume=previous continues from its 20 sequences" in refused.stderr
        assert not trap.exists()
    done = command(*words, "train.sequences=80", "resume=previous")
    assert done.returncode == 0
    assert "resumed at 20 sequences" in done.stdout


def test_a_checkpoint_of_another_run_is_refused(command, tmp_path):
    for folder, heads in (("one", 1), ("two", 2)):
        command("train", f"run_dir={folder}", "train.sequences=20", *TINY, f"model.heads={heads}")
    shutil.copy(tmp_path / "two/checkpoint.pt", tmp_path / "one/checkpoint.pt")
    done = command("train", "run_dir=one", "train.sequences=40", *TINY)
    assert done.returncode == 2
    assert "belongs to another run" in done.stderr


@pytest.mark.parametrize("kernel", ["eager", "numba"])
def test_divergence_stops_the_run_and_keeps_the_batch(kernel, command, tmp_path):
    words = (
        "train",
        "run_dir=out",
        "train.log_every=10",
        "train.checkpoint_every=1",
        *TINY,
        "train.learning_rate=1e30",
        f"kernel={kernel}",
    )
    done = command(*words, "train.sequences=200")
    assert done.returncode == 1
    found = re.search(r"the (loss|gradient) is not finite at sequence (\d+)", done.stderr)
    assert found, done.stderr
    assert len(complaints(done.stderr)) == 1
    kept = load_file(tmp_path / "out/diverged.safetensors")
    assert {"batch.input_TBI", "batch.target_TBO", "batch.mask_TO"} < set(kept)
    assert summary(tmp_path / "out")["status"] == "diverged"
    checkpoint = torch.load(tmp_path / "out/checkpoint.pt", weights_only=True)
    assert checkpoint["sequences"] == int(found[2])
    assert all(tensor.isfinite().all() for tensor in checkpoint["model"].values())


@pytest.mark.slow  # the fault campaign in small
def test_a_full_disk_costs_no_checkpoint(command, tmp_path):
    """A limit on the size of files stands in for the disk: the same error from the same calls."""
    words = ("run_dir=out", *OFTEN, *TINY)
    command("train", *words, "train.sequences=40")
    before = {name: (tmp_path / "out" / name).read_bytes() for name in ("checkpoint.pt", "checkpoint.previous.pt")}
    limit = len(before["checkpoint.pt"]) // 1024 - 1
    limited = shlex.join([*arguments("train", *words), "train.sequences=80"])
    # A coverage measurement of the subprocess would meet the limit too, and complain.
    unmeasured = {name: value for name, value in environment().items() if not name.startswith("COV")}
    done = processes.run(["bash", "-c", f"ulimit -f {limit}; exec {limited}"], cwd=tmp_path, env=unmeasured)
    assert done.returncode == 1, done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert "File too large; stopped at 60 sequences, the checkpoints in out are as they were" in done.stderr
    assert {name: (tmp_path / "out" / name).read_bytes() for name in before} == before
    assert not list((tmp_path / "out").glob("*.tmp")) + list((tmp_path / "out").glob("*.new"))
    assert command("train", *words, "train.sequences=80").returncode == 0


def test_a_crash_leaves_its_traceback_in_the_log(command, tmp_path):
    """A folder where metrics.csv should be is nothing a user's setting explains."""
    (tmp_path / "out/metrics.csv").mkdir(parents=True)
    (tmp_path / "out/config.yaml").write_text(
        command("train", "--cfg", "job", "--resolve", "run_dir=out", *TINY).stdout
    )
    done = command("train", "run_dir=out", "train.sequences=20", *TINY)
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert "Traceback" in (tmp_path / "out/train.log").read_text()


def test_folders_name_what_changes_the_result(command, tmp_path):
    for words in (
        ("train.learning_rate=0.0010",),
        ("train.learning_rate=1e-3", "model.heads=2"),
        ("seed=7", "train.learning_rate=1e-4"),
        ("debug=fast", "model=ntm_ff"),
    ):
        assert command("train", "train.sequences=1", "train.log_every=1", *words).returncode == 0
    found = {str(path.parent.relative_to(tmp_path / "results")) for path in tmp_path.rglob("summary.json")}
    assert found == {
        "runs/copy/ntm/seed1-learning_rate-0.001",
        "runs/copy/ntm/seed1-heads-2-learning_rate-0.001",
        "runs/copy/ntm/seed7",
        "debug/copy/ntm_ff/seed1",
    }


def test_run_repeats_a_recorded_run_to_the_bit(command, tmp_path):
    command("train", "seed=3", "train.sequences=40", "train.log_every=10", *TINY)
    recorded = next((tmp_path / "results/runs").rglob("summary.json")).parent
    done = command("train", f"run={recorded}")
    assert done.returncode == 0, done.stderr
    again = next((tmp_path / "results/reruns").rglob("summary.json")).parent
    assert again.name == recorded.name
    assert rows(again) == rows(recorded)
    assert same_weights(again, recorded)
    shorter = command("train", f"run={recorded}", "train.sequences=20", "run_dir=short")
    assert shorter.returncode == 0
    assert rows(tmp_path / "short") == rows(recorded)[:2]


def test_a_key_added_since_a_run_was_recorded_has_the_value_it_had_before(command, tmp_path):
    """Not the one that the pair has by now."""
    pair = ("task=dynamic_ngrams", "model=ntm", "task.length=10", "train.sequences=2", "kernel=eager")
    shown = yaml.safe_load(command("train", "--cfg", "job", "--resolve", *pair).stdout)
    assert shown["train"].pop("loss_scale") != 1
    (tmp_path / "run").mkdir()
    (tmp_path / "run/config.yaml").write_text(yaml.safe_dump(shown))
    command("train", "run=run", "run_dir=again")
    assert yaml.safe_load((tmp_path / "again/config.yaml").read_text())["train"]["loss_scale"] == 1


def test_the_installed_configs_name_all_defaults(command, tmp_path):
    """config.yaml alone rebuilds a run: it holds every value, whatever the defaults are later."""
    command("train", "run_dir=out", "train.sequences=1", *TINY)
    text = (tmp_path / "out/config.yaml").read_text()
    for key in ("max_length: 2", "heads: 1", "start:", "clip: value", "learning_rate: 0.001", "seed: 1", "threads: 1"):
        assert key in text


def test_the_plan_is_made_anew_under_the_lock(tmp_path):
    """Between the check of the command line and the lock another process may have trained another run there."""
    words = [f"run_dir={tmp_path / 'out'}", "train.sequences=2", "train.log_every=1", "kernel=eager", *TINY]
    (ours,), _ = compose.jobs(words)
    (theirs,), _ = compose.jobs([*words, "seed=2"])
    assert train.plan(ours).checkpoint is None
    train._train(theirs)
    before = {path: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    with pytest.raises(UsageError, match="holds another run"):
        train._train(ours)
    assert {path: path.read_bytes() for path in (tmp_path / "out").iterdir()} == before


def test_the_lock_is_held_while_the_plan_is_made(tmp_path, monkeypatch):
    (config,), _ = compose.jobs([f"run_dir={tmp_path / 'out'}", *TINY])
    folder = RunFolder(tmp_path / "out")

    def plan(config):
        with pytest.raises(UsageError, match="another process is training there"), folder.locked():
            pytest.fail("two hold the lock")
        raise UsageError("seen")

    monkeypatch.setattr(train, "plan", plan)
    with pytest.raises(UsageError, match="seen"):
        train._train(config)
