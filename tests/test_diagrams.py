"""The diagrams: DOT text, labels as data, renderers, errors without one, files."""

import itertools
import math
import os
import random
import re
import shutil
import stat
import sys
import time
import xml.etree.ElementTree as ET
from base64 import b64decode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import scalargrad as sg
from scalargrad import nn
from scalargrad.diagrams import picture, renderer, style
from scalargrad.engine.linearization import topological_order

from .graphs import lecture, overlaps, pixels

VIEWS = [sg.influence_diagram, sg.derivative_diagram, sg.operations_diagram]
INSTALLED = renderer.find_renderer()


def pure():
    """The path of graphviz-pure, if it is installed."""
    return shutil.which("graphviz-pure") or shutil.which("graphviz-pure", path=renderer._scripts())


needs_renderer = pytest.mark.skipif(INSTALLED is None, reason="no renderer: pip install graphviz-pure")
needs_scripts = pytest.mark.skipif(sys.platform == "win32", reason="fake renderers are shell scripts")
MARK = f"penwidth={style.LIGHT.marked['penwidth']}"
every_view = pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.__name__)


def swept():
    """The lecture's graph after a backward pass."""
    J = lecture()
    J.backward()
    return J


def small():
    return sg.sin(sg.Value(1.0, label="x"))


def chain(count):
    x = sg.Value(1.0, label="x")
    for _ in range(count):
        x = x + 1.0
    return x


def node_lines(source):
    return re.findall(r"^\t(n\d\w*) \[(.*)\]$", source, re.MULTILINE)


def cells(source):
    """The texts of the records of an operations diagram."""
    return re.findall(r"<td[^>]*>([^<]*)</td>", source)


def edge_lines(source):
    return re.findall(r"^\t(\w+) -> (\w+) \[(.*)\]$", source, re.MULTILINE)


def edge_labels(source):
    return [r"\n".join(shown(attributes)) for _, _, attributes in edge_lines(source) if "label=" in attributes]


def shown(source):
    # The lines of text of the HTML-like labels.
    return re.findall(r"<font[^>]*>([^<]*)</font>", source)


# DOT text


@every_view
def test_the_same_graph_gives_the_same_text(view):
    assert view(swept()).source == view(swept()).source


@every_view
def test_ids_are_unique_and_prefixed_by_diagram(view):
    source = view(swept()).source
    (prefix,) = re.findall(r"graph \[.*?\bid=(\w+)", source)
    ids = re.findall(r"\bid=(\w+)", source)
    assert len(ids) == len(set(ids)) > 6
    assert all(name == prefix or name.startswith(f"{prefix}_") for name in ids)


def test_pictures_that_differ_have_other_prefixes():
    J = swept()
    sources = [view(J).source for view in VIEWS] + [sg.influence_diagram(J, depth=2).source]
    assert len({re.search(r"\bid=(\w+)", source)[1] for source in sources}) == len(sources)


def test_the_influence_diagram_of_the_lecture_example():
    source = sg.influence_diagram(swept()).source
    assert [re.search(r"label=(\w+)", attributes)[1] for _, attributes in node_lines(source)] == [*"xuvwsJ"]
    assert [(a, b) for a, b, _ in edge_lines(source)] == [
        ("n0", "n1"),
        ("n1", "n2"),
        ("n1", "n3"),
        ("n2", "n4"),
        ("n3", "n4"),
        ("n4", "n5"),
    ]
    assert "rankdir=LR" in source


def test_the_derivative_diagram_of_the_lecture_example():
    source = sg.derivative_diagram(swept()).source
    assert edge_labels(source) == [
        r"∂u/∂x = 2x\n= 2",
        r"∂v/∂u = cos u\n= 0.5403",
        "∂w/∂u = 3",
        "∂s/∂v = 1",
        "∂s/∂w = 1",
        r"∂J/∂s = −sin s\n= 0.6441",
    ]
    assert [line for _, attributes in node_lines(source) for line in shown(attributes)] == [
        *("x", "1", "∂J/∂x = 4.5608"),
        *("u = x²", "1", "∂J/∂u = 2.2804"),
        *("v = sin u", "0.8415", "∂J/∂v = 0.6441"),
        *("w = 3u", "3", "∂J/∂w = 0.6441"),
        *("s = v + w", "3.8415", "∂J/∂s = 0.6441"),
        *("J = cos s", "−0.7649", "∂J/∂J = 1"),
    ]


def test_the_operations_diagram_of_the_lecture_example():
    source = sg.operations_diagram(swept()).source
    cells = [re.findall(r"<td[^>]*>([^<]*)</td>", attributes) for _, attributes in node_lines(source)]
    assert [record for record in cells if record] == [
        ["x", "1", "grad 4.5608"],
        ["u", "1", "grad 2.2804"],
        ["v", "0.8415", "grad 0.6441"],
        ["w", "3", "grad 0.6441"],
        ["s", "3.8415", "grad 0.6441"],
        ["J", "−0.7649", "grad 1"],
        ["3"],
    ]
    circles = [re.search(r'label=("[^"]*"|\w+|\S+)', a)[1].strip('"') for n, a in node_lines(source) if "_op" in n[-4:]]
    assert circles == ["^2", "sin", "×", "+", "cos"]


# The way of a nan or an infinity


def test_the_way_of_an_infinite_gradient_is_marked_and_its_origin_says_so():
    x = sg.Value(0.0, label="x")
    r = sg.sqrt(x)
    J = 3 * r + x
    source = sg.derivative_diagram(J).source
    names = {id(node): f"n{i}" for i, node in enumerate(topological_order(J))}
    path = [names[id(node)] for node in sg.locate_nonfinite(J).path]
    assert [(a, b) for a, b, look in edge_lines(source) if MARK in look] == [*itertools.pairwise(path)]
    assert [name for name, look in node_lines(source) if MARK in look] == [names[id(r)]]
    assert "a nan or ∞ of the gradient begins here" in shown(source)


def test_the_way_of_a_nan_among_values_begins_at_the_input():
    x = sg.Value(math.nan, label="x")
    y = sg.Value(1.0, label="y")
    source = sg.derivative_diagram((x * x) * y, depth=2).source
    assert "a nan or ∞ of the value begins here" in shown(source)
    assert [(a, b) for a, b, look in edge_lines(source) if MARK in look] == [("n0", "n2"), ("n2", "n3")]
    beyond = sg.derivative_diagram((x * x) * y, depth=1).source
    assert "begins here" not in beyond
    assert len([1 for *_, look in edge_lines(beyond) if MARK in look]) == 1


def test_all_sources_of_infinities_are_marked():
    x, y = sg.Value(0.0, label="x"), sg.Value(0.0, label="y")
    z = sg.Value(math.inf, label="z")
    source = sg.derivative_diagram(sg.sqrt(x) + sg.cbrt(y) + z).source
    assert shown(source).count("a nan or ∞ of the gradient begins here") == 2
    assert shown(source).count("a nan or ∞ of the value begins here") == 1


def test_nothing_is_marked_where_all_is_finite():
    assert MARK not in sg.derivative_diagram(swept()).source


def test_colours():
    source = sg.derivative_diagram(swept()).source
    for fill, border, count in [("#DBEAFE", "#1D4ED8", 1), ("#F8FAFC", "#475569", 4), ("#FEF3C7", "#92400E", 1)]:
        assert len(re.findall(f'color="{border}" fillcolor="{fill}"', source)) == count
    assert 'color="#475569" fillcolor="#E2E8F0"' in sg.operations_diagram(swept()).source
    assert "fontname=Helvetica" in source
    assert 'bgcolor="#FFFFFF"' in source


@pytest.mark.parametrize("palette", style.PALETTES)
def test_every_text_is_readable_on_every_fill(palette):
    def luminance(color):
        channels = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    colors = style.PALETTES[palette]
    for front in (colors.ink, colors.value, colors.derivative):
        for back in colors.fills:
            dark, light = sorted([luminance(front), luminance(back)])
            assert (light + 0.05) / (dark + 0.05) >= 4.5, (front, back)
    for line in (colors.edge, colors.negative):
        dark, light = sorted([luminance(line), luminance(colors.background)])
        assert (light + 0.05) / (dark + 0.05) >= 3.0, line


@every_view
def test_direction_is_to_the_right_up_to_six_ranks(view):
    assert "rankdir=LR" in view(chain(5)).source
    assert "rankdir=TB" in view(chain(6)).source
    assert "rankdir=TB" in view(chain(2), rankdir="TB").source
    with pytest.raises(ValueError, match=f"{view.__name__}: rankdir is 'left'; give 'LR' or 'TB'"):
        view(chain(2), rankdir="left")


def test_merge_joins_equal_sub_expressions():
    x = sg.Value(2.0, label="x")
    J = sg.sin(x**2) + x**2
    J.backward()
    assert len(node_lines(sg.influence_diagram(J).source)) == 5
    merged = sg.derivative_diagram(J, merge=True).source
    assert len(node_lines(merged)) == 4
    total = math.cos(4.0) + 1.0
    assert f"∂J/∂v₁ = {total:.4f}" in shown(merged)


def test_depth_draws_the_last_steps_and_marks_the_rest():
    source = sg.derivative_diagram(swept(), depth=2).source
    assert [name for name, _ in node_lines(source)] == ["n2", "n3", "n4", "n5", "n2_more", "n3_more"]
    assert source.count("style=dashed") == 2
    assert len([line for _, attributes in node_lines(source) for line in shown(attributes)]) == 12
    assert "_more" not in sg.derivative_diagram(swept(), depth=5).source


@pytest.mark.parametrize("depth", [0, -1, 1.5, "2"])
def test_a_depth_that_is_none_is_refused(depth):
    with pytest.raises(ValueError, match=r"depth is .*; give a whole number of at least 1"):
        sg.influence_diagram(swept(), depth=depth)


@every_view
def test_a_large_graph_is_refused_with_the_ways_out(view):
    J = chain(200)
    with pytest.raises(ValueError, match="201 nodes, more than 200") as caught:
        view(J)
    for way in [view.__name__, "depth=", "influence_diagram", "network_diagram", "max_nodes=None"]:
        assert way in str(caught.value)
    assert "n200 " in view(J, max_nodes=None).source
    assert "n200 " in view(J, depth=3).source
    assert "n199 " in view(chain(199)).source


def test_gradients_that_were_not_computed():
    J = small()
    assert "∂J/∂x not computed" in shown(sg.derivative_diagram(J).source)
    assert sg.operations_diagram(J).source.count("grad not computed") == 2
    J.backward()
    assert "not computed" not in sg.derivative_diagram(J).source
    J.zero_grad()
    assert [t for t in shown(sg.derivative_diagram(J).source) if "not computed" in t] == ["∂J/∂x not computed"]


def test_gradients_set_by_hand_or_added_up_are_told_from_the_derivative():
    x = sg.Value(1.0, label="x")
    J = sg.sin(x)
    x.grad = 0.5
    assert "grad set to 0.5" in shown(sg.derivative_diagram(J).source)
    assert "grad 0.5" in cells(sg.operations_diagram(J).source)
    x.grad = 0.0
    J.backward()
    assert f"∂J/∂x = {math.cos(1.0):.4f}" in shown(sg.derivative_diagram(J).source)
    J.backward()  # leaves add up
    twice = f"grad {2 * math.cos(1.0):.4f} (∂J/∂x = {math.cos(1.0):.4f})"
    assert twice in shown(sg.derivative_diagram(J).source)


def test_a_leaf_that_was_changed_says_so():
    a, b = sg.Value(2.0, label="a"), sg.Value(3.0, label="b")
    J = sg.exp(a) + b * 2.0
    assert "changed since the forward pass" not in shown(sg.derivative_diagram(J).source)
    a.data = 5.0
    node = dict(node_lines(sg.derivative_diagram(J).source))["n0"]
    assert shown(node)[-1] == "changed since the forward pass"


def test_gradients_of_another_goal_are_not_shown_as_those_of_this_one():
    x = sg.Value(1.0, label="x")
    sg.sin(x).backward()
    assert "∂J/∂x not computed" in shown(sg.derivative_diagram(sg.cos(x)).source)


def test_an_operand_used_twice_has_one_edge_with_the_sum():
    x = sg.Value(3.0, label="x")
    source = sg.derivative_diagram(x * x).source
    assert edge_labels(source) == [r"∂J/∂x = 2x\n= 6"]
    assert "J = x·x" in shown(source)
    assert len(edge_lines(sg.influence_diagram(x * x).source)) == 1
    for J, formula, number in [
        (sg.prod([x, x, x]), "3x²", "27"),
        (x + x, "2", None),
        (x - x, "0", None),
        (sg.dot([x, x], [x, 2.0]), "2x + 2", "8"),
    ]:
        assert edge_labels(sg.derivative_diagram(J).source) == [
            rf"∂J/∂x = {formula}" + (rf"\n= {number}" if number else "")
        ]


def test_edges_of_clip_select_and_relu():
    x = sg.Value(3.0, label="x")
    labels = [edge_labels(sg.derivative_diagram(J).source) for J in (sg.clip(x, -1.0, 5.0), sg.select(1.0, x, 2.0))]
    assert labels == [[r"∂J/∂x = [x ≥ −1]·[x ≤ 5]\n= 1"], ["∂J/∂x = 1"]]
    assert edge_labels(sg.derivative_diagram(sg.relu(x)).source) == [r"∂J/∂x = [x ≥ 0]\n= 1"]


def test_the_outputs_of_a_softmax_share_one_operation():
    outputs = sg.softmax([sg.Value(1.0, label="a"), sg.Value(2.0, label="b")])
    source = sg.operations_diagram(outputs[0] * outputs[1]).source
    operations = [name for name, _ in node_lines(source) if name.endswith("_op")]
    assert len(operations) == 2
    assert [
        re.search(r"label=(\d)", attributes)[1] for _, _, attributes in edge_lines(source) if "label" in attributes
    ] == [
        "1",
        "2",
    ]


def test_operations_show_the_constants_that_were_given():
    x = sg.Value(3.0, label="x")
    assert sg.operations_diagram(sg.relu(x)).source.count("_const") == 0
    assert ">0.2</td>" in sg.operations_diagram(sg.leaky_relu(x, 0.2)).source
    assert ">−1</td>" in sg.operations_diagram(sg.clip(x, -1.0, 5.0)).source
    assert '"^0.5"' in sg.operations_diagram(x**0.5).source


def test_long_names_make_an_ellipse():
    source = sg.influence_diagram(sg.sin(sg.Value(1.0, label="temperature"))).source
    assert source.count("shape=ellipse") == 1
    assert source.count("shape=circle") == 1


@every_view
def test_a_leaf_has_a_picture(view):
    assert len(node_lines(view(sg.Value(1.0, label="x")).source)) == 1


@every_view
@pytest.mark.parametrize("bad", [None, 3.0, "x", [1.0]])
def test_what_is_no_value_is_refused(view, bad):
    with pytest.raises(TypeError, match=f"{view.__name__}: needs a Value, got"):
        view(bad)


# Labels are data

HOSTILE = {
    "quotes": "a\"b'c",
    "tag": "<b>bold</b>",
    "record": "{a|b}",
    "backslashes": r"\N\G\L\n\\",
    "trailing backslash": "a\\",
    "entity": "&lt;b&gt;&#65;",
    "newlines": "a\nb\r\n",
    "nul": "a\0b",
    "control": "\x1b[31m",
    "script": "</script><script>alert(1)</script>",
    "cdata": "]]><!--",
    "url": 'x" URL="javascript:alert(1)" tooltip="y',
    "dot": '"]; evil [label="x',
    "direction": "\u202egnirts\u202c",
    "surrogate": "\ud800",
    "arrow": "a -> b",
    "html-like": "<<table>>",
    "emoji": "🙂é",
    "huge": "<" * 100_000,
    "empty look": " ",
}


@every_view
@pytest.mark.parametrize("kind", HOSTILE)
def test_a_label_can_do_nothing_in_the_text(view, kind):
    x = sg.Value(1.0, label=HOSTILE[kind])
    source = view(sg.sin(x)).source
    outside = re.sub(r'"(?:[^"\\]|\\.)*"', '""', re.sub(r"<<table.*?</table>>", "<>", source))
    assert not re.search(r"URL|href|tooltip|evil|script", outside)
    assert len(node_lines(source)) == (3 if view is sg.operations_diagram else 2)
    assert len(source) < 10_000
    source.encode()


@needs_renderer
@every_view
@pytest.mark.parametrize("kind", HOSTILE)
def test_a_label_is_drawn_as_it_is(view, kind):
    label = HOSTILE[kind]
    svg = view(sg.sin(sg.Value(1.0, label=label))).svg()
    tree = ET.fromstring(re.sub("<!DOCTYPE.*?>", "", svg, flags=re.DOTALL))  # noqa: S314 (our own text)
    tags = {element.tag.rpartition("}")[2] for element in tree.iter()}
    assert tags <= {"svg", "g", "title", "polygon", "path", "ellipse", "text", "polyline"}
    assert not any("href" in name or name.startswith("on") for element in tree.iter() for name in element.attrib)
    drawn = "".join(element.text or "" for element in tree.iter() if element.tag.endswith("text"))
    printed = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in label[:40])
    assert printed.strip() in drawn


# Renderers


def script(folder, name, body):
    path = folder / name
    path.write_text(f"#!/bin/sh\nPATH=/bin:/usr/bin\n{body}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


SVG = 'cat > /dev/null; echo "<svg>$0 $*</svg>"'


@pytest.fixture
def alone(monkeypatch, tmp_path):
    """A folder that is the whole PATH; there is no renderer in it, in the environment, or next to the interpreter."""
    monkeypatch.delenv(renderer.VARIABLE, raising=False)
    monkeypatch.setattr(renderer, "_scripts", lambda: str(tmp_path / "scripts"))
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


@needs_scripts
def test_the_search_order(alone, monkeypatch):
    (alone / "scripts").mkdir()
    assert renderer.find_renderer() is None
    beside = script(alone / "scripts", "graphviz-pure", SVG)
    assert renderer.find_renderer() == beside
    pure = script(alone, "graphviz-pure", SVG)
    assert renderer.find_renderer() == pure
    dot = script(alone, "dot", SVG)
    assert renderer.find_renderer() == dot
    mine = script(alone, "mine", SVG)
    monkeypatch.setenv(renderer.VARIABLE, mine)
    assert renderer.find_renderer() == mine
    monkeypatch.setenv(renderer.VARIABLE, "mine")
    assert renderer.find_renderer() == mine
    monkeypatch.setenv(renderer.VARIABLE, "")
    assert renderer.find_renderer() == dot


@needs_scripts
def test_how_the_program_is_called(alone):
    script(alone, "dot", SVG)
    assert "dot -Kdot -Tsvg<" in sg.influence_diagram(small()).svg()
    assert "dot -Kneato -Tsvg -n2<" in sg.Diagram("digraph {}", engine="neato").svg()
    script(alone, "dot", r'cat > /dev/null; printf "\211PNG %s" "$*"')
    assert sg.influence_diagram(small()).png().endswith(b"-Kdot -Tpng -Gdpi=144")


@needs_scripts
def test_the_program_reads_the_source(alone):
    script(alone, "dot", "echo '<svg>'; cat")
    diagram = sg.derivative_diagram(small())
    assert diagram.svg() == f"<svg>\n{diagram.source}"


def test_without_a_renderer(alone, tmp_path):
    diagram = sg.derivative_diagram(small())
    for kind, draw in [("svg", diagram.svg), ("png", diagram.png), ("svg", lambda: diagram.save(tmp_path / "a.svg"))]:
        with pytest.raises(sg.RendererNotFound, match=f"no renderer found for a {kind} picture") as caught:
            draw()
        assert "pip install graphviz-pure" in str(caught.value)
        assert renderer.VARIABLE in str(caught.value)
    assert not (tmp_path / "a.svg").exists()
    for name in ("a.dot", "a.gv", "A.DOT"):
        diagram.save(tmp_path / name)
        assert (tmp_path / name).read_text() == diagram.source


def test_a_notebook_without_a_renderer_shows_the_text_with_a_hint(alone):
    diagram = sg.derivative_diagram(sg.sin(sg.Value(1.0, label="<script>")))
    bundle = diagram._repr_mimebundle_()
    assert set(bundle) == {"text/html", "text/plain"}
    assert "pip install graphviz-pure" in bundle["text/html"]
    assert "<script" not in bundle["text/html"]
    assert diagram.source in bundle["text/plain"]


@needs_scripts
def test_a_notebook_with_a_renderer_shows_the_picture(alone):
    script(alone, "dot", f'case "$*" in *png*) cat > /dev/null; printf "\\211PNG"; exit;; esac; {SVG}')
    diagram = sg.influence_diagram(small())
    bundle = diagram._repr_mimebundle_()
    assert list(bundle) == ["image/svg+xml", "image/png", "text/plain"]  # JupyterLab shows the PNG if it must
    assert bundle["image/svg+xml"] == diagram.svg()
    assert b64decode(bundle["image/png"]) == diagram.png()
    assert repr(diagram) == "<Diagram of 1 edges; .svg(), .png(), .save(path), .source>"


@needs_scripts
@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("cat > /dev/null; echo broken >&2; exit 3", "wrote no svg, exit code 3: broken"),
        ("cat > /dev/null; echo '<svg/>'; exit 1", "wrote no svg, exit code 1: no message"),
        ("cat > /dev/null", "wrote no svg, exit code 0: no message"),
        ("cat > /dev/null; echo text", "wrote no svg, exit code 0"),
        ("exit 2", "wrote no svg, exit code 2"),
    ],
)
def test_a_program_that_fails(alone, tmp_path, body, message):
    script(alone, "dot", body)
    path = tmp_path / "a.svg"
    path.write_text("before")
    diagram = sg.influence_diagram(small())
    with pytest.raises(RuntimeError, match=message) as caught:
        diagram.save(path)
    assert not isinstance(caught.value, sg.RendererNotFound)
    assert path.read_text() == "before"
    assert message.partition(",")[0] in diagram._repr_mimebundle_()["text/html"]


@needs_scripts
def test_noise_on_standard_error_is_no_failure(alone, capfd):
    script(alone, "dot", 'cat > /dev/null; echo "Warning: no font for ∂" >&2; echo "<svg/>"')
    assert sg.influence_diagram(small()).svg() == "<svg/>\n"
    assert capfd.readouterr() == ("", "")


@needs_scripts
def test_a_program_that_takes_too_long(alone):
    script(alone, "dot", "exec sleep 30")
    start = time.monotonic()
    with pytest.raises(RuntimeError, match=r"longer than 0\.2 s .* the DOT text is in `\.source`.* depth="):
        renderer.render("digraph {}", "svg", timeout=0.2)
    assert time.monotonic() - start < 10


def test_a_program_that_cannot_be_started(alone, monkeypatch):
    for named in (str(alone / "missing"), str(alone)):
        monkeypatch.setenv(renderer.VARIABLE, named)
        with pytest.raises(sg.RendererNotFound, match="can't be started"):
            sg.influence_diagram(small()).svg()


@needs_scripts
def test_a_pdf_needs_graphviz_itself(alone, tmp_path):
    script(alone, "dot", "cat > /dev/null; echo 'Format: \"pdf\" not recognized' >&2; exit 1")
    with pytest.raises(sg.RendererNotFound, match=r"wrote no pdf .*not recognized.*Graphviz's own `dot`"):
        sg.influence_diagram(small()).save(tmp_path / "a.pdf")
    script(alone, "dot", "cat > /dev/null; echo '%PDF-1.7'")
    sg.influence_diagram(small()).save(tmp_path / "a.pdf")
    assert (tmp_path / "a.pdf").read_bytes() == b"%PDF-1.7\n"


@pytest.mark.parametrize("name", ["a.txt", "a", "", "svg", ".svg", "a.svg.bak"])
def test_other_suffixes_are_refused(tmp_path, name):
    with pytest.raises(ValueError, match=r"must end in \.svg, \.png, \.pdf, \.dot or \.gv"):
        sg.influence_diagram(small()).save(name and tmp_path / name)


def test_a_file_is_saved_whole_or_not_at_all(tmp_path, monkeypatch):
    path = tmp_path / "a.dot"
    path.write_text("before")

    def interrupted(*args):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        sg.influence_diagram(small()).save(path)
    assert path.read_text() == "before"
    assert os.listdir(tmp_path) == ["a.dot"]


def test_a_missing_folder(tmp_path):
    with pytest.raises(FileNotFoundError):
        sg.influence_diagram(small()).save(tmp_path / "missing" / "a.dot")


# Real renderings


@needs_renderer
@every_view
def test_svg_and_png_come_out(view, tmp_path):
    diagram = view(swept())
    tree = ET.fromstring(re.sub("<!DOCTYPE.*?>", "", diagram.svg(), flags=re.DOTALL))  # noqa: S314 (our own text)
    assert tree.tag.endswith("svg")
    diagram.save(tmp_path / "a.PNG")
    assert (tmp_path / "a.PNG").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"


RENDERERS = [program for program in (shutil.which("dot"), pure()) if program] or [None]
every_renderer = pytest.mark.parametrize("program", RENDERERS, ids=lambda path: path and os.path.basename(path))


@pytest.fixture
def rendered_by(program, monkeypatch):
    """Draw with one of the programs that are installed."""
    if program is None:
        pytest.skip("no renderer: pip install graphviz-pure")
    monkeypatch.setenv(renderer.VARIABLE, program)


def boxes_of(svg):
    """The texts of an SVG with their x, and the x of the middle of the shape that was drawn before each."""
    found = []
    for group in re.findall(r'<g id="[^"]*" class="(?:node|label)">(.*?)</g>', svg, re.DOTALL):
        middle = None
        for tag, attributes, text in re.findall(r"<(polygon|path|ellipse|text)\b([^>]*)>([^<]*)", group):
            if tag == "text":
                found.append((text, float(re.search(r'\bx="([-\d.]+)"', attributes)[1]), middle))
            elif tag == "ellipse":
                middle = float(re.search(r'cx="([-\d.]+)"', attributes)[1])
            else:
                xs = [float(x) for x in re.findall(r"([-\d.]+),[-\d.]+", attributes)]
                middle = (min(xs) + max(xs)) / 2
    return found


@every_renderer
@every_view
def test_texts_are_centred_whatever_the_renderer_thinks_of_their_width(view, rendered_by):
    theta = sg.Value(1.5, label="theta_1")
    J = sg.sin(theta**2) * sg.exp(-theta)
    J.backward()
    svg = view(J).svg()
    assert 'text-anchor="start"' not in svg
    texts = boxes_of(svg)
    assert len(texts) > 4
    assert all(middle is None or abs(x - middle) < 0.02 for _, x, middle in texts)


@every_renderer
def test_no_line_crosses_a_label_in_a_png(program, rendered_by):
    source = sg.derivative_diagram(mixed(3), rankdir="TB").source
    laid_out = renderer._run(program, source, "dot", "dot", 30.0).decode()
    apart = renderer.labels_last(laid_out)
    places = re.findall(r'^\tlabel_\d+ \[label=<<table.*pos="([^"]*)"', apart, re.MULTILINE)
    assert places == re.findall(r'\blp="([^"]*)"', laid_out)[-len(places) :]  # the legend has one too, before them
    assert len(places) == len(edge_lines(source))
    assert apart.index("label_0 [") > apart.rindex(" -> ")  # drawn last
    assert "outputorder=edgesfirst" in apart
    assert re.findall(r'\spos="(e,[^"]*)"', apart) == re.findall(r'\spos="(e,[^"]*)"', laid_out)
    assert sg.derivative_diagram(mixed(3)).png()[:4] == b"\x89PNG"


def test_a_png_of_graphviz_pure_has_room_before_lines_that_it_takes_for_longer():
    source = sg.derivative_diagram(swept()).source
    moved = renderer.balanced(source)
    assert re.sub('"> +', '">', moved) == source
    assert '"> u = x²<' in moved
    assert '">v = sin u<' in moved  # nothing to make up for
    assert re.search(r'">  +∂J/∂u = 2.2804<', moved)


@every_renderer
def test_no_line_crosses_a_label(rendered_by):
    svg = sg.derivative_diagram(swept()).svg()
    last_line = max(match.start() for match in re.finditer(r'class="edge"', svg))
    labels = [match.start() for match in re.finditer(r'class="label"', svg)]
    assert len(labels) == 6
    assert min(labels) > last_line
    for group in re.findall(r'class="label">(.*?)</g>', svg, re.DOTALL):
        assert re.search(r'<polygon fill="(?:white|#ffffff)"', group, re.IGNORECASE)  # the plate


@every_renderer
def test_an_svg_fits_its_cell_and_its_titles_are_sentences(rendered_by):
    svg = sg.derivative_diagram(swept()).svg()
    assert '<svg style="max-width:100%;height:auto" ' in svg
    titles = re.findall(r"<title>(.*?)</title>", svg)
    assert titles[0] == "Derivative diagram of J: each edge carries its local derivative"
    assert "u = x²: its value is 1, ∂J/∂u = 2.2804" in titles
    assert "u influences v: the local derivative ∂v/∂u = cos u = 0.5403" in titles
    assert not any(re.fullmatch(r"n\d.*", title) for title in titles)


@every_renderer
def test_a_slide_is_legible_from_the_last_row(rendered_by):
    texts = pixels(sg.derivative_diagram(swept(), size="slide").svg())
    assert {"cos u", "= 0.5403", "−sin s", "3"} <= {text for text, _ in texts}
    assert min(size for _, size in texts) >= 20.0


@every_renderer
def test_a_phone_is_legible_at_arms_length(rendered_by):
    assert min(size for _, size in pixels(sg.derivative_diagram(swept(), size="phone").svg(), 390, 700)) >= 12.0


@every_renderer
@pytest.mark.parametrize("size", style.SIZES)
def test_nothing_overlaps_and_nothing_is_cut(size, rendered_by):
    for seed in range(3):
        for view in VIEWS:
            assert overlaps(view(mixed(seed), size=size).svg()) == []
    assert overlaps(sg.modules_diagram(swept(), size=size).svg()) == []


@every_renderer
def test_siblings_are_drawn_in_their_order(rendered_by):
    xs = [sg.Value(0.1 * i, label=f"x{i}") for i in range(1, 4)]
    model = nn.MLP(3, [5, 3], sg.tanh, nn.vector(sg.softmax))
    svg = sg.influence_diagram(nn.quadratic(model(xs), [0.0, 1.0, 0.0]), rankdir="LR").svg()
    for stem, above, count in [("x", "", 3), ("z", "⁽¹⁾", 5), ("y", "⁽¹⁾", 5), ("z", "⁽²⁾", 3), ("y", "⁽²⁾", 3)]:
        names = [f"{stem}{'₁₂₃₄₅'[i]}{above}" for i in range(count)]
        heights = [float(re.search(rf'y="([-\d.]+)"[^>]*>{name}<', svg)[1]) for name in names]
        assert heights == sorted(heights), names


@every_renderer
def test_a_name_from_right_to_left_is_isolated(rendered_by):
    svg = sg.derivative_diagram(sg.sin(sg.Value(1.0, label="מחיר"))).svg()
    assert ">∂J/∂\u2068מחיר\u2069 = cos \u2068מחיר\u2069</text>" in svg


def test_a_node_with_its_operands_and_what_it_feeds():
    J = swept()
    u = J.parents[0].parents[0].parents[0]
    source = sg.derivative_diagram(J, around=u).source
    assert [name for name, _ in node_lines(source)] == ["n0", "n1", "n2", "n3", "n5"]
    dashed = [(a, b) for a, b, look in edge_lines(source) if "dashed" in look]
    assert dashed == [("n2", "n5"), ("n3", "n5")]
    assert "∂J/∂u = 0.6441 · 0.5403 + 0.6441 · 3 = 2.2804" in source
    assert "n2_more" not in sg.influence_diagram(J, around=u).source
    with pytest.raises(ValueError, match="depth= and around= don't go together"):
        sg.derivative_diagram(J, around=u, depth=2)
    with pytest.raises(ValueError, match=r"around is .*, which the goal does not depend on"):
        sg.influence_diagram(J, around=sg.Value(1.0))


def test_modules_have_forward_and_backward_columns():
    source = sg.modules_diagram(lecture()).source
    modules = [(name, shown(look)) for name, look in re.findall(r"^\t(m\d) \[(.*)\]$", source, re.MULTILINE)]
    assert modules[:2] == [
        ("m0", ["inputs", "x = 1", "∂J/∂x = 4.5608"]),
        ("m1", ["module 1", "u = x² = 1", "∂J/∂x += ∂J/∂u · 2x = 2.2804 · 2 = 4.5608"]),
    ]
    assert modules[-1][1][1:] == ["J = cos s = −0.7649", "∂J/∂s += ∂J/∂J · (−sin s) = 1 · 0.6441 = 0.6441"]
    arrows = re.findall(r"(m\d:\w):\w -> (m\d:\w)", source)
    assert arrows[:2] == [("m0:f", "m1:f"), ("m1:b", "m0:b")]
    assert len(arrows) == 10


def test_the_units_of_a_layer_are_one_module():
    model = nn.MLP(2, [2, 1], sg.tanh, sg.sigmoid)
    J = nn.quadratic(model([0.5, -1.0]), 1.0)
    source = sg.modules_diagram(J).source
    assert "module 3" in source
    (first,) = re.findall(r"^\tm1 \[(.*)\]$", source, re.MULTILINE)
    steps = [step for step in sg.derivation(J).forward if re.fullmatch("z.⁽¹⁾", step.name.text)]
    assert [text for text in shown(first) if text.startswith("z")] == list(map(str, steps))
    modules = re.findall(r"^\tm\d \[(.*)\]$", source, re.MULTILINE)
    assert len(modules) == 6  # the inputs, z and y of two layers, and the loss
    assert any(text.startswith("J = ") for text in shown(modules[-1]))
    large = nn.quadratic(nn.MLP(9, [9], sg.tanh)([0.1] * 9), [1.0] * 9)
    assert "… 4 more …" in shown(re.findall(r"^\tm1 \[(.*)\]$", sg.modules_diagram(large).source, re.MULTILINE)[0])[5:]
    with pytest.raises(ValueError, match=r"there are .* modules, more than 2; name the units of a layer alike"):
        sg.modules_diagram(J, max_nodes=2)
    with pytest.raises(TypeError, match="modules_diagram: needs a Value, got 3"):
        sg.modules_diagram(3)


@every_view
@pytest.mark.parametrize("size", style.SIZES)
@pytest.mark.parametrize("palette", style.PALETTES)
def test_sizes_and_palettes(view, size, palette):
    source = view(swept(), size=size, palette=palette).source
    assert style.PALETTES[palette].background in source
    assert style.PALETTES[palette].input["fillcolor"] in source
    assert (" size=" in source) == (size != "screen")
    with pytest.raises(
        ValueError, match=f"{view.__name__}: size is 'huge'; give one of 'screen', 'slide', 'phone', 'print'"
    ):
        view(swept(), size="huge")
    with pytest.raises(ValueError, match=f"{view.__name__}: palette is 'red'; give one of 'light', 'dark', 'grey'"):
        view(swept(), palette="red")


def test_a_derivative_diagram_shows_formulas_numbers_or_both():
    formulas = sg.derivative_diagram(swept(), show="formula").source
    assert edge_labels(formulas)[:2] == ["∂u/∂x = 2x", "∂v/∂u = cos u"]
    assert "2.2804" not in formulas
    numbers = sg.derivative_diagram(swept(), show=("number",), digits=2).source
    assert edge_labels(numbers)[:2] == ["∂u/∂x = 2", "∂v/∂u = 0.54"]
    assert "x²" not in numbers
    assert "∂J/∂u = 2.28" in shown(numbers)
    for bad in ("all", (), ("formula", "value")):
        with pytest.raises(ValueError, match=r"show is .*; give 'formula', 'number' or both"):
            sg.derivative_diagram(swept(), show=bad)


def test_ways_are_highlighted_with_their_product_and_sum():
    J = swept()
    u = J.parents[0].parents[0].parents[0]
    source = sg.derivative_diagram(J, highlight=u).source
    assert "∂J/∂u = 0.5403 · 1 · 0.6441 + 3 · 1 · 0.6441 = 2.2804" in source
    marked = [(a, b) for a, b, look in edge_lines(source) if MARK in look]
    assert marked == [("n1", "n2"), ("n1", "n3"), ("n2", "n4"), ("n3", "n4"), ("n4", "n5")]
    one = sg.influence_diagram(J, highlight=sg.paths(J, u)[1]).source
    assert [(a, b) for a, b, look in edge_lines(one) if MARK in look] == [("n1", "n3"), ("n3", "n4"), ("n4", "n5")]
    assert "u → w → s → J: 3 · 1 · 0.6441 = 1.9324" in one
    with pytest.raises(TypeError, match=r"highlight is 'x'; give a Value, or what sg\.paths returns"):
        sg.derivative_diagram(J, highlight="x")


def test_a_bracket_is_explained_below_the_picture():
    z = sg.Value(0.5, label="z")
    assert 'label="[z ≥ 0] is 1 if z ≥ 0, else 0"' in sg.derivative_diagram(sg.relu(z)).source
    assert sg.derivative_diagram(sg.relu(sg.relu(z) - 1.0)).source.count("is 1 if") == 1


def test_a_graph_that_is_too_large_is_refused_before_it_is_named(monkeypatch):
    J = chain(56_000)

    def named(*args):
        raise AssertionError("it was named")

    monkeypatch.setattr(picture, "Names", named)
    for view in VIEWS:
        with pytest.raises(ValueError, match="56001 nodes, more than 200"):
            view(J)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000))
def test_each_statement_on_a_derivative_diagram_is_true(seed):
    J = mixed(seed)
    J.backward()
    source = sg.derivative_diagram(J, max_nodes=None, digits=12).source
    order = topological_order(J)
    by_name = {f"n{i}": node for i, node in enumerate(order)}
    drawn = {}
    for a, b, attributes in edge_lines(source):
        assert (a, b) not in drawn
        drawn[a, b] = number(shown(attributes)[-1].rpartition("= ")[2])
    for name, node in by_name.items():
        parents = {id(parent): parent for parent in node.parents}
        assert {a for a, b in drawn if b == name} == {n for n, p in by_name.items() if id(p) in parents}
        for (a, b), shown_slope in drawn.items():
            if b == name:
                total = sum(p for parent, p in zip(node.parents, node.partials, strict=True) if parent is by_name[a])
                assert shown_slope == pytest.approx(total, rel=1e-9, abs=1e-9)
    for name, attributes in node_lines(source):
        lines = shown(attributes)
        assert number(lines[1]) == pytest.approx(by_name[name].data, rel=1e-9, abs=1e-9)
        assert number(lines[2].rpartition("= ")[2]) == pytest.approx(by_name[name].grad, rel=1e-9, abs=1e-9)


def number(text):
    mantissa, _, power = text.replace("−", "-").partition("·10")
    return float(mantissa) * 10.0 ** float(power.translate(str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")) or 0)


def mixed(seed):
    rng = random.Random(seed)
    nodes = [sg.Value(rng.uniform(0.2, 1.5), label=f"x{i}") for i in range(1, 4)]
    for _ in range(12):
        a, b = rng.choice(nodes), rng.choice(nodes)
        made = [
            a * b,
            a - b,
            a / (1.0 + b * b),
            sg.dot([a, b], [b, a]),
            sg.prod([a, b, a]),
            sg.sin(a),
            a**2,
            sg.maximum(a, b),
        ]
        nodes.append(rng.choice([*made, sg.softmax([a, b])[1], sg.tanh(a + b)]))
    return sg.sum(nodes)


@needs_renderer
def test_every_label_of_the_derivative_diagram_is_drawn():
    svg = sg.derivative_diagram(swept()).svg()
    for text in ["u = x²", "s = v + w", "∂J/∂x = 4.5608", "∂J/∂s = −sin s", "= 0.6441", "∂w/∂u = 3", "−0.7649"]:
        assert f">{text}</text>" in svg


@needs_renderer
def test_neato_keeps_given_positions():
    svg = sg.Diagram('digraph { a [pos="0,0" width=1 height=1]; b [pos="300,40" width=1 height=1]; }', "neato").svg()
    centres = [tuple(map(float, c)) for c in re.findall(r'<ellipse[^>]*cx="([-\d.]+)" cy="([-\d.]+)"', svg)]
    (left, top), (right, bottom) = centres
    assert (right - left, top - bottom) == (300.0, 40.0)


def test_pictures_leave_the_graph_as_it_was():
    J = swept()
    before = [(node.data, node.grad, node.label, node.mark) for node in topological_order(J)]
    for view in VIEWS:
        view(J, merge=True, depth=3)
    assert [(node.data, node.grad, node.label, node.mark) for node in topological_order(J)] == before
