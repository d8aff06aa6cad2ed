"""Operations counted by formula against those that torch performs, one by one."""

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import FlopCounterMode

from ntm_repro import loss, models
from ntm_repro.bench import op_count
from ntm_repro.models import lstm, ntm, ntm_ff
from ntm_repro.models.ntm import ControllerSettings, MemorySettings, OutputFrom, ReadOrder

INPUTS, OUTPUTS = 3, 2
MODELS = {
    "ntm": ntm.Settings("ntm", ControllerSettings(size=6), heads=1, memory=MemorySettings(7, 4)),
    "ntm, two layers, two heads": ntm.Settings("ntm", ControllerSettings(5, 2), heads=2, memory=MemorySettings(9, 3)),
    "ntm_ff": ntm_ff.Settings(
        controller=ControllerSettings(size=6), heads=3, memory=MemorySettings(8, 5), read_order=ReadOrder.after
    ),
    "ntm_ff, two layers": ntm_ff.Settings(
        controller=ControllerSettings(7, 2), heads=1, memory=MemorySettings(6, 4), read_order=ReadOrder.after
    ),
    "read before": ntm_ff.Settings(controller=ControllerSettings(size=6), heads=3, memory=MemorySettings(8, 5)),
    "output from hidden": ntm.Settings(
        "ntm", ControllerSettings(size=6), memory=MemorySettings(7, 4), shift_range=5, output_from=OutputFrom.hidden
    ),
    "lstm": lstm.Settings(size=5, layers=3),
    "lstm, one layer": lstm.Settings(size=4, layers=1),
}


def train(model, steps, batch):
    torch.manual_seed(1)
    x_TBI, target_TBO = torch.rand(steps, batch, INPUTS), torch.ones(steps, batch, OUTPUTS)
    loss.bits(model.unroll(x_TBI).y_TBO, target_TBO, torch.ones(steps, OUTPUTS)).mean().backward()


# Whose last step leaves something without a gradient: the reads, or the write.
IDLE_AT_THE_END = ("output from hidden", "read before")


@pytest.mark.parametrize("name", [name for name in MODELS if name not in IDLE_AT_THE_END])
@pytest.mark.parametrize(("steps", "batch"), [(1, 1), (4, 1), (3, 5)])
def test_products_are_those_of_autograd(name, steps, batch):
    model = models.build(MODELS[name], INPUTS, OUTPUTS, seed=1)
    with FlopCounterMode(display=False) as counter:
        train(model, steps, batch)
    assert 2 * op_count.training_step(model, steps, batch).products == counter.get_total_flops()


@pytest.mark.parametrize("name", IDLE_AT_THE_END)
def test_a_last_step_of_which_less_is_seen(name):
    """Autograd then does less there than the count, which treats steps alike."""
    model = models.build(MODELS[name], INPUTS, OUTPUTS, seed=1)

    def counted(steps):
        with FlopCounterMode(display=False) as counter:
            train(model, steps, 1)
        return counter.get_total_flops()

    per_step = op_count.training_step(model, 1, 1).products
    assert counted(7) - counted(6) == 2 * per_step


class Elementwise(TorchDispatchMode):
    """Counts the numbers that everything but matrix products and views puts out."""

    VIEWS_AND_PRODUCTS = ("view", "expand", "split", "detach", "unbind", "select", "slice", "transpose", "t.", "mm")
    VIEWS_AND_PRODUCTS += ("alias", "as_strided", "squeeze", "permute")

    def __init__(self):
        super().__init__()
        self.count = 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        result = function(*args, **(kwargs or {}))
        name = function.__name__
        if not any(name.startswith(prefix) or f"{prefix}." in name for prefix in self.VIEWS_AND_PRODUCTS):
            outputs = result if isinstance(result, tuple | list) else (result,)
            self.count += sum(output.numel() for output in outputs if isinstance(output, torch.Tensor))
        return result


@pytest.mark.parametrize("name", MODELS)
def test_the_elementwise_count_is_a_floor_of_what_eager_does(name):
    """Eager performs all that is counted and more, but by a small factor: what is counted is not much too little."""
    model = models.build(MODELS[name], INPUTS, OUTPUTS, seed=1)
    with Elementwise() as counter:
        train(model, 6, 2)
    counted = op_count.training_step(model, 6, 2).elementwise
    assert counted < counter.count < 5 * counted


def test_the_optimiser_runs_once_a_batch():
    model = models.build(MODELS["ntm"], INPUTS, OUTPUTS, seed=1)
    one, many = op_count.training_step(model, 5, 1), op_count.training_step(model, 5, 16)
    assert many.optimiser == one.optimiser == op_count.OPTIMISER * model.parameter_count
    assert (many.products, many.elementwise) == (16 * one.products, 16 * one.elementwise)
    assert one.total == one.products + one.elementwise + one.optimiser


def test_the_peak_is_measured_on_one_thread_and_leaves_the_others_be():
    before = torch.get_num_threads()
    # From a slow emulator's to the fastest core's: a unit or a factor of a thousand would show.
    assert 1e7 < op_count.peak() < 1e12
    assert torch.get_num_threads() == before
