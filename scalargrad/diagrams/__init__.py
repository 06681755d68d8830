"""Pictures of graphs: who influences whom, local derivatives on the edges, operations."""

from .diagram import Diagram
from .views import derivative_diagram, influence_diagram, operations_diagram

__all__ = ["Diagram", "derivative_diagram", "influence_diagram", "operations_diagram"]
