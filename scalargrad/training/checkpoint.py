"""The file of a training that goes on from it to the same bits as without a break."""

from __future__ import annotations

import math
import os
import random
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ..files import read_document, write_document
from ..optim import Optimizer
from .history import History

__all__ = ["Checkpoint"]

SECONDS = 10.0
"""How long a training runs before it writes its file again."""


class Checkpoint:
    """The file of a training: its parameters, optimiser and history, and the random numbers' state at the start.

    From that state the training draws its random numbers again, up to the step where it goes on. If the file is
    there, the optimiser, the history and the generators get its contents. Raises `ValueError`, naming the file and
    changing nothing, if it is damaged or of another training; `OSError` if its folder can't be written to.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        optimizer: Optimizer,
        history: History,
        generators: Sequence[random.Random],
        kind: dict[str, Any],
    ) -> None:
        if not isinstance(path, (str, os.PathLike)):
            raise TypeError(f"train: checkpoint is {path!r:.60}, a {type(path).__name__}; give the path of a file")
        self.path = path
        self.optimizer = optimizer
        self.history = history
        self.generators = generators
        self.kind = kind
        if not os.access(Path(path).absolute().parent, os.W_OK):
            raise OSError(f"train: the checkpoint {path} can't be written: its folder is missing or not writable")
        if os.path.exists(path):
            try:
                self._take_up(read_document(path, "training"))
            except (KeyError, TypeError, ValueError, OverflowError) as error:
                reason = f"it has no {error}" if isinstance(error, KeyError) else error
                raise ValueError(f"train: {path}: {reason}") from None
        self.start = [rng.getstate() for rng in generators]
        self.written = time.monotonic()

    def is_due(self) -> bool:
        """Return True if the file is older than `SECONDS`."""
        return time.monotonic() - self.written > SECONDS

    def write(self) -> None:
        """Write the training as it is after its last whole step."""
        write_document(
            self.path,
            "training",
            kind=self.kind,
            parameters=[parameter.data for parameter in self.optimizer.parameters],
            optimizer=self.optimizer.state_dict(),
            generators=self.start,
            history=asdict(self.history),
        )
        self.written = time.monotonic()

    def _take_up(self, document: dict[str, Any]) -> None:
        if document["kind"] != self.kind:
            raise ValueError(f"it is of a training with {document['kind']}, and this one has {self.kind}")
        parameters = _finite("parameters", document["parameters"])
        states = [(version, tuple(words), gauss) for version, words, gauss in document["generators"]]
        for name, numbers, own in (
            ("parameters", parameters, self.optimizer.parameters),
            ("generators", states, self.generators),
        ):
            if len(numbers) != len(own):
                raise ValueError(f"it has {len(numbers)} {name}, and this training has {len(own)}")
        for state in states:
            random.Random(0).setstate(state)  # noqa: S311 (raises for a damaged state, before anything is changed)
        history = document["history"]
        losses, step_losses = (_finite(name, history[name]) for name in ("losses", "step_losses"))
        trajectory = [_finite("trajectory", numbers) for numbers in history["trajectory"]]
        self.optimizer.load_state_dict(document["optimizer"])
        for parameter, number in zip(self.optimizer.parameters, parameters, strict=True):
            parameter.data = number
        for rng, state in zip(self.generators, states, strict=True):
            rng.setstate(state)
        self.history.losses, self.history.step_losses, self.history.trajectory = losses, step_losses, trajectory


def _finite(name: str, numbers: Any) -> list[float]:
    for number in numbers:
        if type(number) is not float or not math.isfinite(number):
            raise ValueError(f"{name}: {number!r} is not a finite float")
    return list(numbers)
