"""How the time and the memory of an update grow with each size of the model and its sequences: copy, NTM-LSTM."""

import re
import resource
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

import torch

from ntm_repro import kernels
from ntm_repro.bench.cases import Case, TrainingStep
from ntm_repro.models import ntm
from ntm_repro.tasks.copy import Copy
from ntm_repro.training.settings import TrainSettings

# What grows, and what a table calls it.
AXES = {
    "steps": "steps T",
    "locations": "locations N",
    "width": "width M",
    "heads": "heads",
    "size": "controller",
    "batch": "batch",
}
USUAL = {"steps": 22, "locations": 128, "width": 20, "heads": 1, "size": 100, "batch": 1}
VALUES = {
    "steps": (10, 22, 100, 1_000, 10_000),
    "locations": (128, 1_024, 8_192, 65_536),
    "width": (20, 40, 80, 160),
    "heads": (1, 2, 4, 8),
    "size": (100, 200, 400, 1_024),
    "batch": (1, 4, 16, 64, 256),
}
TURNS = 5
TURN_SECONDS = 0.2


class Grown(NamedTuple):
    """One size changed: which, to what; milliseconds of an update, and the peak memory of its process in MB."""

    axis: str
    value: int
    ms: float
    megabytes: float


def measure(progress: Callable[[str], None] = lambda _: None) -> list[Grown]:
    """All of `VALUES`, each in a process of its own, one after the other. `progress` is called with a line for each."""
    found = []
    # A new process for each, because the peak of a process's memory never falls.
    with ProcessPoolExecutor(1, get_context("spawn"), max_tasks_per_child=1) as processes:
        for axis, values in VALUES.items():
            for value in values:
                one = processes.submit(update, axis, value).result()
                found.append(one)
                progress(f"{AXES[axis]} {value:,}: {one.ms:.3g} ms, {one.megabytes:.0f} MB")
    return found


def update(axis: str, value: int) -> Grown:
    """Measure an update with this one size changed, in this process, on one thread and random bits."""
    sizes = USUAL | {axis: value}
    torch.set_num_threads(1)
    model = ntm.Settings(
        controller=ntm.ControllerSettings(sizes["size"]),
        heads=sizes["heads"],
        memory=ntm.MemorySettings(sizes["locations"], sizes["width"]),
    )
    case = Case("copy/ntm", Copy(), model, TrainSettings(), seed=1)
    generator = torch.Generator().manual_seed(1)

    def bits(*shape: int) -> torch.Tensor:
        return torch.randint(0, 2, shape, generator=generator).float()

    built = case.build()
    batch = (
        bits(sizes["steps"], sizes["batch"], built.input_size),
        bits(sizes["steps"], sizes["batch"], built.output_size),
        torch.ones(sizes["steps"], built.output_size),
    )
    step = TrainingStep(kernels.choose("numba", built), case.training(sizes["batch"]), batch)
    step()
    fastest = float("inf")
    for _ in range(TURNS):
        step.reset()
        begin, calls = time.perf_counter(), 0
        while not calls or time.perf_counter() - begin < TURN_SECONDS:
            step()
            calls += 1
        fastest = min(fastest, (time.perf_counter() - begin) / calls)
    return Grown(axis, value, fastest * 1e3, _peak_megabytes())


def _peak_megabytes() -> float:
    """Of this process alone: what `getrusage` says on Linux includes the process that started this one."""
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii")
    except OSError:  # not Linux, where it is bytes
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    return int(re.findall(r"VmHWM:\s+(\d+) kB", status)[0]) / 1e3
