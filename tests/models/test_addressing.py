"""Equations 5–9: each against loops, then its edges, then the whole pipeline at extremes.

Shape suffixes: B sequences, K heads, N locations, M width, S allowed shifts.
"""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ntm_repro.models import addressing
from ntm_repro.models.addressing import HeadParameters

B, K, N, M = 2, 3, 7, 4
SEEDS = st.integers(0, 2**32 - 1)
# Float64 sums of a few dozen terms of size one.
EXACT = {"rtol": 0, "atol": 1e-13}


def normal(*shape, seed=0, dtype=torch.float64):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def weighting(*shape, seed=0, dtype=torch.float64):
    return normal(*shape, seed=seed, dtype=dtype).softmax(-1)


def one_hot(location, locations=N, dtype=torch.float64):
    w_BKN = torch.zeros(1, 1, locations, dtype=dtype)
    w_BKN[..., location] = 1
    return w_BKN


def per_head(function):
    """`function(b, k)` of every sequence and head, [B, K, …]."""
    return np.array([[function(b, k) for k in range(K)] for b in range(B)])


def test_cosine_similarity_is_equation_6(naive):
    key_BKM, memory_BNM = normal(B, K, M, seed=1), normal(B, N, M, seed=2)
    expected = per_head(lambda b, k: [naive.cosine(key_BKM[b, k].tolist(), row) for row in memory_BNM[b].tolist()])
    np.testing.assert_allclose(addressing.cosine_similarity(key_BKM, memory_BNM), expected, **EXACT)


def test_cosine_similarity_is_the_textbook_one_for_vectors_of_length_one_or_more():
    """What keeps the angle defined at length 0 costs at most 1e-6 there."""
    key_BKM, memory_BNM = normal(B, K, M, seed=1), normal(B, N, M, seed=2)
    key_BKM = key_BKM / key_BKM.norm(dim=-1, keepdim=True)
    memory_BNM = 3 * memory_BNM / memory_BNM.norm(dim=-1, keepdim=True)
    textbook = torch.nn.functional.cosine_similarity(key_BKM[:, :, None], memory_BNM[:, None], dim=-1)
    torch.testing.assert_close(addressing.cosine_similarity(key_BKM, memory_BNM), textbook, rtol=0, atol=1e-6)


def test_content_weighting_is_equation_5(naive):
    key_BKM, memory_BNM, strength_BK1 = normal(B, K, M, seed=1), normal(B, N, M, seed=2), 10 * weighting(B, K, 1)
    expected = per_head(
        lambda b, k: naive.content_weighting(key_BKM[b, k].tolist(), strength_BK1[b, k].item(), memory_BNM[b].tolist())
    )
    content_BKN = addressing.content_weighting(key_BKM, strength_BK1, memory_BNM)
    np.testing.assert_allclose(content_BKN, expected, **EXACT)


def test_a_strong_key_finds_its_location():
    memory_BNM = normal(1, N, M)
    content_BKN = addressing.content_weighting(5 * memory_BNM[:, 3:4], torch.full((1, 1, 1), 1e3), memory_BNM)
    torch.testing.assert_close(content_BKN, one_hot(3), rtol=0, atol=1e-6)


def test_interpolate_is_equation_7(naive):
    content_BKN, previous_BKN, gate_BK1 = (
        weighting(B, K, N, seed=1),
        weighting(B, K, N, seed=2),
        normal(B, K, 1).sigmoid(),
    )
    expected = per_head(
        lambda b, k: naive.interpolate(content_BKN[b, k].tolist(), previous_BKN[b, k].tolist(), gate_BK1[b, k].item())
    )
    np.testing.assert_allclose(addressing.interpolate(content_BKN, previous_BKN, gate_BK1), expected, **EXACT)


def test_gate_0_keeps_the_previous_weighting_and_gate_1_takes_the_content():
    content_BKN, previous_BKN = weighting(B, K, N, seed=1), weighting(B, K, N, seed=2)
    closed, opened = torch.zeros(B, K, 1, dtype=torch.float64), torch.ones(B, K, 1, dtype=torch.float64)
    assert torch.equal(addressing.interpolate(content_BKN, previous_BKN, closed), previous_BKN)
    assert torch.equal(addressing.interpolate(content_BKN, previous_BKN, opened), content_BKN)


@pytest.mark.parametrize("shifts", [1, 3, 5, 7])
def test_shift_is_equation_8(naive, shifts):
    """Seven shifts over seven locations: every location is within reach of every other."""
    gated_BKN, shift_BKS = weighting(B, K, N, seed=1), weighting(B, K, shifts, seed=2)
    expected = per_head(lambda b, k: naive.shift(gated_BKN[b, k].tolist(), shift_BKS[b, k].tolist()))
    np.testing.assert_allclose(addressing.shift(gated_BKN, shift_BKS), expected, **EXACT)


@pytest.mark.parametrize("shifts", [1, 3, 5, 7])
@pytest.mark.parametrize("location", range(N))
def test_each_entry_of_s_moves_by_its_own_distance_and_wraps_around(location, shifts):
    """The last entry of s moves weight to higher locations, the first to lower ones, the middle one not at all."""
    for entry in range(shifts):
        moved_BKN = addressing.shift(one_hot(location), one_hot(entry, shifts))
        assert torch.equal(moved_BKN, one_hot((location + entry - shifts // 2) % N))


def test_shift_by_plus_one_leaves_the_last_location_for_the_first():
    by_one = torch.tensor([[[0.0, 0.0, 1.0]]], dtype=torch.float64)
    assert torch.equal(addressing.shift(one_hot(2), by_one), one_hot(3))
    assert torch.equal(addressing.shift(one_hot(N - 1), by_one), one_hot(0))
    assert torch.equal(addressing.shift(one_hot(0), by_one.flip(-1)), one_hot(N - 1))


def test_sharpen_is_equation_9(naive):
    """What keeps the logarithm finite is 1e-12 beside weights of 0.01 and more: 1e-10 of a weight, times γ."""
    shifted_BKN, sharpness_BK1 = weighting(B, K, N, seed=1), 1 + 5 * weighting(B, K, 1, seed=2)
    expected = per_head(lambda b, k: naive.sharpen(shifted_BKN[b, k].tolist(), sharpness_BK1[b, k].item()))
    np.testing.assert_allclose(addressing.sharpen(shifted_BKN, sharpness_BK1), expected, rtol=0, atol=1e-10)


def test_sharpness_1_changes_nothing():
    shifted_BKN = weighting(B, K, N, seed=1)
    sharpness_BK1 = torch.ones(B, K, 1, dtype=torch.float64)
    torch.testing.assert_close(addressing.sharpen(shifted_BKN, sharpness_BK1), shifted_BKN, rtol=0, atol=1e-11)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_sharpness_100_keeps_a_one_hot_weighting(dtype):
    """A plain power of the other weights would be 0, and the gradient of a plain logarithm 0/0."""
    shifted_BKN = one_hot(4, dtype=dtype).requires_grad_()
    sharpness_BK1 = torch.full((1, 1, 1), 100.0, dtype=dtype, requires_grad=True)
    sharpened_BKN = addressing.sharpen(shifted_BKN, sharpness_BK1)
    torch.testing.assert_close(sharpened_BKN, one_hot(4, dtype=dtype), rtol=0, atol=1e-7)
    gradients = torch.autograd.grad((sharpened_BKN * normal(N, dtype=dtype)).sum(), [shifted_BKN, sharpness_BK1])
    assert all(gradient.isfinite().all() for gradient in gradients)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("sharpness", [1.0, 100.0])
def test_weights_that_underflow_when_raised_stay_finite(dtype, sharpness):
    """1e-30 to the power 100 is 0 in any float: literally, equation 9 is 0/0 here."""
    shifted_BKN = torch.full((1, 1, N), 1e-30, dtype=dtype, requires_grad=True)
    sharpness_BK1 = torch.full((1, 1, 1), sharpness, dtype=dtype, requires_grad=True)
    sharpened_BKN = addressing.sharpen(shifted_BKN, sharpness_BK1)
    torch.testing.assert_close(sharpened_BKN, torch.full_like(sharpened_BKN, 1 / N))
    gradients = torch.autograd.grad((sharpened_BKN * normal(N, dtype=dtype)).sum(), [shifted_BKN, sharpness_BK1])
    assert all(gradient.isfinite().all() for gradient in gradients)


def test_address_chains_the_four_stages(naive):
    parameters = HeadParameters(
        key_BKM=normal(B, K, M, seed=1),
        strength_BK1=5 * normal(B, K, 1, seed=2).sigmoid(),
        gate_BK1=normal(B, K, 1, seed=3).sigmoid(),
        shift_BKS=weighting(B, K, 3, seed=4),
        sharpness_BK1=1 + 3 * normal(B, K, 1, seed=5).sigmoid(),
    )
    previous_BKN, memory_BNM = weighting(B, K, N, seed=6), normal(B, N, M, seed=7)
    expected = per_head(
        lambda b, k: naive.address(
            parameters.key_BKM[b, k].tolist(),
            parameters.strength_BK1[b, k].item(),
            parameters.gate_BK1[b, k].item(),
            parameters.shift_BKS[b, k].tolist(),
            parameters.sharpness_BK1[b, k].item(),
            previous_BKN[b, k].tolist(),
            memory_BNM[b].tolist(),
        )
    )
    w_BKN = addressing.address(parameters, previous_BKN, memory_BNM)
    np.testing.assert_allclose(w_BKN, expected, rtol=0, atol=1e-10)


@pytest.mark.parametrize(("key_scale", "memory_scale"), [(0.0, 0.0), (0.0, 1.0), (1.0, 0.0)])
def test_zero_keys_and_zero_memory_give_finite_values_and_gradients(key_scale, memory_scale):
    """The angle of a zero vector is undefined: it counts as a right one, and its gradient stays finite."""
    key_BKM = (normal(B, K, M, dtype=torch.float32) * key_scale).requires_grad_()
    memory_BNM = (normal(B, N, M, dtype=torch.float32) * memory_scale).requires_grad_()
    strength_BK1 = torch.full((B, K, 1), 10.0, requires_grad=True)
    content_BKN = addressing.content_weighting(key_BKM, strength_BK1, memory_BNM)
    torch.testing.assert_close(content_BKN, torch.full_like(content_BKN, 1 / N))
    for gradient in torch.autograd.grad((content_BKN * normal(N, dtype=torch.float32)).sum(), [key_BKM, memory_BNM]):
        assert gradient.isfinite().all()


@settings(max_examples=200)
@given(
    seed=SEEDS,
    locations=st.sampled_from([7, 20, 128]),
    shifts=st.sampled_from([1, 3, 5, 7]),
    key_scale=st.sampled_from([0.0, 1e-20, 1e-3, 1.0, 1e6]),
    memory_scale=st.sampled_from([0.0, 1e-20, 1e-3, 1.0, 1e6]),
    strength=st.one_of(st.just(0.0), st.floats(1e-6, 1e4)),
    gate=st.one_of(st.sampled_from([0.0, 1.0]), st.floats(0, 1)),
    shift_scale=st.sampled_from([0.0, 1.0, 1e3]),
    sharpness=st.one_of(st.just(1.0), st.floats(1, 1e3)),
    previous_scale=st.sampled_from([0.0, 1.0, 1e3]),
)
def test_weightings_stay_on_the_simplex_at_extremes(
    seed, locations, shifts, key_scale, memory_scale, strength, gate, shift_scale, sharpness, previous_scale
):
    """In float32, and with finite gradients. A scale of 1e3 makes a softmax one-hot, 0 makes it uniform."""
    generator = torch.Generator().manual_seed(seed)
    parameters = HeadParameters(
        key_BKM=torch.randn(B, K, M, generator=generator) * key_scale,
        strength_BK1=torch.full((B, K, 1), strength),
        gate_BK1=torch.full((B, K, 1), gate),
        shift_BKS=(torch.randn(B, K, shifts, generator=generator) * shift_scale).softmax(-1),
        sharpness_BK1=torch.full((B, K, 1), sharpness),
    )
    previous_BKN = (torch.randn(B, K, locations, generator=generator) * previous_scale).softmax(-1)
    memory_BNM = torch.randn(B, locations, M, generator=generator) * memory_scale
    inputs = [*parameters, previous_BKN, memory_BNM]
    for tensor in inputs:
        tensor.requires_grad_()

    w_BKN = addressing.address(parameters, previous_BKN, memory_BNM)
    assert w_BKN.shape == (B, K, locations)
    assert w_BKN.dtype == torch.float32
    assert (w_BKN >= 0).all()
    assert (w_BKN.sum(-1) - 1).abs().max() < 1e-5
    for gradient in torch.autograd.grad((w_BKN * torch.randn(locations, generator=generator)).sum(), inputs):
        assert gradient.isfinite().all()


@given(seed=SEEDS, gate=st.floats(0, 1), shift_scale=st.sampled_from([0.0, 1.0, 1e3]))
def test_each_stage_keeps_the_simplex(seed, gate, shift_scale):
    """Interpolation and rotation mix weightings: neither may lose weight or make it negative, even in float32."""
    generator = torch.Generator().manual_seed(seed)
    content_BKN, previous_BKN = (20 * torch.randn(2, B, K, 128, generator=generator)).softmax(-1)
    gated_BKN = addressing.interpolate(content_BKN, previous_BKN, torch.full((B, K, 1), gate))
    shift_BKS = (torch.randn(B, K, 3, generator=generator) * shift_scale).softmax(-1)
    for w_BKN in (gated_BKN, addressing.shift(gated_BKN, shift_BKS)):
        assert (w_BKN >= 0).all()
        assert (w_BKN.sum(-1) - 1).abs().max() < 1e-5


def test_cosine_similarity_never_leaves_minus_one_to_one():
    """Also for parallel vectors, whose quotient could round above 1."""
    memory_BNM = normal(1, 500, M, dtype=torch.float32) * torch.logspace(-3, 3, 500)[:, None]
    similarity = torch.cat([addressing.cosine_similarity(sign * memory_BNM, memory_BNM) for sign in (1, -1)])
    assert similarity.abs().max() <= 1 + 4 * torch.finfo(torch.float32).eps


def test_heads_do_not_see_each_other():
    """The weighting of one head alone is its weighting among others; a batch's rows likewise."""
    key_BKM, memory_BNM = normal(B, K, M, seed=1), normal(B, N, M, seed=2)
    parameters = HeadParameters(
        key_BKM, normal(B, K, 1).exp(), normal(B, K, 1).sigmoid(), weighting(B, K, 3), 1 + normal(B, K, 1).exp()
    )
    previous_BKN = weighting(B, K, N)
    together_BKN = addressing.address(parameters, previous_BKN, memory_BNM)
    for b in range(B):
        for k in range(K):
            alone = HeadParameters(*(p[b : b + 1, k : k + 1] for p in parameters))
            w_BKN = addressing.address(alone, previous_BKN[b : b + 1, k : k + 1], memory_BNM[b : b + 1])
            torch.testing.assert_close(w_BKN[0, 0], together_BKN[b, k], **EXACT)


def test_length_is_euclidean_and_smooth_at_zero():
    x_BM = torch.tensor([[3.0, 4.0], [0.0, 0.0]], dtype=torch.float64, requires_grad=True)
    lengths_B1 = addressing.length(x_BM)
    torch.testing.assert_close(lengths_B1[0, 0].item(), 5.0, rtol=1e-6, atol=0)
    assert lengths_B1[1, 0].item() == pytest.approx(math.sqrt(1e-6))
    (gradient,) = torch.autograd.grad(lengths_B1.sum(), x_BM)
    torch.testing.assert_close(gradient, torch.tensor([[0.6, 0.8], [0.0, 0.0]], dtype=torch.float64), rtol=1e-6, atol=0)
