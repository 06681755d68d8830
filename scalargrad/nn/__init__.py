"""Neural networks of Values: modules, activations, initialisers, losses, and files of their parameters.

The notation is that of 11-785: neuron j of layer k has the affine combination zⱼ⁽ᵏ⁾ = bⱼ⁽ᵏ⁾ + Σᵢ wᵢⱼ⁽ᵏ⁾ yᵢ⁽ᵏ⁻¹⁾
and the activation yⱼ⁽ᵏ⁾ = f(zⱼ⁽ᵏ⁾), one node each; wᵢⱼ⁽ᵏ⁾ is the weight from unit i of the layer before.

`module` has the base class and `parts` what its attributes may hold; `layers`, `networks` and `noise` have the
modules; `activations`, `initializers` and `losses` the functions; `frozen` the layers on plain floats.

>>> from scalargrad import nn
>>> model = nn.MLP(2, [16, 16, 1], rng=1337)
>>> model
MLP(2 → 16 relu → 16 relu → 1 identity; 337 parameters)
>>> y = model([0.5, -1.0])
>>> y.label
'y₁⁽³⁾'
>>> y.backward()
"""

from .activations import (
    RandomizedLeakyReLU,
    glu,
    hard_tanh,
    identity,
    max_over,
    pairs,
    polynomial,
    selu,
    soft_sign,
    vector,
)
from .files import load_state, save
from .initializers import constant, glorot, he, uniform
from .layers import Layer, Neuron, ProductUnits
from .losses import (
    binary_cross_entropy,
    binary_cross_entropy_with_logits,
    cross_entropy,
    cross_entropy_with_logits,
    kl_divergence,
    max_margin,
    mean_squared_error,
    perceptron,
    quadratic,
)
from .module import Module
from .networks import MLP, Sequential
from .noise import Dropout

__all__ = [
    "MLP",
    "Dropout",
    "Layer",
    "Module",
    "Neuron",
    "ProductUnits",
    "RandomizedLeakyReLU",
    "Sequential",
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "constant",
    "cross_entropy",
    "cross_entropy_with_logits",
    "glorot",
    "glu",
    "hard_tanh",
    "he",
    "identity",
    "kl_divergence",
    "load_state",
    "max_margin",
    "max_over",
    "mean_squared_error",
    "pairs",
    "perceptron",
    "polynomial",
    "quadratic",
    "save",
    "selu",
    "soft_sign",
    "uniform",
    "vector",
]
