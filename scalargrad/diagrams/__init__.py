"""Pictures of graphs: who influences whom, local derivatives on the edges, operations, the two passes step by step."""

from .diagram import Diagram
from .page import Page, walkthrough
from .views import derivative_diagram, influence_diagram, operations_diagram

__all__ = ["Diagram", "Page", "derivative_diagram", "influence_diagram", "operations_diagram", "walkthrough"]
