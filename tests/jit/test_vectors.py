"""Wide vectors: for which processors, that they are in the machine code, and that nothing else changes.

Other processors than this one are cross-compiled for; their code is read, never run.
"""

import platform
import re
import sys

import pytest
from support import processes
from support.helpers import environment

from ntm_repro.jit import cache, isolation, vectors

# As LLVM describes a host: some of Ice Lake's features.
FEATURES = "+64bit,+avx,+avx2,+avx512bw,+avx512cd,+avx512dq,+avx512f,+avx512vl,+bmi2,+fma,-sse4a"
WITHOUT_AVX512 = FEATURES.replace("+avx512", "-avx512")
WIDENED = {"NUMBA_CPU_FEATURES": f"{FEATURES},-prefer-256-bit"}

x86 = pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="registers and tunings are those of x86")


@pytest.fixture
def numba_settings(monkeypatch):
    """A function that sets variables of numba's; none names a processor before, and all is as before afterwards."""
    for name in ("NUMBA_CPU_NAME", "NUMBA_CPU_FEATURES"):
        monkeypatch.delenv(name, raising=False)
    vectors.config.reload_config()
    yield lambda name, value: (monkeypatch.setenv(name, value), vectors.config.reload_config())
    monkeypatch.undo()
    vectors.config.reload_config()


@pytest.fixture
def host(monkeypatch, numba_settings):
    """A function that makes this the machine that LLVM would describe so."""

    def become(name, features=FEATURES):
        monkeypatch.setattr(vectors.binding, "get_host_cpu_name", lambda: name)
        monkeypatch.setattr(vectors.codegen, "get_host_cpu_features", lambda: features)

    return become


# The choice


def test_an_ice_lake_server_gets_all_its_features_and_wide_vectors(host):
    host("icelake-server")
    assert vectors.settings() == WIDENED


@pytest.mark.parametrize(
    "name",
    [
        *("generic", "x86-64", "haswell", "alderlake", "knl", "apple-m1"),
        *("znver3", "znver4", "znver5"),
        *("skylake-avx512", "cascadelake", "cooperlake", "icelake-client", "tigerlake", "rocketlake"),
        *("sapphirerapids", "emeraldrapids", "graniterapids"),
    ],
)
def test_another_processor_is_left_to_llvm(name, host):
    host(name)
    assert vectors.settings() == {}


@pytest.mark.parametrize("name", ["sapphirerapids", "graniterapids", "rocketlake"])
def test_a_processor_with_matrix_tiles_gets_wide_vectors_whatever_it_is_called(name, host):
    host(name, f"+amx-tile,{FEATURES}")
    assert vectors.settings() == {"NUMBA_CPU_FEATURES": f"+amx-tile,{WIDENED['NUMBA_CPU_FEATURES']}"}


def test_matrix_tiles_without_wide_registers_are_left_to_llvm(host):
    host("sapphirerapids", f"+amx-tile,{WITHOUT_AVX512}")
    assert vectors.settings() == {}


def test_an_ice_lake_server_whose_wide_registers_are_hidden_is_left_to_llvm(host):
    host("icelake-server", WITHOUT_AVX512)
    assert vectors.settings() == {}


@pytest.mark.parametrize(
    ("name", "value"),
    [("NUMBA_CPU_NAME", "icelake-server"), ("NUMBA_CPU_NAME", "generic"), ("NUMBA_CPU_FEATURES", "+avx2")],
)
def test_the_users_choice_goes_before(name, value, host, numba_settings):
    host("icelake-server")
    numba_settings(name, value)
    assert vectors.settings() == {}
    assert cache._settings()[name] == value


def test_the_users_choice_in_a_file_goes_before(host, monkeypatch, tmp_path):
    host("icelake-server")
    (tmp_path / ".numba_config.yaml").write_text("cpu_features: '+avx2'\n")
    monkeypatch.chdir(tmp_path)
    assert cache._settings()["NUMBA_CPU_FEATURES"] == "+avx2"


# Where it goes


@pytest.mark.parametrize(("name", "expected"), [("icelake-server", WIDENED["NUMBA_CPU_FEATURES"]), ("znver3", None)])
def test_the_processes_that_compile_are_told(name, expected, host, monkeypatch):
    told = []
    monkeypatch.setattr(isolation, "run", lambda codes, packages, settings: told.append(settings) or [])
    host(name)
    cache._compile("float32", [])
    assert [settings.get("NUMBA_CPU_FEATURES") for settings in told] == [expected]


def test_wide_vectors_are_another_version(host, monkeypatch):
    host("icelake-server")
    wide = cache._version()
    monkeypatch.setattr(vectors, "GAINING", frozenset())
    assert cache._version() != wide


def test_a_processor_outside_the_table_has_the_version_that_it_had_without(host, monkeypatch):
    host("znver3")
    version = cache._version()
    monkeypatch.setattr(vectors, "settings", dict)
    assert cache._version() == version


def test_the_numba_of_a_process_that_runs_the_code_is_left_as_it_is(host):
    host("icelake-server")
    assert cache._settings()["NUMBA_CPU_FEATURES"]
    assert vectors.config.CPU_FEATURES is None


# The machine code


def widest(assembly):
    """The widest kind of vector registers that it names; the last numbers of a loop are in narrower ones."""
    return max(re.findall(r"%([xyz]mm)\d", assembly))


@x86
@pytest.mark.parametrize(
    ("name", "features", "expected"),
    [
        ("icelake-server", "", "ymm"),
        ("icelake-server", vectors.WIDE, "zmm"),
        ("icelake-server", f"{WITHOUT_AVX512},{vectors.WIDE}", "ymm"),
        ("sapphirerapids", "", "ymm"),
        ("znver4", "", "zmm"),
    ],
)
def test_a_loop_of_float32_goes_to_vectors_of_the_kind_that_the_tuning_says(name, features, expected):
    assert widest(vectors.assembly_of_a_loop(name, features)) == expected


# A loop as the kernel has them, compiled by numba and by the kernel's own settings.
KERNELS_LOOP = """
from numba import float32, void
from ntm_repro.jit.cache import inner
from ntm_repro.kernels.fused.arithmetic import sigmoid

@inner
def sigmoids(x):
    for i in range(x.shape[0]):
        x[i] = sigmoid(x[i])

sigmoids.compile(void(float32[::1]))
print(*sigmoids.inspect_asm().values())
"""


@x86
def test_numba_vectorises_the_kernels_arithmetic_to_512_bits_only_where_told(host):
    host("icelake-server")
    kinds = []
    for features in ({"NUMBA_CPU_FEATURES": FEATURES}, vectors.settings()):
        env = environment() | {"NUMBA_CPU_NAME": "icelake-server"} | features
        done = processes.run([sys.executable, "-c", KERNELS_LOOP], env=env, check=True)
        kinds.append(widest(done.stdout))
    assert kinds == ["ymm", "zmm"]


# What a summary says


@x86
@pytest.mark.parametrize(
    ("name", "features", "bits"),
    [
        ("icelake-server", FEATURES, 512),
        ("icelake-server", WITHOUT_AVX512, 256),
        ("sapphirerapids", FEATURES, 256),
        ("sapphirerapids", f"+amx-tile,{FEATURES}", 512),
        ("znver4", FEATURES, 512),
        ("znver3", "", 256),
        ("x86-64", "", 128),
    ],
)
def test_the_bits_are_those_of_the_vectors_of_a_loop(name, features, bits, host):
    host(name, features)
    assert vectors.vector_bits() == bits


@x86
@pytest.mark.parametrize(
    ("name", "value", "bits"),
    [
        ("NUMBA_CPU_NAME", "icelake-server", 256),
        ("NUMBA_CPU_NAME", "generic", 128),
        ("NUMBA_CPU_FEATURES", "+avx2", 256),
    ],
)
def test_the_bits_are_those_of_the_users_choice(name, value, bits, host, numba_settings):
    host("icelake-server")
    numba_settings(name, value)
    assert vectors.vector_bits() == bits


def test_on_another_kind_of_processor_the_bits_are_not_known(host, monkeypatch):
    host("apple-m1", "+neon")
    monkeypatch.setattr(vectors, "assembly_of_a_loop", lambda name, features: "fadd v0.4s, v0.4s, v0.4s")
    assert vectors.vector_bits() is None
