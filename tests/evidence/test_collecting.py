"""What of a live run becomes evidence, and whose weights are kept."""

import json

import numpy as np
import pytest
from omegaconf import OmegaConf
from safetensors.numpy import save

from ntm_repro.evidence import collecting, runs
from ntm_repro.training import metrics


def weights_of(seed, sequences=3000):
    """weights.safetensors of a run with that seed, as training writes it."""
    return save({"output.bias": np.full(2, seed, np.float32)}, {"sequences": str(sequences)})


def evaluation_of(*settings, sequences=3000, **marks):
    """An evaluation with an entry for each setting, which costs as many bits."""
    grid = [
        {"setting": n, "sequences": 9, "bits": n, "wrong_bits": 0.0, "perfect": 1.0, "optimum_bits": None, **marks}
        for n in settings
    ]
    return {"checkpoint_sequences": sequences, "grid": grid}


def settings_of(evaluation):
    return [entry["setting"] for entry in evaluation["grid"]]


def make_run(folder, seed=1, sequences=3000, final_bits=0.5, weights=True, evaluated_at=None, status="finished"):
    """A live run as ntm-train and ntm-eval leave it: here every 1,000 sequences cost 1 bit less."""
    folder.mkdir(parents=True)
    config = {"task": {"name": "copy"}, "model": {"name": "ntm"}, "train": {"sequences": 4000}, "seed": seed}
    config |= {"run_dir": "/somewhere/else", "results_dir": "/somewhere"}
    (folder / "config.yaml").write_text(OmegaConf.to_yaml(OmegaConf.create(config)))
    rows = [
        dict.fromkeys(metrics.COLUMNS, 0.0) | {"sequences": 1000 * (i + 1), "bits_per_sequence": 9.0 - i}
        for i in range(sequences // 1000)
    ]
    metrics.write_rows(folder / "metrics.csv", metrics.COLUMNS, rows)
    summary = {"task": "copy", "model": "ntm", "seed": seed, "sequences": sequences, "final_bits": final_bits}
    (folder / "summary.json").write_text(json.dumps(summary | {"status": status, "config": config}))
    if weights:
        (folder / "weights.safetensors").write_bytes(weights_of(seed, sequences))
    if evaluated_at is not None:
        (folder / "eval.json").write_text(json.dumps(evaluation_of(10, sequences=evaluated_at)))
        (folder / "beyond.json").write_text(json.dumps(evaluation_of(200, sequences=evaluated_at)))
    (folder / "checkpoint.pt").write_bytes(b"large")
    return runs.read(folder)


@pytest.fixture
def evidence(tmp_path):
    return tmp_path / "results" / "paper"


def test_a_runs_record_is_kept_and_nothing_else(tmp_path, evidence):
    live = make_run(tmp_path / "live", evaluated_at=3000)
    collecting.collect(live, evidence / "copy/ntm/seed1")
    kept = runs.read(evidence / "copy/ntm/seed1")
    assert sorted(path.name for path in kept.folder.iterdir()) == [
        "beyond.json",
        "config.yaml",
        "eval.json",
        "metrics.csv",
        "summary.json",
    ]
    assert kept.rows == live.rows
    assert kept.evaluation == live.evaluation
    assert kept.beyond == live.beyond
    assert kept.summary | {"config": None} == live.summary | {"config": None}


def test_no_trace_of_where_it_was_trained(tmp_path, evidence):
    live = make_run(tmp_path / "live")
    collecting.collect(live, evidence / "copy/ntm/seed1")
    texts = [path.read_text() for path in (evidence / "copy/ntm/seed1").iterdir()]
    assert not any("somewhere" in text for text in texts)
    config = OmegaConf.load(evidence / "copy/ntm/seed1/config.yaml")
    assert config == runs.read(evidence / "copy/ntm/seed1").summary["config"]
    assert config.run_dir.endswith("results/paper/copy/ntm/seed1")
    assert config.results_dir.endswith("results/paper")


def test_rows_past_the_last_summary_are_left_out(tmp_path, evidence):
    live = make_run(tmp_path / "live", sequences=3000)
    live.summary["sequences"] = 2000
    collecting.collect(live, evidence / "copy/ntm/seed1")
    kept = runs.read(evidence / "copy/ntm/seed1")
    assert [row["sequences"] for row in metrics.read_rows(kept.folder / "metrics.csv")] == [1000, 2000]


def test_an_evaluation_of_an_earlier_checkpoint_is_left_out(tmp_path, evidence):
    live = make_run(tmp_path / "live", evaluated_at=2000)
    collecting.collect(live, evidence / "copy/ntm/seed1")
    assert not {"eval.json", "beyond.json"} & {path.name for path in (evidence / "copy/ntm/seed1").iterdir()}


def test_an_evaluation_made_later_is_added_and_none_is_replaced(tmp_path, evidence):
    target = evidence / "copy/ntm/seed1"
    live = make_run(tmp_path / "live", evaluated_at=3000)
    (live.folder / "beyond.json").unlink()
    collecting.collect(live, target)
    changed = evaluation_of(10) | {"grid": [entry | {"bits": 99.0} for entry in evaluation_of(10)["grid"]]}
    (live.folder / "eval.json").write_text(json.dumps(changed))
    (live.folder / "beyond.json").write_text(json.dumps(evaluation_of(500)))
    assert collecting.collect_evaluations(runs.read(live.folder), target) == ["beyond.json"]
    kept = runs.read(target)
    assert (kept.evaluation["grid"], settings_of(kept.beyond)) == (evaluation_of(10)["grid"], [500])
    (live.folder / "beyond.json").write_text(json.dumps(evaluation_of(1000, sequences=2000)))
    (target / "beyond.json").unlink()
    assert collecting.collect_evaluations(runs.read(live.folder), target) == []


def test_entries_that_the_evidence_lacks_are_added_one_by_one(tmp_path, evidence):
    target = evidence / "copy/ntm/seed1"
    live = make_run(tmp_path / "live", evaluated_at=3000)
    collecting.collect(live, target)
    (live.folder / "eval.json").write_text(json.dumps(evaluation_of(10, 20)))
    assert collecting.collect_evaluations(runs.read(live.folder), target) == ["eval.json"]
    assert settings_of(runs.read(target).evaluation) == [10, 20]
    assert collecting.collect_evaluations(runs.read(live.folder), target) == []


def test_evaluations_with_another_memory_stay_out(tmp_path, evidence):
    target = evidence / "copy/ntm/seed1"
    live = make_run(tmp_path / "live", evaluated_at=3000)
    config = live.config | {"model": {"name": "ntm", "memory": {"locations": 128}}}
    (live.folder / "summary.json").write_text(json.dumps(live.summary | {"config": config}))
    grids = evaluation_of(10)["grid"] + evaluation_of(10, 200, locations=256)["grid"]
    grids += evaluation_of(20, locations=128)["grid"]
    (live.folder / "eval.json").write_text(json.dumps({"checkpoint_sequences": 3000, "grid": grids}))
    collecting.collect(runs.read(live.folder), target)
    recorded = json.loads((target / "eval.json").read_text())["grid"]
    assert [(entry["setting"], entry.get("locations", 128)) for entry in recorded] == [(10, 128), (20, 128)]


def test_a_longer_run_replaces_what_was_there(tmp_path, evidence):
    target = evidence / "copy/ntm/seed1"
    collecting.collect(make_run(tmp_path / "short", sequences=2000, evaluated_at=2000), target)
    (target / "weights.safetensors").write_bytes(b"of 2,000 sequences")
    collecting.collect(make_run(tmp_path / "long", sequences=3000), target)
    assert runs.read(target).sequences == 3000
    assert not (target / "eval.json").exists()
    assert not (target / "weights.safetensors").exists()


def pair(tmp_path, evidence, *finals, sequences=None, weights=True):
    """One run a seed with those final bits, live and collected."""
    for seed, final in enumerate(finals, 1):
        live = make_run(
            tmp_path / f"live/copy/ntm/seed{seed}",
            seed,
            sequences[seed - 1] if sequences else 3000,
            final,
            weights,
        )
        collecting.collect(live, evidence / f"copy/ntm/seed{seed}")


def weights_kept(evidence):
    return {path.parent.name: path.read_bytes() for path in evidence.glob("copy/ntm/*/weights.safetensors")}


def test_the_weights_of_the_median_run_are_kept(tmp_path, evidence):
    pair(tmp_path, evidence, 0.9, 0.1, 0.4)
    assert collecting.keep_representative_weights(evidence, tmp_path / "live", "copy", "ntm").seed == 3
    assert weights_kept(evidence) == {"seed3": weights_of(3)}


def test_of_runs_that_differ_by_next_to_nothing_the_first_is_kept(tmp_path, evidence):
    pair(tmp_path, evidence, 0.0004, 0.0001, 0.0002)
    assert collecting.keep_representative_weights(evidence, tmp_path / "live", "copy", "ntm").seed == 1


def test_weights_already_kept_give_way_to_those_of_a_more_typical_run(tmp_path, evidence):
    pair(tmp_path, evidence, 0.9)
    collecting.keep_representative_weights(evidence, tmp_path / "live", "copy", "ntm")
    assert weights_kept(evidence) == {"seed1": weights_of(1)}
    for seed, final in ((2, 0.1), (3, 0.4)):
        live = make_run(tmp_path / f"live/copy/ntm/seed{seed}", seed, final_bits=final)
        collecting.collect(live, evidence / f"copy/ntm/seed{seed}")
    collecting.keep_representative_weights(evidence, tmp_path / "live", "copy", "ntm")
    assert weights_kept(evidence) == {"seed3": weights_of(3)}


def test_a_run_that_went_less_far_is_no_representative(tmp_path, evidence):
    pair(tmp_path, evidence, 0.9, 0.5, 0.1, sequences=(3000, 2000, 3000))
    assert collecting.keep_representative_weights(evidence, tmp_path / "live", "copy", "ntm").seed in (1, 3)


def test_weights_stay_where_no_live_run_is_left(tmp_path, evidence):
    pair(tmp_path, evidence, 0.9)
    collecting.keep_representative_weights(evidence, tmp_path / "live", "copy", "ntm")
    assert collecting.keep_representative_weights(evidence, tmp_path / "gone", "copy", "ntm").seed == 1
    assert weights_kept(evidence) == {"seed1": weights_of(1)}


def test_without_any_weights_none_are_kept(tmp_path, evidence):
    pair(tmp_path, evidence, 0.9, weights=False)
    assert collecting.keep_representative_weights(evidence, tmp_path / "live", "copy", "ntm") is None
    assert weights_kept(evidence) == {}


def test_weights_of_an_earlier_stop_are_not_those_of_the_run(tmp_path, evidence):
    pair(tmp_path, evidence, 0.9)
    (tmp_path / "live/copy/ntm/seed1/weights.safetensors").write_bytes(weights_of(1, sequences=2000))
    assert collecting.keep_representative_weights(evidence, tmp_path / "live", "copy", "ntm") is None
    assert weights_kept(evidence) == {}
