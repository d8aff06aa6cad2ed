"""The Neural Turing Machine (paper section 3): a controller, a memory matrix, and heads that read and write it softly.

Shape suffixes: B sequences of the batch, I inputs, O outputs, H controller outputs, N memory locations, M width of a
location, R read heads, W write heads, K = R + W heads (reading ones first), S allowed shifts.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

from ntm_repro.errors import InvalidSetting, check_setting
from ntm_repro.models import initial_values, initialisation, memory
from ntm_repro.models.addressing import HeadParameters, address
from ntm_repro.models.base import Model, mapped
from ntm_repro.models.controllers import Controller, Feedforward, LSTMStack, StackState
from ntm_repro.models.initial_state import STARTS, Start
from ntm_repro.models.initial_values import InitialValues

LABEL, COLOUR = "NTM, LSTM controller", "#0072b2"  # in figures (Okabe and Ito\'s colours)

ControllerKind = Enum("ControllerKind", "lstm feedforward")
Activation = Enum("Activation", "tanh linear")
ReadOrder = Enum("ReadOrder", "after before")
OutputFrom = Enum("OutputFrom", "hidden_and_reads hidden")
ScaleInputs = Enum("ScaleInputs", "none faintest quietest frequent")


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
    start: what it and the weightings begin with. shared: the same learned row everywhere, heads on the first location;
    per_location: all learned one by one, so that N is fixed in training; random: small random numbers that stay as they
    are, no weighting; constant: 1e-6 everywhere for good, weightings learned one by one.
    """

    locations: int = 128
    width: int = 20
    start: Start = Start.shared


# Arguments of `NTM` whose setting in the config has another name.
CONFIG_KEYS = {
    "hidden_size": "controller.size",
    "num_layers": "controller.layers",
    "num_heads": "heads",
    "num_locations": "memory.locations",
    "width": "memory.width",
}


@dataclass
class Settings:
    """What the config may say of an NTM. The paper leaves open activation, read_order and output_from.

    heads: how many read heads, and how many write heads (Tables 1 and 2).
    shift_range: how many shifts a head may make, odd; 3 are those by −1, 0 and +1.
    activation: of key and add vectors.
    read_order: whether read heads address and read the memory after or before this step's write.
    output_from: what the output layer sees.
    scale_inputs: which input channels' starting weights are made larger (see `tasks.input_scale`). With faintest those
    of small values, so that the faintest thing that each says (its 5 % quantile of non-zero sizes) is as loud as 1, at
    most ten times; with quietest also those that speak seldom, by how much more often the most frequent one speaks;
    with frequent those that speak seldom are made smaller, by as much.
    """

    name: str = "ntm"
    controller: ControllerSettings = field(default_factory=ControllerSettings)
    heads: int = 1
    memory: MemorySettings = field(default_factory=MemorySettings)
    shift_range: int = 3
    activation: Activation = Activation.tanh
    read_order: ReadOrder = ReadOrder.after
    output_from: OutputFrom = OutputFrom.hidden_and_reads
    scale_inputs: ScaleInputs = ScaleInputs.none
    initial: InitialValues = field(default_factory=InitialValues)

    def __post_init__(self) -> None:
        try:
            check(self.arguments())
        except InvalidSetting as error:
            key = CONFIG_KEYS.get(error.key, error.key)
            why = error.why.replace("{section}num_locations", "{section}memory.locations")
            raise InvalidSetting(key, error.value, why) from None

    def arguments(self) -> dict[str, Any]:
        """The same as keyword arguments of `NTM`."""
        return {
            "controller": ControllerKind.lstm,
            "hidden_size": self.controller.size,
            "num_layers": self.controller.layers,
            "num_heads": self.heads,
            "num_locations": self.memory.locations,
            "width": self.memory.width,
            "memory_start": self.memory.start,
            "shift_range": self.shift_range,
            "activation": self.activation,
            "read_order": self.read_order,
            "output_from": self.output_from,
            "initial": self.initial,
        }


def check(arguments: Mapping[str, Any]) -> None:
    """Raise `InvalidSetting` for an argument of `NTM` that is out of range."""
    sizes = ("input_size", "output_size", "hidden_size", "num_layers", "num_heads", "num_locations", "width")
    for name in sizes:
        check_setting(arguments.get(name, 1) >= 1, name, arguments.get(name), "must be 1 or more")
    shifts, locations = arguments["shift_range"], arguments["num_locations"]
    odd = shifts >= 1 and shifts % 2 == 1
    check_setting(odd, "shift_range", shifts, "must be odd and positive: 3 allows shifts by −1, 0 and +1")
    why = f"must not exceed {{section}}num_locations={locations}"
    check_setting(shifts <= locations, "shift_range", shifts, why)
    wide = arguments.get("hidden_bias", 0.0)
    check_setting(math.isfinite(wide) and wide >= 0, "hidden_bias", wide, "must be 0 or more")
    lstm = _choice("controller", ControllerKind, arguments["controller"]) is ControllerKind.lstm
    arguments["initial"].check(lstm, arguments["num_layers"], shifts)


class NTMState(NamedTuple):
    """controller: its own state. read_BRM: r_{t−1}. memory_BNM: M_{t−1}. The weightings are w_{t−1} of each head."""

    controller: StackState | tuple[()]
    read_BRM: Tensor
    memory_BNM: Tensor
    read_weighting_BRN: Tensor
    write_weighting_BWN: Tensor

    def detach(self) -> "NTMState":
        """The same values, through which no gradient flows back."""
        return mapped(self, Tensor.detach)


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
    """A Neural Turing Machine (paper section 3).

    input_size, output_size: channels I and O. controller: "lstm" (skip-connected layers of LSTM cells) or
    "feedforward" (layers of tanh units), `num_layers` layers of `hidden_size` units. num_heads: as many read heads, and
    as many write heads (Tables 1 and 2). num_locations N × width M: the memory. shift_range: how many shifts a head may
    make, an odd number centred on 0 (section 3.3.2). memory_start: "shared" (one learned vector in all locations, so
    that a trained model may be given more of them), "per_location", "random" or "constant" (see `initial_state`).
    The paper leaves open: activation of key and add vectors, "tanh" or "linear"; read_order, whether read heads see the
    memory "after" or "before" this step's write (by default after with an LSTM controller, before with a feedforward
    one); output_from, whether the output layer sees "hidden_and_reads" or "hidden" alone. hidden_bias: standard
    deviation of a feedforward controller's biases at the start. initial: what else is special about the start, by
    default nothing. input_scale: I factors of the starting weights of the input channels, by default 1. generator:
    draws the initial parameters; torch's default generator by default.

    Raises `ValueError` for an argument out of range.

    >>> core = NTM(input_size=10, output_size=9)
    >>> y_TBO, state = core(torch.zeros(22, 1, 10))
    >>> y_TBO.shape, state.memory_BNM.shape
    (torch.Size([22, 1, 9]), torch.Size([1, 128, 20]))
    """

    def __init__(  # noqa: PLR0913 — each is a choice of its own, by keyword
        self,
        input_size: int,
        output_size: int,
        *,
        controller: ControllerKind | str = "lstm",
        hidden_size: int = 100,
        num_layers: int = 1,
        num_heads: int = 1,
        num_locations: int = 128,
        width: int = 20,
        shift_range: int = 3,
        memory_start: Start | str = "shared",
        activation: Activation | str = "tanh",
        read_order: ReadOrder | str | None = None,
        output_from: OutputFrom | str = "hidden_and_reads",
        hidden_bias: float = 0.0,
        initial: InitialValues | None = None,
        input_scale: Sequence[float] | None = None,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        initial = InitialValues() if initial is None else initial
        check({name: value for name, value in locals().items() if name in CHECKED})
        kind = _choice("controller", ControllerKind, controller)
        self.input_size, self.output_size = input_size, output_size
        self.num_heads, self.num_locations, self.width = num_heads, num_locations, width
        self.shift_range = shift_range
        self.activation = _choice("activation", Activation, activation)
        default_order = ReadOrder.after if kind is ControllerKind.lstm else ReadOrder.before
        self.read_order = _choice("read_order", ReadOrder, default_order if read_order is None else read_order)
        self.output_from = _choice("output_from", OutputFrom, output_from)
        self.parameters_per_head = width + 3 + shift_range
        self.initial = initial
        self.input_scale = [1.0] * input_size if input_scale is None else [float(factor) for factor in input_scale]
        valid = len(self.input_scale) == input_size and all(0 < factor < math.inf for factor in self.input_scale)
        check_setting(valid, "input_scale", input_scale, f"must be {input_size} finite factors above 0")

        controller_inputs = input_size + num_heads * width
        self.controller: Controller = (
            LSTMStack(controller_inputs, hidden_size, num_layers)
            if kind is ControllerKind.lstm
            else Feedforward(controller_inputs, hidden_size, num_layers, hidden_bias)
        )
        # Rows: addressing of the read heads, addressing of the write heads, erase vectors, add vectors.
        interface_size = 2 * num_heads * (self.parameters_per_head + width)
        self.interface = initialisation.empty_linear(self.controller.size, interface_size)
        reads_size = num_heads * width if self.output_from is OutputFrom.hidden_and_reads else 0
        self.output = initialisation.empty_linear(self.controller.size + reads_size, output_size)
        self.read_RM = nn.Parameter(torch.zeros(num_heads, width))
        start = STARTS[_choice("memory_start", Start, memory_start)]
        self.start = start(2 * num_heads, num_locations, width)
        self.reset_parameters(generator)

    @torch.no_grad()
    def reset_parameters(self, generator: torch.Generator | None = None) -> None:
        """Draw all parameters anew, from `generator` or torch's default one, and change them as `initial` says."""
        self.controller.reset_parameters(generator)
        for layer in self._seeing_inputs():
            initialisation.widen_inputs(layer, self.input_size)
        initialisation.draw_linear(self.interface, generator)
        initialisation.draw_linear(self.output, generator)
        self.read_RM.zero_()
        self.start.reset_parameters(generator)  # type: ignore[operator]
        self._change_start()

    def _seeing_inputs(self) -> list[nn.Linear]:
        """The controller's layers whose first columns are the inputs, and the next ones the reads."""
        if isinstance(self.controller, LSTMStack):
            return [layer.gates for layer in self.controller.layers]  # type: ignore[misc]
        return [self.controller.layers[0]]  # type: ignore[list-item]

    def _change_start(self) -> None:
        initial, heads = self.initial, self.num_heads
        factors = [initial.input_weights * factor for factor in self.input_scale]
        for layer in self._seeing_inputs():
            initial_values.scale_columns(layer, 0, [*factors, *[initial.read_weights] * (heads * self.width)])
        if isinstance(self.controller, LSTMStack):
            for layer in self._seeing_inputs():
                layer.bias.chunk(4)[1].add_(initial.forget_gate)
        initial_values.add_to_heads(initial, self.interface, heads, self.width, self.shift_range)
        if initial.write_key_from_read:
            (seeing,) = self._seeing_inputs()
            initial_values.write_keys_from_reads(
                initial.write_key_from_read, seeing, self.input_size, self.interface, heads, self.width
            )
        self.start.memory.mul_(initial.memory)  # type: ignore[operator]

    def initial_state(self, batch_size: int) -> NTMState:
        """The learned state before the first step, for `batch_size` sequences."""
        memory_BNM, weighting_BKN = self.start(batch_size)
        return NTMState(
            controller=self.controller.initial_state(batch_size),
            read_BRM=self.read_RM.expand(batch_size, -1, -1),
            memory_BNM=memory_BNM,
            read_weighting_BRN=weighting_BKN[:, : self.num_heads],
            write_weighting_BWN=weighting_BKN[:, self.num_heads :],
        )

    def _emit(self, h_BH: Tensor) -> tuple[HeadParameters, Tensor, Tensor]:
        """From the controller's output to all heads' addressing parameters, erase_BWM in (0, 1), and add_BWM."""
        heads, width = self.num_heads, self.width
        addressing, erase, add = self.interface(h_BH).split(
            [2 * heads * self.parameters_per_head, heads * width, heads * width], -1
        )
        key, strength, gate, shift, sharpness = addressing.unflatten(-1, (2 * heads, -1)).split(
            [width, 1, 1, self.shift_range, 1], -1
        )
        bounded = self.activation is Activation.tanh
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
        """One step: y_BO, the next state, and what the heads did."""
        h_BH, controller_state = self.controller(torch.cat([x_BI, state.read_BRM.flatten(1)], -1), state.controller)
        parameters, erase_BWM, add_BWM = self._emit(h_BH)
        halves = zip(*(parameter.split(self.num_heads, 1) for parameter in parameters), strict=True)
        reading, writing = (HeadParameters(*half) for half in halves)

        write_weighting_BWN = address(writing, state.write_weighting_BWN, state.memory_BNM)
        memory_BNM = memory.write(state.memory_BNM, write_weighting_BWN, erase_BWM, add_BWM)
        seen_BNM = memory_BNM if self.read_order is ReadOrder.after else state.memory_BNM
        read_weighting_BRN = address(reading, state.read_weighting_BRN, seen_BNM)
        read_BRM = memory.read(read_weighting_BRN, seen_BNM)

        seen_by_output = [h_BH]
        if self.output_from is OutputFrom.hidden_and_reads:
            seen_by_output.append(read_BRM.flatten(1))
        y_BO = self.output(torch.cat(seen_by_output, -1))
        after = NTMState(controller_state, read_BRM, memory_BNM, read_weighting_BRN, write_weighting_BWN)
        trace = Trace(read_weighting_BRN, write_weighting_BWN, read_BRM, erase_BWM, add_BWM, memory_BNM, *parameters)
        return y_BO, after, trace


# Arguments of `NTM` that `check` looks at.
CHECKED = {
    *("input_size", "output_size", "hidden_size", "num_layers", "num_heads", "num_locations", "width"),
    *("shift_range", "hidden_bias", "controller", "initial"),
}


def _choice(name: str, kind: Any, value: Any) -> Any:
    """The member of an enumeration that `value` is or names; raises `InvalidSetting`."""
    if isinstance(value, kind):
        return value
    choices = " or ".join(member.name for member in kind)
    check_setting(isinstance(value, str) and value in kind.__members__, name, value, f"choose {choices}")
    return kind[value]


def build(
    settings: Settings,
    input_size: int,
    output_size: int,
    generator: torch.Generator,
    input_scale: Sequence[float] | None = None,
) -> NTM:
    """The NTM that the config describes. input_scale: factors of the starting weights of the input channels."""
    return NTM(input_size, output_size, **settings.arguments(), input_scale=input_scale, generator=generator)
