"""The walkthrough as a notebook's widget, by anywidget: Python hears of the inputs that are moved, and moves them."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from typing import Any

__all__ = ["page_widget"]


def page_widget(text: str, title: str, inputs_by_name: Mapping[str, float], height: int) -> Any:
    """Return a widget that shows a page. Its `inputs` is a dict of the numbers by name.

    Raises `ImportError` with what to install if anywidget is missing.
    """
    try:
        import anywidget
        import traitlets
    except ImportError:
        raise ImportError("widget: needs anywidget; install it with `pip install anywidget`") from None

    class Walkthrough(anywidget.AnyWidget):  # type: ignore[misc]  # it has no types
        _esm = files(__package__).joinpath("template", "widget.js").read_text(encoding="utf-8")
        page = traitlets.Unicode(text).tag(sync=True)
        title = traitlets.Unicode("").tag(sync=True)
        height = traitlets.Int(0).tag(sync=True)
        names = traitlets.List(traitlets.Unicode()).tag(sync=True)
        inputs = traitlets.Dict(per_key_traits={name: traitlets.Float() for name in inputs_by_name}).tag(sync=True)

    return Walkthrough(title=title, height=height, names=list(inputs_by_name), inputs=dict(inputs_by_name))
