"""The Neural Turing Machine (paper section 3): a controller, a memory matrix, and heads that read and write it softly.

Shape suffixes: B sequences of the batch, I inputs, O outputs, H controller outputs, N memory locations, M width of a
location, R read heads, W write heads, K = R + W heads (reading ones first), S allowed shifts.
"""

from dataclasses import dataclass, field
from enum import Enum
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import softplus

from ntm_repro.errors import check_setting
from ntm_repro.models import initialisation, memory
from ntm_repro.models.addressing import HeadParameters, address
from ntm_repro.models.base import Model
from ntm_repro.models.controllers import Controller, LSTMStack
from ntm_repro.models.initial_state import STARTS, Start

Activation = Enum("Activation", "tanh linear")
ReadOrder = Enum("ReadOrder", "after before")
OutputFrom = Enum("OutputFrom", "hidden_and_reads hidden")


@dataclass
class ControllerSettings:
    """The controller.

    size: units of a layer.
    layers: how many of them.
    """

    size: int = 100
    layers: int = 1


@dataclass
class MemorySettings:
    """The memory matrix.

    locations: N, its rows.
    width: M, components of a row.
    start: whether its initial rows are learned one by one, so that N is fixed, or are all the same learned row.
    """

    locations: int = 128
    width: int = 20
    start: Start = Start.shared


@dataclass
class Settings:
    """What the config may say of an NTM. The paper leaves open activation, read_order and output_from.

    heads: how many read heads, and how many write heads (Tables 1 and 2).
    shift_range: how many shifts a head may make, odd; 3 are those by −1, 0 and +1.
    activation: of key and add vectors.
    read_order: whether read heads address and read the memory after or before this step's write.
    output_from: what the output layer sees.
    """

    name: str = "ntm"
    controller: ControllerSettings = field(default_factory=ControllerSettings)
    heads: int = 1
    memory: MemorySettings = field(default_factory=MemorySettings)
    shift_range: int = 3
    activation: Activation = Activation.tanh
    read_order: ReadOrder = ReadOrder.after
    output_from: OutputFrom = OutputFrom.hidden_and_reads

    def __post_init__(self) -> None:
        for key, value in (
            ("controller.size", self.controller.size),
            ("controller.layers", self.controller.layers),
            ("heads", self.heads),
            ("memory.locations", self.memory.locations),
            ("memory.width", self.memory.width),
        ):
            check_setting(value >= 1, key, value, "must be 1 or more")
        odd = self.shift_range >= 1 and self.shift_range % 2 == 1
        check_setting(odd, "shift_range", self.shift_range, "must be odd and positive: 3 allows shifts by −1, 0 and +1")
        check_setting(
            self.shift_range <= self.memory.locations,
            "shift_range",
            self.shift_range,
            f"must not exceed {{section}}memory.locations={self.memory.locations}",
        )


class NTMState(NamedTuple):
    """controller: its own state. read_BRM: r_{t−1}. memory_BNM: M_{t−1}. The weightings are w_{t−1} of each head."""

    controller: tuple
    read_BRM: Tensor
    memory_BNM: Tensor
    read_weighting_BRN: Tensor
    write_weighting_BWN: Tensor


class Trace(NamedTuple):
    """What happened in one step; with a leading axis T once unrolled.

    memory_BNM is the memory after the step's writes. The last five are the addressing parameters of all heads, from
    which `addressing` recomputes the stages of Figure 2.
    """

    read_weighting_BRN: Tensor
    write_weighting_BWN: Tensor
    read_BRM: Tensor
    erase_BWM: Tensor
    add_BWM: Tensor
    memory_BNM: Tensor
    key_BKM: Tensor
    strength_BK1: Tensor
    gate_BK1: Tensor
    shift_BKS: Tensor
    sharpness_BK1: Tensor


class NTM(Model):
    """An NTM around any controller.

    >>> model = build(Settings(), inputs=10, outputs=9, generator=torch.Generator().manual_seed(1))
    >>> model.unroll(torch.zeros(22, 1, 10)).y_TBO.shape
    torch.Size([22, 1, 9])
    """

    def __init__(
        self, controller: Controller, inputs: int, outputs: int, settings: Settings, generator: torch.Generator
    ) -> None:
        super().__init__()
        self.settings = settings
        self.heads, self.width = settings.heads, settings.memory.width
        self.parameters_per_head = self.width + 3 + settings.shift_range
        interface = 2 * self.heads * self.parameters_per_head + 2 * self.heads * self.width
        seen_by_output = controller.size
        if settings.output_from is OutputFrom.hidden_and_reads:
            seen_by_output += self.heads * self.width
        self.controller = controller
        # Rows: addressing of the read heads, addressing of the write heads, erase vectors, add vectors.
        self.interface = initialisation.linear(controller.size, interface, generator)
        self.output = initialisation.linear(seen_by_output, outputs, generator)
        self.read_RM = initialisation.bias(self.heads, self.width)
        start = STARTS[settings.memory.start]
        self.start = start(2 * self.heads, settings.memory.locations, self.width, generator)

    def initial_state(self, batch_size: int) -> NTMState:
        memory_BNM, weighting_BKN = self.start(batch_size)
        return NTMState(
            controller=self.controller.initial_state(batch_size),
            read_BRM=self.read_RM.expand(batch_size, -1, -1),
            memory_BNM=memory_BNM,
            read_weighting_BRN=weighting_BKN[:, : self.heads],
            write_weighting_BWN=weighting_BKN[:, self.heads :],
        )

    def _emit(self, h_BH: Tensor) -> tuple[HeadParameters, Tensor, Tensor]:
        """From the controller's output to all heads' addressing parameters, erase_BWM in (0, 1), and add_BWM."""
        heads, width = self.heads, self.width
        addressing, erase, add = self.interface(h_BH).split(
            [2 * heads * self.parameters_per_head, heads * width, heads * width], -1
        )
        key, strength, gate, shift, sharpness = addressing.unflatten(-1, (2 * heads, -1)).split(
            [width, 1, 1, self.settings.shift_range, 1], -1
        )
        bounded = self.settings.activation is Activation.tanh
        parameters = HeadParameters(
            key_BKM=key.tanh() if bounded else key,
            strength_BK1=softplus(strength),
            gate_BK1=gate.sigmoid(),
            shift_BKS=shift.softmax(-1),
            sharpness_BK1=1 + softplus(sharpness),
        )
        add_BWM = (add.tanh() if bounded else add).unflatten(-1, (heads, width))
        return parameters, erase.sigmoid().unflatten(-1, (heads, width)), add_BWM

    def advance(self, x_BI: Tensor, state: NTMState) -> tuple[Tensor, NTMState, Trace]:
        h_BH, controller_state = self.controller(torch.cat([x_BI, state.read_BRM.flatten(1)], -1), state.controller)
        parameters, erase_BWM, add_BWM = self._emit(h_BH)
        halves = zip(*(parameter.split(self.heads, 1) for parameter in parameters), strict=True)
        reading, writing = (HeadParameters(*half) for half in halves)

        write_weighting_BWN = address(writing, state.write_weighting_BWN, state.memory_BNM)
        memory_BNM = memory.write(state.memory_BNM, write_weighting_BWN, erase_BWM, add_BWM)
        seen_BNM = memory_BNM if self.settings.read_order is ReadOrder.after else state.memory_BNM
        read_weighting_BRN = address(reading, state.read_weighting_BRN, seen_BNM)
        read_BRM = memory.read(read_weighting_BRN, seen_BNM)

        seen_by_output = [h_BH]
        if self.settings.output_from is OutputFrom.hidden_and_reads:
            seen_by_output.append(read_BRM.flatten(1))
        y_BO = self.output(torch.cat(seen_by_output, -1))
        after = NTMState(controller_state, read_BRM, memory_BNM, read_weighting_BRN, write_weighting_BWN)
        trace = Trace(read_weighting_BRN, write_weighting_BWN, read_BRM, erase_BWM, add_BWM, memory_BNM, *parameters)
        return y_BO, after, trace


def build(settings: Settings, inputs: int, outputs: int, generator: torch.Generator) -> NTM:
    """An NTM with an LSTM controller."""
    controller_inputs = inputs + settings.heads * settings.memory.width
    controller = LSTMStack(controller_inputs, settings.controller.size, settings.controller.layers, generator)
    for layer in controller.layers:  # each of them sees the inputs
        initialisation.widen_inputs(layer.gates, inputs)  # type: ignore[arg-type]
    return NTM(controller, inputs, outputs, settings, generator)
