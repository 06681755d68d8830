"""The command: measure groups, print their tables, and write the page, the charts and the figures."""

from __future__ import annotations

import argparse
import importlib
import json
import sys
from pathlib import Path
from typing import Any

from . import charts, harness, report
from .tools import OURS, TOOLS

GROUPS = ("eager", "memory", "prepare", "replay", "batch", "training", "crossing", "gradbench")
DOCS = Path(__file__).parents[2] / "docs"


def arguments(given: list[str] | None = None) -> argparse.Namespace:
    """The parsed command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument(
        "groups", nargs="*", choices=[*GROUPS, "all"], default="all", metavar="GROUP", help=", ".join([*GROUPS, "all"])
    )
    parser.add_argument(
        "--peers",
        nargs="*",
        choices=TOOLS,
        metavar="PEER",
        default=TOOLS,
        help=f"of {', '.join(TOOLS)}; all by default",
    )
    parser.add_argument(
        "--json",
        type=Path,
        default=DOCS / "benchmarks.json",
        metavar="FILE",
        help="where the figures are kept; the page and the charts are written beside it",
    )
    parser.add_argument("--rounds", type=int, default=harness.ROUNDS, metavar="N", help="how often each has its turn")
    parser.add_argument("--note", default="", metavar="TEXT", help="a sentence to stand beside the machine")
    return parser.parse_args(given)


def main(given: list[str] | None = None) -> int:
    """Measure the groups; figures of other groups that the file has are kept."""
    options = arguments(given)
    harness.ROUNDS = options.rounds
    tools = [OURS, *(peer for peer in options.peers if peer != OURS)]
    figures: dict[str, Any] = json.loads(options.json.read_text()) if options.json.exists() else {}
    named = GROUPS if "all" in options.groups else [group for group in GROUPS if group in options.groups]
    for name in named:
        module = importlib.import_module(f"{__package__}.{name}")
        compared = [tool for tool in tools if tool in getattr(module, "COMPARED", tools)]
        measured = module.measure(compared)
        note = {"note": f" {options.note}"} if options.note else {}
        figures[name] = {**report.machine(), **note, "versions": harness.versions(compared), **measured}
        print(f"{module.TITLE}\n")
        for table in measured["tables"].values():
            print(report.text(report.table_rows(table)), end="\n\n")
        if "curves" in measured:
            print(report.text(report.curve_rows(measured["curves"])), end="\n\n")
    write({name: figures[name] for name in GROUPS if name in figures}, options.json)
    return 0


def write(figures: dict[str, Any], path: Path) -> None:
    """The figures as JSON; beside them the page, the charts, and the tables that other pages show."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(figures, indent=1, ensure_ascii=False) + "\n")
    path.with_name("benchmarks.md").write_text(report.page(figures))
    for page in path.parent.glob("*.md"):
        page.write_text(report.marked(page.read_text(), figures))
    charts.draw(figures, path.parent)


if __name__ == "__main__":
    sys.exit(main())
