"""One's own sequences in files: read from .npy, .npz and text, and outputs written to them. No file runs code.

Shape suffixes: T time steps, I input channels, O output channels.
"""

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np

ENDINGS = (".npy", ".npz", ".txt")
NPY, ZIP = b"\x93NUMPY", b"PK"


def read(path: Path, channels: int) -> dict[str, np.ndarray]:
    """{name: inputs [T, I] as float32} of a file's sequences, I being `channels`.

    A .npz has a name for each; the sequence of a .npy or of a text is called as the file. In a text a line is a step,
    its numbers are divided by spaces or commas, and what follows a # is left out. Raises `OSError`, and `ValueError`
    with one line for what holds no such sequences: pickled objects, other dimensions, numbers that are not finite.
    """
    content = path.read_bytes()
    if content.startswith(ZIP):
        arrays = _arrays_of(content)
    elif content.startswith(NPY):
        arrays = {path.stem: _array_of(content)}
    elif path.suffix in (".npy", ".npz"):
        raise ValueError(f"is no {path.suffix} file, or a damaged one")
    else:
        arrays = {path.stem: _matrix_of(content)}
    if not arrays:
        raise ValueError("holds no arrays")
    return {name: _checked(array, channels, f"{name}: " if len(arrays) > 1 else "") for name, array in arrays.items()}


def _arrays_of(content: bytes) -> dict[str, np.ndarray]:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = [name for name in archive.namelist() if not name.endswith("/")]
            return {name.removesuffix(".npy"): _array_of(archive.read(name), f"{name}: ") for name in names}
    except ValueError:
        raise
    except Exception as error:  # whatever a damaged archive makes zipfile and zlib raise
        raise ValueError("is a damaged .npz file") from error


def _array_of(content: bytes, name: str = "") -> np.ndarray:
    if not content.startswith(NPY):
        raise ValueError(f"{name}is no .npy array")
    try:
        array = np.load(io.BytesIO(content), allow_pickle=False)
    except Exception as error:  # whatever damaged headers make numpy raise
        what = (
            "holds pickled objects, which are not loaded" if "allow_pickle" in str(error) else "is no whole .npy array"
        )
        raise ValueError(f"{name}{what}") from error
    assert isinstance(array, np.ndarray)
    return array


def _matrix_of(content: bytes) -> np.ndarray:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError("is neither text nor a .npy or .npz file") from error
    rows: list[list[float]] = []
    for number, line in enumerate(text.splitlines(), 1):
        numbers = line.partition("#")[0]
        cells = numbers.split(",") if "," in numbers else numbers.split()
        if not cells:
            continue
        try:
            rows.append([_number(cell) for cell in cells])
        except ValueError as error:
            raise ValueError(f"line {number}: {error}") from error
        if len(rows[-1]) != len(rows[0]):
            raise ValueError(f"line {number}: {len(rows[-1])} numbers, but {len(rows[0])} in the lines before")
    if not rows:
        raise ValueError("is empty")
    return np.array(rows)


def _number(cell: str) -> float:
    try:
        if "_" in cell:  # Python's, in no other matrix
            raise ValueError
        return float(cell)
    except ValueError:
        shown = cell.strip()
        raise ValueError(f"{shown[:20]!r} is no number") from None


def _checked(array: np.ndarray, channels: int, name: str) -> np.ndarray:
    if array.dtype.kind not in "biuf":
        raise ValueError(f"{name}numbers are needed, not {array.dtype}")
    if array.ndim != 2:
        raise ValueError(f"{name}a matrix [steps, {channels}] is needed, not an array of shape {list(array.shape)}")
    if array.shape[1] != channels:
        raise ValueError(f"{name}{array.shape[1]} channels a step, but the model has {channels} inputs")
    if not len(array):
        raise ValueError(f"{name}has no steps")
    with np.errstate(over="ignore"):
        values_TI = array.astype(np.float32)
    bad = np.argwhere(~np.isfinite(values_TI))
    if bad.size:
        step, channel = bad[0]
        raise ValueError(f"{name}step {step}, channel {channel} is no finite float32")
    return values_TI


def check_ending(path: Path, sequences: int) -> None:
    """Raise `ValueError` unless so many sequences can be written to a file of this name."""
    if path.suffix not in ENDINGS:
        raise ValueError(f"must end in {', '.join(ENDINGS)}")
    if sequences > 1 and path.suffix != ".npz":
        raise ValueError(f"must end in .npz for {sequences} sequences")


def encoded(outputs: Mapping[str, np.ndarray], ending: str) -> bytes:
    """The outputs [T, O] as a file of that ending; a .npz has them by name, others have room for one sequence."""
    buffer = io.BytesIO()
    if ending == ".npz":
        with zipfile.ZipFile(buffer, "w") as archive:  # not numpy.savez, whose arguments have names of their own
            for name, output_TO in outputs.items():
                archive.writestr(zipfile.ZipInfo(f"{name}.npy"), encoded({name: output_TO}, ".npy"))
        return buffer.getvalue()
    (output_TO,) = outputs.values()
    if ending == ".npy":
        np.lib.format.write_array(buffer, np.ascontiguousarray(output_TO), allow_pickle=False)
    else:
        np.savetxt(buffer, output_TO, fmt="%.9g")  # enough digits to give the same float32
    return buffer.getvalue()
