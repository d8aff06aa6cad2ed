"""The numbers of figures that show the memory at work (6, 9, 12, 14, 15, 17), from traces of the trained NTM.

Those figures show one sequence; the numbers here are means over `SEQUENCES` of its kind, of the seed whose weights are
kept. Shape suffixes as in `evaluation.traces`.
"""

from collections.abc import Callable, Iterator

import numpy as np

from ntm_repro.evaluation.linear_fit import straightest
from ntm_repro.evaluation.locations import mean_maximum, written_last
from ntm_repro.evaluation.ngram_contexts import contexts, overlap
from ntm_repro.evaluation.recall_queries import items_and_query
from ntm_repro.evaluation.traces import Heads, Traced, answer, trace
from ntm_repro.figures.run_store import RunStore, Trained
from ntm_repro.report.verdicts import Measure, Verdict, of_share
from ntm_repro.tasks import Condition
from ntm_repro.tasks.associative_recall import VECTORS
from ntm_repro.tasks.dynamic_ngrams import DynamicNGrams
from ntm_repro.tasks.priority_sort import PRIORITY

MODEL = "ntm"
SEQUENCES = 20
SHARP = 0.98  # the largest weights in the paper's Figure 6
FOLLOWS = 0.9  # share of steps in which a head goes where the paper's goes


def copy(sources: RunStore) -> list[Measure]:
    """Figure 6: one location a step, written and read in the same order."""

    def of(traced: Traced) -> tuple[float, float, float]:
        heads, asked, length = _heads(traced), answer(traced).first, len(answer(traced).target_AC)
        write_TN, read_TN = _strongest(heads.write_weighting_TWN), _strongest(heads.read_weighting_TRN)
        shown, answering = slice(1, 1 + length), slice(asked, asked + length)
        return (
            mean_maximum(write_TN[shown]),
            mean_maximum(read_TN[answering]),
            _found_again(read_TN[answering].argmax(1), write_TN, shown),
        )

    return _measures(
        sources,
        "copy",
        20,
        of,
        (
            ("largest weight of the write head", f"≥ {SHARP}", SHARP),
            ("largest weight of the read head", f"≥ {SHARP}", SHARP),
            ("vectors read where they were written", "all", FOLLOWS),
        ),
    )


def repeat_copy(sources: RunStore) -> list[Measure]:
    """Figure 9: the read head goes through the locations written, over and over."""

    def of(traced: Traced) -> tuple[float, float]:
        heads, first_answer = _heads(traced), answer(traced).first
        length, repeats = traced.batch.condition
        write_TN, read_TN = _strongest(heads.write_weighting_TWN), _strongest(heads.read_weighting_TRN)
        read_RL = read_TN[first_answer : first_answer + length * repeats].argmax(1).reshape(repeats, length)
        return float((read_RL == read_RL[0]).mean()), _found_again(read_RL, write_TN, slice(1, 1 + length))

    return _measures(
        sources,
        "repeat_copy",
        (10, 7),
        of,
        (
            ("vectors read where the first repeat read them", "all", FOLLOWS),
            ("vectors read where they were written", "all", FOLLOWS),
        ),
    )


def recall(sources: RunStore) -> list[Measure]:
    """Figure 12: what is read for the answer was written while the item asked for was shown."""

    def of(traced: Traced) -> tuple[float]:
        heads, first_answer = _heads(traced), answer(traced).first
        items, query, number = items_and_query(traced.batch.input_TBI[:, 0])
        write_TN, read_TN = _strongest(heads.write_weighting_TWN), _strongest(heads.read_weighting_TRN)
        # From the flag before the item that is asked for to the flag after it.
        begin, end = items[number + 1], items[number + 1] + VECTORS + 1
        written = [written_last(write_TN, int(read_TN[first_answer + step].argmax()), query) for step in range(VECTORS)]
        return (float(np.mean([step is not None and begin <= step <= end for step in written])),)

    described = (("answers read where their item was written", "all", FOLLOWS),)
    return _measures(sources, "associative_recall", 6, of, described)


def _found_again(read_L: np.ndarray, write_TN: np.ndarray, shown: slice) -> float:
    """The share of `read_L` (any leading axes) that is where the vector of the same number was written.

    A controller with a memory of its own may write each vector a step after it was shown, or all at their own steps.
    """
    shares = []
    for delay in (0, 1):
        write_L = write_TN[shown.start + delay : shown.stop + delay].argmax(1)
        shares.append(float((read_L == write_L).mean()))
    return max(shares)


def ngram_predictions(sources: RunStore) -> list[Measure]:
    """Figure 14: the trained models' predictions beside the optimal estimator's."""
    found = []
    for model, name in (("ntm", "NTM-LSTM"), ("lstm", "LSTM")):
        what = f"{name}: distance of P(1) from the optimal estimator"
        trained = sources.trained("dynamic_ngrams", model)
        if trained is None:
            found.append(Measure(what, "close", "–", Verdict.partial, "not run"))
            continue
        distance = np.mean([_distance(traced, trained) for traced in _traces(trained, trained.task.longest_condition)])
        # No number in the paper: 0.1 is a tenth of the axis, half of what a blind guess of one half is off by.
        verdict = Verdict.met if distance <= 0.1 else Verdict.not_met
        found.append(Measure(what, "close", f"{distance:.3f}", verdict, _of(trained)))
    return found


def _distance(traced: Traced, trained: Trained) -> float:
    optimal_TBO = trained.task.optimal_output(traced.batch)
    assert optimal_TBO is not None
    return float(np.abs(answer(traced).output_AC[:, 0] - optimal_TBO[:, 0, 0]).mean())


def ngram_memory(sources: RunStore) -> list[Measure]:
    """Figure 15: the same location for the same context, another for another."""
    trained = sources.trained("dynamic_ngrams", MODEL)
    found = []
    for number, verb in enumerate(("reading", "writing")):
        what = f"weight in common when {verb} after the same context, and after different ones"
        if trained is None:
            found.append(Measure(what, "much, little", "–", Verdict.partial, "not run"))
            continue
        pairs = [_overlaps(traced, trained)[number] for traced in _traces(trained, trained.task.longest_condition)]
        same, different = np.mean(pairs, 0)
        verdict = Verdict.met if same >= 0.5 and same >= 2 * different else Verdict.not_met
        found.append(Measure(what, "much, little", f"{same:.2f}, {different:.2f}", verdict, _of(trained)))
    return found


def _overlaps(traced: Traced, trained: Trained) -> tuple[tuple[float, float], tuple[float, float]]:
    heads = _heads(traced)
    assert isinstance(trained.task, DynamicNGrams)
    context_T = contexts(traced.batch.target_TBO[:, 0, 0], trained.task.context)
    reading, writing = _strongest(heads.read_weighting_TRN), _strongest(heads.write_weighting_TWN)
    return overlap(reading, context_T), overlap(writing, context_T)


def sort(sources: RunStore) -> list[Measure]:
    """Figure 17: locations written are a linear function of the priority."""

    def of(traced: Traced) -> tuple[float]:
        vectors = traced.batch.condition[0]
        _, line = straightest(
            _heads(traced).write_weighting_TWN[:vectors], traced.batch.input_TBI[:vectors, 0, PRIORITY]
        )
        return (line.r_squared,)

    described = (("variance of the best write head's location that a line explains", "nearly all", 0.9),)
    return _measures(sources, "priority_sort", (20, 16), of, described)


def _measures(
    sources: RunStore,
    task: str,
    condition: Condition,
    of: Callable[[Traced], tuple[float, ...]],
    described: tuple[tuple[str, str, float], ...],
) -> list[Measure]:
    """Means of what `of` measures in a sequence.

    told: for each measure its name, the paper's value, and the least that meets it.
    """
    trained = sources.trained(task, MODEL)
    if trained is None:
        return [Measure(what, paper, "–", Verdict.partial, "not run") for what, paper, _ in described]
    means = np.mean([of(traced) for traced in _traces(trained, condition)], 0)
    return [
        Measure(what, paper, f"{mean:.3f}", of_share(float(mean), least), _of(trained))
        for (what, paper, least), mean in zip(described, means, strict=True)
    ]


def _traces(trained: Trained, condition: Condition) -> Iterator[Traced]:
    for number in range(SEQUENCES):
        yield trace(trained.task, trained.kernel, condition, trained.run.seed, number)


def _heads(traced: Traced) -> Heads:
    assert traced.heads is not None
    return traced.heads


def _strongest(weighting_THN: np.ndarray) -> np.ndarray:
    """All heads in one: the largest weight of any, [T, N]."""
    return weighting_THN.max(1)


def _of(trained: Trained) -> str:
    run = trained.run
    whole = "" if run.is_finished else f", after {run.sequences:,} sequences"
    return f"seed {run.seed}, {SEQUENCES} sequences{whole}"
