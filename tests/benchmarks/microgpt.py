"""A GPT on scalars, on an engine of microgpt's kind and on scalargrad: `python -m tests.benchmarks.microgpt`.

microgpt is Andrej Karpathy's program of February 2026. The model and the engine here are written anew after its
description: one layer of width 16, four heads, Adam, one name a step. Notebook 10 has the model for students.
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
import random
import re
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import scalargrad as sg

NOTEBOOK = Path(__file__).parents[2] / "notebooks" / "10_microgpt.ipynb"
WIDTH, HEADS, LONGEST, STEPS = 16, 4, 16, 1000
RATE, BETAS, EPS = 0.01, (0.85, 0.99), 1e-8


class Value:
    """A number of microgpt's kind: data, gradient, the numbers it came from and the local derivatives."""

    __slots__ = ("children", "data", "grad", "slopes")

    def __init__(self, data: float, children: tuple[Value, ...] = (), slopes: tuple[float, ...] = ()) -> None:
        self.data = data
        self.grad = 0.0
        self.children = children
        self.slopes = slopes

    def __add__(self, other: Any) -> Value:
        other = other if isinstance(other, Value) else Value(other)
        return Value(self.data + other.data, (self, other), (1.0, 1.0))

    def __mul__(self, other: Any) -> Value:
        other = other if isinstance(other, Value) else Value(other)
        return Value(self.data * other.data, (self, other), (other.data, self.data))

    def __pow__(self, exponent: float) -> Value:
        return Value(self.data**exponent, (self,), (exponent * self.data ** (exponent - 1),))

    def exp(self) -> Value:
        out = math.exp(self.data)
        return Value(out, (self,), (out,))

    def log(self) -> Value:
        return Value(math.log(self.data), (self,), (1.0 / self.data,))

    def relu(self) -> Value:
        return Value(max(0.0, self.data), (self,), (float(self.data > 0),))

    def __neg__(self) -> Value:
        return self * -1

    def __sub__(self, other: Any) -> Value:
        return self + (-other)

    def __truediv__(self, other: Any) -> Value:
        return self * other**-1

    __radd__, __rmul__ = __add__, __mul__

    def backward(self) -> None:
        order: list[Value] = []
        seen = set()

        def visit(node: Value) -> None:
            if node not in seen:
                seen.add(node)
                for child in node.children:
                    visit(child)
                order.append(node)

        visit(self)
        self.grad = 1.0
        for node in reversed(order):
            for child, slope in zip(node.children, node.slopes, strict=True):
                child.grad += slope * node.grad


class Engine(NamedTuple):
    """The functions of an engine that the model needs."""

    value: Callable[[float], Any]
    dot: Callable[[Sequence[Any], Sequence[Any]], Any]
    softmax: Callable[[Sequence[Any]], list[Any]]
    log: Callable[[Any], Any]
    relu: Callable[[Any], Any]


def dot(xs: Sequence[Any], ys: Sequence[Any]) -> Any:
    """The scalar product, by operators."""
    return sum(x * y for x, y in zip(xs, ys, strict=True))


def softmax(exp: Callable[[Any], Any]) -> Callable[[Sequence[Any]], list[Any]]:
    """The softmax by operators and that exponential."""

    def by_operators(xs: Sequence[Any]) -> list[Any]:
        highest = max(x.data for x in xs)
        weights = [exp(x - highest) for x in xs]
        total = sum(weights)
        return [weight / total for weight in weights]

    return by_operators


ENGINES = {
    "microgpt's kind": Engine(Value, dot, softmax(Value.exp), Value.log, Value.relu),
    "scalargrad, operators": Engine(sg.Value, dot, softmax(sg.exp), sg.log, sg.relu),
    "scalargrad, dot and softmax": Engine(sg.Value, sg.dot, sg.softmax, sg.log, sg.relu),
}


def names() -> list[str]:
    """The names of notebook 10, in the order that it trains in."""
    cells = json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]
    listed = next(found for cell in cells if (found := re.search(r'"""\n(.*?)"""', "".join(cell["source"]), re.DOTALL)))
    return listed[1].split()


class Trainer:
    """The model with its parameters and Adam; `step()` trains on the next name and returns its loss."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.names = names()
        self.letters = sorted(set("".join(self.names)))
        rng = random.Random(42)
        rng.shuffle(self.names)
        count = len(self.letters) + 1
        shapes = {"tokens": (count, WIDTH), "positions": (LONGEST, WIDTH), "logits": (count, WIDTH)}
        shapes |= dict.fromkeys(("queries", "keys", "values", "attention"), (WIDTH, WIDTH))
        shapes |= {"up": (4 * WIDTH, WIDTH), "down": (WIDTH, 4 * WIDTH)}
        self.weights = {
            name: [[engine.value(rng.gauss(0.0, 0.08)) for _ in range(columns)] for _ in range(rows)]
            for name, (rows, columns) in shapes.items()
        }
        self.parameters = [w for matrix in self.weights.values() for row in matrix for w in row]
        self.means, self.squares = [0.0] * len(self.parameters), [0.0] * len(self.parameters)
        self.count = 0

    def linear(self, name: str, xs: Sequence[Any]) -> list[Any]:
        """A matrix times a vector."""
        return [self.engine.dot(row, xs) for row in self.weights[name]]

    def normalized(self, xs: Sequence[Any]) -> list[Any]:
        """The vector with the mean square 1."""
        scale = (self.engine.dot(xs, xs) / len(xs) + 1e-5) ** -0.5
        return [scale * x for x in xs]

    def logits(self, token: int, position: int, keys: list[Any], values: list[Any]) -> list[Any]:
        """The numbers for the next token; keys and values grow by a row."""
        rows = self.weights["tokens"][token], self.weights["positions"][position]
        xs = self.normalized([a + b for a, b in zip(*rows, strict=True)])
        ys = self.normalized(xs)
        query = self.linear("queries", ys)
        keys.append(self.linear("keys", ys))
        values.append(self.linear("values", ys))
        answer: list[Any] = []
        size = WIDTH // HEADS
        for first in range(0, WIDTH, size):
            part = slice(first, first + size)
            shares = self.engine.softmax([self.engine.dot(query[part], key[part]) / size**0.5 for key in keys])
            answer += [self.engine.dot(shares, [value[i] for value in values]) for i in range(first, first + size)]
        xs = [a + b for a, b in zip(self.linear("attention", answer), xs, strict=True)]
        hidden = [self.engine.relu(x) for x in self.linear("up", self.normalized(xs))]
        return self.linear("logits", [a + b for a, b in zip(self.linear("down", hidden), xs, strict=True)])

    def loss(self, name: str) -> Any:
        """The mean cross-entropy of a name's tokens."""
        end = len(self.letters)
        tokens = [end, *map(self.letters.index, name), end]
        keys: list[Any] = []
        values: list[Any] = []
        losses = []
        for position, (token, target) in enumerate(itertools.pairwise(tokens)):
            probabilities = self.engine.softmax(self.logits(token, position, keys, values))
            losses.append(-self.engine.log(probabilities[target]))
        return sum(losses) / len(losses)

    def step(self) -> float:
        """The loss of the next name, after which the parameters have moved."""
        loss = self.loss(self.names[self.count % len(self.names)])
        loss.backward()
        rate = RATE * (1 - self.count / STEPS)
        self.count += 1
        first, second = BETAS
        for i, w in enumerate(self.parameters):
            self.means[i] = first * self.means[i] + (1 - first) * w.grad
            self.squares[i] = second * self.squares[i] + (1 - second) * w.grad**2
            mean, square = self.means[i] / (1 - first**self.count), self.squares[i] / (1 - second**self.count)
            w.data -= rate * mean / (square**0.5 + EPS)
            w.grad = 0.0
        return float(loss.data)


def milliseconds_a_token(engine: str, steps: int) -> float:
    """The time of a training step for each token, in a process of its own; the first two steps don't count."""
    code = f"from tests.benchmarks.microgpt import timed; timed({engine!r}, {steps})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return float(done.stdout)


def timed(engine: str, steps: int) -> None:
    """Print the milliseconds of computing for each token."""
    sys.setrecursionlimit(1_000_000)  # an engine of microgpt's kind recurses along the graph
    trainer = Trainer(ENGINES[engine])
    trainer.step()
    trainer.step()
    tokens = sum(len(trainer.names[(trainer.count + i) % len(trainer.names)]) + 1 for i in range(steps))
    began = time.process_time()
    for _ in range(steps):
        trainer.step()
    print(1e3 * (time.process_time() - began) / tokens)


def main() -> None:
    """Let the engines take turns, and print the best of each and its ratio to microgpt's kind."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.microgpt", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=12)
    given = parser.parse_args()
    best = dict.fromkeys(ENGINES, math.inf)
    for _ in range(given.rounds):
        for engine in ENGINES:
            best[engine] = min(best[engine], milliseconds_a_token(engine, given.steps))
    theirs, *_ = best.values()
    for engine, ours in best.items():
        print(f"{engine:30} {ours:6.2f} ms a token   {theirs / ours:5.2f}")


if __name__ == "__main__":
    main()
