"""Pictures of graphs and networks, and the two passes step by step."""

from .diagram import Diagram
from .modules import modules_diagram
from .network import network_diagram
from .page import Page, walkthrough
from .paths import Path, Paths, paths
from .vectors import jacobian_diagram
from .views import derivative_diagram, influence_diagram, operations_diagram

__all__ = [
    "Diagram",
    "Page",
    "Path",
    "Paths",
    "derivative_diagram",
    "influence_diagram",
    "jacobian_diagram",
    "modules_diagram",
    "network_diagram",
    "operations_diagram",
    "paths",
    "walkthrough",
]
