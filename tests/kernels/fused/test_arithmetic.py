"""exp, log and their kin against numpy in float64."""

import numpy as np
import pytest

from ntm_repro.jit.cache import inner
from ntm_repro.kernels.fused import arithmetic

EXACT = {
    "exp": np.exp,
    "log": np.log,
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "tanh": np.tanh,
    "softplus": lambda x: np.logaddexp(0, x),
}
ROUNDING = 2.0**-24  # half a unit in the last place of a float32 just above a power of two


def looped(name):
    """The function applied to arrays by a compiled loop, as the kernel uses it."""
    function = getattr(arithmetic, name)

    def loop(x, out):
        for i in range(x.shape[0]):
            out[i] = function(x[i])

    compiled = inner(loop)

    def apply(x):
        out = np.empty_like(x)
        compiled(x, out)
        return out

    return apply


@pytest.fixture(scope="module")
def compiled():
    return {name: looped(name) for name in EXACT}


def points(name):
    """Every scale from the smallest that matters to the ends of the range, a million points in all."""
    generator = np.random.default_rng(1)
    x = np.concatenate([generator.normal(size=100_000) * scale for scale in 10.0 ** np.arange(-6, 3)])
    if name == "log":
        return np.exp(x[np.abs(x) < 80])
    # Beyond, e^x or the answer itself is no normal float32.
    return x[np.abs(x) < 86]


@pytest.mark.parametrize("name", EXACT)
def test_float32_is_right_to_three_half_units(name, compiled):
    x = points(name).astype(np.float32)
    exact = EXACT[name](x.astype(np.float64))
    error = np.abs(compiled[name](x) - exact) / np.maximum(np.abs(exact), 2.0**-126)
    assert error.max() < 3 * ROUNDING


@pytest.mark.parametrize("name", EXACT)
def test_float64_is_right_to_a_few_units(name, compiled):
    x = points(name)
    np.testing.assert_allclose(compiled[name](x), EXACT[name](x), rtol=1e-15, atol=0)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", EXACT)
def test_nan_stays_nan(name, dtype, compiled):
    assert np.isnan(compiled[name](np.array([np.nan, 1, np.nan], dtype)))[[0, 2]].all()


@pytest.mark.parametrize(
    ("name", "x", "expected"),
    [
        ("exp", np.inf, np.inf),
        ("exp", -np.inf, 0),
        ("exp", 89, np.inf),
        ("exp", 1e30, np.inf),
        ("exp", -87, 0),
        ("exp", -1e30, 0),
        ("exp", 0, 1),
        ("tanh", np.inf, 1),
        ("tanh", -np.inf, -1),
        ("tanh", 30, 1),
        ("tanh", 0, 0),
        ("sigmoid", np.inf, 1),
        ("sigmoid", -np.inf, 0),
        ("sigmoid", 200, 1),
        ("sigmoid", -200, 0),
        ("sigmoid", 0, 0.5),
        ("softplus", np.inf, np.inf),
        ("softplus", -np.inf, 0),
        ("softplus", 1000, 1000),
        ("log", 1, 0),
    ],
)
def test_the_ends_in_float32(name, x, expected, compiled):
    assert compiled[name](np.full(40, x, np.float32)).tolist() == [expected] * 40


def test_exp_grows_all_the_way_to_the_largest_float32(compiled):
    x = np.linspace(80, 88.72, 1000, dtype=np.float32)
    result = compiled["exp"](x)
    assert np.isfinite(result).all()
    assert (np.diff(result) >= 0).all()
    assert result[-1] > 3.3e38
