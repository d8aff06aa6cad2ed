"""Starting values of an NTM: each changes exactly what it names, row by row of the layers."""

import re

import pytest
import torch

from ntm_repro import NTM, models
from ntm_repro.errors import InvalidSetting
from ntm_repro.models import ntm, ntm_ff
from ntm_repro.models.initial_values import NAMES, InitialValues

I, O, H, R, M, S, LAYERS = 3, 2, 6, 2, 4, 5, 2  # noqa: E741
PER_HEAD = M + 3 + S
ERASE = 2 * R * PER_HEAD  # the first row of the erase vectors
ADD = ERASE + R * M


def machine(controller="lstm", layers=LAYERS, seed=3, **settings):
    generator = torch.Generator().manual_seed(seed)
    sizes = {"hidden_size": H, "num_layers": layers, "num_heads": R, "num_locations": 8, "width": M, "shift_range": S}
    return NTM(I, O, controller=controller, **sizes, generator=generator, **settings)


def changes(initial, controller="lstm", layers=LAYERS, **settings):
    """{name of a parameter: [(index, before, after) of each entry that `initial` changes]}."""
    plain = dict(machine(controller, layers, **settings).named_parameters())
    changed = dict(machine(controller, layers, initial=initial, **settings).named_parameters())
    found = {}
    for name, before in plain.items():
        where = (changed[name] != before).nonzero().tolist()
        entries = [(tuple(at), before[tuple(at)].item(), changed[name][tuple(at)].item()) for at in where]
        if entries:
            found[name] = entries
    return found


def bias_rows(found):
    """The rows of the interface's bias that changed, and the values they have; nothing else may have changed."""
    assert set(found) == {"interface.bias"}
    assert all(before == 0 for _, before, _ in found["interface.bias"])
    return {at: after for (at,), _, after in found["interface.bias"]}


def of_heads(heads, row):
    return {head * PER_HEAD + row for head in heads}


READ, WRITE = range(R), range(R, 2 * R)
ROWS = {
    "read_gate": of_heads(READ, M + 1),
    "write_gate": of_heads(WRITE, M + 1),
    "read_stay": of_heads(READ, M + 2 + 2),
    "write_stay": of_heads(WRITE, M + 2 + 2),
    "read_shift": of_heads(READ, M + 2 + 3),
    "write_shift": of_heads(WRITE, M + 2 + 3),
    "strength": of_heads([*READ, *WRITE], M),
    "sharpness": of_heads([*READ, *WRITE], M + 2 + S),
    "erase": set(range(ERASE, ADD)),
}


@pytest.mark.parametrize("name", ROWS)
@pytest.mark.parametrize("controller", ["lstm", "feedforward"])
def test_a_bias_is_added_to_its_rows_alone(name, controller):
    found = changes(InitialValues(**{name: -1.5}), controller)
    assert bias_rows(found) == dict.fromkeys(ROWS[name], -1.5)


@pytest.mark.parametrize(
    ("name", "heads", "of"),
    [("gate", "read", "gate_BK1"), ("shift", "write", "shift_BKS"), ("stay", "read", "shift_BKS")],
)
def test_heads_begin_as_the_name_says(name, heads, of):
    """By what a machine without weights emits, independently of where its rows are."""
    model = machine(initial=InitialValues(**{f"{heads}_{name}": 3.0}))
    with torch.no_grad():
        model.interface.weight.zero_()
    _, _, trace = model(torch.zeros(1, 1, I), trace=True)
    emitted = getattr(trace, of)[0, 0]
    changed, others = (emitted[:R], emitted[R:]) if heads == "read" else (emitted[R:], emitted[:R])
    bias = torch.zeros(1 if name == "gate" else S)
    usual = bias.sigmoid() if name == "gate" else bias.softmax(-1)
    bias[{"gate": 0, "stay": S // 2, "shift": S // 2 + 1}[name]] = 3.0
    expected = bias.sigmoid() if name == "gate" else bias.softmax(-1)
    torch.testing.assert_close(changed, expected.expand_as(changed))
    torch.testing.assert_close(others, usual.expand_as(others))


def test_the_forget_gates_of_every_layer_are_biased():
    found = changes(InitialValues(forget_gate=-1.0))
    assert {name: {at: after for (at,), _, after in entries} for name, entries in found.items()} == {
        f"controller.layers.{layer}.gates.bias": dict.fromkeys(range(H, 2 * H), -1.0) for layer in range(LAYERS)
    }


@pytest.mark.parametrize(("controller", "seeing"), [("lstm", [0, 1]), ("feedforward", [0])])
@pytest.mark.parametrize(("name", "columns"), [("input_weights", range(I)), ("read_weights", range(I, I + R * M))])
def test_weights_of_inputs_and_reads_are_multiplied_in_every_layer_that_sees_them(controller, seeing, name, columns):
    found = changes(InitialValues(**{name: 2.5}), controller)
    rows = 4 * H if controller == "lstm" else H
    suffix = ".gates.weight" if controller == "lstm" else ".weight"
    assert set(found) == {f"controller.layers.{layer}{suffix}" for layer in seeing}
    for entries in found.values():
        assert {at for at, _, _ in entries} == {(row, column) for row in range(rows) for column in columns}
        assert all(after == pytest.approx(2.5 * before, rel=1e-6) for _, before, after in entries)


def test_each_input_channel_has_its_factor():
    plain, scaled = machine(), machine(input_scale=[1, 10, 0.5], initial=InitialValues(input_weights=2.0))
    for ours, theirs in zip(plain.controller.layers, scaled.controller.layers, strict=True):
        factors = theirs.gates.weight / ours.gates.weight
        expected = torch.tensor([2.0, 20.0, 1.0] + [1.0] * (factors.shape[1] - I)).expand_as(factors)
        torch.testing.assert_close(factors, expected)


def test_the_weights_of_the_add_vectors_are_multiplied():
    found = changes(InitialValues(add_weights=0.1))
    assert set(found) == {"interface.weight"}
    rows = {row for (row, _), _, _ in found["interface.weight"]}
    assert rows == set(range(ADD, ADD + R * M))
    assert all(after == pytest.approx(0.1 * before, rel=1e-6) for _, before, after in found["interface.weight"])


@pytest.mark.parametrize(("start", "parameter"), [("shared", "start.memory_M"), ("per_location", "start.memory_NM")])
def test_the_first_memory_is_multiplied(start, parameter):
    found = changes(InitialValues(memory=10.0), memory_start=start)
    assert set(found) == {parameter}
    assert all(after == pytest.approx(10 * before, rel=1e-6) for _, before, after in found[parameter])
    assert len(found[parameter]) == (M if start == "shared" else 8 * M)


def test_write_keys_from_reads_are_the_transposed_weights_of_the_reads():
    model = machine("feedforward", 1, initial=InitialValues(write_key_from_read=3.0, read_weights=2.0))
    (layer,) = model.controller.layers
    for head in range(R):
        for component in range(M):
            row = model.interface.weight[(R + head) * PER_HEAD + component]
            torch.testing.assert_close(row, 3 * layer.weight[:, I + head * M + component])
    found = changes(InitialValues(write_key_from_read=3.0), "feedforward", 1)
    assert {row for (row, _), _, _ in found["interface.weight"]} == {
        (R + head) * PER_HEAD + component for head in range(R) for component in range(M)
    }
    assert set(found) == {"interface.weight"}


def test_a_write_head_then_asks_for_what_was_read():
    """Its key points along the vector read one step before, whatever the read heads of other numbers have read."""
    sizes = {"hidden_size": 200, "num_locations": 8, "width": 16, "generator": torch.Generator().manual_seed(1)}
    model = NTM(1, 1, controller="feedforward", **sizes, initial=InitialValues(write_key_from_read=1.0))
    state = model.initial_state(1)
    read_M = torch.randn(16, generator=torch.Generator().manual_seed(2))
    _, _, trace = model.advance(torch.zeros(1, 1), state._replace(read_BRM=read_M[None, None]))
    assert torch.cosine_similarity(trace.key_BKM[0, 1], read_M, 0) > 0.9
    assert abs(torch.cosine_similarity(trace.key_BKM[0, 0], read_M, 0)) < 0.9


@pytest.mark.parametrize("controller", ["lstm", "feedforward"])
def test_the_defaults_change_no_bit(controller):
    assert not changes(InitialValues(), controller)
    plain, scaled = machine(controller), machine(controller, input_scale=[1.0] * I)
    for ours, theirs in zip(plain.parameters(), scaled.parameters(), strict=True):
        assert torch.equal(ours, theirs)
        assert torch.equal(torch.signbit(ours), torch.signbit(theirs))


def test_drawing_anew_applies_them_again():
    model = machine(initial=InitialValues(read_gate=1.0, memory=3.0, input_weights=2.0), input_scale=[1, 2, 3])
    before = {name: value.clone() for name, value in model.state_dict().items()}
    model.reset_parameters(torch.Generator().manual_seed(3))
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_what_is_not_finite_is_refused(name, value):
    with pytest.raises(InvalidSetting, match=f"^initial.{name}="):
        InitialValues(**{name: value})


@pytest.mark.parametrize(
    ("settings", "key"),
    [
        ({"memory": 0.0}, "initial.memory=0.0"),
        ({"add_weights": -1.0}, "initial.add_weights=-1.0"),
        ({"write_key_from_read": -1.0}, "initial.write_key_from_read=-1.0"),
    ],
)
def test_factors_are_above_zero(settings, key):
    with pytest.raises(InvalidSetting, match="^" + re.escape(key)):
        InitialValues(**settings)


@pytest.mark.parametrize(
    ("kind", "settings", "message"),
    [
        (ntm.Settings, {"initial": InitialValues(write_key_from_read=1.0)}, "initial.write_key_from_read=1.0: needs"),
        (ntm_ff.Settings, {"initial": InitialValues(forget_gate=1.0)}, "initial.forget_gate=1.0: a feedforward"),
        (
            ntm.Settings,
            {"initial": InitialValues(read_shift=1.0), "shift_range": 1},
            "initial.read_shift=1.0: there is no shift by +1 with shift_range=1",
        ),
        (
            ntm_ff.Settings,
            {"initial": InitialValues(write_key_from_read=1.0), "controller": ntm.ControllerSettings(8, 2)},
            "initial.write_key_from_read=1.0: needs a feedforward controller of one layer",
        ),
    ],
)
def test_what_a_model_has_no_use_for_is_refused(kind, settings, message):
    with pytest.raises(InvalidSetting, match="^" + re.escape(message)):
        kind(**settings)


@pytest.mark.parametrize("factors", [[1.0], [1.0, 2.0, 0.0], [1.0, 2.0, float("inf")]])
def test_input_scale_has_a_factor_above_zero_for_each_channel(factors):
    with pytest.raises(InvalidSetting, match=r"^input_scale=.*: must be 3 finite factors above 0"):
        machine(input_scale=factors)


def test_build_passes_settings_and_scale():
    settings = ntm.Settings(initial=InitialValues(read_gate=1.0))
    model = models.build(settings, I, O, 1, [1, 2, 3])
    assert model.initial.read_gate == 1.0
    assert model.input_scale == [1.0, 2.0, 3.0]
