"""`Diagram`: a picture as DOT text, with its renderings, files and notebook display."""

from __future__ import annotations

import html
import os
import re
from base64 import b64encode
from collections.abc import Mapping
from pathlib import Path

from ..files import write_whole
from .renderer import RendererNotFound, render
from .svg import finished

__all__ = ["Diagram"]


class Diagram:
    """A picture: `.source` is its DOT text; `.svg()`, `.png()` and `.save(path)` render it.

    A notebook shows the picture, or, if nothing on the machine renders it, the DOT text with a hint. `titles` has
    the sentences that an SVG shows for its parts, by their ids.

    >>> Diagram("digraph { a -> b }")
    <Diagram of 1 edges; .svg(), .png(), .save(path), .source>
    """

    def __init__(self, source: str, engine: str = "dot", titles: Mapping[str, str] | None = None) -> None:
        self.source = source
        self.engine = engine
        self.titles = dict(titles or {})

    def __repr__(self) -> str:
        edges = len(re.findall(r"->(?!.*style=invis)", self.source))
        return f"<Diagram of {edges} edges; .svg(), .png(), .save(path), .source>"

    def svg(self) -> str:
        """Return the picture as SVG text. Raises `RendererNotFound` if no renderer is installed."""
        return finished(render(self.source, "svg", self.engine).decode(), self.titles)

    def png(self) -> bytes:
        """Return the picture as the bytes of a PNG file. Raises `RendererNotFound` if no renderer is installed."""
        return render(self.source, "png", self.engine)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the picture, as `.svg`, `.png`, `.pdf`, `.dot` or `.gv` by the suffix, whole or not at all.

        Raises `ValueError` for another suffix, `RendererNotFound` if no renderer is installed (the DOT text needs
        none, a pdf needs Graphviz's own `dot`), `OSError` if the file can't be written.
        """
        kind = Path(path).suffix.lower().lstrip(".")
        if kind in ("dot", "gv"):
            data = self.source.encode()
        elif kind == "svg":
            data = self.svg().encode()
        elif kind in ("png", "pdf"):
            data = render(self.source, kind, self.engine)
        else:
            raise ValueError(f"save: {str(path)!r} must end in .svg, .png, .pdf, .dot or .gv")
        write_whole(path, data)

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        try:
            # JupyterLab shows the PNG of a notebook that it does not trust, and no SVG.
            pictures = {"image/svg+xml": self.svg(), "image/png": b64encode(self.png()).decode()}
            return {**pictures, "text/plain": repr(self)}
        except (RendererNotFound, RuntimeError) as error:
            return {
                "text/html": f"<p>{html.escape(str(error))}</p><pre>{html.escape(self.source)}</pre>",
                "text/plain": f"{error}\n{self.source}",
            }
