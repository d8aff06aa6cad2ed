"""The entries compile as they do for users, not as these tests happen to call them first."""

import pytest

from ntm_repro.kernels.fused import jit_cache


@pytest.fixture(scope="session", autouse=True)
def prepared():
    for dtype in ("float32", "float64"):
        jit_cache.prepare(dtype)
