"""One's own sequences come out of files as they went in; anything else is one line, never a traceback."""

import io
import pickle
import zipfile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from ntm_repro.evaluation import sequence_files

FINITE = st.floats(-(2.0**99), 2.0**99, width=32)
MATRICES = arrays.arrays(np.float32, st.tuples(st.integers(1, 6), st.integers(1, 4)), elements=FINITE)


def read(content, name, channels, tmp_path_factory):
    path = tmp_path_factory.mktemp("input") / name
    path.write_bytes(content)
    return sequence_files.read(path, channels)


@given(
    matrix_TI=MATRICES,
    between=st.sampled_from([" ", ", ", ",", "\t", "  "]),
    end=st.sampled_from(["\n", "\r\n", "\n\n", " # step\n"]),
)
def test_a_text_matrix_round_trip(matrix_TI, between, end, tmp_path_factory):
    text = "# inputs\n" + "".join(between.join(f"{value!r}" for value in row) + end for row in matrix_TI.tolist())
    sequences = read(text.encode(), "mine.txt", matrix_TI.shape[1], tmp_path_factory)
    assert list(sequences) == ["mine"]
    np.testing.assert_array_equal(sequences["mine"], matrix_TI)
    assert sequences["mine"].dtype == np.float32


@given(matrix_TI=MATRICES, dtype=st.sampled_from([">f8", "<f4", "f2", "i1", "u2", "?", ">i8"]), order=st.booleans())
def test_an_array_of_any_numbers(matrix_TI, dtype, order, tmp_path_factory):
    matrix_TI = np.sign(matrix_TI).clip(0, None).astype(dtype, order="F" if order else "C")
    buffer = io.BytesIO()
    np.save(buffer, matrix_TI)
    sequences = read(buffer.getvalue(), "mine.npy", matrix_TI.shape[1], tmp_path_factory)
    np.testing.assert_array_equal(sequences["mine"], matrix_TI.astype(np.float32))


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_several_sequences_of_different_lengths(save, tmp_path):
    sequences = {"short": np.eye(2), "long": np.ones((5, 2)), "b/c d": np.zeros((1, 2))}
    save(tmp_path / "mine.npz", **sequences)
    found = sequence_files.read(tmp_path / "mine.npz", 2)
    assert list(found) == list(sequences)
    for name, matrix_TI in sequences.items():
        np.testing.assert_array_equal(found[name], matrix_TI)


@given(outputs=st.dictionaries(st.sampled_from(["a", "file", "b/c", "ü"]), MATRICES, min_size=1))
def test_outputs_are_read_back_alike(outputs, tmp_path_factory):
    folder = tmp_path_factory.mktemp("outputs")
    (folder / "all.npz").write_bytes(sequence_files.encoded(outputs, ".npz"))
    with np.load(folder / "all.npz") as archive:
        found = dict(archive)
    assert list(found) == list(outputs)
    for name, output_TO in outputs.items():
        np.testing.assert_array_equal(found[name], output_TO)
        for ending in (".npy", ".txt"):
            (folder / f"one{ending}").write_bytes(sequence_files.encoded({name: output_TO}, ending))
            again = sequence_files.read(folder / f"one{ending}", output_TO.shape[1])
            np.testing.assert_array_equal(again["one"], output_TO)


def test_equal_outputs_give_equal_files():
    outputs = {"a": np.ones((2, 2), np.float32)}
    for ending in sequence_files.ENDINGS:
        assert sequence_files.encoded(outputs, ending) == sequence_files.encoded(outputs, ending)


class Trap:
    """Its pickle runs code when it is loaded."""

    def __reduce__(self):
        return exec, ("raise SystemExit('run')",)


def npy(array, **how):
    buffer = io.BytesIO()
    np.save(buffer, array, **how)
    return buffer.getvalue()


def npz(**members):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


REFUSED = {
    "empty": (b"", "a.txt", "is empty"),
    "only comments": (b"# a\n\n", "a.txt", "is empty"),
    "empty npy": (b"", "a.npy", r"is no \.npy file"),
    "text in npy": (b"1 2\n", "a.npy", r"is no \.npy file"),
    "words": (b"1 2\n1 x\n", "a.txt", "line 2: 'x' is no number"),
    "a cell left out": (b"1,,2\n", "a.csv", "line 1: '' is no number"),
    "ragged": (b"1 2\n1\n", "a.txt", "line 2: 1 numbers, but 2"),
    "NaN": (b"1 2\n1 nan\n", "a.txt", "step 1, channel 1 is no finite"),
    "beyond float32": (b"1 1e39\n", "a.txt", "step 0, channel 1 is no finite"),
    "channels": (b"1 2 3\n", "a.txt", "3 channels a step, but the model has 2 inputs"),
    "no text": (b"\x80\x81", "a.txt", "is neither text nor"),
    "a vector": (npy(np.ones(4)), "a.npy", r"a matrix \[steps, 2\] is needed, not an array of shape \[4\]"),
    "a batch": (npy(np.ones((3, 1, 2))), "a.npy", r"of shape \[3, 1, 2\]"),
    "no steps": (npy(np.ones((0, 2))), "a.npy", "has no steps"),
    "complex": (npy(np.ones((2, 2), complex)), "a.npy", "not complex128"),
    "strings": (npy(np.array([["a", "b"]])), "a.npy", "numbers are needed"),
    "pickled": (npy(np.array([[Trap(), 1]], object), allow_pickle=True), "a.npy", "pickled objects, which are not"),
    "pickle": (pickle.dumps(Trap()), "a.npy", r"is no \.npy file"),
    "cut": (npy(np.ones((9, 2)))[:-3], "a.npy", r"is no whole \.npy"),
    "pickled in npz": (npz(**{"x.npy": npy(np.array([Trap()], object), allow_pickle=True)}), "a.npz", "not loaded"),
    "other files in npz": (npz(readme=b"hello"), "a.npz", "readme: is no"),
    "no arrays": (npz(), "a.npz", "holds no arrays"),
    "one bad of two": (npz(**{"a.npy": npy(np.ones((1, 2))), "b.npy": npy(np.ones((1, 3)))}), "a.npz", "b: 3 channels"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_no_sequence_is_refused_in_one_line(case, tmp_path):
    content, name, message = REFUSED[case]
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match=message) as raised:
        sequence_files.read(tmp_path / name, 2)
    assert "\n" not in str(raised.value)


WHOLE = (npy(np.ones((3, 2), np.float32)), npz(**{"a.npy": npy(np.ones((3, 2)))}), b"1 2\n3 4\n")


@given(
    content=st.binary(max_size=80).flatmap(
        lambda tail: st.sampled_from([b"", b"\x93NUMPY", b"PK\x03\x04"]).map(lambda head: head + tail)
    )
    | st.text(max_size=40).map(str.encode)
    | st.text("0123456789.,-+e# \n\tnaif_", max_size=40).map(str.encode)
    | st.tuples(st.sampled_from(WHOLE), st.integers(0, 300), st.binary(max_size=4)).map(
        lambda cut: cut[0][: cut[1]] + cut[2] + cut[0][cut[1] + len(cut[2]) :]
    ),
    name=st.sampled_from(["a.npy", "a.npz", "a.txt", "a"]),
)
def test_garbage_is_a_sequence_or_one_line(content, name, tmp_path_factory):
    refused, sequences = "", {}
    try:
        sequences = read(content, name, 2, tmp_path_factory)
    except ValueError as error:
        refused = str(error)
    assert bool(refused) != bool(sequences)
    assert len(refused.splitlines()) <= 1
    for matrix_TI in sequences.values():
        assert matrix_TI.shape[0] >= 1
        assert matrix_TI.shape[1] == 2
        assert np.isfinite(matrix_TI).all()


@pytest.mark.parametrize(
    ("name", "sequences", "message"),
    [("a.pdf", 1, "must end in"), ("a", 1, "must end in"), ("a.npy", 2, "npz for 2"), ("a.txt", 2, "npz for 2")],
)
def test_endings_that_do_not_fit(name, sequences, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        sequence_files.check_ending(tmp_path / name, sequences)
    sequence_files.check_ending(tmp_path / "a.npz", sequences)
