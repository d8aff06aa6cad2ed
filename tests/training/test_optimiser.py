"""RMSProp as in Graves (2013), against the recurrences computed by hand."""

import io
import math

import pytest
import torch

from ntm_repro.training.optimiser import GravesRMSProp


def by_hand(theta, gradients, rates):
    """One component's path in plain floats, one value after each step."""
    n = m = change = 0.0
    path = []
    for g, rate in zip(gradients, rates, strict=True):
        n = 0.95 * n + 0.05 * g * g
        m = 0.95 * m + 0.05 * g
        change = 0.9 * change - rate * g / math.sqrt(n - m * m + 1e-4)
        theta += change
        path.append(theta)
    return path


def parameter(*values, dtype=torch.float64):
    return torch.nn.Parameter(torch.tensor(values, dtype=dtype))


def step(optimiser, theta, gradient):
    theta.grad = torch.as_tensor(gradient, dtype=theta.dtype).clone()
    optimiser.step()


GRADIENTS = [0.3, -2.0, 10.0, 10.0, 0.0, 0.0, 1e-3, -1e-5, -7.0, 0.5]


def test_every_step_is_the_recurrence_by_hand():
    """Three components at once, each with its own gradients. The two orders of summing differ by a few roundings."""
    columns = [GRADIENTS, GRADIENTS[::-1], [1e-4 * g for g in GRADIENTS]]
    theta = parameter(1.0, -0.5, 0.0)
    optimiser = GravesRMSProp([theta], learning_rate=0.01)
    expected = [by_hand(first, column, [0.01] * 10) for first, column in zip([1.0, -0.5, 0.0], columns, strict=True)]
    for t in range(10):
        step(optimiser, theta, [column[t] for column in columns])
        torch.testing.assert_close(theta.tolist(), [path[t] for path in expected], rtol=0, atol=1e-12)


def test_the_learning_rate_is_inside_the_momentum():
    """A rate changed half way does not rescale the change under way."""
    rates = [0.01] * 5 + [0.0] * 5
    theta = parameter(1.0)
    optimiser = GravesRMSProp([theta], learning_rate=0.01)
    for gradient, rate, expected in zip(GRADIENTS, rates, by_hand(1.0, GRADIENTS, rates), strict=True):
        optimiser.param_groups[0]["lr"] = rate
        step(optimiser, theta, [gradient])
        assert theta.item() == pytest.approx(expected, abs=1e-12)


def test_the_damping_is_inside_the_root():
    """A first gradient far below the damping moves by lr · g / √(1e-4), a hundred times itself."""
    theta = parameter(0.0)
    step(GravesRMSProp([theta], learning_rate=1.0), theta, [1e-6])
    assert theta.item() == pytest.approx(-1e-4, rel=1e-6)


def test_it_is_not_torchs_centred_rmsprop():
    """There the damping is outside the root: small gradients move much further."""
    ours, theirs = parameter(0.0), parameter(0.0)
    for theta, optimiser in (
        (ours, GravesRMSProp([ours], learning_rate=0.01)),
        (theirs, torch.optim.RMSprop([theirs], lr=0.01, alpha=0.95, eps=1e-4, momentum=0.9, centered=True)),
    ):
        for _ in range(5):
            step(optimiser, theta, [1e-3])
    assert 5 * abs(ours.item()) < abs(theirs.item())


@pytest.mark.parametrize("first", [1, 2])
def test_a_huge_constant_gradient_stays_finite_in_float32(first):
    """There n and m² grow equal, and rounding may make their difference as negative as n is large.

    Averages stop a few roundings short of their limit: on the way down from larger gradients, above it.
    """
    magnitudes = torch.logspace(0, 8, 400)
    gradient = torch.cat([magnitudes, -magnitudes])
    theta = torch.nn.Parameter(torch.zeros(800))
    optimiser = GravesRMSProp([theta], learning_rate=1e-4)
    for k in range(10_000):
        step(optimiser, theta, gradient * first if k < 100 else gradient)
    assert theta.isfinite().all()
    assert all(tensor.isfinite().all() for tensor in optimiser.state[theta].values())
    assert (theta.sign() == -gradient.sign()).all()


def test_a_state_dict_round_trip_continues_to_the_bit():
    """Through a file's bytes, into an optimiser made with another learning rate."""
    generator = torch.Generator().manual_seed(1)
    gradients = torch.randn(20, 5, generator=generator) * 3
    theta = torch.nn.Parameter(torch.randn(5, generator=generator))
    optimiser = GravesRMSProp([theta], learning_rate=1e-2)
    for gradient in gradients[:10]:
        step(optimiser, theta, gradient)

    file = io.BytesIO()
    torch.save({"theta": theta.detach(), "optimiser": optimiser.state_dict()}, file)
    file.seek(0)
    saved = torch.load(file, weights_only=True)
    resumed = torch.nn.Parameter(saved["theta"])
    resumed_optimiser = GravesRMSProp([resumed], learning_rate=1.0)
    resumed_optimiser.load_state_dict(saved["optimiser"])

    for gradient in gradients[10:]:
        step(optimiser, theta, gradient)
        step(resumed_optimiser, resumed, gradient)
        assert torch.equal(theta, resumed)


def test_parameters_without_gradient_are_untouched():
    with_gradient, without = parameter(1.0), parameter(2.0)
    optimiser = GravesRMSProp([with_gradient, without], learning_rate=0.1)
    step(optimiser, with_gradient, [1.0])
    assert with_gradient.item() != 1.0
    assert without.item() == 2.0
    assert without not in optimiser.state


def test_the_gradient_itself_is_not_changed():
    theta = parameter(1.0, 2.0)
    step(GravesRMSProp([theta], learning_rate=0.1), theta, [3.0, -4.0])
    assert theta.grad.tolist() == [3.0, -4.0]


def test_groups_have_their_own_learning_rates():
    slow, fast = parameter(0.0), parameter(0.0)
    optimiser = GravesRMSProp([{"params": [slow]}, {"params": [fast], "lr": 0.2}], learning_rate=0.1)
    slow.grad = torch.ones_like(slow)
    step(optimiser, fast, [1.0])
    assert fast.item() == pytest.approx(2 * slow.item(), rel=1e-12)


def test_a_closure_is_refused():
    with pytest.raises(TypeError, match="closure"):
        GravesRMSProp([parameter(1.0)], learning_rate=0.1).step(lambda: 0.0)
