"""From a model to its `Plan`: which parameter lies where, and what a row of the tape holds."""

from typing import Any

import numpy as np

from ntm_repro.kernels.flat_parameters import FlatParameters
from ntm_repro.kernels.fused.tape import Columns, Layer, Layout, padded
from ntm_repro.models.controllers import LSTMStack
from ntm_repro.models.initial_state import SharedStart
from ntm_repro.models.lstm import LSTM
from ntm_repro.models.ntm import Activation, OutputFrom, ReadOrder


def make_layout(model: Any, parameters: FlatParameters) -> Layout:
    """Sizes, offsets and columns for an `NTM` or an `LSTM`, whose stack counts as a controller without heads."""
    if isinstance(model, LSTM):
        heads = width = locations = shifts = parameters_per_head = 0
        controller: Any = model.stack
        settings, shared = None, False
    else:
        settings = model.settings
        heads, width, parameters_per_head = model.heads, model.width, model.parameters_per_head
        locations, shifts = settings.memory.locations, settings.shift_range
        controller, shared = model.controller, isinstance(model.start, SharedStart)
    recurrent = isinstance(controller, LSTMStack)
    reads, hidden, output = heads * width, controller.size, model.output
    linears: list[Any] = [layer.gates if recurrent else layer for layer in controller.layers]
    size = linears[0].out_features // (4 if recurrent else 1)

    row = Columns()
    layers = np.zeros((len(linears), Layer.COUNT), np.int64)
    for index, linear in enumerate(linears):
        layers[index, Layer.WEIGHTS] = parameters.at(linear.weight)
        layers[index, Layer.INPUTS] = linear.in_features
        layers[index, Layer.SIZE] = size
        layers[index, Layer.COLUMNS] = padded(linear.out_features)
        layers[index, Layer.SEEN] = row.take(linear.in_features)
        layers[index, Layer.GATES] = row.take(linear.out_features)
        if recurrent:
            layers[index, Layer.TANH_CELL] = row.take(size)
            layers[index, Layer.HIDDEN] = index * size
            layers[index, Layer.HIDDEN_START] = parameters.at(controller.layers[index].hidden_H)
            layers[index, Layer.CELL_START] = parameters.at(controller.layers[index].cell_H)

    interface = model.interface.out_features if heads else 0
    head_size = 5 * padded(locations) + padded(locations + shifts - 1) if heads else 0
    head_fields = row.take(2 * heads * head_size)
    carry = Columns()
    return Layout(
        inputs=linears[0].in_features - reads - (size if recurrent else 0),
        outputs=output.out_features,
        hidden=hidden,
        heads=heads,
        width=width,
        locations=locations,
        shifts=shifts,
        parameters=parameters_per_head,
        recurrent=recurrent,
        bounded=settings is not None and settings.activation is Activation.tanh,
        reads_after=settings is not None and settings.read_order is ReadOrder.after,
        output_sees_reads=settings is not None and settings.output_from is OutputFrom.hidden_and_reads,
        shared_start=shared,
        layers=layers,
        interface_weights=parameters.at(model.interface.weight) if heads else 0,
        interface_columns=padded(interface),
        output_weights=parameters.at(output.weight),
        output_columns=padded(output.out_features),
        read_start=parameters.at(model.read_RM) if heads else 0,
        memory_start=parameters.at(model.start.memory_M if shared else model.start.memory_NM) if heads else 0,
        weighting_start=parameters.at(model.start.rate_K if shared else model.start.logits_KN) if heads else 0,
        seen=row.take(hidden + reads),
        d_seen=row.take(hidden + reads),
        d_inputs=row.take(max(hidden, int(layers[:, Layer.INPUTS].max()))),
        cells=row.take(hidden if recurrent else 0),
        raw=row.take(interface),
        emitted=row.take(interface),
        d_emitted=row.take(interface),
        logits=row.take(output.out_features),
        memory=row.take(width * locations),
        inverse_lengths=row.take(locations),
        head_fields=head_fields,
        head_size=head_size,
        weightings=head_fields + 4 * padded(locations),
        row=row.row,
        d_hidden=carry.take(hidden),
        d_cells=carry.take(hidden),
        d_reads=carry.take(reads),
        d_weightings=carry.take(2 * heads * locations),
        d_memory=carry.take(width * locations),
        z=carry.take(locations),
        q=carry.take(locations),
        circle=carry.take(locations + max(shifts - 1, 0)),
        partial=carry.take(heads * locations),
        carry=carry.row,
    )
