"""The examples in docstrings run, and give what they say."""

import doctest
import pkgutil
from importlib import import_module

import pytest

import ntm_repro

MODULES = [
    "ntm_repro",
    *(found.name for found in pkgutil.walk_packages(ntm_repro.__path__, "ntm_repro.") if "__main__" not in found.name),
]


@pytest.mark.parametrize("name", MODULES)
def test_every_example_of_a_docstring(name):
    assert doctest.testmod(import_module(name), optionflags=doctest.NORMALIZE_WHITESPACE).failed == 0


def test_the_front_door_and_the_models_have_examples():
    with_examples = {
        test.name for module in MODULES for test in doctest.DocTestFinder().find(import_module(module)) if test.examples
    }
    assert {"ntm_repro", "ntm_repro.models.ntm.NTM", "ntm_repro.models.lstm.LSTMBaseline"} <= with_examples
