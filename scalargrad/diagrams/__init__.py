"""Pictures of graphs and networks, and the two passes step by step.

In the order of reading:

1. `naming`: names, equations and local derivatives of a graph's nodes. `equations` and `tables`: both passes as text.
2. `current`, `nonfinite`, `paths`: what a picture tells besides (changed leaves, where a nan begins, ways to the goal).
3. `style`: palettes and sizes. `drawing`: nodes and edges as DOT text. `picture`: what the views of a graph share.
4. `views`: the influence, derivative and operations diagrams. `modules`: forward and backward columns.
5. `programs`: a recorded program, its loops as boxes.
6. `layers`, `passes`: a network's layers and values. `columns`, `net_drawing`, `network`: its picture. `vectors`:
   Jacobians.
7. `diagram`: the result. `renderer` calls Graphviz or graphviz-pure, and `svg` puts its SVG right.
8. `folding`, `computation`, `page_data`, `page_picture`, `page`, `page_widget`: the walkthrough.
"""

from .diagram import Diagram
from .modules import modules_diagram
from .network import network_diagram
from .page import Page, walkthrough
from .paths import Path, Paths, paths
from .programs import program_diagram as program_diagram  # which `Program.diagram` calls
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
