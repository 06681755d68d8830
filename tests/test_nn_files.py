"""Files of parameters: exact, whole or not at all, with clear errors."""

import json
import math
import os

import pytest

import scalargrad as sg
from scalargrad import files, nn


@pytest.fixture
def model():
    return nn.MLP(2, [3, 1], rng=1)


@pytest.fixture
def path(tmp_path, model):
    nn.save(model, tmp_path / "model.json")
    return tmp_path / "model.json"


def test_doubles_are_read_back_exactly(tmp_path):
    class Numbers(nn.Module):
        def __init__(self, numbers):
            self.numbers = [sg.Value(number) for number in numbers]

    numbers = [0.1, -0.0, 5e-324, 1.7976931348623157e308, math.pi, 1e22, 2.0**53 + 2]
    nn.save(Numbers(numbers), tmp_path / "n.json")
    state = nn.load_state(tmp_path / "n.json")
    assert list(map(repr, state.values())) == list(map(repr, map(float, numbers)))
    restored = Numbers([1.0] * len(numbers))
    restored.load_state_dict(state)
    assert math.copysign(1.0, restored.numbers[1].data) == -1.0


def test_the_file_has_names_shapes_and_a_version(model, path):
    document = json.loads(path.read_text(encoding="utf-8"))
    assert document["version"] == 1
    first, second = document["parameters"][:2]
    assert (first["name"], first["shape"]) == ("layers.0.neurons.0.weights", [2])
    assert (second["name"], second["shape"], second["data"]) == ("layers.0.neurons.0.bias", [], [0.0])
    assert nn.load_state(path) == model.state_dict()
    assert os.listdir(path.parent) == ["model.json"]


def test_names_that_are_no_vectors_are_kept(tmp_path):
    class Odd(nn.Module):
        def __init__(self):
            self.by_number = {3: sg.Value(1.0), 0: sg.Value(2.0)}
            self.mixed = [sg.Value(3.0), [sg.Value(4.0)], sg.Value(5.0)]

    nn.save(Odd(), tmp_path / "odd.json")
    assert nn.load_state(tmp_path / "odd.json") == Odd().state_dict()
    assert list(Odd().state_dict()) == ["by_number.3", "by_number.0", "mixed.0", "mixed.1.0", "mixed.2"]


def test_another_shape_is_refused_and_leaves_the_model(path):
    other = nn.MLP(2, [4, 1], rng=2)
    before = other.state_dict()
    with pytest.raises(ValueError, match=r"of another shape than this MLP of 17 parameters: 13 numbers, .* missing"):
        other.load_state_dict(nn.load_state(path))
    assert other.state_dict() == before


def test_every_cut_of_the_file_is_refused(path, tmp_path):
    text = path.read_bytes()
    cut = tmp_path / "cut.json"
    for length in range(0, len(text) - 2, 7):
        cut.write_bytes(text[:length])
        with pytest.raises(ValueError, match=r"load_state: .*cut\.json"):
            nn.load_state(cut)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"version": 1', '"version": 2', "of version 2, but this scalargrad reads version 1; update scalargrad"),
        ('"version": 1', '"version": true', "of version True"),
        ('"version": 1', '"version": null', "of version None"),
        ('"scalargrad parameters"', '"other"', "not a file of parameters: it does not say"),
        ('"parameters":', '"others":', "it has no list of parameters"),
        ("0.0", "NaN", "it has the number NaN, but numbers must be finite"),
        ("0.0", "-Infinity", "it has the number -Infinity"),
        ("0.0", "1e999", "layers.0.neurons.0.bias: inf is not a finite number"),
        ("0.0", "9" * 400, "layers.0.neurons.0.bias: 9+ is not a finite number"),
        ("0.0", "9" * 5000, "not a file of parameters"),
        ("0.0", '"0.0"', "layers.0.neurons.0.bias: '0.0' is not a finite number"),
        ("0.0", "true", "layers.0.neurons.0.bias: True is not a finite number"),
        ("0.0", "[0.0]", r"layers.0.neurons.0.bias: \[0.0\] is not a finite number"),
        ("0.0", "0.0, 0.0", r"layers.0.neurons.0.bias: the shape \[\] is not that of its 2 numbers"),
        ("layers.0.neurons.1.", "layers.0.neurons.0.", r"it has layers.0.neurons.0.weights.0 twice"),
        ('"data"', '"date"', "a parameter needs a name, a shape and data"),
    ],
)
def test_damaged_files_are_refused_by_name(path, old, new, message):
    path.write_text(path.read_text(encoding="utf-8").replace(old, new, 2), encoding="utf-8")
    with pytest.raises(ValueError, match=message) as caught:
        nn.load_state(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"[]", b"3", b"\xff\xfe{}", b"[" * 100_000, b'{"a"' * 3])
def test_files_of_another_kind_are_refused(tmp_path, content):
    (tmp_path / "x.json").write_bytes(content)
    with pytest.raises(ValueError, match=r"load_state: .*x\.json"):
        nn.load_state(tmp_path / "x.json")


def test_missing_files_are_pythons_own_errors(tmp_path, model):
    with pytest.raises(FileNotFoundError):
        nn.load_state(tmp_path / "none.json")
    with pytest.raises(FileNotFoundError):
        nn.save(model, tmp_path / "none" / "model.json")


def test_what_cannot_be_saved_leaves_the_file_that_was_there(path, model, monkeypatch):
    before = path.read_bytes()
    model.layers[0].neurons[1].bias.data = math.nan
    with pytest.raises(ValueError, match=r"save: layers\.0\.neurons\.1\.bias is nan; only finite parameters are saved"):
        nn.save(model, path)
    model.layers[0].neurons[1].bias.data = 1.0

    def full(*args):
        raise OSError("no space left")

    monkeypatch.setattr(files.os, "fsync", full)
    with pytest.raises(OSError, match="no space left"):
        nn.save(model, path)
    monkeypatch.undo()
    assert path.read_bytes() == before
    assert os.listdir(path.parent) == ["model.json"]
    nn.save(model, path)
    assert path.read_bytes() != before


def test_a_link_stays_a_link(path, model):
    link = path.with_name("latest.json")
    link.symlink_to(path)
    model.layers[0].neurons[1].bias.data = 3.0
    nn.save(model, link)
    assert link.is_symlink()
    assert nn.load_state(path) == model.state_dict()


@pytest.mark.skipif(os.name != "posix", reason="permissions of POSIX")
def test_permissions_are_those_of_other_files(path, model):
    plain = path.parent / "plain"
    plain.write_text("")
    assert path.stat().st_mode == plain.stat().st_mode
    path.chmod(0o600)
    nn.save(model, path)
    assert path.stat().st_mode & 0o777 == 0o600
