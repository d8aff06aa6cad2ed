"""The Neural Turing Machine written a second time, as slowly and literally as the paper's equations allow.

Float64 NumPy and Python loops over sequences, steps, heads and locations; nothing is shared with the package but the
names and the row order of the learned arrays. Of the two tiny numbers that keep the package finite, the 1e-6 under the
root of a length is here too, for it shows; the 1e-12 inside the logarithm is not, and sharpening is a plain power.

Shape suffixes: T steps, B sequences, I inputs, O outputs, H controller outputs, K heads (reading ones first),
N locations, M width, S allowed shifts.
"""

import math

import numpy as np


def sigmoid(x):
    return 1 / (1 + math.exp(-x)) if x >= 0 else math.exp(x) / (1 + math.exp(x))


def softplus(x):
    return max(x, 0.0) + math.log1p(math.exp(-abs(x)))


def softmax(values):
    peak = max(values)
    powers = [math.exp(value - peak) for value in values]
    return np.array([power / sum(powers) for power in powers])


def affine(weight_OI, bias_O, x_I):
    return np.array(
        [
            bias + sum(w * x for w, x in zip(row_I, x_I, strict=True))
            for row_I, bias in zip(weight_OI, bias_O, strict=True)
        ]
    )


# Addressing, equations 5–9, one head at a time.


def length(v_M):
    return math.sqrt(sum(v * v for v in v_M) + 1e-6)


def cosine(u_M, v_M):
    """Equation 6."""
    return sum(u * v for u, v in zip(u_M, v_M, strict=True)) / (length(u_M) * length(v_M))


def content_weighting(key_M, strength, memory_NM):
    """Equation 5."""
    return softmax([strength * cosine(key_M, location_M) for location_M in memory_NM])


def interpolate(content_N, previous_N, gate):
    """Equation 7."""
    return np.array([gate * c + (1 - gate) * p for c, p in zip(content_N, previous_N, strict=True)])


def shift(gated_N, shift_S):
    """Equation 8: s is a function of the shift, modulo N; its entries are the shifts −(S−1)/2 … (S−1)/2."""
    N, S = len(gated_N), len(shift_S)
    s_N = np.zeros(N)
    for entry in range(S):
        s_N[(entry - (S - 1) // 2) % N] += shift_S[entry]
    return np.array([sum(gated_N[j] * s_N[(i - j) % N] for j in range(N)) for i in range(N)])


def sharpen(shifted_N, sharpness):
    """Equation 9, the literal power: only for weights that do not underflow."""
    powers = [weight**sharpness for weight in shifted_N]
    assert sum(powers) > 1e-200, "this case underflows and proves nothing"
    return np.array([power / sum(powers) for power in powers])


def address(key_M, strength, gate, shift_S, sharpness, previous_N, memory_NM):
    content_N = content_weighting(key_M, strength, memory_NM)
    return sharpen(shift(interpolate(content_N, previous_N, gate), shift_S), sharpness)


# The memory, equations 2–4.


def read(weighting_N, memory_NM):
    """Equation 2."""
    read_M = np.zeros(memory_NM.shape[1])
    for i in range(memory_NM.shape[0]):
        for m in range(memory_NM.shape[1]):
            read_M[m] += weighting_N[i] * memory_NM[i, m]
    return read_M


def write(memory_NM, weighting_KN, erase_KM, add_KM):
    """Equations 3 and 4: all erases, then all adds."""
    memory_NM = np.array(memory_NM, dtype=float)
    N, M = memory_NM.shape
    for w_N, e_M in zip(weighting_KN, erase_KM, strict=True):
        for i in range(N):
            for m in range(M):
                memory_NM[i, m] *= 1 - w_N[i] * e_M[m]
    for w_N, a_M in zip(weighting_KN, add_KM, strict=True):
        for i in range(N):
            for m in range(M):
                memory_NM[i, m] += w_N[i] * a_M[m]
    return memory_NM


# Controllers.


def lstm_layer(weight, bias, x_I, hidden_H, cell_H):
    """Gates in the order input, forget, candidate, output; one bias each, no peepholes."""
    H = len(hidden_H)
    gates = affine(weight, bias, [*x_I, *hidden_H])
    cell = np.zeros(H)
    hidden = np.zeros(H)
    for c in range(H):
        enter, keep = sigmoid(gates[c]), sigmoid(gates[H + c])
        cell[c] = keep * cell_H[c] + enter * math.tanh(gates[2 * H + c])
        hidden[c] = sigmoid(gates[3 * H + c]) * math.tanh(cell[c])
    return hidden, cell


def lstm_stack(layers, x_I, state):
    """`layers`: (weight, bias) of each. A layer sees the input, then the layer below; all hidden vectors are output."""
    after, seen = [], list(x_I)
    for (weight, bias), (hidden_H, cell_H) in zip(layers, state, strict=True):
        after.append(lstm_layer(weight, bias, seen, hidden_H, cell_H))
        seen = [*x_I, *after[-1][0]]
    return np.concatenate([hidden_H for hidden_H, _ in after]), after


def feedforward(layers, x_I):
    for weight, bias in layers:
        x_I = np.array([math.tanh(z) for z in affine(weight, bias, x_I)])
    return x_I


# The whole machine.


def initial_weightings(learned, locations):
    """w_0 of every head: a softmax of learned logits, ∝ exp(−ρ i) with ρ = softplus(rate), or nothing."""
    if "start.logits_KN" in learned:
        return [softmax(logits_N) for logits_N in learned["start.logits_KN"]]
    if "start.rate_K" not in learned:
        return [np.zeros(locations)] * (2 * len(learned["read_RM"]))
    decays = [[math.exp(-softplus(rate) * i) for i in range(locations)] for rate in learned["start.rate_K"]]
    return [np.array(decay_N) / sum(decay_N) for decay_N in decays]


def initial_memory(learned, locations):
    if "start.memory_NM" in learned:
        return np.array(learned["start.memory_NM"])
    return np.array([learned["start.memory_M"]] * locations)


def emit(learned, h_H, heads, width, shifts, bounded):
    """Addressing parameters of the K = 2 · `heads` heads, and erase and add vectors of the writing ones."""
    z = list(affine(learned["interface.weight"], learned["interface.bias"], h_H))
    squash = np.tanh if bounded else np.array

    def take(count):
        taken, z[:count] = z[:count], []
        return taken

    addressing = []
    for _ in range(2 * heads):
        key_M = squash(take(width))
        strength = softplus(take(1)[0])
        gate = sigmoid(take(1)[0])
        shift_S = softmax(take(shifts))
        sharpness = 1 + softplus(take(1)[0])
        addressing.append((key_M, strength, gate, shift_S, sharpness))
    erase_KM = [[sigmoid(e) for e in take(width)] for _ in range(heads)]
    add_KM = [squash(take(width)) for _ in range(heads)]
    assert not z
    return addressing, erase_KM, add_KM


def unroll_one(learned, x_TI, locations, shifts, activation, read_order, output_from):
    """One sequence from the learned start. Returns logits, and after every step the memory, weightings and reads."""
    heads, width = learned["read_RM"].shape
    names = [f"controller.layers.{k}" for k in range(9)]
    lstm = "controller.layers.0.gates.weight" in learned
    parts = [name + ".gates" if lstm else name for name in names]
    layers = [(learned[part + ".weight"], learned[part + ".bias"]) for part in parts if part + ".weight" in learned]
    if lstm:
        state = [(learned[name + ".hidden_H"], learned[name + ".cell_H"]) for name in names[: len(layers)]]

    reads_KM = learned["read_RM"]
    memory_NM = initial_memory(learned, locations)
    weightings_KN = initial_weightings(learned, locations)
    outputs, memories, weightings, reads = [], [], [], []
    for x_I in x_TI:
        seen_I = [*x_I, *(r for read_M in reads_KM for r in read_M)]
        if lstm:
            h_H, state = lstm_stack(layers, seen_I, state)
        else:
            h_H = feedforward(layers, seen_I)
        addressing, erase_KM, add_KM = emit(learned, h_H, heads, width, shifts, activation == "tanh")

        before_NM = memory_NM
        writing_KN = [address(*addressing[k], weightings_KN[k], before_NM) for k in range(heads, 2 * heads)]
        memory_NM = write(before_NM, writing_KN, erase_KM, add_KM)
        seen_NM = {"after": memory_NM, "before": before_NM}[read_order]
        reading_KN = [address(*addressing[k], weightings_KN[k], seen_NM) for k in range(heads)]
        reads_KM = [read(w_N, seen_NM) for w_N in reading_KN]
        weightings_KN = reading_KN + writing_KN

        seen_H = list(h_H)
        if output_from == "hidden_and_reads":
            seen_H += [r for read_M in reads_KM for r in read_M]
        outputs.append(affine(learned["output.weight"], learned["output.bias"], seen_H))
        memories.append(memory_NM)
        weightings.append(weightings_KN)
        reads.append(reads_KM)
    return np.array(outputs), np.array(memories), np.array(weightings), np.array(reads)


def unroll(learned, x_TBI, **settings):
    """All sequences of a batch, one by one: y_TBO, M_TBNM, w_TBKN and r_TBKM."""
    one_by_one = [unroll_one(learned, x_TBI[:, b], **settings) for b in range(x_TBI.shape[1])]
    return tuple(np.stack(arrays, 1) for arrays in zip(*one_by_one, strict=True))
