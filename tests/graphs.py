"""Graphs that several tests look at."""

import itertools
import re

import scalargrad as sg


def lecture(x: float = 1.0) -> sg.Value:
    """cos(sin(x²) + 3x²), each quantity named as the slides name it."""
    x = sg.Value(x, label="x")
    u = x**2
    v = sg.sin(u)
    w = 3 * u
    s = v + w
    J = sg.cos(s)
    sg.label({"u": u, "v": v, "w": w, "s": s, "J": J})
    return J


def pixels(svg, width=1280, height=720):
    """The height of each text in pixels when the SVG is scaled to a slide."""
    box = [float(x) for x in re.search(r'viewBox="[\d.]+ [\d.]+ ([\d.]+) ([\d.]+)"', svg).groups()]
    scale = float(re.search(r'transform="scale\(([\d.]+)', svg)[1]) * min(width / box[0], height / box[1])
    return [
        (text, float(size) * scale) for size, text in re.findall(r'<text[^>]*font-size="([\d.]+)"[^>]*>([^<]+)<', svg)
    ]


def overlaps(svg: str) -> list[tuple[str, str]]:
    """The nodes and labels of an SVG that overlap, or that the picture cuts, by their ids, without frames."""
    boxes = {"the picture": _box(re.search(r'class="graph".*?<(polygon[^>]*)>', svg, re.DOTALL)[1])}
    for name, body in re.findall(r'<g id="([^"]*)" class="(?:node|label)">(.*?)</g>', svg, re.DOTALL):
        shape = re.search(r"<((?:polygon|path|ellipse)\b[^>]*)>", body)
        if shape and not re.search(r"_box\d+$", name):
            boxes[name] = _box(shape[1])
    left, top, right, bottom = boxes.pop("the picture")
    cut = [
        (name, "the picture")
        for name, (a, b, c, d) in boxes.items()
        if a < left - 1 or b < top - 1 or c > right + 1 or d > bottom + 1
    ]
    return cut + [
        (one, other)
        for (one, (a, b, c, d)), (other, (e, f, g, h)) in itertools.combinations(boxes.items(), 2)
        if max(a, e) < min(c, g) - 0.5 and max(b, f) < min(d, h) - 0.5
    ]


def _box(shape: str) -> tuple[float, float, float, float]:
    if shape.startswith("ellipse"):
        x, y, rx, ry = (float(re.search(rf'\b{name}="([-\d.]+)"', shape)[1]) for name in ("cx", "cy", "rx", "ry"))
        return x - rx, y - ry, x + rx, y + ry
    points = re.findall(r"(-?[\d.]+),(-?[\d.]+)", re.search(r'(?:points|d)="([^"]*)"', shape)[1])
    xs, ys = [float(x) for x, _ in points], [float(y) for _, y in points]
    return min(xs), min(ys), max(xs), max(ys)
