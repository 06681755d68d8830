"""`Diagram`: a picture as DOT text, with its renderings, files and notebook display."""

from __future__ import annotations

import html
import os
from pathlib import Path

from ..files import write_whole
from .renderer import RendererNotFound, render

__all__ = ["Diagram"]


class Diagram:
    """A picture: `.source` is its DOT text, `.svg()`, `.png()` and `.save(path)` render it.

    A notebook shows the picture, or, where nothing on the machine renders it, the DOT text with a hint.
    """

    def __init__(self, source: str, engine: str = "dot") -> None:
        self.source = source
        self.engine = engine

    def __repr__(self) -> str:
        return f"<Diagram of {self.source.count('->')} edges; .svg(), .png(), .save(path), .source>"

    def svg(self) -> str:
        """The picture as SVG text. Raises `RendererNotFound` where no renderer is installed."""
        return render(self.source, "svg", self.engine).decode()

    def png(self) -> bytes:
        """The picture as the bytes of a PNG file. Raises `RendererNotFound` where no renderer is installed."""
        return render(self.source, "png", self.engine)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the picture, as `.svg`, `.png`, `.pdf`, `.dot` or `.gv` by the suffix, whole or not at all.

        Raises `ValueError` for another suffix, `RendererNotFound` where no renderer is installed (the DOT
        text needs none, a pdf needs Graphviz's own `dot`), `OSError` where the file can't be written.
        """
        kind = Path(path).suffix.lower().lstrip(".")
        if kind in ("dot", "gv"):
            data = self.source.encode()
        elif kind in ("svg", "png", "pdf"):
            data = render(self.source, kind, self.engine)
        else:
            raise ValueError(f"save: {str(path)!r} must end in .svg, .png, .pdf, .dot or .gv")
        write_whole(path, data)

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        try:
            return {"image/svg+xml": self.svg(), "text/plain": repr(self)}
        except (RendererNotFound, RuntimeError) as error:
            return {
                "text/html": f"<p>{html.escape(str(error))}</p><pre>{html.escape(self.source)}</pre>",
                "text/plain": f"{error}\n{self.source}",
            }
