"""The page that `walkthrough` makes: its data, its text, and, in `test_walkthrough_browser.py`, its behaviour."""

import json
import random
import re

import pytest

import scalargrad as sg
from scalargrad.command.cli import main
from scalargrad.diagrams import page as module
from scalargrad.diagrams import renderer
from scalargrad.interpreters.names import digits

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


def test_backward_lines_are_the_engines():
    J = mixed(30)
    data = data_of(sg.walkthrough(J))
    J.backward()
    order = sorted({id(n): n for n in reach(J)}.values(), key=lambda n: n.serial)
    assert [node["value"] for node in data["nodes"]] == [digits(n.data) for n in order]
    assert len(data["backward"]) == len(data["edges"]) == sum(len(n.parents) for n in order)
    sums = {}
    for edge, _, was, now in data["backward"]:
        parent = data["edges"][edge]["from"]
        assert was == sums.get(parent)
        sums[parent] = now
    assert sums == {i: digits(n.grad) for i, n in enumerate(order[:-1])}


def reach(J):
    found = [J]
    for node in found:
        found += [p for p in node.parents if all(p is not f for f in found)]
    return found


def test_backward_goes_in_reverse_topological_order():
    data = data_of(sg.walkthrough(mixed(30)))
    children = [data["edges"][edge]["to"] for edge, *_ in data["backward"]]
    assert children == sorted(children, reverse=True)


def test_sweeps_are_jvps():
    def f(x, y):
        return sg.atan2(x * y, sg.exp(x)) * x

    x, y = sg.Value(0.7, label="x"), sg.Value(-1.3, label="y")
    data = data_of(sg.walkthrough(f(x, y)))
    goal = len(data["nodes"]) - 1
    for sweep, tangents in zip(data["sweeps"], [(1.0, 0.0), (0.0, 1.0)], strict=True):
        final = [now for edge, _, _, now in sweep["lines"] if data["edges"][edge]["to"] == goal][-1]
        assert final == digits(sg.jvp(f, (0.7, -1.3), tangents)[1])


def test_ids_are_those_of_the_picture():
    page = sg.walkthrough(mixed(20))
    data = data_of(page)
    for thing in data["nodes"] + data["edges"]:
        assert f'id="{data["prefix"]}_{thing["id"]}"' in page.html


def test_a_square_has_two_edges():
    a = sg.Value(3.0, label="a")
    data = data_of(sg.walkthrough(a * a))
    assert [line[1:] for line in data["backward"]] == [["3", None, "3"], ["3", "3", "6"]]


def test_grad_is_left_alone_and_not_needed():
    J = lecture()
    J.backward()
    x = J.parents[0].parents[0].parents[0].parents[0]
    before = x.grad
    once = data_of(sg.walkthrough(J))
    J.backward()
    assert x.grad == 2 * before
    for data in data_of(sg.walkthrough(J)), data_of(sg.walkthrough(lecture())):
        assert data | {"prefix": ""} == once | {"prefix": ""}
    assert sg.walkthrough(J).html == sg.walkthrough(J).html


def test_leaf_alone_and_odd_numbers():
    data = data_of(sg.walkthrough(sg.Value(2.0)))
    assert (data["title"], data["edges"], data["backward"]) == ("J", [], [])
    x = sg.Value(0.0, label="x")
    data = data_of(sg.walkthrough(sg.sqrt(x) * 2))
    assert data["backward"][-1][3] == "∞"
    assert data_of(sg.walkthrough(sg.floor(x)))["backward"] == [[0, "0", None, "0"]]


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
        sg.walkthrough(x)
    assert len(data_of(sg.walkthrough(x.parents[0]))["nodes"]) == 200


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
