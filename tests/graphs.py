"""Graphs that several tests look at."""

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
