"""Evidence made for tests: runs recorded without having been trained."""

import json
from pathlib import Path

from ntm_repro import paper
from ntm_repro.training import metrics


def rows(bits, log_every=1_000, optimum=None):
    """Rows of metrics.csv with these bits per sequence, and the optimum's where given."""
    found = []
    for number, value in enumerate(bits):
        row = dict.fromkeys(metrics.COLUMNS, 0.0) | {"sequences": (number + 1) * log_every, "bits_per_sequence": value}
        found.append(row if optimum is None else row | {metrics.OPTIMUM_COLUMN: optimum[number]})
    return found


def record(
    root,
    task,
    model,
    seed,
    bits,
    *,
    log_every=1_000,
    optimum=None,
    planned=None,
    grid=None,
    beyond=None,
    **changes,
) -> Path:
    """Write the run's folder below `root` and return it; `changes` go into summary.json.

    It is finished where it has as many sequences as `planned`, by default those that `bits` fill.
    """
    folder = root / task / model / f"seed{seed}"
    folder.mkdir(parents=True)
    sequences = len(bits) * log_every
    planned = planned or sequences
    has_optimum = optimum is not None
    metrics.write_rows(folder / "metrics.csv", metrics.columns(has_optimum), rows(bits, log_every, optimum))
    config: dict = {"seed": seed}
    for key, value in (paper.settings(task, model) | {"train.sequences": planned}).items():
        *parents, name = key.split(".")
        node = config
        for parent in parents:
            node = node.setdefault(parent, {})
        node[name] = value
    summary = {
        "task": task,
        "model": model,
        "seed": seed,
        "parameters": 1_000,
        "sequences": sequences,
        "wall_seconds": 3_600.0,
        "status": "finished" if sequences == planned else "interrupted",
        "commit": "0123456789abcdef",
        "dirty": False,
        "threads": 1,
        "config": config,
    }
    (folder / "summary.json").write_text(json.dumps(summary | changes))
    for name, settings, more in (("eval", grid, {}), ("beyond", beyond, {"locations": 256})):
        if settings is not None:
            entries = [
                {
                    "setting": setting,
                    "sequences": 50,
                    "bits": value,
                    "wrong_bits": value / 2,
                    "perfect": 0.75,
                    "optimum_bits": None if optimum is None else value / 4,
                    **more,
                }
                for setting, value in settings.items()
            ]
            (folder / f"{name}.json").write_text(json.dumps({"checkpoint_sequences": sequences, "grid": entries}))
    return folder
