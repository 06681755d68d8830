"""The errors that are the library's own; all the others are Python's."""

__all__ = ["RecordingError", "RendererNotFound"]


class RecordingError(TypeError):
    """What a function does can't be recorded as a program; the message names what to write instead."""


class RendererNotFound(RuntimeError):
    """No program that turns DOT text into a picture was found, or none that writes the format asked for."""
