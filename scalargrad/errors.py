"""The errors of the library that are no plain Python errors."""

from __future__ import annotations

__all__ = ["RecordingError"]


class RecordingError(TypeError):
    """What a function does can't be recorded as a program; the message names what to write instead."""
