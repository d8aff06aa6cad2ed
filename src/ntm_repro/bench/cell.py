"""Which measurements there are of a subject at a batch size on a number of threads: one cell of the bench."""

import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import numpy as np
import torch

from ntm_repro import kernels
from ntm_repro.bench import end_to_end, op_count
from ntm_repro.bench.baselines import Compiled, TorchLSTM, TorchTrainingStep
from ntm_repro.bench.cases import Case, TrainingStep
from ntm_repro.bench.timing import Candidate, Spread, spread, take_turns
from ntm_repro.kernels.fused import support
from ntm_repro.models.lstm import LSTMBaseline
from ntm_repro.models.ntm import NTM

# Of a cell, in seconds: all rounds of training steps, and all of whole training. Fifteen pairs, two batch sizes and two
# numbers of threads then take less than 20 minutes, compiling included.
STEP_SECONDS = 3.0
LOOP_SECONDS = 1.5

FUSED, EAGER, COMPILED, TORCH_LSTM, JAX, LOOP = "fused", "eager", "compile", "nn.LSTM", "jax", "end to end"
STEPS = (FUSED, EAGER, COMPILED, TORCH_LSTM, JAX)


@dataclass(frozen=True)
class Measurement:
    """One thing timed in one cell; the times are milliseconds per sequence.

    what: one of `STEPS`, a training step on sequences of the length that stands for the task; or `LOOP`, ntm-train's
    whole loop on the lengths of training. ratio_to_eager, ratio_to_fused: its time over the other's, paired round by
    round. over_floor: its time over that of its operations at the machine's peak. share_of_bare: for `LOOP`, its
    sequences per second over those of the bare updates on the same batches. None: not measured, and `note` says why, or
    it has no meaning here.
    """

    pair: str
    batch: int
    threads: int
    what: str
    rounds: int = 0
    ms: Spread | None = None
    ratio_to_eager: Spread | None = None
    ratio_to_fused: Spread | None = None
    over_floor: float | None = None
    share_of_bare: Spread | None = None
    note: str = ""


class Budget:
    """Wall time that one peer may spend on compiling; asked before each start, so the last one may overdraw it."""

    def __init__(self, seconds: float) -> None:
        self.seconds, self.spent = seconds, 0.0

    def obstacle(self) -> str | None:
        """Why nothing more may be compiled; None while something may."""
        return f"n/a: the {self.seconds:g} s for compiling are spent" if self.spent >= self.seconds else None


def measure(
    subject: Case,
    batch: int,
    threads: int,
    rounds: int,
    peak: float,
    compiling: Budget | None = None,
    jax: Budget | None = None,
) -> Iterator[Measurement]:
    """All measurements of one cell; without the fused step, and a note why, where no fused kernel covers the model.

    Sets the process's number of threads.

    peak: multiply-adds per second on one thread. compiling, jax: None leaves torch.compile, or JAX, out. JAX is
    measured on one thread alone.
    """
    torch.set_num_threads(threads)
    settings, tensors = subject.training(batch), subject.batch(batch)

    def step(kernel: kernels.Kernel) -> TrainingStep:
        return TrainingStep(kernel, settings, tensors)

    model, notes = subject.build(), {}
    candidates: dict[str, Candidate] = {}
    obstacle = support.unsupported_reason(model)
    if obstacle is None:
        candidates[FUSED] = step(kernels.choose("numba", subject.build()))
    else:
        notes[FUSED] = f"n/a: {obstacle}"
    candidates[EAGER] = step(kernels.choose("eager", subject.build()))
    if isinstance(model, LSTMBaseline):
        candidates[TORCH_LSTM] = TorchTrainingStep(TorchLSTM(model), settings, tensors)
    if compiling is not None:
        compiled, notes[COMPILED] = _started("torch.compile", lambda: step(Compiled(subject.build())), compiling)
        candidates |= {COMPILED: compiled} if compiled else {}
    updates = 1  # of one call of JAX
    if jax is not None and threads == 1 and isinstance(model, NTM | LSTMBaseline):
        if find_spec("jax"):
            from ntm_repro.bench.jax_peer import UPDATES, JaxTrainingStep

            updates = UPDATES
            peer, notes[JAX] = _started("JAX", lambda: JaxTrainingStep(subject.build(), settings, tensors), jax)
            candidates |= {JAX: peer} if peer else {}
        else:
            notes[JAX] = "n/a: not installed; pip install 'ntm-repro[bench]'"
    seconds = take_turns(candidates, rounds, STEP_SECONDS)
    if JAX in seconds:
        seconds[JAX] = seconds[JAX] / updates

    steps = len(tensors[0])
    floor = None
    if isinstance(model, NTM | LSTMBaseline):
        floor = op_count.training_step(model, steps, batch).total / (peak * threads)
    cell: dict[str, Any] = {"pair": subject.name, "batch": batch, "threads": threads}
    for what in STEPS:
        if what in seconds:
            times = seconds[what]
            yield Measurement(
                **cell,
                what=what,
                rounds=len(times),
                ms=spread(times * 1e3 / batch),
                ratio_to_eager=spread(times / seconds[EAGER]),
                ratio_to_fused=spread(times / seconds[FUSED]) if FUSED in seconds else None,
                over_floor=None if floor is None else float(np.median(times)) / floor,
            )
        elif notes.get(what):
            yield Measurement(**cell, what=what, note=notes[what])

    kernel = kernels.choose("auto" if obstacle is None else "eager", subject.build())
    loop, bare = end_to_end.seconds_per_sequence(subject, kernel, batch, rounds, LOOP_SECONDS)
    yield Measurement(**cell, what=LOOP, rounds=len(loop), ms=spread(loop * 1e3), share_of_bare=spread(bare / loop))


def _started(what: str, make: Callable[[], Candidate], budget: Budget) -> tuple[Candidate | None, str]:
    """A candidate that has compiled what it needs; or None, and why not in one line."""
    obstacle = budget.obstacle()
    if obstacle:
        return None, obstacle
    begin = time.perf_counter()
    try:
        candidate = make()
        candidate()
        candidate()
    except Exception as error:  # a missing C++ compiler, or whatever a compiler raises
        logging.getLogger(__name__).debug(what, exc_info=True)
        lines = str(error).strip().splitlines() or [""]
        return None, f"n/a: {what} failed ({type(error).__name__}: {lines[0][:120]})"
    finally:
        budget.spent += time.perf_counter() - begin
    return candidate, ""
