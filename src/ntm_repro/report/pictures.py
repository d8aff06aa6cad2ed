"""Figures as images that stand in a page."""

import base64
import struct
from io import BytesIO
from typing import NamedTuple

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image


class Picture(NamedTuple):
    """An image width × height pixels large as a data URI."""

    data: str
    width: int
    height: int


def png(figure: Figure, pixels: int, colours: int | None = None) -> Picture:
    """A figure as a PNG so many pixels wide, with all colours or so many; a PNG begins with its size."""
    content = BytesIO()
    figure.set_dpi(pixels / figure.get_figwidth())
    # Not `savefig`, which draws everything twice, the first time for its extent alone.
    FigureCanvasAgg(figure).print_png(content, metadata={"Software": None})
    if colours is not None:
        few = Image.open(content).convert("RGB").quantize(colours, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
        content = BytesIO()
        few.save(content, "png", optimize=True)
    data = content.getvalue()
    width, height = struct.unpack(">II", data[16:24])
    return Picture(f"data:image/png;base64,{base64.b64encode(data).decode('ascii')}", width, height)
