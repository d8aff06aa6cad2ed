"""From live runs to the evidence that is committed: what is kept of a run, and of which one the weights."""

import statistics
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf
from safetensors import safe_open

from ntm_repro.evidence import evaluations, keeping, runs
from ntm_repro.evidence.runs import Run
from ntm_repro.files import write_atomically, write_json, write_text
from ntm_repro.training import metrics
from ntm_repro.training.run_folder import RunFolder


def collect(live: Run, to: Path) -> None:
    """Copy the record of a run to the folder `to`: config, metrics up to where its summary ends, evaluations, summary.

    An evaluation of another checkpoint than the last is left out. The summary comes last: it makes the folder a run.
    The config names the new place, not the one on the machine that trained it; likewise that of the weights from which
    the run went on, which are kept with the record they end. Raises `OSError`.
    """
    target = RunFolder(to)
    to.mkdir(parents=True, exist_ok=True)
    if live.before is not None:
        keeping.copy_before(live, target)
    for stale in (target.summary, target.evaluation, target.beyond, target.weights):
        stale.unlink(missing_ok=True)
    config: dict[str, Any] = live.summary["config"] | {
        "run_dir": to.as_posix(),
        "results_dir": to.parents[2].as_posix(),
    }
    if live.before is not None:
        config["train"] = config["train"] | {"initial_weights": target.before.path.as_posix()}
    write_text(target.config, OmegaConf.to_yaml(OmegaConf.create(config)))
    metrics.write_rows(target.metrics, list(live.own_rows[0]), live.own_rows)
    collect_evaluations(live, to)
    write_json(target.summary, live.summary | {"config": config})


def collect_evaluations(live: Run, to: Path) -> list[str]:
    """Add the entries that the folder `to` lacks of the evaluations of the run's end; the names of the files changed.

    Of eval.json only entries with the memory of training. What is there is kept. Raises `OSError`, and `UsageError` for
    a damaged file.
    """
    target = RunFolder(to)
    changed = []
    for path, evaluation in ((target.evaluation, live.evaluation), (target.beyond, live.beyond)):
        if evaluation is None or evaluation["checkpoint_sequences"] != live.sequences:
            continue
        present = evaluations.read(path)
        if present is None:
            content = evaluation
        elif present["checkpoint_sequences"] == live.sequences:
            old, new = (evaluations.marked(found["grid"], live.trained_locations) for found in (present, evaluation))
            content = {**present, "grid": evaluations.merged(old, new, replace=False)}
            if len(content["grid"]) == len(old):
                continue
        else:
            continue
        write_json(path, content)
        changed.append(path.name)
    return changed


def keep_representative_weights(root: Path, live_root: Path, task: str, model: str) -> Run | None:
    """Keep the weights of one run of the pair: of those at hand, the one that ends closest to the median of all.

    Differences below 0.01 bits are ties, broken by the lowest seed. Only runs with the largest number of sequences are
    considered. Returns that run, or None where no weights are at hand. Raises `OSError`.
    """
    collected = runs.find(root, task, model)
    furthest = max((run.sequences for run in collected), default=0)
    longest = [run for run in collected if run.sequences == furthest and run.summary.get("final_bits") is not None]
    at_hand = {run.seed: content for run in longest if (content := _weights(run, live_root)) is not None}
    if not at_hand:
        return None
    middle = statistics.median(run.summary["final_bits"] for run in longest)
    chosen = min(
        (run for run in longest if run.seed in at_hand),
        key=lambda run: (round(abs(run.summary["final_bits"] - middle), 2), run.seed),
    )
    for run in collected:
        weights = RunFolder(run.folder).weights
        if run.seed == chosen.seed:
            if not weights.exists() or weights.read_bytes() != at_hand[run.seed]:
                write_atomically(weights, at_hand[run.seed])
        else:
            weights.unlink(missing_ok=True)
    return chosen


def _weights(run: Run, live_root: Path) -> bytes | None:
    """weights.safetensors of a collected run: what lies with it, or what its live run has, if it ended there."""
    kept = RunFolder(run.folder).weights
    if kept.exists():
        return kept.read_bytes()
    live = RunFolder(live_root / run.task / run.model / run.folder.name).weights
    if not live.exists():
        return None
    with safe_open(live, "np") as file:
        trained_on = int((file.metadata() or {}).get("sequences", -1))
    # A run that was killed has the weights of where it stopped before, if any.
    return live.read_bytes() if trained_on == run.sequences else None
