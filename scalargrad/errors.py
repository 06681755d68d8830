"""The errors that are the library's own; all the others are Python's."""

__all__ = ["RendererNotFound"]


class RendererNotFound(RuntimeError):
    """No program that turns DOT text into a picture was found, or none that writes the format asked for."""
