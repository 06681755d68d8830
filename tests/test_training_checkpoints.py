"""A training that was cut off anywhere goes on to the same bits."""

import json
import math
import os
import random
import subprocess
import sys

import pytest

import scalargrad as sg
from scalargrad import nn, optim
from scalargrad.training import checkpoint, train

from .interrupts import interrupted

DATA = [([math.sin(k), math.cos(2 * k)], [0.1 * k]) for k in range(5)]

OPTIMIZERS = {
    "sgd": lambda p: optim.SGD(p, optim.cosine(0.1, 30), momentum=0.9, nesterov=True),
    "adagrad": lambda p: optim.Adagrad(p, 0.1),
    "rmsprop": lambda p: optim.RMSprop(p, optim.step_decay(0.1, 0.5, 3)),
    "adam": lambda p: optim.Adam(p, 0.1, weight_decay=0.01),
    "nadam": lambda p: optim.Nadam(p, optim.inverse_time(0.1, 0.5)),
}
OPTIONS = {
    "batch": {},
    "stochastic": {"batch_size": 1},
    "mini": {"batch_size": 2, "trajectory": True},
    "tolerance": {"batch_size": 2, "tolerance": 0.05},
    "jit": {"batch_size": 2, "jit": True},
}


class Training:
    """One training from its start, as a new process would set it up."""

    def __init__(self, optimizer="adam", seed=0, shared=True):
        rng = random.Random(seed)
        self.model = nn.Sequential(
            nn.Layer(2, 3, sg.tanh, rng=1),
            nn.Dropout(3, rng if shared else 7, p=0.4),
            nn.Layer(3, 1, nn.identity, rng=1),
        )
        self.optimizer = OPTIMIZERS[optimizer](self.model.parameters())
        self.rng = rng

    def run(self, epochs=4, **options):
        return train(self.model, nn.quadratic, DATA, self.optimizer, epochs=epochs, rng=self.rng, **options)

    def state(self, history):
        return self.model.state_dict(), self.optimizer.state_dict(), history


def stop_at(step):
    def interrupt(k, loss):
        if k == step:
            raise KeyboardInterrupt

    return interrupt


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_a_training_that_was_cut_off_goes_on_to_the_same_bits(optimizer, options, tmp_path):
    options, shared = OPTIONS[options], optimizer == "adam"
    whole = Training(optimizer, shared=shared)
    expected = whole.state(whole.run(**options))
    steps = len(expected[2].step_losses)
    for first in range(1, steps, 2):
        path = tmp_path / f"{first}.json"
        for stop in (first, min(first + 1, steps), None):
            part = Training(optimizer, shared=shared)
            history = part.run(**options, checkpoint=path, on_step=stop_at(stop))
            assert history.stopped == (expected[2].stopped if stop is None else "interrupted")
        assert part.state(history) == expected


def test_what_is_done_stays_done_and_more_epochs_go_on(tmp_path):
    whole, part = Training(), Training()
    expected = whole.state(whole.run(epochs=6, batch_size=2))
    part.run(epochs=3, batch_size=2, checkpoint=tmp_path / "run.json")
    for epochs in (3, 2, 6, 6):
        part = Training(seed=99)  # what the file says wins
        history = part.run(epochs=epochs, batch_size=2, checkpoint=tmp_path / "run.json")
    assert part.state(history) == expected
    assert os.listdir(tmp_path) == ["run.json"]


def test_an_interrupt_at_any_instruction_is_survived(tmp_path):
    """Ctrl-C comes between two instructions of Python: it is tried at random ones of a whole training."""
    options = {"batch_size": 2, "trajectory": True, "epochs": 2}
    whole = Training()
    expected = whole.state(whole.run(**options))

    def run(stop, path):
        part = Training()
        # Before the loop or at its very end, the interrupt leaves no history.
        outcome = interrupted(lambda: part.run(**options, checkpoint=path), stop, files="scalargrad")
        return part.state(outcome.result), outcome.instructions

    _, instructions = run(None, tmp_path / "all.json")
    rng = random.Random(4)
    for case in range(60):
        path = tmp_path / f"{case}.json"
        run(rng.randrange(instructions), path)
        assert not path.exists() or json.loads(path.read_text(encoding="utf-8"))["version"] == 1
        part = Training()
        assert part.state(part.run(**options, checkpoint=path)) == expected


def test_a_process_that_dies_leaves_its_last_checkpoint(tmp_path):
    program = f"""
import os, sys
sys.path.insert(0, {os.getcwd()!r})
from scalargrad.training import checkpoint
from tests.test_training_checkpoints import Training
checkpoint.SECONDS = -1.0
Training().run(batch_size=2, checkpoint={str(tmp_path / "run.json")!r}, on_step=lambda k, loss: k == 8 and os._exit(9))
"""
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 9
    assert len(json.loads((tmp_path / "run.json").read_text(encoding="utf-8"))["history"]["step_losses"]) == 7
    whole, part = Training(), Training()
    expected = whole.state(whole.run(batch_size=2))
    assert part.state(part.run(batch_size=2, checkpoint=tmp_path / "run.json")) == expected


@pytest.fixture
def path(tmp_path):
    Training().run(epochs=1, checkpoint=tmp_path / "run.json")
    return tmp_path / "run.json"


def test_files_that_are_cut_off_or_of_another_kind_are_refused(path, tmp_path):
    text = path.read_bytes()
    part = Training()
    before = part.model.state_dict(), part.optimizer.state_dict(), part.rng.getstate()
    for content in (*(text[:length] for length in range(0, len(text) - 2, 997)), b"[]", b'{"format": "other"}'):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=r"train: .*run\.json: "):
            part.run(epochs=1, checkpoint=path)
        assert path.read_bytes() == content
    nn.save(part.model, path)
    with pytest.raises(ValueError, match="not a file of training"):
        part.run(epochs=1, checkpoint=path)
    assert (part.model.state_dict(), part.optimizer.state_dict(), part.rng.getstate()) == before
    with pytest.raises(OSError, match="its folder is missing"):
        part.run(checkpoint=tmp_path / "missing" / "run.json")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: d.pop("optimizer"), "it has no 'optimizer'"),
        (lambda d: d["parameters"].pop(), "it has 12 parameters, and this training has 13"),
        (lambda d: d["parameters"].__setitem__(0, "1"), "parameters: '1' is not a finite float"),
        (lambda d: d["history"].update(step_losses=[None]), "step_losses: None is not a finite float"),
        (lambda d: d["history"].pop("losses"), "it has no 'losses'"),
        (lambda d: d["generators"].pop(), "it has 1 generators, and this training has 2"),
        (lambda d: d["generators"][0].__setitem__(1, [1, 2]), "state vector"),
        (lambda d: d["optimizer"].update(steps=-1), "Adam.load_state_dict: .*got -1 steps"),
        (lambda d: d["optimizer"]["options"].update(eps="0"), "Adam: eps is '0'"),
        (lambda d: d.update(version=2), "of version 2"),
        (lambda d: d["kind"].update(instances=4), "it is of a training with {'instances': 4.*, and this one has"),
    ],
)
def test_damaged_checkpoints_are_refused_and_change_nothing(path, change, message):
    document = json.loads(path.read_text(encoding="utf-8"))
    change(document)
    path.write_text(json.dumps(document), encoding="utf-8")
    part = Training()
    before = part.model.state_dict(), part.optimizer.state_dict(), part.rng.getstate()
    with pytest.raises(ValueError, match=message) as caught:
        part.run(epochs=1, checkpoint=path)
    assert str(path) in str(caught.value)
    assert (part.model.state_dict(), part.optimizer.state_dict(), part.rng.getstate()) == before


def test_a_checkpoint_of_other_options_is_refused(path):
    for options in ({"batch_size": 2}, {"trajectory": True}):
        with pytest.raises(ValueError, match="it is of a training with"):
            Training().run(**options, checkpoint=path)
    with pytest.raises(ValueError, match="unexpected keyword argument"):
        Training("sgd").run(checkpoint=path)


def test_a_step_that_fails_is_not_in_the_checkpoint(tmp_path):
    part = Training()
    data = [*DATA[:4], ([math.nan, 0.0], [0.0])]
    with pytest.raises((ArithmeticError, ValueError)):
        train(part.model, nn.quadratic, data, part.optimizer, 1, rng=0, checkpoint=tmp_path / "run.json")
    document = json.loads((tmp_path / "run.json").read_text(encoding="utf-8"))
    assert len(document["history"]["step_losses"]) == document["optimizer"]["steps"] > 0
    assert document["parameters"] == list(part.model.state_dict().values())


def test_a_checkpoint_is_written_when_it_is_due(tmp_path, monkeypatch):
    written = []
    now = iter(range(0, 1000, 4))  # seconds: 4 pass at each look at the clock
    monkeypatch.setattr(checkpoint.time, "monotonic", lambda: next(now))
    monkeypatch.setattr(checkpoint, "write_document", lambda *args, **parts: written.append(parts["history"]))
    Training().run(epochs=10, checkpoint=tmp_path / "run.json")
    assert [len(history["step_losses"]) for history in written] == [3, 6, 9, 10]
