"""What is measured of a cell, and what stands in the place of what could not be."""

import pytest
import torch
from support.plugged_in import OWN_MODEL, OwnSettings, Parity, installed

from ntm_repro.bench import cell, report
from ntm_repro.bench.cases import Case
from ntm_repro.bench.cell import Budget, measure
from ntm_repro.models import lstm, ntm
from ntm_repro.tasks.copy import Copy
from ntm_repro.training.settings import TrainSettings

pytestmark = pytest.mark.filterwarnings("ignore:grad and param do not obey the gradient layout contract")

LSTM = Case("copy/lstm", Copy(), lstm.Settings(size=8), TrainSettings(), seed=1)


@pytest.fixture(autouse=True)
def short(monkeypatch):
    monkeypatch.setattr(cell, "STEP_SECONDS", 0.1)
    monkeypatch.setattr(cell, "LOOP_SECONDS", 0.1)
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def by_what(compiling):
    return {found.what: found for found in measure(LSTM, 2, 1, 3, 1e9, compiling)}


def test_a_baseline_is_also_held_against_torchs():
    found = by_what(None)
    assert list(found) == ["fused", "eager", "nn.LSTM", "end to end"]
    for measured in found.values():
        assert (measured.pair, measured.batch, measured.threads, measured.note) == ("copy/lstm", 2, 1, "")
        assert 0 < measured.ms.q1 <= measured.ms.median <= measured.ms.q3
    assert found["fused"].ratio_to_fused == (1, 1, 1) == found["eager"].ratio_to_eager
    assert found["eager"].ratio_to_fused.median > 1
    # × floor and milliseconds differ by the same factor everywhere.
    factors = [found[what].over_floor / found[what].ms.median for what in ("fused", "eager", "nn.LSTM")]
    assert factors == pytest.approx([factors[0]] * 3)
    assert found["end to end"].share_of_bare.median > 0


def test_a_model_without_fused_kernel_is_measured_eagerly_and_says_so():
    sizes = ntm.ControllerSettings(size=4), 1, ntm.MemorySettings(locations=5, width=3)
    case = Case("parity/own_ntm", Parity(), OwnSettings("own_ntm", *sizes), TrainSettings(), seed=1)
    with installed(models_found={"own_ntm": OWN_MODEL}):
        found = {one.what: one for one in measure(case, 1, 1, 3, 1e9, None)}
    assert list(found) == ["fused", "eager", "end to end"]
    assert (found["fused"].ms, found["fused"].note) == (None, "n/a: the fused kernel does not know OwnNTM")
    assert found["eager"].ms.median > 0
    assert found["eager"].ratio_to_fused is None
    said = report.line(list(found.values()))
    assert said.startswith(
        "parity/own_ntm, batch 1, 1 thread: fused n/a: the fused kernel does not know OwnNTM, eager "
    )
    (row,) = [row for row in report.as_csv(list(found.values())).splitlines() if ",fused," in row]
    assert row.endswith("the fused kernel does not know OwnNTM")


def test_jax_is_timed_by_the_update():
    found = {one.what: one for one in measure(LSTM, 2, 1, 3, 1e9, None, Budget(100.0))}
    assert list(found) == ["fused", "eager", "nn.LSTM", "jax", "end to end"]
    # A call is sixteen updates: as slow as eager it would be, were that forgotten.
    assert 0 < found["jax"].ms.median < found["eager"].ms.median
    assert found["jax"].ratio_to_fused.median > 0


@pytest.mark.parametrize(("threads", "said"), [(1, "n/a: not installed; pip install 'ntm-repro[bench]'"), (2, None)])
def test_without_jax_and_on_two_threads(threads, said, monkeypatch):
    monkeypatch.setattr(cell, "find_spec", lambda name: None)
    found = {one.what: one for one in measure(LSTM, 2, threads, 3, 1e9, None, Budget(100.0))}
    assert (found["jax"].note if "jax" in found else None) == said


def test_a_spent_budget_is_said():
    found = by_what(Budget(0.0))
    assert found["compile"].ms is None
    assert found["compile"].note == "n/a: the 0 s for compiling are spent"


def test_a_compiler_that_fails_is_said_in_one_line(monkeypatch):
    def fails(*arguments, **settings):
        raise RuntimeError("no C++ compiler\nand much more")

    monkeypatch.setattr(torch, "compile", fails)
    budget = Budget(60.0)
    found = by_what(budget)
    assert found["compile"].note == "n/a: torch.compile failed (RuntimeError: no C++ compiler)"
    assert budget.spent > 0
