"""The page that `walkthrough` makes: its data, its text, and, in `test_walkthrough_browser.py`, its behaviour."""

import json
import random
import re
import sys

import pytest

import scalargrad as sg
from scalargrad import nn
from scalargrad.command.cli import main
from scalargrad.diagrams import page as module
from scalargrad.diagrams import renderer
from scalargrad.engine.graph import topological_order

from .graphs import lecture

pytestmark = pytest.mark.skipif(renderer.find_renderer() is None, reason="no renderer: pip install graphviz-pure")

NASTY = "</script><script>document.title='broken'</script><img src=x onerror=alert(1)>"


def mixed(nodes: int, seed: int = 0) -> sg.Value:
    """A graph of that many nodes with all kinds of fan-in and fan-out."""
    rng = random.Random(seed)
    made = [sg.Value(rng.uniform(-1, 1), label=f"x{i}") for i in range(1, nodes // 4 + 1)]
    while len(made) < nodes - 1:
        a, b = rng.choice(made[-9:]), rng.choice(made)
        operation = rng.choice([lambda a, b: a * b, lambda a, b: a - b, lambda a, b: sg.tanh(a)])
        made.append(operation(a, b))
    return sg.sum(made)


def data_of(page: sg.Page) -> dict:
    """The data in the page, read as a browser reads it: up to the first end of the block."""
    return json.loads(page.html.split('id="data">')[1].split("</script>")[0])


def numbers(found):
    return [None if x is None else float(x) for x in found]


def test_numbers_are_the_engines_exactly():
    J = mixed(30)
    data = data_of(sg.walkthrough(J))
    order = topological_order(J)
    assert numbers(data["values"]) == [node.data for node in order]
    assert numbers(data["partials"]) == [partial for node in order for partial in node.partials_or_none]
    assert data["inputs"] == [i for i, node in enumerate(order) if node.primitive is None]


def test_edges_are_those_of_the_graph():
    J = mixed(30)
    data = data_of(sg.walkthrough(J))
    order = topological_order(J)
    at = {id(node): i for i, node in enumerate(order)}
    places = [place for edge in data["edges"] for place in edge["places"]]
    assert sorted(places) == list(range(len(data["partials"])))
    assert {(e["from"], e["to"]) for e in data["edges"]} == {(at[id(p)], at[id(n)]) for n in order for p in n.parents}


def test_ids_are_those_of_the_picture():
    page = sg.walkthrough(mixed(20))
    data = data_of(page)
    directions = re.findall('<svg [^>]*class="(LR|TB)"', page.html)
    assert directions
    for direction in directions:
        for kind in ("node", "edge"):
            for i in range(len(data[f"{kind}s"])):
                assert f'id="{direction}{kind[0]}{i}"' in page.html


@pytest.mark.parametrize(("rankdir", "directions"), [(None, ["LR", "TB"]), ("LR", ["LR"]), ("TB", ["TB"])])
def test_a_short_graph_is_laid_out_for_both_kinds_of_screens(rankdir, directions):
    page = sg.walkthrough(lecture(), rankdir=rankdir)
    assert re.findall('<svg [^>]*class="(LR|TB)"', page.html) == directions


def test_a_square_has_one_edge_with_the_summed_derivative():
    a = sg.Value(3.0, label="a")
    data = data_of(sg.walkthrough(a * a))
    assert data["edges"] == [{"from": 0, "to": 1, "places": [0, 1], "formula": "2a", "factor": "2a"}]


def test_a_factor_that_is_a_sum_or_signed_has_parentheses():
    x = sg.Value(3.0, label="x")
    assert [edge["factor"] for edge in data_of(sg.walkthrough(sg.cos(x)))["edges"]] == ["(−sin x)"]


def test_a_changed_leaf_is_marked():
    x = sg.Value(3.0, label="x")
    J = x * x
    x.data = 5.0
    assert data_of(sg.walkthrough(J))["nodes"][0]["note"] == "changed since the forward pass"


def network() -> sg.Value:
    """A network of two layers, with a loss."""
    model = nn.MLP(2, [3, 2])
    first, second = model([sg.Value(0.5, label="x1"), sg.Value(-1.0, label="x2")])
    return (first - 1.0) ** 2 + second**2


def test_a_network_is_drawn_in_units_and_told_by_layer():
    page = sg.walkthrough(network())
    data = data_of(page)
    assert data["stages"] == "layers"
    stages = dict.fromkeys(node["stage"] for node in data["nodes"] if node["formula"])
    assert list(stages)[:4] == ["z⁽¹⁾", "y⁽¹⁾", "z⁽²⁾", "y⁽²⁾"]
    assert sum(node.get("parameter", False) for node in data["nodes"]) == 17
    assert page.html.count('class="node ') == len(data["nodes"]) - 17
    whole = sg.walkthrough(network(), by_layer=False)
    assert not data_of(whole)["stages"]
    assert whole.html.count('class="node ') == len(data["nodes"])


def middles(html: str) -> dict[int, float]:
    """The x of each node's texts, by its place, in the first picture."""
    first = html.split("</svg>", maxsplit=1)[0]
    node = r'<g id="\w\wn(\d+)" class="node[^>]*>.*?<text class="equation" x="([^"]*)"'
    return {int(i): float(x) for i, x in re.findall(node, first, re.DOTALL)}


def test_units_of_a_layer_stand_in_their_order():
    page = sg.walkthrough(network(), rankdir="TB")
    nodes, xs = data_of(page)["nodes"], middles(page.html)
    for layer in ("z⁽¹⁾", "y⁽¹⁾", "z⁽²⁾", "y⁽²⁾"):
        row = [(node["name"], xs[i]) for i, node in enumerate(nodes) if node["stage"] == layer]
        assert [name for name, _ in sorted(row, key=lambda unit: unit[1])] == sorted(name for name, _ in row)


def test_a_wide_layer_is_one_box():
    model = nn.MLP(2, [16, 16, 1])
    J = model([sg.Value(0.5, label="x1"), sg.Value(-1.0, label="x2")]) ** 2
    page = sg.walkthrough(J)
    assert page.html.count("z⁽²⁾: 16 units") >= 1
    assert page.html.count('class="node folded"') == 4
    shared = {node["box"] for node in data_of(page)["nodes"] if "box" in node}
    assert len(shared) == 4


def test_small_graphs_are_folded_only_if_asked():
    x = [sg.Value(float(i), label=f"x{i}") for i in range(3)]
    w = [sg.Value(float(i), label=f"w{i}") for i in range(3)]
    z = [sg.affine(w, x, sg.Value(0.5, label="b")) for _ in range(2)]
    sg.label({"z1": z[0], "z2": z[1]})
    J = z[0] * z[1]
    assert not data_of(sg.walkthrough(J))["stages"]
    assert data_of(sg.walkthrough(J, by_layer=True))["stages"] == "layers"


def test_a_loop_is_folded():
    w = sg.Value(2.0, label="w")
    y = w
    for _ in range(40):
        y = y - 0.1 * sg.sin(y)
    page = sg.walkthrough(y)
    data = data_of(page)
    assert data["stages"] == "turns"
    assert len(data["nodes"]) == 121
    assert "37 turns alike" in page.html
    assert page.html.count('class="node ') == 1 + 3 + 3 + 1 + 3  # the first turn begins otherwise
    assert len(page.html) < 120_000


def test_leaf_alone_and_odd_numbers():
    data = data_of(sg.walkthrough(sg.Value(2.0)))
    assert (data["title"], data["edges"], data["values"]) == ("J", [], [2.0])
    x = sg.Value(0.0, label="x")
    assert numbers(data_of(sg.walkthrough(sg.sqrt(x) * 2))["partials"]) == [float("inf"), 2.0]
    assert data_of(sg.walkthrough(sg.floor(x)))["partials"] == [None]


def test_an_opaque_primitive_has_no_program(rows_restored):
    gamma = sg.primitive("gamma_of_python", lambda x: 2.0 * x, lambda x: 2.0, opaque=True)
    page = sg.walkthrough(gamma(sg.Value(2.0, label="x")))
    assert "const program = null;" in page.html


def test_grad_is_left_alone_and_not_needed():
    J = lecture()
    J.backward()
    x = J.parents[0].parents[0].parents[0].parents[0]
    before = x.grad
    once = data_of(sg.walkthrough(J))
    J.backward()
    assert x.grad == 2 * before
    assert data_of(sg.walkthrough(J)) == data_of(sg.walkthrough(lecture())) == once
    assert sg.walkthrough(J).html == sg.walkthrough(J).html


def test_title_is_the_whole_formula_while_it_is_short():
    assert data_of(sg.walkthrough(lecture()))["title"] == "J = cos(sin(x²) + 3x²)"
    x = sg.Value(0.1, label="x")
    y = x
    for _ in range(9):
        y = sg.sin(y) * x + y
    assert len(data_of(sg.walkthrough(y))["title"]) < 120


def test_merge():
    x = sg.Value(1.0, label="x")
    J = sg.sin(x * x) + x * x
    assert len(data_of(sg.walkthrough(J))["nodes"]) == 5
    assert len(data_of(sg.walkthrough(J, merge=True))["nodes"]) == 4


@pytest.mark.parametrize("label", [NASTY, "]]>", "<!--", "'\"`", "&lt;", "@DATA@", "\\u003c", "a\u202eb\u2066", "x\ny"])
def test_labels_cannot_break_out(label):
    plain = sg.walkthrough(sg.sin(sg.Value(1.0, label="x"))).html
    page = sg.walkthrough(sg.sin(sg.Value(1.0, label=label)))
    assert len(re.findall("<script", page.html)) == len(re.findall("<script", plain))
    assert "<img" not in page.html
    assert not set(page.html) & set("\u202a\u202b\u202d\u202e\u2066\u2067")
    shown = "".join("\N{REPLACEMENT CHARACTER}" if c in "\n\u202e\u2066" else c for c in label)
    assert data_of(page)["nodes"][0]["name"][:40] == shown[:40]


def test_page_stands_alone():
    text = sg.walkthrough(lecture()).html
    outside = re.findall(r"""(?:src|href)=["']?([^"' >]+)|url\(([^)]*)\)|@import""", text)
    assert outside == [("data:,", "")]
    assert "<title>n0" not in text
    assert "<!--" not in text


def test_size():
    assert len(sg.walkthrough(mixed(50)).html.encode()) < 300_000


def test_past_the_cap_it_names_the_ways_out():
    x = sg.Value(1.0)
    for _ in range(200):
        x = sg.sin(x)
    with pytest.raises(ValueError, match=r"201 nodes, more than 200.*influence_diagram.*max_nodes=None"):
        sg.walkthrough(x, by_layer=False)
    assert len(data_of(sg.walkthrough(x.parents[0], by_layer=False))["nodes"]) == 200
    assert len(data_of(sg.walkthrough(x))["nodes"]) == 201  # folded


@pytest.mark.parametrize("thing", [1.0, None, "x", [sg.Value(1.0)]])
def test_what_is_no_value_is_refused(thing):
    with pytest.raises(TypeError, match="walkthrough: needs a Value"):
        sg.walkthrough(thing)


def test_without_a_renderer_it_says_what_to_install(monkeypatch):
    monkeypatch.setattr(renderer, "find_renderer", lambda: None)
    with pytest.raises(sg.RendererNotFound, match="pip install graphviz-pure"):
        sg.walkthrough(lecture())


def test_save(tmp_path):
    page = sg.walkthrough(lecture())
    page.save(tmp_path / "w.html")
    assert (tmp_path / "w.html").read_text(encoding="utf-8") == page.html
    with pytest.raises(ValueError, match=r"must end in \.html"):
        page.save(tmp_path / "w.svg")
    with pytest.raises(OSError, match="No such file"):
        page.save(tmp_path / "missing" / "w.html")
    assert [p.name for p in tmp_path.iterdir()] == ["w.html"]


def test_command(tmp_path, capsys):
    file = tmp_path / "w.html"
    assert main(["x**2 * y", "x=3", "y=2", "--walkthrough", str(file)]) == 0
    assert '"title":"J = x²·y"' in file.read_text(encoding="utf-8")
    assert main(["x**2", "x=3", "--walkthrough", str(tmp_path / "w.txt")]) == 2
    assert "must end in .html" in capsys.readouterr().err


def test_notebook_frame_has_no_rights_but_scripts():
    frame = sg.walkthrough(lecture())._repr_html_()
    assert frame.count("<") == 2  # the frame and its end: all of the page is escaped
    assert 'sandbox="allow-scripts"' in frame


def test_repr():
    assert repr(sg.walkthrough(lecture())) == "<Page 'J = cos(sin(x²) + 3x²)'; .html, .save(path)>"
    assert module.__all__ == ["Page", "walkthrough"]


def test_widget():
    pytest.importorskip("anywidget", reason="no anywidget: pip install anywidget")
    x, y = sg.Value(3.0, label="x"), sg.Value(2.0, label="y")
    page = sg.walkthrough(x * y)
    assert page.inputs == {"x": 3.0, "y": 2.0}
    widget = page.widget()
    assert widget.inputs == page.inputs
    assert widget.names == ["x", "y"]
    assert widget.page == page.html
    heard = []
    widget.observe(lambda change: heard.append(change["new"]), "inputs")
    widget.inputs = {"x": 1.0, "y": 2.0}
    assert heard == [{"x": 1.0, "y": 2.0}]
    with pytest.raises(Exception, match="float"):
        widget.inputs = {"x": "text", "y": 2.0}


def test_widget_without_anywidget(monkeypatch):
    monkeypatch.setitem(sys.modules, "anywidget", None)
    with pytest.raises(ImportError, match="pip install anywidget"):
        sg.walkthrough(lecture()).widget()
