"""One answer of a model: what it should have said, what it said, and the bits that differ, above one another."""

from collections.abc import Mapping

from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.image import AxesImage

from ntm_repro.evaluation.traces import Answer
from ntm_repro.figures.panels import WRONG_MAP, Sheet, matrix, name_channels

CHANNEL = 0.08  # inches: the height of a channel; wrong bits get half of it
GAP = 0.05
STRIPS = ("targets", "outputs", "wrong bits")


def height(channels: int) -> float:
    """Inches that the three strips take, with the gaps between them."""
    return CHANNEL * channels * 2.5 + 2 * GAP


def strips(
    sheet: Sheet, left: float, top: float, width: float, answer: Answer, channels: Mapping[str, int] | None = None
) -> tuple[list[Axes], AxesImage]:
    """Draw an answer, its first step as step 0; the strips' axes from above, and the image of the outputs.

    `channels` names groups of channels at the left of the strips; without, nothing is written there.
    """
    tall = CHANNEL * answer.target_AC.shape[1]
    drawn, images = [], []
    for values_AC, share in ((answer.target_AC, 1), (answer.output_AC, 1), (answer.wrong_AC, 0.5)):
        axes = sheet.axes(left, top, width, share * tall)
        colours = ListedColormap(WRONG_MAP) if share < 1 else None
        images.append(matrix(axes, values_AC, cmap=colours))
        axes.tick_params(axis="x", labelbottom=share < 1, length=2.5 if share < 1 else 0)
        if channels and share == 1:
            name_channels(axes, channels)
        drawn.append(axes)
        top += share * tall + GAP
    return drawn, images[1]


def name_strips(strips: list[Axes], points: float) -> None:
    """Write the names of the strips, `points` left of them."""
    for axes, name in zip(strips, STRIPS, strict=True):
        axes.annotate(
            name, (0, 0.5), (-points, 0), "axes fraction", textcoords="offset points", ha="right", va="center"
        )
