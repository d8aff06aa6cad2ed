"""The strongest peer known: the same models in JAX, as somebody who knows it well would train them.

Forward and backward are one `lax.scan` each, the whole update is compiled by `jit`, and 16 updates are one call, with
no Python between them. What needs no recurrence stands outside the scan: the input's products, the output layer, of
the baseline also the products with the layer below. Weights inside the scan are not differentiated there, where each
step would add an outer product: their gradients are one product each, from those of what is added to the
pre-activations. Gradients are not clipped on their way back through time, which the kernel's are (a few per cent of its
time).

Importing this module imports JAX, on one thread. Shape suffixes as in `models.ntm` and `models.controllers`; T time
steps, U updates of one call.
"""

import math
import os
from collections.abc import Callable
from functools import partial
from typing import Any

# One thread, as long as JAX has not been used in this process: read when its CPU client starts.
os.environ["NPROC"] = "1"
os.environ["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} --xla_cpu_multi_thread_eigen=false".strip()

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax, nn

from ntm_repro.bench.cases import Tensors
from ntm_repro.models import Model, addressing
from ntm_repro.models.controllers import LSTMStack
from ntm_repro.models.lstm import LSTMBaseline
from ntm_repro.models.ntm import NTM, Activation, OutputFrom, ReadOrder
from ntm_repro.optimisers import graves_rmsprop
from ntm_repro.training.settings import TrainSettings

UPDATES = 16  # of one call

Array = Any
Arrays = dict[str, Array]  # by the names of the torch model's parameters, or of its linear layers
# From parameters, what is added to the pre-activations of the layers inside the scan, and x_TBI: y_TBO and, layer by
# layer, its inputs of all steps.
Logits = Callable[[Arrays, Arrays, Array], tuple[Array, Arrays]]


def parameters_of(model: Model) -> Arrays:
    """The model's parameters in their own type, by name."""
    return {name: jnp.asarray(value.detach().numpy().copy()) for name, value in model.named_parameters()}


def cost_and_gradient(model: Model, parameters: Arrays, x_TBI: Array, target_TBO: Array, mask_TO: Array) -> Any:
    """The mean cost of a batch in bits (section 4), and its gradient, each of the shape of its parameter, by name.

    x_TBI, target_TBO, mask_TO: as `Case.batch` draws them. Raises `TypeError` for a model that is neither an NTM nor an
    LSTM baseline.
    """
    logits, inside = _logits_of(model)
    weights = {name: parameters[name] for layer in inside for name in (f"{layer}.weight", f"{layer}.bias")}
    others = {name: value for name, value in parameters.items() if name not in weights}
    added = {layer: jnp.zeros((*x_TBI.shape[:2], len(weights[f"{layer}.bias"])), x_TBI.dtype) for layer in inside}

    def cost(others: Arrays, added: Arrays) -> tuple[Array, Arrays]:
        y_TBO, inputs = logits(weights | others, added, x_TBI)
        nats_TBO = (nn.softplus(y_TBO) - target_TBO * y_TBO) * mask_TO[:, None]
        return nats_TBO.sum() / (math.log(2) * x_TBI.shape[1]), inputs

    (bits, inputs), (gradient, errors) = jax.value_and_grad(cost, (0, 1), has_aux=True)(others, added)
    for layer in inside:
        gradient[f"{layer}.weight"] = jnp.einsum("tbo,tbi->oi", errors[layer], inputs[layer])
        gradient[f"{layer}.bias"] = errors[layer].sum((0, 1))
    return bits, gradient


class JaxTrainingStep:
    """`UPDATES` training steps in one call: gradient, its norm, value clip and Graves' RMSProp, always on one batch.

    The first call compiles.
    """

    def __init__(self, model: Model, settings: TrainSettings, batch: Tensors) -> None:
        self._model, self._settings = model, settings
        self._batches = [jnp.stack([jnp.asarray(tensor.numpy())] * UPDATES) for tensor in batch]

        @partial(jax.jit, donate_argnums=0)
        def updates(state: Any, batches_U: Any) -> Any:
            return lax.scan(self._update, state, batches_U)

        self._updates = updates
        self._state: Any = None
        self.reset()

    def __call__(self) -> None:
        self._state, told = self._updates(self._state, self._batches)
        jax.device_get(told)  # as a loop does that records them

    def reset(self) -> None:
        """Restore the initial weights, as `TrainingStep.reset` does."""
        first = parameters_of(self._model)
        self._state = first, {slot: jax.tree.map(jnp.zeros_like, first) for slot in graves_rmsprop.SLOTS}

    def _update(self, state: Any, batch: Any) -> Any:
        parameters, slots = state
        bits, gradient = cost_and_gradient(self._model, parameters, *batch)
        norm = jnp.sqrt(sum(jnp.vdot(g, g) for g in jax.tree.leaves(gradient)))
        rate, at = self._settings.learning_rate, self._settings.clip_at
        numbers = graves_rmsprop.Settings()

        def rmsprop(value: Array, g: Array, square: Array, mean: Array, change: Array) -> tuple[Array, ...]:
            """`graves_rmsprop.step` of one parameter: its value, then its slots."""
            g = jnp.clip(g, -at, at)
            square = square + (1 - numbers.decay) * (g * g - square)
            mean = mean + (1 - numbers.decay) * (g - mean)
            spread = jnp.maximum(square - mean * mean, 0) + numbers.damping
            change = numbers.momentum * change - rate * g * lax.rsqrt(spread)
            return value + change, square, mean, change

        after = {
            name: rmsprop(value, gradient[name], *(slots[slot][name] for slot in graves_rmsprop.SLOTS))
            for name, value in parameters.items()
        }
        parameters, *changed = ({name: new[place] for name, new in after.items()} for place in range(4))
        return (parameters, dict(zip(graves_rmsprop.SLOTS, changed, strict=True))), (bits, norm)


def _logits_of(model: Model) -> tuple[Logits, list[str]]:
    """The model's function, and the names of its layers inside the scan."""
    if isinstance(model, LSTMBaseline):
        return partial(_lstm_logits, model), [f"stack.layers.{i}.gates" for i in range(len(model.stack.layers))]
    if isinstance(model, NTM):
        lstm = isinstance(model.controller, LSTMStack)
        layers = [f"controller.layers.{i}{'.gates' if lstm else ''}" for i in range(len(model.controller.layers))]
        return partial(_ntm_logits, model), [*layers, "interface"]
    raise TypeError(f"JAX does not know {type(model).__name__}")


def _cell(gates_BG: Array, cell_BH: Array) -> tuple[Array, Array]:
    """hidden_BH and cell_BH after a step."""
    input_BH, forget_BH, candidate_BH, output_BH = jnp.split(gates_BG, 4, -1)
    cell_BH = nn.sigmoid(forget_BH) * cell_BH + nn.sigmoid(input_BH) * jnp.tanh(candidate_BH)
    return nn.sigmoid(output_BH) * jnp.tanh(cell_BH), cell_BH


def _lstm_logits(model: LSTMBaseline, p: Arrays, added: Arrays, x_TBI: Array) -> tuple[Array, Arrays]:
    """Layer by layer, each with a scan of its own."""
    batch, below_TBI, hiddens, inputs = x_TBI.shape[1], x_TBI, [], {}
    for number in range(len(model.stack.layers)):
        layer = f"stack.layers.{number}"
        weight_GI, above = p[f"{layer}.gates.weight"], below_TBI.shape[-1]
        gates_TBG = below_TBI @ weight_GI[:, :above].T + p[f"{layer}.gates.bias"] + added[f"{layer}.gates"]
        recurrent_HG = weight_GI[:, above:].T

        def step(carry: Any, gates_BG: Array, recurrent_HG: Array = recurrent_HG) -> Any:
            hidden_BH, cell_BH = carry
            after = _cell(gates_BG + hidden_BH @ recurrent_HG, cell_BH)
            return after, (after[0], hidden_BH)

        start = [jnp.broadcast_to(p[f"{layer}.{name}"], (batch, len(recurrent_HG))) for name in ("hidden_H", "cell_H")]
        _, (hidden_TBH, before_TBH) = lax.scan(step, tuple(start), gates_TBG)
        inputs[f"{layer}.gates"] = jnp.concatenate([below_TBI, before_TBH], -1)
        hiddens.append(hidden_TBH)
        below_TBI = jnp.concatenate([x_TBI, hidden_TBH], -1)
    return jnp.concatenate(hiddens, -1) @ p["output.weight"].T + p["output.bias"], inputs


def _ntm_logits(model: NTM, p: Arrays, added: Arrays, x_TBI: Array) -> tuple[Array, Arrays]:
    """One scan over controller, heads and memory; x_TBI joins the pre-activations outside of it."""
    heads, width, channels, batch = model.num_heads, model.width, x_TBI.shape[-1], x_TBI.shape[1]
    lstm = isinstance(model.controller, LSTMStack)
    layers = [layer for layer in added if layer != "interface"]
    seeing = layers if lstm else layers[:1]  # layers whose first columns are the input
    inner = {layer: p[f"{layer}.weight"][:, channels if layer in seeing else 0 :].T for layer in added}
    outer = {layer: added[layer] + p[f"{layer}.bias"] for layer in added}
    outer |= {layer: outer[layer] + x_TBI @ p[f"{layer}.weight"][:, :channels].T for layer in seeing}

    def controller(read_BX: Array, before: Any, outer_t: Arrays, inputs: Arrays) -> tuple[Array, Any]:
        """h_BH and the layers' states; notes what each layer saw in `inputs`."""
        after: list[Any] = []
        below_BX = read_BX
        for number, layer in enumerate(layers):
            seen_BX = jnp.concatenate([below_BX, before[number][0]], -1) if lstm else below_BX
            inputs[layer] = seen_BX
            sums_BG = outer_t[layer] + seen_BX @ inner[layer]
            if lstm:
                after.append(_cell(sums_BG, before[number][1]))
                below_BX = jnp.concatenate([read_BX, after[-1][0]], -1)
            else:
                below_BX = jnp.tanh(sums_BG)
        return (jnp.concatenate([state[0] for state in after], -1) if lstm else below_BX), tuple(after)

    def step(carry: Any, outer_t: Arrays) -> Any:
        before, read_BX, memory_BNM, read_BRN, write_BWN = carry
        inputs: Arrays = {}
        h_BH, after = controller(read_BX, before, outer_t, inputs)
        inputs["interface"] = h_BH
        emitted = outer_t["interface"] + h_BH @ inner["interface"]
        emitted, erase, add = jnp.split(
            emitted, np.cumsum([2 * heads * model.parameters_per_head, heads * width]).tolist(), -1
        )
        parameters_BKP = emitted.reshape(batch, 2 * heads, -1)
        erase_BWM = nn.sigmoid(erase).reshape(batch, heads, width)
        add_BWM = _bounded(model, add).reshape(batch, heads, width)

        write_BWN = _address(model, parameters_BKP[:, heads:], write_BWN, memory_BNM)
        written_BNM = memory_BNM
        for head in range(heads):
            written_BNM = written_BNM * (1 - write_BWN[:, head, :, None] * erase_BWM[:, head, None])
        written_BNM = written_BNM + jnp.einsum("bwn,bwm->bnm", write_BWN, add_BWM)
        seen_BNM = written_BNM if model.read_order is ReadOrder.after else memory_BNM
        read_BRN = _address(model, parameters_BKP[:, :heads], read_BRN, seen_BNM)
        read_BX = jnp.einsum("brn,bnm->brm", read_BRN, seen_BNM).reshape(batch, -1)
        return (after, read_BX, written_BNM, read_BRN, write_BWN), (h_BH, read_BX, inputs)

    _, (h_TBH, read_TBX, inputs) = lax.scan(step, _start(model, p, batch), outer)
    both = model.output_from is OutputFrom.hidden_and_reads
    seen_TBX = jnp.concatenate([h_TBH, read_TBX], -1) if both else h_TBH
    for layer in seeing:
        inputs[layer] = jnp.concatenate([x_TBI, inputs[layer]], -1)
    return seen_TBX @ p["output.weight"].T + p["output.bias"], inputs


def _start(model: NTM, p: Arrays, batch: int) -> Any:
    """What the scan begins with: states of the controller's layers, reads, memory, weightings."""
    states = []
    if isinstance(model.controller, LSTMStack):
        for number in range(len(model.controller.layers)):
            both = (p[f"controller.layers.{number}.{name}"] for name in ("hidden_H", "cell_H"))
            states.append(tuple(jnp.broadcast_to(value_H, (batch, len(value_H))) for value_H in both))
    if "start.rate_K" in p:
        position_N = jnp.arange(model.num_locations, dtype=p["start.rate_K"].dtype)
        weighting_KN = nn.softmax(-nn.softplus(p["start.rate_K"])[:, None] * position_N, -1)
        memory_NM = jnp.broadcast_to(p["start.memory_M"], (model.num_locations, model.width))
    else:
        weighting_KN, memory_NM = nn.softmax(p["start.logits_KN"], -1), p["start.memory_NM"]
    weighting_BKN = jnp.broadcast_to(weighting_KN, (batch, *weighting_KN.shape))
    return (
        tuple(states),
        jnp.broadcast_to(p["read_RM"].reshape(-1), (batch, p["read_RM"].size)),
        jnp.broadcast_to(memory_NM, (batch, *memory_NM.shape)),
        weighting_BKN[:, : model.num_heads],
        weighting_BKN[:, model.num_heads :],
    )


def _bounded(model: NTM, values: Array) -> Array:
    return jnp.tanh(values) if model.activation is Activation.tanh else values


def _address(model: NTM, emitted_BKP: Array, previous_BKN: Array, memory_BNM: Array) -> Array:
    """The weightings of heads (section 3.3, equations 5-9)."""
    width, shifts = model.width, model.shift_range
    key, strength_BK1, gate_BK1, shift, sharpness = jnp.split(
        emitted_BKP, np.cumsum([width, 1, 1, shifts]).tolist(), -1
    )
    key_BKM, shift_BKS = _bounded(model, key), nn.softmax(shift, -1)
    gate_BK1, sharpness_BK1 = nn.sigmoid(gate_BK1), 1 + nn.softplus(sharpness)
    inverse_BK1 = lax.rsqrt((key_BKM**2).sum(-1, keepdims=True) + addressing.NORM_EPSILON)
    inverse_BN = lax.rsqrt((memory_BNM**2).sum(-1) + addressing.NORM_EPSILON)
    cosine_BKN = jnp.einsum("bkm,bnm->bkn", key_BKM, memory_BNM) * inverse_BK1 * inverse_BN[:, None]
    content_BKN = nn.softmax(nn.softplus(strength_BK1) * cosine_BKN, -1)
    gated_BKN = previous_BKN + gate_BK1 * (content_BKN - previous_BKN)
    reach = shifts // 2
    # The ring laid out as a line, from `reach` locations before the first to as many after the last.
    line = jnp.concatenate([gated_BKN[..., -reach:], gated_BKN, gated_BKN[..., :reach]], -1) if reach else gated_BKN
    locations = previous_BKN.shape[-1]
    shifted_BKN = sum(
        shift_BKS[..., s : s + 1] * line[..., shifts - 1 - s : shifts - 1 - s + locations] for s in range(shifts)
    )
    return nn.softmax(sharpness_BK1 * jnp.log(shifted_BKN + addressing.WEIGHT_EPSILON), -1)
