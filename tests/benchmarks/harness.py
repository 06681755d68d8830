"""Tools side by side: a process for each, results compared first, then rounds in which each has its turn."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import statistics
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from typing import Any

from .tools import BASE
from .worker import ONE_THREAD

ROUNDS = 11
SAMPLE = 0.08
"""The seconds that a tool's turn takes at least; a turn is one run where a run takes longer."""
BUDGET = 4.0
"""The seconds that a slow tool gets for all of its turns: it has fewer of them, but one at least."""
TOLERANCE = 1e-8
"""How far results may lie apart, relative to the largest number among them."""

Answers = dict[str, dict[str, Any]]
"""What each tool answered."""


class Process:
    """The process of a tool, `"tool"` or `"tool, way"`. What it answers is a dict; `problem` says what went wrong."""

    def __init__(self, name: str) -> None:
        self.name = name
        environment = {**os.environ, **dict.fromkeys(ONE_THREAD, "1")}
        self.popen = subprocess.Popen(
            [sys.executable, "-m", f"{__package__}.worker", name.partition(", ")[0]],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=environment,
        )
        self.answers: queue.Queue[str] = queue.Queue()
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self) -> None:
        for line in self.popen.stdout or ():
            self.answers.put(line)
        self.answers.put("")

    def ask(self, limit: float, **request: Any) -> dict[str, Any]:
        """The answer to a request, or the problem that there was none within the limit."""
        try:
            assert self.popen.stdin
            self.popen.stdin.write(json.dumps(request) + "\n")
            self.popen.stdin.flush()
            line = self.answers.get(timeout=limit)
        except queue.Empty:
            self.close()
            return {"problem": f"takes over {limit:.0f} s"}
        except OSError:
            line = ""
        if not line:
            return {"problem": f"crashes (exit code {self.popen.wait()})"}
        answered: dict[str, Any] = json.loads(line)
        return answered

    def __enter__(self) -> Process:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the process."""
        self.popen.kill()
        self.reader.join()
        with contextlib.suppress(BrokenPipeError):
            self.popen.communicate()


def compare(
    tools: Sequence[str], limit: float = 10.0, judge: Callable[[Answers], None] | None = None, **task: Any
) -> Answers:
    """The times of each tool for a task, as median and quartiles in seconds, or its problem.

    `ratio` is the median over the rounds of its time to that of the base in the same round; `judge` marks the
    results that differ, as `disagreements` does. A tool `"name, way"` is asked to go that way.
    """
    with ExitStack() as stack:
        processes = {name: stack.enter_context(Process(name)) for name in tools}
        found = {}
        for name, process in processes.items():
            way = name.partition(", ")[2]
            found[name] = process.ask(limit, do="prepare", **task, **({"way": way} if way else {}))
        (judge or disagreements)(found)
        running = {name: processes[name] for name, answer in found.items() if "problem" not in answer}
        rounds = _rounds(running, found)
    for name, samples in rounds.items():
        if "problem" not in found[name]:
            found[name] |= _summary(samples, rounds.get(BASE, []))
    return {name: {key: x for key, x in answer.items() if key != "result"} for name, answer in found.items()}


def _rounds(processes: dict[str, Process], found: Answers) -> dict[str, list[float]]:
    rounds: dict[str, list[float]] = {name: [] for name in processes}
    repeats = {name: max(1, round(SAMPLE / found[name]["seconds"])) for name in processes}
    for number in range(ROUNDS):
        for name, process in processes.items():
            turns = max(1, round(BUDGET / max(SAMPLE, found[name]["seconds"])))
            if number < turns and "problem" not in found[name]:
                answer = process.ask(60.0, do="time", repeats=repeats[name])
                rounds[name].append(answer.get("seconds", 0.0))
                found[name] |= {key: x for key, x in answer.items() if key == "problem"}
    return rounds


def _summary(samples: Sequence[float], base: Sequence[float]) -> dict[str, Any]:
    low, median, high = statistics.quantiles(samples, n=4) if len(samples) > 1 else samples * 3
    ratios = [x / y for x, y in zip(samples, base, strict=False) if y]
    return {
        "seconds": median,
        "low": low,
        "high": high,
        "rounds": len(samples),
        "ratio": statistics.median(ratios) if ratios else None,
    }


def disagreements(found: Answers) -> None:
    """Turn into a problem every result that differs from the median of the tools' results."""
    results = {name: answer["result"] for name, answer in found.items() if "result" in answer}
    if not results:
        return
    length = statistics.mode(map(len, results.values()))
    agreed = [
        statistics.median(numbers) for numbers in zip(*(r for r in results.values() if len(r) == length), strict=True)
    ]
    scale = max(map(abs, agreed))
    for name, result in results.items():
        if len(result) != length or not all(_close(x, y, scale) for x, y in zip(result, agreed, strict=True)):
            found[name]["problem"] = "disagrees"


def _close(x: float, y: float, scale: float) -> bool:
    return abs(x - y) <= TOLERANCE * scale  # False for a nan


def alone(tool: str, limit: float, **request: Any) -> dict[str, Any]:
    """The answer of a new process of a tool to one request."""
    with Process(tool) as process:
        return process.ask(limit, **request)


def versions(tools: Iterable[str]) -> dict[str, str]:
    """The versions of the tools that are installed."""
    answers = {tool: alone(tool, 60.0, do="version") for tool in tools}
    return {tool: answer["version"] for tool, answer in answers.items() if "version" in answer}
