"""Starting values of an NTM beside the usual ones: biases of its heads and gates, and factors of its weights.

The paper does not say how weights start. All zeros and ones, the defaults of `InitialValues`, change nothing. What
each value is good for was measured (LOG.md).
"""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields

import torch
from torch import nn

from ntm_repro.errors import check_setting

FACTORS = ("input_weights", "read_weights", "add_weights", "memory")


@dataclass
class InitialValues:
    """What is added to zero biases at the start, and by what starting weights are multiplied.

    read_gate, write_gate: added to the bias of the gate of all read or write heads; above 0, they begin with content.
    read_shift, write_shift: added to the bias of their shift by +1; above 0, they begin to walk.
    read_stay, write_stay: added to the bias of their shift by 0; above 0, they begin at rest.
    strength: added to the bias of all heads' key strength.
    sharpness: added to the bias of all heads' sharpness.
    erase: added to the biases of the erase vectors; below 0, writes begin to keep what is there.
    forget_gate: added to the biases of the forget gates of an LSTM controller; below 0, it begins to forget.
    input_weights: factor of the controller's weights of the task's inputs.
    read_weights: factor of the controller's weights of the vectors that were read.
    add_weights: factor of the weights of the add vectors.
    memory: factor of the memory before the first step.
    write_key_from_read: with c above 0, the weights of a write head's key begin as c times the controller's transposed
    weights of what the read head of the same number has read, so that it begins to write where that has read. For a
    feedforward controller of one layer.
    """

    read_gate: float = 0.0
    write_gate: float = 0.0
    read_shift: float = 0.0
    write_shift: float = 0.0
    read_stay: float = 0.0
    write_stay: float = 0.0
    strength: float = 0.0
    sharpness: float = 0.0
    erase: float = 0.0
    forget_gate: float = 0.0
    input_weights: float = 1.0
    read_weights: float = 1.0
    add_weights: float = 1.0
    memory: float = 1.0
    write_key_from_read: float = 0.0

    def __post_init__(self) -> None:
        for key, value in asdict(self).items():
            check_setting(math.isfinite(value), f"initial.{key}", value, "must be a finite number")
        for key in FACTORS:
            value = getattr(self, key)
            check_setting(value > 0, f"initial.{key}", value, "is a factor: must be above 0")
        value = self.write_key_from_read
        check_setting(value >= 0, "initial.write_key_from_read", value, "must be 0 or more")

    def check(self, lstm: bool, num_layers: int, shift_range: int) -> None:
        """Raise `InvalidSetting` for a value that an NTM of this controller and these shifts has no use for."""
        forget, copied = self.forget_gate, self.write_key_from_read
        check_setting(lstm or not forget, "initial.forget_gate", forget, "a feedforward controller has no such gate")
        why = "needs a feedforward controller of one layer, whose units see what was read"
        check_setting(not copied or (not lstm and num_layers == 1), "initial.write_key_from_read", copied, why)
        for key in ("read_shift", "write_shift"):
            value = getattr(self, key)
            why = f"there is no shift by +1 with {{section}}shift_range={shift_range}"
            check_setting(shift_range >= 3 or not value, f"initial.{key}", value, why)


NAMES = tuple(value.name for value in fields(InitialValues))


@torch.no_grad()
def scale_columns(layer: nn.Linear, first: int, factors: Sequence[float]) -> None:
    """Multiply the weights of the columns from `first` on by one factor each."""
    scale = torch.tensor(factors, dtype=layer.weight.dtype, device=layer.weight.device)
    layer.weight[:, first : first + len(factors)] *= scale


@torch.no_grad()
def add_to_heads(values: InitialValues, interface: nn.Linear, num_heads: int, width: int, shift_range: int) -> None:
    """Add to the zero biases of a fresh interface layer, and scale the weights of its add vectors.

    Its rows: for each of the 2 · num_heads heads, reading ones first, key, strength, gate, shifts and sharpness; then
    all erase vectors, then all add vectors.
    """
    per_head, strength = width + 3 + shift_range, width
    gate, stay, sharpness = width + 1, width + 2 + shift_range // 2, width + 2 + shift_range
    addressing, vectors = 2 * num_heads * per_head, num_heads * width
    bias_KP = interface.bias[:addressing].view(2 * num_heads, per_head)
    bias_KP[:, strength] += values.strength
    bias_KP[:, sharpness] += values.sharpness
    for heads, kind in ((bias_KP[:num_heads], "read"), (bias_KP[num_heads:], "write")):
        heads[:, gate] += getattr(values, f"{kind}_gate")
        heads[:, stay] += getattr(values, f"{kind}_stay")
        if shift_range > 1:
            heads[:, stay + 1] += getattr(values, f"{kind}_shift")
    interface.bias[addressing : addressing + vectors] += values.erase
    interface.weight[addressing + vectors :] *= values.add_weights


@torch.no_grad()
def write_keys_from_reads(
    factor: float, layer: nn.Linear, input_size: int, interface: nn.Linear, num_heads: int, width: int
) -> None:
    """Begin with write heads whose keys are what the read heads of their number have read, as far as this goes.

    A hidden unit that grows with what was read, by `layer`, moves the key in the same direction: the keys' weights
    become `factor` times the transposed weights of the reads. Of N(0, σ²) numbers, that product is near a multiple of
    the identity.
    """
    per_head = (interface.out_features - 2 * num_heads * width) // (2 * num_heads)
    for head in range(num_heads):
        row, column = (num_heads + head) * per_head, input_size + head * width
        interface.weight[row : row + width] = factor * layer.weight[:, column : column + width].T
