"""Evidence made for tests: runs whose small models were never trained, and what is seen in figures drawn from them."""

import json

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Text

from ntm_repro import kernels, models, tasks
from ntm_repro.figures.run_store import RunStore

SEQUENCES = 2_000

# A short sequence of each task.
CONDITIONS = {
    "copy": 3,
    "repeat_copy": (2, 3),
    "associative_recall": 2,
    "dynamic_ngrams": 9,
    "priority_sort": (4, 3),
}


def settings(model, heads=1):
    """A model small enough for hundreds of eager steps in a test."""
    found = models.settings_type(model)()
    if model == "lstm":
        found.size, found.layers = 5, 2
        return found
    found.controller.size, found.heads = 7, heads
    found.memory.locations, found.memory.width = 12, 4
    return found


def build(task, model, heads=1):
    """The task, and the eager kernel of a model for it with weights large enough for answers of all kinds."""
    chosen = tasks.find(task)()
    built = models.build(settings(model, heads), chosen.inputs, chosen.outputs, seed=1)
    for parameter in built.parameters():
        parameter.data *= 8
    return chosen, kernels.choose("eager", built)


def record(root, task, model, seed=1, weights=True, planned=SEQUENCES, **changes):
    """A run's folder with a summary and, in name only, weights."""
    folder = root / task / model / f"seed{seed}"
    folder.mkdir(parents=True)
    summary = {"task": task, "model": model, "seed": seed, "sequences": SEQUENCES}
    summary |= {"status": "finished" if planned == SEQUENCES else "interrupted"}
    summary |= {"config": {"train": {"sequences": planned}}}
    (folder / "summary.json").write_text(json.dumps(summary | changes))
    if weights:
        (folder / "weights.safetensors").touch()
    return folder


def sources(root, *pairs, heads=1):
    """Evidence of these (task, model), each with a model that was never trained."""
    for task, model in pairs:
        record(root, task, model)
    return RunStore(root, lambda folder: build(folder.parts[-3], folder.parts[-2], heads))


def images(figure):
    """The arrays drawn as images, panel by panel."""
    return [np.asarray(image.get_array()) for axes in figure.axes for image in axes.images]


def texts(figure):
    """All that is written in a figure."""
    return "\n".join(text.get_text() for text in figure.findobj(Text))


def sticks_out(figure):
    """Inches by which anything drawn is outside the page: left, below, right, above."""
    box = figure.get_tightbbox(FigureCanvasAgg(figure).get_renderer())
    width, height = figure.get_size_inches()
    return [max(0.0, beyond) for beyond in (-box.x0, -box.y0, box.x1 - width, box.y1 - height)]
