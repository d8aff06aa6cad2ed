"""Bits per sequence, by definition.

Shape suffixes: T steps, B sequences, O outputs.
"""

import math

import pytest
import torch

from ntm_repro import loss

T, B, O = 5, 3, 4  # noqa: E741


def example(dtype=torch.float64):
    """Logits, targets, and a mask with scored, unscored and half-scored steps."""
    generator = torch.Generator().manual_seed(1)
    y_TBO = 3 * torch.randn(T, B, O, generator=generator, dtype=dtype)
    target_TBO = torch.randint(0, 2, (T, B, O), generator=generator).to(dtype)
    mask_TO = torch.tensor([[0, 0, 0, 0], [1, 1, 1, 1], [1, 1, 1, 0], [0, 0, 0, 0], [0, 1, 0, 1]], dtype=dtype)
    return y_TBO, target_TBO, mask_TO


def test_bits_is_the_negative_log2_probability_of_the_targets():
    y_TBO, target_TBO, mask_TO = example()
    for b, cost in enumerate(loss.bits(y_TBO, target_TBO, mask_TO).tolist()):
        expected = 0.0
        for t in range(T):
            for o in range(O):
                one = 1 / (1 + math.exp(-y_TBO[t, b, o].item()))
                if mask_TO[t, o]:
                    expected -= math.log2(one if target_TBO[t, b, o] else 1 - one)
        assert cost == pytest.approx(expected, rel=1e-12)


def test_a_coin_flip_costs_one_bit_for_each_scored_bit():
    y_TBO, target_TBO, mask_TO = example()
    assert mask_TO.sum() == 9
    torch.testing.assert_close(loss.bits(0 * y_TBO, target_TBO, mask_TO), torch.full((B,), 9.0, dtype=torch.float64))


def test_certainty_costs_nothing_when_right_and_its_logit_when_wrong():
    """Finite for logits whose logistic is 0 or 1 in floating point."""
    y_TBO = torch.tensor([1000.0, -1000.0])[:, None, None]
    ones_TO = torch.ones(2, 1)
    right_TBO = torch.tensor([1.0, 0.0])[:, None, None]
    assert loss.bits(y_TBO, right_TBO, ones_TO).item() == 0
    assert loss.bits(y_TBO, 1 - right_TBO, ones_TO).item() == pytest.approx(2000 / math.log(2), rel=1e-6)


def test_only_scored_outputs_get_gradients():
    y_TBO, target_TBO, mask_TO = example()
    y_TBO.requires_grad_()
    loss.bits(y_TBO, target_TBO, mask_TO).sum().backward()
    scored_TBO = mask_TO[:, None].expand(-1, B, -1) == 1
    assert (y_TBO.grad[~scored_TBO] == 0).all()
    # d bits / d logit = (p − target) / ln 2: a sum over steps and channels, not a mean.
    expected_TBO = (y_TBO.detach().sigmoid() - target_TBO) / math.log(2)
    torch.testing.assert_close(y_TBO.grad[scored_TBO], expected_TBO[scored_TBO], rtol=0, atol=1e-12)


def test_what_is_not_scored_costs_nothing():
    y_TBO, target_TBO, mask_TO = example()
    unscored_TBO = mask_TO[:, None].expand(-1, B, -1) == 0
    expected_B = loss.bits(y_TBO, target_TBO, mask_TO)
    expected_wrong_B = loss.wrong_bits(y_TBO, target_TBO, mask_TO)
    y_TBO[unscored_TBO] = 50.0
    target_TBO[unscored_TBO] = 0.0
    assert torch.equal(loss.bits(y_TBO, target_TBO, mask_TO), expected_B)
    assert torch.equal(loss.wrong_bits(y_TBO, target_TBO, mask_TO), expected_wrong_B)


@pytest.mark.parametrize("cost", [loss.bits, loss.wrong_bits])
def test_sequences_are_scored_one_by_one(cost):
    y_TBO, target_TBO, mask_TO = example()
    together_B = cost(y_TBO, target_TBO, mask_TO)
    assert together_B.shape == (B,)
    for b in range(B):
        alone_B = cost(y_TBO[:, b : b + 1], target_TBO[:, b : b + 1], mask_TO)
        torch.testing.assert_close(alone_B[0], together_B[b], rtol=1e-14, atol=0)


def test_wrong_bits_counts_scored_bits_on_the_wrong_side_of_one_half():
    y_TBO, target_TBO, mask_TO = example()
    expected = [
        sum(
            (y_TBO[t, b, o].sigmoid().item() > 0.5) != bool(target_TBO[t, b, o])
            for t in range(T)
            for o in range(O)
            if mask_TO[t, o]
        )
        for b in range(B)
    ]
    assert loss.wrong_bits(y_TBO, target_TBO, mask_TO).tolist() == expected
    assert 0 < sum(expected) < 9 * B


def test_wrong_bits_of_perfect_and_of_opposite_answers():
    _, target_TBO, mask_TO = example()
    perfect_TBO = 2 * target_TBO - 1
    assert loss.wrong_bits(perfect_TBO, target_TBO, mask_TO).tolist() == [0] * B
    assert loss.wrong_bits(-perfect_TBO, target_TBO, mask_TO).tolist() == [9] * B
