"""The entries compile as they do for users, not as these tests happen to call them first."""

import pytest

from ntm_repro.jit import cache


@pytest.fixture(scope="session", autouse=True)
def prepared():
    for dtype in ("float32", "float64"):
        cache.prepare(dtype)
