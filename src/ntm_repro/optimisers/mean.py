"""The running mean of the weights, which a run can take for its model.

Steps on single sequences throw the weights about a place that is better than any of them, and what fails once in some
thousand sequences is often the last few hundred steps' work: the mean over those steps does not fail (Ruppert,
"Efficient Estimations from a Slowly Convergent Robbins-Monro Process", 1988; Polyak & Juditsky, "Acceleration of
Stochastic Approximation by Averaging", 1992; LOG.md). Only the model is the mean; steps are taken from the weights.

Shape suffixes: P numbers of the flat buffer.
"""

from torch import Tensor


def step(mean_P: Tensor, value_P: Tensor, share: float, compiled: bool) -> None:
    """mean ← mean + share · (value − mean), in place. compiled: whether as `compiled_step` has it, to the bit."""
    if compiled:
        from ntm_repro.jit import cache  # here, so that eager runs never import numba

        mean, value = mean_P.numpy(), value_P.numpy()
        cache.entry_of(compiled_step)(mean, value, mean.dtype.type(share))
    else:
        mean_P.lerp_(value_P, share)


def compiled_step(mean, value, share):  # type: ignore[no-untyped-def]
    """The same for compiled code; share is of the buffers' type."""
    for i in range(mean.shape[0]):
        mean[i] += share * (value[i] - mean[i])
