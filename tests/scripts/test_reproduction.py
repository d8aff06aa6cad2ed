"""scripts/unfinished and scripts/collect: what is left to run, and what of the live runs becomes evidence."""

import json
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save
from support import processes

from ntm_repro.cli import compose, schema
from ntm_repro.errors import UsageError
from ntm_repro.evidence import runs
from ntm_repro.training import metrics

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"


def script(name):
    """The script as a module."""
    spec = spec_from_file_location(name, SCRIPTS / f"{name}.py")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    (tmp_path / "results/runs").mkdir(parents=True)
    return tmp_path


def record(sequences, *overrides, name="seed1", final_bits=0.1, status="finished", root="results/runs"):
    """A live run as ntm-train would record it, without training."""
    compose.register()
    ((config,), _) = compose.jobs(["task=copy", "model=ntm", *overrides])
    plain = schema.plain(config)
    folder = Path(root, "copy/ntm", name)
    folder.mkdir(parents=True)
    rows = [dict.fromkeys(metrics.COLUMNS, 0.5) | {"sequences": sequences}] if sequences else []
    metrics.write_rows(folder / "metrics.csv", metrics.COLUMNS, rows)
    summary = {"task": "copy", "model": "ntm", "seed": plain["seed"], "sequences": sequences, "final_bits": final_bits}
    (folder / "summary.json").write_text(json.dumps(summary | {"status": status, "config": plain}))
    (folder / "weights.safetensors").write_bytes(save({"w": np.ones(2)}, {"sequences": str(sequences)}))


def collect(capsys, *argv):
    assert script("collect").command(list(argv)) == 0
    return capsys.readouterr().out.splitlines()


def unfinished(capsys, tasks="copy", models="ntm", seeds="1"):
    assert script("unfinished").command([tasks, models, seeds]) == 0
    return capsys.readouterr().out.split()


EVIDENCE = Path("results/paper/copy/ntm")


def test_without_evidence_everything_is_unfinished_one_seed_of_all_first(here, capsys):
    assert unfinished(capsys, "copy priority_sort", "ntm lstm", "1 2") == [
        f"{task}/{model}/seed{seed}"
        for seed in (1, 2)
        for task in ("copy", "priority_sort")
        for model in ("ntm", "lstm")
    ]


@pytest.mark.parametrize(
    ("argv", "named"), [(["copy", "ntm", "one"], "SEEDS=one"), (["copy"], "tasks"), (["sort", "ntm", "1"], "sort")]
)
def test_what_cannot_be_asked_for_is_named(here, argv, named):
    done = processes.run([sys.executable, SCRIPTS / "unfinished.py", *argv], cwd=here)
    assert done.returncode == 2
    assert named in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_finished_run_is_collected_and_no_longer_asked_for(here, capsys):
    record(1_000_000)
    assert collect(capsys) == [
        "copy/ntm/seed1: 1,000,000 of 1,000,000 sequences, not evaluated (ntm-eval)",
        "copy/ntm: weights of seed 1",
    ]
    assert unfinished(capsys, seeds="1 2") == ["copy/ntm/seed2"]
    assert (EVIDENCE / "seed1/weights.safetensors").exists()
    # The live run stays what it was, and collecting again changes nothing.
    assert Path("results/runs/copy/ntm/seed1/summary.json").exists()
    assert collect(capsys) == ["copy/ntm/seed1: as it was: 1,000,000 sequences"]


def test_evaluations_made_later_are_added_unless_it_is_another_run(here, capsys):
    record(1_000_000)
    collect(capsys)
    live = Path("results/runs/copy/ntm/seed1")
    evaluation = json.dumps({"checkpoint_sequences": 1_000_000, "grid": []})
    (live / "eval.json").write_text(evaluation)
    rows = metrics.read_rows(live / "metrics.csv")
    metrics.write_rows(live / "metrics.csv", metrics.COLUMNS, [rows[0] | {"bits_per_sequence": 0.7}])
    assert collect(capsys) == ["copy/ntm/seed1: as it was: 1,000,000 sequences"]
    metrics.write_rows(live / "metrics.csv", metrics.COLUMNS, rows)
    assert collect(capsys)[0] == "copy/ntm/seed1: as it was: 1,000,000 sequences, eval.json added"
    assert (EVIDENCE / "seed1/eval.json").read_text().strip() == json.dumps(json.loads(evaluation), indent=2)


def test_half_a_run_is_partial_evidence_and_still_asked_for(here, capsys):
    record(430_000, status="interrupted")
    assert "430,000 of 1,000,000" in collect(capsys)[0]
    assert not runs.read(EVIDENCE / "seed1").is_finished
    assert unfinished(capsys) == ["copy/ntm/seed1"]


def test_a_run_that_was_asked_for_fewer_sequences_is_not_the_papers(here, capsys):
    """train.sequences may grow, so it is the same run; but it has some way to go."""
    record(30_000, "train.sequences=30000")
    collect(capsys)
    assert unfinished(capsys) == ["copy/ntm/seed1"]


def test_less_never_replaces_more(here, capsys):
    record(430_000, status="interrupted")
    collect(capsys)
    for path in Path("results/runs/copy/ntm/seed1").iterdir():
        path.unlink()
    Path("results/runs/copy/ntm/seed1").rmdir()
    record(20_000, status="interrupted")
    assert collect(capsys) == ["copy/ntm/seed1: as it was: 430,000 sequences"]


def test_changed_settings_stay_out(here, capsys):
    record(1_000_000, "model.heads=2", name="seed1-heads-2")
    record(1_000_000, "seed=2", "model.heads=2", name="seed2")  # as of an older recipe, whose folders had this name
    assert collect(capsys) == ["copy/ntm/seed2: left out: other settings than the paper recipe has now"]
    assert not EVIDENCE.exists()


def test_evidence_of_an_older_recipe_counts_as_none_and_gives_way(here, capsys):
    record(1_000_000)
    collect(capsys)
    summary = json.loads((EVIDENCE / "seed1/summary.json").read_text())
    summary["config"]["train"]["clip"] = "norm"
    (EVIDENCE / "seed1/summary.json").write_text(json.dumps(summary))
    assert unfinished(capsys) == ["copy/ntm/seed1"]
    assert "1,000,000 of 1,000,000" in collect(capsys)[0]
    assert unfinished(capsys) == []


def test_a_run_in_its_first_stretch_has_nothing_to_collect(here, capsys):
    record(0, status="interrupted")
    assert collect(capsys) == ["copy/ntm/seed1: left out: nothing recorded yet, or still in its first stretch"]


def test_a_folder_that_is_not_there_is_named(here):
    with pytest.raises(UsageError, match="nowhere: no such folder"):
        script("collect").command(["nowhere"])


def test_a_run_recorded_before_a_key_was_added_is_still_of_the_recipe(here, capsys):
    record(1_000_000)
    summary = Path("results/runs/copy/ntm/seed1/summary.json")
    config = json.loads(summary.read_text())
    del config["config"]["train"]["clip_through_time"]
    summary.write_text(json.dumps(config))
    collect(capsys)
    assert unfinished(capsys) == []
    # But not one of keys that are gone.
    config["config"]["train"]["gone"] = 1
    Path("results/paper/copy/ntm/seed1/summary.json").write_text(json.dumps(config))
    assert unfinished(capsys) == ["copy/ntm/seed1"]


def test_another_recipe_has_folders_and_evidence_of_its_own(here, capsys):
    record(1_000_000)
    record(20_000, "recipe=stable", root="results/runs/stable")
    assert collect(capsys, "recipe=stable") == [
        "copy/ntm/seed1: 20,000 of 20,000 sequences, not evaluated (ntm-eval)",
        "copy/ntm: weights of seed 1",
    ]
    kept = Path("results/stable/copy/ntm/seed1")
    assert runs.read(kept).config["run_dir"] == str(kept)
    assert runs.read(kept).config["recipe"] == "stable"
    assert (kept / "weights.safetensors").exists()
    assert not Path("results/paper").exists()
    script("unfinished").command(["recipe=stable", "copy", "ntm", "1 2"])
    assert capsys.readouterr().out.split() == ["stable/copy/ntm/seed2"]
    assert unfinished(capsys) == ["copy/ntm/seed1"]
    assert collect(capsys)[0].startswith("copy/ntm/seed1: 1,000,000 of")
    assert sorted(path.name for path in Path("results").iterdir()) == ["paper", "runs", "stable"]


def test_a_run_of_the_paper_among_those_of_another_recipe_stays_out(here, capsys):
    record(1_000_000, root="results/runs/stable")
    assert collect(capsys, "recipe=stable") == [
        "copy/ntm/seed1: left out: other settings than the stable recipe has now"
    ]


def test_recipes_that_others_use_lie_side_by_side_without_weights(here, capsys):
    record(32_000, "recipe=collier_beel", root="results/runs/collier_beel")
    assert collect(capsys, "recipe=collier_beel") == [
        "copy/ntm/seed1: 32,000 of 200,000 sequences, not evaluated (ntm-eval)"
    ]
    kept = Path("results/recipes/collier_beel/copy/ntm/seed1")
    assert runs.read(kept).config["results_dir"] == "results/recipes/collier_beel"
    assert not (kept / "weights.safetensors").exists()


def test_the_stable_recipe_without_a_part_has_evidence_of_its_own(here, capsys):
    ways = {"seed1": (), "seed1-adam": ("optimiser=adam",), "seed1-adam-beta2-0.9": ("optimiser.beta2=0.9",)}
    for name, changes in ways.items():
        words = ("optimiser=adam", *changes) if changes else ()
        record(20_000, "recipe=stable", *words, name=name, root="results/runs/stable")
    script("collect_ablation").command([])
    assert capsys.readouterr().out.splitlines() == [
        "results/ablation/steady/copy/ntm/seed1: 20,000 of 20,000 sequences, not evaluated (ntm-eval)"
    ]
    script("collect_ablation").command([])
    assert "as it was: 20,000 sequences" in capsys.readouterr().out
    assert [path.name for path in Path("results/ablation").iterdir()] == ["steady"]


def test_an_unknown_recipe_is_named(here):
    for name in ("collect", "unfinished"):
        with pytest.raises(UsageError, match=r"recipe=steady: unknown; choose collier_beel or .* or stable"):
            script(name).command(["recipe=steady"])
