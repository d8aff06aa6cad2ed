"""Arrays as a few bytes of text that a page can carry: eight bits a number, changes over time, deflated, in base64.

Most of a trace says that nothing has changed: written as differences from step to step, it deflates to a few bytes in a
hundred. `unpack` is what viewer.js does, in Python.
"""

import base64
import zlib
from typing import Any

import numpy as np

# The highest code of an array from 0, and of one of either sign: of those, codes count from −127 to 127, kept + 127.
UNIT, SIGNED = 255, 127


def pack(values: np.ndarray) -> dict[str, Any]:
    """`values` [T, …] in eight bits each: {shape, limit, signed, data}.

    A code stands for limit · u |u|, with u = code / 255, or (code − 127) / 127 where there are numbers below 0: 0 and
    ±limit are exact, and small weights, of which a blurred weighting consists, keep two digits. limit is 1, or for what
    exceeds it the largest magnitude.
    """
    limit = float(max(1.0, np.abs(values).max(initial=0.0)))
    signed = bool((values < 0).any())
    root = np.sign(values) * np.sqrt(np.abs(values.astype(np.float64)) / limit)
    code = np.rint(root * SIGNED + SIGNED if signed else root * UNIT).astype(np.uint8)
    change = code.copy()
    change[1:] -= code[:-1]  # modulo 256
    return {"shape": list(values.shape), "limit": limit, "signed": signed, "data": _as_text(change)}


def pack_exactly(values: np.ndarray) -> dict[str, Any]:
    """`values` as they are in float32, for numbers that the page prints: {shape, data}."""
    return {"shape": list(values.shape), "data": _as_text(values.astype("<f4"))}


def unpack(packed: dict[str, Any]) -> np.ndarray:
    """The numbers that a page finds in `pack`'s or `pack_exactly`'s result, as float64."""
    data, shape = zlib.decompress(base64.b64decode(packed["data"])), packed["shape"]
    if "limit" not in packed:
        return np.frombuffer(data, "<f4").reshape(shape).astype(np.float64)
    code = np.frombuffer(data, np.uint8).reshape(shape).cumsum(0, np.uint8).astype(np.float64)
    root = (code - SIGNED) / SIGNED if packed["signed"] else code / UNIT
    return packed["limit"] * root * np.abs(root)


def _as_text(values: np.ndarray) -> str:
    return base64.b64encode(zlib.compress(values.tobytes(), 9)).decode()
