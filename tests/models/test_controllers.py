"""Controllers against torch's own LSTM cell and against loops.

Shape suffixes: B sequences, I inputs, H units of one layer.
"""

import numpy as np
import pytest
import torch

from ntm_repro.models.controllers import Feedforward, LSTMStack

B, I, H, STEPS = 3, 4, 5, 4  # noqa: E741
EXACT = {"rtol": 0, "atol": 1e-13}  # float64 sums of a dozen terms of size one


def generator(seed=1):
    return torch.Generator().manual_seed(seed)


def drawn(controller):
    controller.reset_parameters(generator())
    return controller


def inputs(steps=STEPS):
    return torch.randn(steps, B, I, generator=generator(2), dtype=torch.float64)


def test_one_lstm_layer_is_torchs_lstm_cell(scramble):
    """Same gates in the same order; torch splits the bias in two and the weights by what they multiply."""
    stack = scramble(drawn(LSTMStack(I, H, 1)))
    (layer,) = stack.layers
    cell = torch.nn.LSTMCell(I, H, dtype=torch.float64)
    with torch.no_grad():
        cell.weight_ih.copy_(layer.gates.weight[:, :I])
        cell.weight_hh.copy_(layer.gates.weight[:, I:])
        cell.bias_ih.copy_(layer.gates.bias)
        cell.bias_hh.zero_()

    state = stack.initial_state(B)
    hidden_BH, cell_BH = layer.hidden_H.expand(B, -1), layer.cell_H.expand(B, -1)
    for x_BI in inputs():
        h_BH, state = stack(x_BI, state)
        hidden_BH, cell_BH = cell(x_BI, (hidden_BH, cell_BH))
        torch.testing.assert_close(h_BH, hidden_BH, **EXACT)
        torch.testing.assert_close(state.layers[0].cell_BH, cell_BH, **EXACT)


@pytest.mark.parametrize("layers", [1, 2, 3])
def test_lstm_stack_is_its_twin_of_loops(naive, scramble, layers):
    """Every layer sees the input and the layer below; all hidden vectors are output."""
    stack = scramble(drawn(LSTMStack(I, H, layers)))
    learned = {name: tensor.detach().numpy() for name, tensor in stack.named_parameters()}
    weights = [(learned[f"layers.{k}.gates.weight"], learned[f"layers.{k}.gates.bias"]) for k in range(layers)]
    first = [(learned[f"layers.{k}.hidden_H"], learned[f"layers.{k}.cell_H"]) for k in range(layers)]

    state, twins = stack.initial_state(B), [first] * B
    for x_BI in inputs():
        h_BH, state = stack(x_BI, state)
        for b in range(B):
            expected_H, twins[b] = naive.lstm_stack(weights, x_BI[b].numpy(), twins[b])
            np.testing.assert_allclose(h_BH[b].detach(), expected_H, **EXACT)
            for ours, theirs in zip(state.layers, twins[b], strict=True):
                np.testing.assert_allclose(ours.cell_BH[b].detach(), theirs[1], **EXACT)


@pytest.mark.parametrize("layers", [1, 2, 3])
def test_feedforward_is_its_twin_of_loops(naive, scramble, layers):
    network = scramble(drawn(Feedforward(I, H, layers)))
    learned = {name: tensor.detach().numpy() for name, tensor in network.named_parameters()}
    weights = [(learned[f"layers.{k}.weight"], learned[f"layers.{k}.bias"]) for k in range(layers)]
    (x_BI,) = inputs(1)
    h_BH, state = network(x_BI, network.initial_state(B))
    assert state == ()
    np.testing.assert_allclose(h_BH.detach(), [naive.feedforward(weights, x_I) for x_I in x_BI.numpy()], **EXACT)


@pytest.mark.parametrize("layers", [1, 3])
@pytest.mark.parametrize("kind", [LSTMStack, Feedforward])
def test_size_is_the_width_of_the_output(kind, layers):
    controller = drawn(kind(I, H, layers))
    h_BH, _ = controller(inputs(1)[0].float(), controller.initial_state(B))
    assert h_BH.shape == (B, controller.size)
    assert controller.size == (H * layers if kind is LSTMStack else H)


def test_learned_initial_states_get_gradients(scramble):
    """They are what the controller is "reset to" before every sequence, and one for the whole batch."""
    stack = scramble(drawn(LSTMStack(I, H, 2)))
    state = stack.initial_state(B)
    assert all((tensor == tensor[0]).all() for layer_state in state.layers for tensor in layer_state)
    for x_BI in inputs(2):
        h_BH, state = stack(x_BI, state)
    h_BH.sum().backward()
    for layer in stack.layers:
        assert (layer.hidden_H.grad != 0).all()
        assert (layer.cell_H.grad != 0).all()


@pytest.mark.parametrize("kind", [LSTMStack, Feedforward])
def test_fresh_weights_are_normal_with_deviation_a_tenth_and_biases_zero(kind):
    """20,000 draws: their deviation is known to half a percent; four of those either way."""
    controller = drawn(kind(99, 100, 2))
    weights = torch.cat([p.flatten() for p in controller.parameters() if p.ndim == 2])
    assert weights.std().item() == pytest.approx(0.1, rel=0.02)
    assert abs(weights.mean().item()) < 4 * 0.1 / len(weights) ** 0.5
    assert all((p == 0).all() for p in controller.parameters() if p.ndim == 1)
