"""A task and a model such as another package may have, which describe themselves by nothing but defaults."""

from contextlib import contextmanager
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, ClassVar
from unittest.mock import patch

import numpy as np
import torch

from ntm_repro import models, registry, tasks
from ntm_repro.models import ntm
from ntm_repro.tasks import Batch, Task


@dataclass(frozen=True)
class Parity(Task):
    """`length` coin flips; after them, whether their sum is odd."""

    inputs: ClassVar[int] = 1
    outputs: ClassVar[int] = 1

    name: str = "parity"
    length: int = 4

    def condition_of(self, stream, first):
        return self.length

    def draw(self, stream, first, count, condition=None):
        length = self.length if condition is None else condition
        bits_TB = (stream.rows(first, count, length) & 1).astype(np.float32).T
        input_TBI = np.zeros((length + 1, count, 1), np.float32)
        target_TBO, mask_TO = np.zeros_like(input_TBI), np.zeros((length + 1, 1), np.float32)
        input_TBI[:-1, :, 0] = bits_TB
        target_TBO[-1, :, 0] = bits_TB.sum(0) % 2
        mask_TO[-1] = 1
        return Batch(first, length, input_TBI, target_TBO, mask_TO)

    def parse_condition(self, value: Any):
        if not isinstance(value, int) or value < 1:
            raise ValueError(f"{value!r} is no length; parity takes positive integers")
        return value

    @property
    def test_conditions(self):
        return self.length, 2 * self.length


class OwnNTM(ntm.NTM):
    """A subclass: the fused kernel cannot know what it computes."""


@dataclass
class OwnSettings(ntm.Settings):
    """Those of an NTM, under a name of its own."""

    name: str = "own_ntm"


def build_own(settings, inputs, outputs, generator: torch.Generator):
    """As `models.ntm.build`."""
    built = ntm.build(settings, inputs, outputs, generator)
    built.__class__ = OwnNTM
    return built


OWN_MODEL = SimpleNamespace(Settings=OwnSettings, build=build_own)


class Point(SimpleNamespace):
    """An entry point: `name`, `value`, and `loaded`, which it gives or raises."""

    def load(self):
        if isinstance(self.loaded, Exception):
            raise self.loaded
        return self.loaded


@contextmanager
def installed(tasks_found=None, models_found=None):
    """As if a package were installed whose entry points give these {name: task or model}."""
    groups = {"ntm_repro.tasks": tasks_found or {}, "ntm_repro.models": models_found or {}}

    def entry_points(group):
        return [Point(name=name, value=f"own:{name}", loaded=found) for name, found in groups[group].items()]

    def forget():
        for found in (tasks._REGISTRY, models._REGISTRY):
            found.__dict__.pop("installed", None)

    with patch.object(registry, "entry_points", entry_points):
        forget()
        yield
        forget()
