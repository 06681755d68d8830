"""Ten digits, and "none of the above": softmax output and KL divergence, trained by mini-batches.

python notebooks/train_digits.py [--none]

Source: 11-785, "Recognizing the digit": ten outputs, or eleven with noise as the eleventh class.
"""

from __future__ import annotations

import argparse
import time

import digits

import scalargrad as sg
from scalargrad import nn, optim, training


def train(outputs: int = 10, epochs: int = 12, seed: int = 0, progress: bool = False) -> tuple[nn.MLP, float]:
    """Return a trained network of 64 → 32 tanh → softmax, and its accuracy on the test images."""
    seen, unseen = digits.split(digits.load())
    if outputs == 11:
        seen, unseen = (
            images + digits.noise(len(images) // 10, 10, images, seed + k) for k, images in ((1, seen), (2, unseen))
        )
    model = nn.MLP(64, [32, outputs], activation=sg.tanh, output=sg.softmax, init=nn.glorot(), rng=seed)
    optimizer = optim.Adam(model.parameters(), lr=optim.cosine(0.01, epochs * (len(seen) // 16 + 1), 0.0005))
    data = [(image.pixels, image.number) for image in seen]
    training.train(model, nn.kl_divergence, data, optimizer, 16, epochs, rng=seed, progress=progress)
    frozen = model.frozen()

    def predict(pixels: list[float]) -> int:
        probabilities = frozen(pixels)
        return probabilities.index(max(probabilities))

    return model, digits.accuracy(predict, unseen)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--none", action="store_true", help='an eleventh output for "none of the above"')
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    start = time.process_time()
    outputs = 11 if options.none else 10
    _, reached = train(outputs, seed=options.seed)
    print(f"{outputs} outputs: {reached:.2%} of the test images, {time.process_time() - start:.0f} s of computing")
