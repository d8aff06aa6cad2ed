"""ntm-eval input=FILE: a trained machine on one's own sequences, its outputs, and pictures of its memory at work."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ntm_repro.errors import RunError, UsageError
from ntm_repro.files import readable, write_atomically

if TYPE_CHECKING:
    import numpy as np

    from ntm_repro.cli.load_run import Recorded

LONGEST_PICTURE = 5_000  # steps: the memory at every step is kept, 10 kB each with the paper's sizes


class Request(NamedTuple):
    """What to run and where results go.

    inputs: {name: [T, I]}. out: for the outputs, None for the terminal. pictures: {name: file}, empty without trace.
    """

    inputs: "dict[str, np.ndarray]"
    out: Path | None
    pictures: dict[str, Path]


def read(source: str, channels: int, out: str | None, trace: bool, picture: str | None) -> Request:
    """The sequences of the file `source` for a model of so many input channels; raises `UsageError`."""
    from ntm_repro.evaluation import sequence_files

    path = Path(source)
    try:
        inputs = sequence_files.read(path, channels)
    except OSError as error:
        raise UsageError(f"input={source}: cannot be read ({error.strerror})") from error
    except ValueError as error:
        raise UsageError(f"input={source}: {error}") from error
    target = None if out is None else Path(out)
    if target is not None:
        try:
            sequence_files.check_ending(target, len(inputs))
        except ValueError as error:
            raise UsageError(f"out={out}: {error}") from error
    if target is not None and target.resolve() == path.resolve():
        raise UsageError(f"out={out}: is the input; name another file")
    if not trace:
        if picture is not None:
            raise UsageError(f"picture={picture}: needs trace=true")
        return Request(inputs, target, {})
    pictures = _pictures(list(inputs), Path(picture) if picture else (target or path).with_suffix(".png"))
    if path.resolve() in {file.resolve() for file in pictures.values()}:
        raise UsageError(f"input={source}: the picture would overwrite it; name another file with picture=")
    for name, input_TI in inputs.items():
        if len(input_TI) > LONGEST_PICTURE:
            raise UsageError(f"trace=true: {name} has {len(input_TI):,} steps; at most {LONGEST_PICTURE:,} are drawn")
    return Request(inputs, target, pictures)


def _pictures(names: list[str], path: Path) -> dict[str, Path]:
    """A file for each sequence: `path` for a single one, else with the sequence's name in its own."""
    if path.suffix != ".png":
        raise UsageError(f"picture={path}: must end in .png")
    if len(names) == 1:
        return {names[0]: path}
    safe = [re.sub(r"[^\w.-]", "_", name) for name in names]
    if len(set(safe)) < len(safe):
        safe = [f"{number}-{name}" for number, name in enumerate(safe, 1)]
    return {name: path.with_name(f"{path.stem}-{word}.png") for name, word in zip(names, safe, strict=True)}


def run(request: Request, recorded: "Recorded") -> None:
    """Run every sequence by itself, from the learned start; writes or prints. Raises `RunError` for a full disk."""
    from ntm_repro.evaluation import sequence_files
    from ntm_repro.evaluation.traces import respond

    outputs = {}
    for name, input_TI in request.inputs.items():
        picture = request.pictures.get(name)
        outputs[name], heads = respond(recorded.kernel, input_TI, with_heads=picture is not None)
        if request.out is None:
            _print(name, outputs[name], recorded.task.channels.outputs)
        if picture is not None and heads is not None:
            from ntm_repro.figures import memory_at_work, style

            title = readable(f"{recorded.task.label}, {style.label(recorded.config.model.name)}: {name}")
            _write(picture, memory_at_work.png(title, recorded.task.channels, input_TI, outputs[name], heads))
            print(f"# {picture}")
    if request.out is not None:
        _write(request.out, sequence_files.encoded(outputs, request.out.suffix))
        print(request.out)


def _print(name: str, output_TO: "np.ndarray", channels: dict[str, int]) -> None:
    """A matrix that `input=` could read again, below a comment that says what its columns are."""
    steps, columns = output_TO.shape
    named = ", ".join(f"{channel} ({count})" if count > 1 else channel for channel, count in channels.items())
    print(f"# {name}: {steps:,} steps, {columns} columns: P(1) of {named}")
    for output_O in output_TO.tolist():
        print(" ".join(f"{probability:.4f}" for probability in output_O))


def _write(path: Path, content: bytes) -> None:
    try:
        write_atomically(path, content)
    except OSError as error:
        raise RunError(f"{path}: cannot be written ({error.strerror})") from error
