"""GradBench's protocol: one JSON message a line comes in, one response a line goes out.

An eval's module has a dict `FUNCTIONS`. Each of its functions takes the input of a message and returns what
is to be run and timed, a function of no arguments; what it does before that is the preparation.
"""

from __future__ import annotations

import json
import time
import traceback
from collections.abc import Callable
from typing import Any, TextIO

from . import ba, det, gmm, hello, ht, kmeans, llsq, lse, lstm, ode, particle, saddle

MODULES = (hello, saddle, particle, lse, llsq, det, ode, kmeans, gmm, ba, ht, lstm)
EVALS: dict[str, dict[str, Callable[[Any], Callable[[], Any]]]] = {
    module.__name__.rpartition(".")[2]: module.FUNCTIONS for module in MODULES
}


def serve(messages: TextIO, responses: TextIO) -> None:
    """Answer each line of `messages` with a line of `responses`, until they end."""
    for line in messages:
        if line.strip():
            print(json.dumps(answer(line)), file=responses, flush=True)


def answer(line: str) -> dict[str, Any]:
    """The response to a message. An exception becomes `success: false` with its traceback."""
    response: dict[str, Any] = {"id": None}
    try:
        message = json.loads(line)
        response["id"] = message["id"]
        response |= KINDS.get(message["kind"], acknowledge)(message)
    except Exception:  # whatever goes wrong is the eval's to read, and the tool goes on
        response |= {"success": False, "error": traceback.format_exc()}
    return response


def acknowledge(message: dict[str, Any]) -> dict[str, Any]:
    """Nothing but the id: for an analysis, or a message of a kind that is not known here."""
    return {}


def start(message: dict[str, Any]) -> dict[str, Any]:
    """The name of the tool."""
    return {"tool": "scalargrad"}


def define(message: dict[str, Any]) -> dict[str, Any]:
    """Return True if there is such an eval."""
    if message["module"] in EVALS:
        return {"success": True}
    return {"success": False, "error": f"no module {message['module']!r}; there are {', '.join(EVALS)}"}


def evaluate(message: dict[str, Any]) -> dict[str, Any]:
    """The output of a function of an eval, and a timing for its preparation and for each of its runs."""
    function = EVALS[message["module"]][message["function"]]
    given = message["input"]
    runs = given if isinstance(given, dict) else {}
    run, prepared = timed("prepare", lambda: function(given))
    output, first = timed("evaluate", run)
    timings = [first]
    while len(timings) < runs.get("min_runs", 1) or seconds(timings) < runs.get("min_seconds", 0):
        output, timing = timed("evaluate", run)
        timings.append(timing)
    return {"success": True, "output": output, "timings": [prepared, *timings]}


KINDS = {"start": start, "define": define, "evaluate": evaluate}


def timed(name: str, f: Callable[[], Any]) -> tuple[Any, dict[str, Any]]:
    """The result of f, and the timing of the call under that name."""
    began = time.perf_counter_ns()
    result = f()
    return result, {"name": name, "nanoseconds": time.perf_counter_ns() - began}


def seconds(timings: list[dict[str, Any]]) -> float:
    """The time of all these timings together."""
    return sum(timing["nanoseconds"] for timing in timings) * 1e-9
