"""Equations 2–4 against loops, and what several heads do to one memory.

Shape suffixes: B sequences, R read heads, W write heads, N locations, M width.
"""

import itertools

import numpy as np
import pytest
import torch

from ntm_repro.models import memory

B, N, M = 2, 5, 3
EXACT = {"rtol": 0, "atol": 1e-13}  # float64 sums of a few terms of size one


def normal(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def write_arguments(heads):
    """A memory, weightings, erase vectors in (0, 1), and add vectors."""
    return (
        normal(B, N, M, seed=1),
        normal(B, heads, N, seed=2).softmax(-1),
        normal(B, heads, M, seed=3).sigmoid(),
        normal(B, heads, M, seed=4),
    )


@pytest.mark.parametrize("heads", [1, 3, 8])
def test_read_is_equation_2(naive, heads):
    weighting_BRN, memory_BNM = normal(B, heads, N, seed=1).softmax(-1), normal(B, N, M, seed=2)
    expected = [[naive.read(w_N, memory_BNM[b].numpy()) for w_N in weighting_BRN[b].tolist()] for b in range(B)]
    np.testing.assert_allclose(memory.read(weighting_BRN, memory_BNM), expected, **EXACT)


def test_reading_one_location_returns_it_unchanged():
    memory_BNM = normal(B, N, M)
    one_hot_BRN = torch.eye(N, dtype=torch.float64).expand(B, -1, -1)
    assert torch.equal(memory.read(one_hot_BRN, memory_BNM), memory_BNM)


@pytest.mark.parametrize("heads", [1, 3, 8])
def test_write_is_equations_3_and_4(naive, heads):
    arguments = write_arguments(heads)
    expected = [naive.write(*(tensor[b].tolist() for tensor in arguments)) for b in range(B)]
    np.testing.assert_allclose(memory.write(*arguments), expected, **EXACT)


def test_a_full_erase_leaves_only_what_is_added():
    memory_BNM, _, _, add_BWM = write_arguments(1)
    one_hot_BWN = torch.zeros(B, 1, N, dtype=torch.float64)
    one_hot_BWN[..., 2] = 1
    after_BNM = memory.write(memory_BNM, one_hot_BWN, torch.ones(B, 1, M, dtype=torch.float64), add_BWM)
    assert torch.equal(after_BNM[:, 2], add_BWM[:, 0])
    untouched = [0, 1, 3, 4]
    assert torch.equal(after_BNM[:, untouched], memory_BNM[:, untouched])


def test_erases_come_before_adds_even_at_one_location():
    """The second head erases everything where the first one adds: what the first one adds must survive."""
    memory_BNM = normal(1, N, M)
    weighting_BWN = torch.zeros(1, 2, N, dtype=torch.float64)
    weighting_BWN[:, :, 1] = 1
    erase_BWM = torch.tensor([0.0, 1.0], dtype=torch.float64)[None, :, None].expand(1, 2, M)
    add_BWM = torch.tensor([7.0, 0.5], dtype=torch.float64)[None, :, None].expand(1, 2, M)
    after_BNM = memory.write(memory_BNM, weighting_BWN, erase_BWM, add_BWM)
    assert (after_BNM[0, 1] == 7.5).all()


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_the_order_of_the_heads_does_not_matter(order):
    memory_BNM, *of_heads = write_arguments(3)
    after_BNM = memory.write(memory_BNM, *of_heads)
    torch.testing.assert_close(memory.write(memory_BNM, *(t[:, list(order)] for t in of_heads)), after_BNM, **EXACT)


def test_a_head_without_weight_changes_nothing():
    memory_BNM, _, erase_BWM, add_BWM = write_arguments(3)
    nowhere_BWN = torch.zeros(B, 3, N, dtype=torch.float64)
    assert torch.equal(memory.write(memory_BNM, nowhere_BWN, erase_BWM, add_BWM), memory_BNM)


def test_write_leaves_its_arguments_as_they_were():
    arguments = write_arguments(2)
    copies = [tensor.clone() for tensor in arguments]
    memory.write(*arguments)
    assert all(torch.equal(tensor, copy) for tensor, copy in zip(arguments, copies, strict=True))


def test_gradients_of_read_and_write_are_exact():
    arguments = [tensor.requires_grad_() for tensor in write_arguments(2)]
    assert torch.autograd.gradcheck(memory.write, arguments)
    assert torch.autograd.gradcheck(memory.read, [arguments[1], arguments[0]])
