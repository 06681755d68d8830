"""Formulas to draw exercises from, in the order of the lectures."""

from __future__ import annotations

from ..engine.value import Value
from ..primitives import log, softmax
from .graph import Formula

__all__ = ["FORMULAS"]


def cross_entropy_of_softmax(z1: Value, z2: Value, z3: Value) -> Value:
    """Return −ln y₁ of a softmax: the cross-entropy for class 1."""
    y1, y2, y3 = softmax([z1, z2, z3])
    y1.label, y2.label, y3.label = "y1", "y2", "y3"
    loss: Value = -log(y1)
    return loss


def quadratic_of_softmax(z1: Value, z2: Value, z3: Value) -> Value:
    """Return ½(y₁² + y₂²) of a softmax, where several outputs reach the goal."""
    y1, y2, y3 = softmax([z1, z2, z3])
    y1.label, y2.label, y3.label = "y1", "y2", "y3"
    loss: Value = 0.5 * (y1**2 + y2**2)
    return loss


FORMULAS: dict[str, Formula] = {
    # Notebook 1: the chain rule
    "a chain": "t = x**2; u = sin(t); exp(u)",
    "two variables": "p = x*y; q = p - y; q**2",
    "the simple example": "t = x**2; u1 = sin(t); u2 = 3*t; u = u1 + u2; cos(u)",
    "three paths": "z1 = x**2; z2 = sin(x); z3 = exp(-x); z1*z2 + z3",
    "a node used twice": "a = x*y; b = a*a; b - sin(a)",
    "a quotient": "a = exp(x); b = y**2; a/b - x",
    "a maximum": "a = x*y; b = x + y; m = max(a, b); m**2",
    # Notebooks 2 and 3: neurons
    "a neuron": "z = affine([w1, w2], [x1, x2], b); y = tanh(z); e = y - d; 0.5*e**2",
    "logistic regression": "z = affine([w1, w2], [x1, x2], b); y = sigmoid(z); -log(y)",
    "a hidden neuron": "z1 = w1*x + b1; h = tanh(z1); z2 = w2*h + b2; e = z2 - d; 0.5*e**2",
    "a relu neuron": "z = w1*x + b; h = relu(z); y = w2*h; e = y - d; 0.5*e**2",
    "a layer of two": (
        "y1 = tanh(x1); y2 = tanh(x2); z1 = dot([w11, w12], [y1, y2]); z2 = dot([w21, w22], [y1, y2]); z1**2 + z1*z2"
    ),
    "softmax and cross-entropy": cross_entropy_of_softmax,
    "softmax and squares": quadratic_of_softmax,
    # Notebook 4: training
    "a line through two points": "e1 = w*x1 + b - d1; e2 = w*x2 + b - d2; mean([e1**2, e2**2])",
}
"""Formulas by name: text, or functions of Values."""
