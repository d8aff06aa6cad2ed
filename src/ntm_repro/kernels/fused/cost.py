"""The cost in bits and its gradient at the logits (see `ntm_repro.loss`, whose numbers these are).

For a logit y and a target t the cost is softplus(y) − t y nats, and its gradient σ(y) − t.
"""

import math

from ntm_repro.jit.cache import inner
from ntm_repro.kernels.fused.arithmetic import sigmoid, softplus

NATS_TO_BITS = 1 / math.log(2)


@inner
def cost(y_O, target_O, mask_O, scale):
    """(bits, wrong bits) of one step; `y_O` is replaced by the gradient of scale · bits."""
    real = y_O.dtype.type
    bits = wrong = 0.0
    for o in range(target_O.shape[0]):
        y, t = y_O[o], target_O[o]
        if mask_O[o] == 0:
            y_O[o] = real(0)
            continue
        bits += float(softplus(y) - t * y) * mask_O[o]
        wrong += mask_O[o] if (y > 0) != (t > real(0.5)) else real(0)
        y_O[o] = (sigmoid(y) - t) * mask_O[o] * real(scale * NATS_TO_BITS)
    return bits * NATS_TO_BITS, wrong
