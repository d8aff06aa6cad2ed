"""Evaluations as records: entries replaced one by one, damaged files named."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ntm_repro.errors import UsageError
from ntm_repro.evidence import evaluations


def entry(setting, bits=1.0, **marks):
    return {
        "setting": setting,
        "sequences": 5,
        "bits": bits,
        "wrong_bits": 0.0,
        "perfect": 1.0,
        "optimum_bits": None,
        **marks,
    }


WHOLE = json.dumps({"checkpoint_sequences": 30, "grid": [entry(10), entry([10, 20], locations=256)]}, indent=2)


def test_older_entries_were_made_with_the_memory_of_training():
    grid = [entry(10), entry(10, locations=256), entry(20, locations=128)]
    assert [one["locations"] for one in evaluations.marked(grid, 128)] == [128, 256, 128]
    assert [one["locations"] for one in evaluations.marked([entry(10)], None)] == [None]
    kept = evaluations.with_trained_locations({"checkpoint_sequences": 30, "grid": grid}, 128)
    assert kept == {"checkpoint_sequences": 30, "grid": [grid[0], grid[2]]}


def test_entries_are_replaced_one_by_one():
    old = [entry(10, locations=128), entry([10, 20], locations=128), entry(30, locations=128)]
    new = [entry((10, 20), 2.0, locations=128), entry(30, 3.0, locations=256), entry(30, 4.0, locations=128)]
    assert evaluations.merged(old, new) == [old[0], new[0], new[2], new[1]]
    assert evaluations.merged(old, new, replace=False) == [*old, new[1]]
    assert evaluations.merged([], [new[0], new[0] | {"bits": 9.0}]) == [new[0] | {"bits": 9.0}]


def test_a_whole_file_is_read_and_a_missing_one_is_none(tmp_path):
    path = tmp_path / "eval.json"
    assert evaluations.read(path) is None
    path.write_text(WHOLE)
    assert evaluations.read(path) == json.loads(WHOLE)


@given(end=st.integers(0, len(WHOLE) - 1))
def test_a_torn_file_is_named(end, tmp_path_factory):
    path = tmp_path_factory.mktemp("torn") / "eval.json"
    path.write_text(WHOLE[:end])
    with pytest.raises(UsageError, match=r"^[^\n]*eval\.json: damaged[^\n]*$"):
        evaluations.read(path)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.sampled_from(list(entry(1))), inner),
)


@given(content=st.fixed_dictionaries({}, optional={"checkpoint_sequences": JSON, "grid": JSON | st.lists(JSON)}) | JSON)
def test_any_other_json_is_no_evaluation_or_a_complete_one(content, tmp_path_factory):
    path = tmp_path_factory.mktemp("any") / "eval.json"
    path.write_text(json.dumps(content))
    refused, found = "", None
    try:
        found = evaluations.read(path)
    except UsageError as error:
        refused = str(error)
    assert refused.startswith(str(path)) or found is not None
    for one in found["grid"] if found else ():
        assert set(entry(1)) <= set(one)


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"[" * 100_000])
def test_what_is_no_json_at_all_is_named(content, tmp_path):
    path = tmp_path / "eval.json"
    path.write_bytes(content)
    with pytest.raises(UsageError, match=r"eval\.json: damaged"):
        evaluations.read(path)


def test_a_folder_in_its_place_is_named(tmp_path):
    (tmp_path / "eval.json").mkdir()
    with pytest.raises(UsageError, match=r"eval\.json: cannot be read"):
        evaluations.read(tmp_path / "eval.json")
