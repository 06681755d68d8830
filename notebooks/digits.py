"""The real digits: scikit-learn's 1,797 images of 8×8 pixels, in a fixed stratified split."""

from __future__ import annotations

import importlib
import random
from collections import defaultdict
from typing import NamedTuple

__all__ = ["Digit", "accuracy", "load", "noise", "split"]


class Digit(NamedTuple):
    """An image as 64 numbers from 0 to 1, row by row, and the digit that it shows."""

    pixels: list[float]
    number: int


def load() -> list[Digit]:
    """Return all images. Raises `ModuleNotFoundError` without scikit-learn, naming the package."""
    try:
        datasets = importlib.import_module("sklearn.datasets")
    except ModuleNotFoundError:
        raise ModuleNotFoundError("the digits need the package scikit-learn: pip install scikit-learn") from None
    bunch = datasets.load_digits()
    images = [[pixel / 16.0 for pixel in image] for image in bunch.data.tolist()]
    return [Digit(image, int(number)) for image, number in zip(images, bunch.target, strict=True)]


def split(digits: list[Digit], test_share: float = 0.2, seed: int = 0) -> tuple[list[Digit], list[Digit]]:
    """Return the digits for training and for testing, each with the same share of every number."""
    rng = random.Random(seed)
    by_number = defaultdict(list)
    for digit in digits:
        by_number[digit.number].append(digit)
    train, test = [], []
    for _, images in sorted(by_number.items()):
        rng.shuffle(images)
        count = round(test_share * len(images))
        test += images[:count]
        train += images[count:]
    rng.shuffle(train)
    return train, test


def noise(count: int, number: int, digits: list[Digit], seed: int) -> list[Digit]:
    """Return images of no digit, with that number: half have random pixels, half a digit's pixels in random order."""
    rng = random.Random(seed)
    images = []
    for index in range(count):
        pixels = [rng.random() for _ in range(64)] if index % 2 else rng.sample(rng.choice(digits).pixels, 64)
        images.append(Digit(pixels, number))
    return images


def accuracy(predict, digits: list[Digit]) -> float:
    """Return the share of the digits whose number is predicted."""
    return sum(predict(digit.pixels) == digit.number for digit in digits) / len(digits)
