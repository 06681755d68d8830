"""Times and memory of the evals at the sizes of `inputs.LARGE`: `python -m tests.gradbench.measure [eval …]`.

Each function runs in a process of its own. It prints the rows of the table in docs/gradbench.md.
"""

import resource
import subprocess
import sys
import time

import numpy as np

from .inputs import LARGE
from .protocol import EVALS

LIMIT = 600
"""Seconds after which a function is given up."""
ENOUGH = 0.3
"""Seconds after which the quickest evaluation is taken."""


def main(names):
    """Print a row for each function of these evals."""
    for module in names or LARGE:
        for function in EVALS[module]:
            print(f"| {module} | {function} | {row(module, function)} |", flush=True)


def row(module, function):
    """The figures of one function, or its problem."""
    command = [sys.executable, "-m", "tests.gradbench.measure", module, function, "--one"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT, check=True)
    except subprocess.TimeoutExpired:
        return f"over {LIMIT} s"
    except subprocess.CalledProcessError as failed:
        return failed.stderr.strip().splitlines()[-1]
    return done.stdout.strip()


def one(module, function):
    """Run one function, and print its CPU seconds of preparation and of evaluation and the peak of memory."""
    given = LARGE[module](np.random.default_rng(31337))
    prepared, run = timed(lambda: EVALS[module][function](given))
    evaluated = [timed(run)[0]]
    while sum(evaluated) < ENOUGH:
        evaluated.append(timed(run)[0])
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(f"{prepared:.2g} | {min(evaluated):.2g} | {peak:.2g}")


def timed(f):
    """The CPU seconds of a call, which other processes do not disturb, and its result."""
    began = time.process_time()
    result = f()
    return time.process_time() - began, result


if __name__ == "__main__":
    if sys.argv[-1] == "--one":
        one(*sys.argv[1:3])
    else:
        main(sys.argv[1:])
