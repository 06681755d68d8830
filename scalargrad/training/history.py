"""`History`, the course of a training."""

from __future__ import annotations

from dataclasses import dataclass, field

__all__ = ["History"]


@dataclass
class History:
    """The course of a training.

    `losses` has the loss of each epoch and `step_losses` that of each step, both as they were before the step;
    `trajectory` has the parameters before the first step and after each, if it was asked for. `stopped` is the
    reason for the end: "epochs", "tolerance" or "interrupted".
    """

    losses: list[float] = field(default_factory=list)
    step_losses: list[float] = field(default_factory=list)
    trajectory: list[list[float]] = field(default_factory=list)
    stopped: str = "epochs"
