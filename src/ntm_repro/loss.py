"""The cost of the paper: cross-entropy of logistic outputs in bits per sequence (section 4).

Shape suffixes: T time steps, B sequences of the batch, O output channels.
"""

import math

from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits


def bits(y_TBO: Tensor, target_TBO: Tensor, mask_TO: Tensor) -> Tensor:
    """Cost of each sequence in bits, summed over the scored steps and channels: [B]."""
    nats_TBO = binary_cross_entropy_with_logits(y_TBO, target_TBO, reduction="none")
    return (nats_TBO * mask_TO[:, None]).sum((0, 2)) / math.log(2)


def wrong_bits(y_TBO: Tensor, target_TBO: Tensor, mask_TO: Tensor) -> Tensor:
    """Scored bits that come out wrong when outputs are rounded at one half: [B]."""
    wrong_TBO = (y_TBO > 0) != (target_TBO > 0.5)
    return (wrong_TBO * mask_TO[:, None]).sum((0, 2))
