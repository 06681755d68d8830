"""The figures as tables of text, and as the page `benchmarks.md`."""

from __future__ import annotations

import datetime
import importlib
import os
import platform
from collections.abc import Iterable, Sequence
from typing import Any

from .memory import evenness, exponent
from .tools import BASE


def machine() -> dict[str, str]:
    """What the figures depend on besides the tools."""
    return {
        "date": datetime.date.today().isoformat(),
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "machine": f"{_processor()}, {os.cpu_count()} cores, {platform.system()}",
    }


def _processor() -> str:
    try:
        with open("/proc/cpuinfo") as lines:
            return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def page(figures: dict[str, Any]) -> str:
    """The page of all the groups that were measured, each with its own date and machine."""
    sections = [section(name, group) for name, group in figures.items()]
    return "\n".join([HEAD.format(base=BASE), *sections])


HEAD = """# Benchmarks

Written by `python -m tests.benchmarks`. Every tool runs in a process of its own, on one thread of one core,
with its garbage collector as it comes; results are compared before any time is taken, and a tool whose
result differs from the others' is not timed. The tools take turns in rounds; a figure is the median of the
rounds, beside it the quartiles. The ratio is to {base}, round by round. In tables with a column for each tool the
seconds of its preparation, recording and compiling, stand in brackets. Compare ratios: times move by a
tenth and more from run to run.
"""


def section(name: str, group: dict[str, Any]) -> str:
    """One group: its tables, and what its curves say."""
    module = importlib.import_module(f"{__package__}.{name}")
    parts = (f"## {module.TITLE}\n", getattr(module, "ABOUT", ""), tables(name, group))
    return "\n".join(filter(None, parts))


def marked(page: str, figures: dict[str, Any]) -> str:
    """Another page, with the tables of a group between `<!-- NAME -->` and `<!-- end of NAME -->`."""
    for name, group in figures.items():
        before, mark, rest = page.partition(f"<!-- {name} -->\n")
        if mark:
            _, end, after = rest.partition(f"<!-- end of {name} -->")
            page = f"{before}{mark}\n{tables(name, group)}\n{end}{after}"
    return page


def tables(name: str, group: dict[str, Any]) -> str:
    """The tables of a group, with their date, machine and versions."""
    tools = ", ".join(f"{tool} {version}" for tool, version in group["versions"].items())
    lines = [f"{group['date']}, {group['python']}, {group['machine']}. {tools}.{group.get('note', '')}", ""]
    for table in group["tables"].values():
        lines += [*_markdown(table_rows(table)), ""]
    if "curves" in group:
        lines += [*_markdown(curve_rows(group["curves"])), "", "![growth](growth.svg)", ""]
    if name == "eager":
        lines += ["![ratios](benchmarks.svg)", ""]
    return "\n".join(lines)


def table_rows(table: dict[str, Any]) -> list[list[str]]:
    """The cells of a table, its head first, the best tool above; a tool's problem stands for its figures."""
    if table["unit"] == "bytes/node":
        return _memory_rows(table)
    if "columns" in table:
        return _grid_rows(table)
    head = [table["title"], table["unit"], "quartiles", "rounds", "ratio", "preparation, s"]
    rows = [
        [
            tool,
            *(_digits(x[key] * table["scale"]) for key in ("seconds",)),
            f"{_digits(x['low'] * table['scale'])} – {_digits(x['high'] * table['scale'])}",
            str(x["rounds"]),
            "" if x["ratio"] is None else f"{x['ratio']:.3f}" if x["ratio"] > 0.01 else f"{x['ratio']:.2g}",
            f"{x['preparation']:.2g}",
        ]
        for tool, x in sorted(_fine(table["tools"]), key=lambda item: item[1]["seconds"])
    ]
    return [head, *rows, *_problems(table["tools"], len(head))]


def _memory_rows(table: dict[str, Any]) -> list[list[str]]:
    head = [f"{table['title']}, {table['unit']}", "before backward", "after", "peak"]
    rows = [
        [tool, *(f"{x[key]:.0f}" for key in ("before", "after", "peak"))]
        for tool, x in sorted(_fine(table["tools"]), key=lambda item: item[1]["before"])
    ]
    return [head, *rows, *_problems(table["tools"], len(head))]


def _grid_rows(table: dict[str, Any]) -> list[list[str]]:
    # A row for each task and a column for each tool: its time, and in brackets the seconds of its preparation.
    head = [f"{table['title']}, {table['unit']} (preparation, s)", *table["columns"]]
    rows = [
        [label, *(_cell(found[tool], table["scale"]) for tool in table["columns"])]
        for label, found in table["rows"].items()
    ]
    if "passes" in table:
        widths = [table["passes"].get(tool, "") for tool in table["columns"]]
        rows.append(["faster than ours from a width of", *((x and f"{x:.0f}") or "" for x in widths)])
    return [head, *rows]


def _cell(answer: dict[str, Any], scale: float) -> str:
    if "problem" in answer:
        return str(answer["problem"])
    return f"{_digits(answer['seconds'] * scale)} ({answer['preparation']:.2g})"


def _fine(tools: dict[str, dict[str, Any]]) -> Iterable[tuple[str, dict[str, Any]]]:
    return [(tool, x) for tool, x in tools.items() if "problem" not in x]


def _problems(tools: dict[str, dict[str, Any]], width: int) -> list[list[str]]:
    return [[tool, x["problem"], *[""] * (width - 2)] for tool, x in tools.items() if "problem" in x]


def curve_rows(curves: dict[str, Sequence[dict[str, float]]]) -> list[list[str]]:
    """Time per op at each size, the exponents of growth from 10³ on, and how even the time per op is."""
    sizes = max((len(points) for points in curves.values()), default=0)
    head = ["chain, ns/op", *(f"10^{k + 2}" for k in range(sizes)), "time ~ nᵖ", "memory ~ nᵖ", "10³–10⁶, max/min"]
    rows = []
    for tool, points in curves.items():
        each = [f"{point['seconds'] / point['ops'] * 1e9:.0f}" for point in points]
        large = [point for point in points if point["ops"] > 900]
        held = [point for point in points if point["ops"] > 9e4]  # below, a process holds no more than before
        summary = ["", "", ""]
        if len(held) > 1:
            summary = [f"{exponent(large, 'seconds'):.3f}", f"{exponent(held, 'bytes'):.3f}", f"{evenness(points):.2f}"]
        rows.append([tool, *each, *[""] * (sizes - len(each)), *summary])
    return [head, *rows]


def _digits(x: float) -> str:
    return f"{x:,.0f}" if x >= 100 else f"{x:.3g}"


def _markdown(rows: Sequence[Sequence[str]]) -> list[str]:
    head, *others = rows
    rule = ["---", *["---:"] * (len(head) - 1)]
    return [f"| {' | '.join(cells)} |" for cells in (head, rule, *others)]


def text(rows: Sequence[Sequence[str]]) -> str:
    """The cells in columns, for a terminal."""
    widths = [max(len(row[i]) for row in rows if len(row) > i) for i in range(len(rows[0]))]
    # A problem may run over the columns of figures.
    widths[1] = (
        max(len(row[1]) for row in rows if not all(cell == "" for cell in row[2:])) if len(rows[0]) > 2 else widths[1]
    )
    lines = []
    for row in rows:
        first, *others = (cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))
        lines.append("  ".join([row[0].ljust(widths[0]), first, *others]).rstrip())
    return "\n".join(lines)
