"""Whole sequences forward and backward in one call of compiled code.

    torch_interface   what the rest of the program calls: arrays and states in and out, autograd, threads
    entries           the entry points for one model's types
    entry_points      what is called: forward, backward, cost_and_gradient, weight_gradients, gradient
    ntm_sequence      a group of sequences of an NTM, forward and backward; the derivation of its backward pass
      controllers     one step of the controller's layers
      addressing      one head's addressing (paper equations 5-9)
      memory          reading and writing (equations 2-4)
      initial_state   the learned start
    lstm_sequence     a group of sequences of the LSTM baseline, layer by layer
    cost              cross-entropy in bits, and its gradient
    layout            where parameters lie, and what a row of the tape and of the carry holds
    products          products of weights and rows; gemm_microkernel: their innermost loop
    arithmetic        exp, log, tanh ... that vectorise
    support           which models are covered

`real(1)` and the like, with `real = x.dtype.type`, keep float32 arithmetic from being widened to float64. The functions
carry no annotations: numba types them, and shapes are in the names (`x_TBI`).

**A second cell** (a DNC, say) needs: its sizes, columns and offsets in `layout`; a module like `ntm_sequence` with
`forward` and `backward` for a group; a branch to it in `entries`, parts in `jit.cache.PARTS` and a model in
`jit.worker`; its weights in `weight_gradients`; its state's fields in `torch_interface`; its type in `support`. The
tests of `tests/kernels` then hold it to its readable twin.
"""
