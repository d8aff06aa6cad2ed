"""The bench as files: bench.csv, a row for each measurement; bench.md, a table for each batch size and threads."""

import csv
import io
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path

from ntm_repro.bench.cell import COMPILED, EAGER, FUSED, JAX, LOOP, TORCH_LSTM, Measurement
from ntm_repro.bench.growth import AXES, Grown
from ntm_repro.bench.host import Machine
from ntm_repro.bench.timing import Spread
from ntm_repro.files import write_text

CSV, GROWTH, MARKDOWN = "bench.csv", "growth.csv", "bench.md"

# Names of the spreads in bench.csv: median, lower and upper quartile.
SPREADS = {
    "ms": ("median_ms_per_sequence", "q1_ms_per_sequence", "q3_ms_per_sequence"),
    **{name: (name, f"{name}_q1", f"{name}_q3") for name in ("ratio_to_eager", "ratio_to_fused", "share_of_bare")},
}

HEADER = ("task", "model", FUSED, "× floor", EAGER, COMPILED, TORCH_LSTM, JAX, LOOP, "of bare")

LEGEND = (
    "Milliseconds per sequence of a training step (forward, backward, clip, optimiser), median (quartiles), and how",
    f"many times as long as {FUSED} it takes, paired.",
    "",
    f"- {FUSED}: `kernel=numba`; {EAGER}: `kernel=eager`; {COMPILED}: the eager step under `torch.compile`",
    f"- {TORCH_LSTM}: the same stack of `torch.nn.LSTM` layers with `torch.optim.RMSprop`",
    f"- {JAX}: the same model in JAX, compiled, 16 updates a call, one thread, without the clip through time; ours is",
    "  called for each update",
    f"- × floor: {FUSED} over the time that its arithmetic takes at the machine's matrix-product peak",
    f"- {LOOP}: sequences per second of all that ntm-train does, on the lengths of training; of bare: its share of the",
    "  rate of the step alone on the same batches",
)


def write(folder: Path, measurements: Sequence[Measurement], machine: Machine, grown: Sequence[Grown] = ()) -> None:
    """Replace the files in `folder`. Raises `OSError`."""
    write_text(folder / CSV, as_csv(measurements))
    if grown:
        write_text(folder / GROWTH, growth_as_csv(grown))
    write_text(folder / MARKDOWN, "\n".join([as_markdown(measurements, machine), *growth_lines(grown)]))


def line(cell: Sequence[Measurement]) -> str:
    """One cell in a line for the terminal."""
    first = cell[0]
    parts = []
    for measured in cell:
        if measured.ms is None:
            parts.append(f"{measured.what} {measured.note}")
            continue
        part = f"{measured.what} {measured.ms.median:.3g} ms"
        if measured.what == FUSED and measured.over_floor is not None:
            part += f" (× {measured.over_floor:.1f} floor)"
        elif measured.ratio_to_fused is not None:
            part += f" (× {measured.ratio_to_fused.median:.1f})"
        elif measured.share_of_bare is not None:
            part += f" ({measured.share_of_bare.median:.0%} of bare)"
        parts.append(part)
    return f"{first.pair}, batch {first.batch}, {_threads(first.threads)}: {', '.join(parts)}"


def as_csv(measurements: Sequence[Measurement]) -> str:
    """One row for each measurement; a number that there is not is an empty cell."""
    columns = [column for field in fields(Measurement) for column in SPREADS.get(field.name, (field.name,))]
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    for measurement in measurements:
        row: dict[str, object] = {}
        for field in fields(Measurement):
            value = getattr(measurement, field.name)
            if field.name in SPREADS:
                row |= zip(SPREADS[field.name], value or ("", "", ""), strict=True)
            else:
                row[field.name] = "" if value is None else value
        writer.writerow({name: f"{value:.6g}" if isinstance(value, float) else value for name, value in row.items()})
    return text.getvalue()


def as_markdown(measurements: Sequence[Measurement], machine: Machine) -> str:
    """A table for each batch size and number of threads, what it was measured on, and what its columns mean."""
    lines = [
        "# Speed of training",
        "",
        " · ".join(
            (
                machine.date,
                f"{machine.cpu}, {machine.cores} cores, {machine.peak / 1e9:.0f} billion multiply-adds/s on one",
                *(f"{name} {version}" for name, version in machine.versions.items()),
                f"commit {machine.commit}",
            )
        ),
        "",
        *LEGEND,
    ]
    for batch, threads in dict.fromkeys((m.batch, m.threads) for m in measurements):
        here = [m for m in measurements if (m.batch, m.threads) == (batch, threads)]
        lines += ["", f"## Batch {batch}, {_threads(threads)}", ""]
        lines += [_line(HEADER), _line(["---"] * 2 + ["--:"] * (len(HEADER) - 2))]
        for pair in dict.fromkeys(m.pair for m in here):
            lines.append(_line(_cells(pair, {m.what: m for m in here if m.pair == pair})))
        notes = {(m.what, m.note): [other.pair for other in here if other.note == m.note] for m in here if m.note}
        lines += [""] if notes else []
        lines += [f"- {what}: {note} ({', '.join(about)})" for (what, note), about in notes.items()]
    return "\n".join(lines) + "\n"


def growth_as_csv(grown: Sequence[Grown]) -> str:
    """One row for each setting."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(Grown._fields)
    writer.writerows([one.axis, one.value, f"{one.ms:.6g}", f"{one.megabytes:.0f}"] for one in grown)
    return text.getvalue()


def growth_lines(grown: Sequence[Grown]) -> list[str]:
    """A table of milliseconds an update and peak memory, an axis a line; nothing where nothing was measured."""
    if not grown:
        return []
    lines = [
        "## Growth",
        "",
        "Copy, NTM-LSTM, one thread, one of its sizes changed: milliseconds of an update (forward, backward, clip,",
        "optimiser), the fastest of five turns, and the peak memory of a process that does nothing else, MB.",
        "",
        _line(("size", *(f"{n}" for n in ("smallest", "…", "…", "…", "largest")))),
        _line(["---"] + ["---"] * 5),
    ]
    for axis, what in AXES.items():
        cells = [f"{one.value:,}: {one.ms:.3g} ms, {one.megabytes:.0f} MB" for one in grown if one.axis == axis]
        lines.append(_line([what, *cells, *[""] * (5 - len(cells))]))
    return [*lines, ""]


def _cells(pair: str, by_what: dict[str, Measurement]) -> list[str]:
    task, _, model = pair.partition("/")
    cells = [task.replace("_", " "), model, _time(by_what.get(FUSED)), _floor(by_what.get(FUSED))]
    for what in (EAGER, COMPILED, TORCH_LSTM, JAX):
        measured = by_what.get(what)
        cells.append(_time(measured) + _times_fused(measured))
    loop = by_what.get(LOOP)
    cells.append(f"{1e3 / loop.ms.median:.0f}/s" if loop and loop.ms else "")
    cells.append(_spread(loop.share_of_bare, "{:.0%}") if loop and loop.share_of_bare else "")
    return cells


def _threads(count: int) -> str:
    return f"{count} thread{'s' if count > 1 else ''}"


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _time(measured: Measurement | None) -> str:
    if measured is None:
        return ""
    return "n/a" if measured.ms is None else _spread(measured.ms, "{:.3g}")


def _times_fused(measured: Measurement | None) -> str:
    ratio = measured.ratio_to_fused if measured else None
    return "" if ratio is None else f", × {_spread(ratio, '{:.3g}')}"


def _floor(measured: Measurement | None) -> str:
    return "" if measured is None or measured.over_floor is None else f"{measured.over_floor:.1f}"


def _spread(spread: Spread, form: str) -> str:
    return f"{form.format(spread.median)} ({form.format(spread.q1)}–{form.format(spread.q3)})"
