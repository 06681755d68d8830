"""Two or not two: one sigmoid output and KL divergence on the real digits.

python notebooks/train_two.py

Source: 11-785, "Setting up for digit recognition".
"""

from __future__ import annotations

import time

import digits

import scalargrad as sg
from scalargrad import nn, optim, training


def train(epochs: int = 8, seed: int = 0, progress: bool = False) -> tuple[nn.MLP, float]:
    """Return a trained network of 64 → 8 tanh → 1 sigmoid, and its accuracy on the test images."""
    seen, unseen = (
        [(image.pixels, float(image.number == 2)) for image in images] for images in digits.split(digits.load())
    )
    model = nn.MLP(64, [8, 1], activation=sg.tanh, output=sg.sigmoid, init=nn.glorot(), rng=seed)
    optimizer = optim.Adam(model.parameters(), lr=0.01)
    training.train(model, nn.kl_divergence, seen, optimizer, 16, epochs, rng=seed, progress=progress)
    frozen = model.frozen()
    return model, sum((frozen(pixels) > 0.5) == (target == 1.0) for pixels, target in unseen) / len(unseen)


if __name__ == "__main__":
    start = time.process_time()
    _, reached = train()
    print(f"2 or not 2: {reached:.2%} of the test images, {time.process_time() - start:.0f} s of computing")
