"""Pictures of programs: loops are boxes with their turns, and edges lead from the steps that make the operands."""

import re

import pytest

import scalargrad as sg
from scalargrad.diagrams.renderer import find_renderer


def decayed(rate, y):
    for _ in range(100):
        y = y - 0.01 * rate * sg.sin(y)
    return y


def drawn(diagram):
    """The nodes' texts by box, and the edges between texts; a dashed one is marked by the word next."""
    texts = dict(re.findall(r'^\t+(n\d+) \[label="?(.*?)"? color=', diagram.source, re.MULTILINE))
    boxes, inside = {"": []}, [""]
    for line in diagram.source.splitlines():
        if found := re.match(r"\t+subgraph cluster_(\w+)", line):
            inside.append(found[1])
        elif line.strip() == "}" and len(inside) > 1:
            inside.pop()
        elif found := re.search(r'label="(.*?)" labeljust', line):
            inside[-1] = found[1]
            boxes[found[1]] = []
        elif found := re.match(r"\t+(n\d+) \[label", line):
            boxes[inside[-1]].append(texts[found[1]])
    edges = re.findall(r"(n\d+) -> (n\d+) \[(constraint=false)?", diagram.source)
    return boxes, {(texts[a], texts[b], *(["next"] if again else [])) for a, b, again in edges}


def test_a_loop_is_a_box_with_its_turns():
    boxes, edges = drawn(sg.jit(decayed).program(0.5, 1.0).diagram())
    assert boxes == {
        "": ["v0", "v1", "v2 = 0.01 · v0", "return v3"],
        r"× 100\nu0 = v2": ["u1 from v1", "u2 = sin(u1)", "u3 = u0 · u2", "u4 = u1 − u3"],
    }
    assert edges == {
        ("v0", "v2 = 0.01 · v0"),
        ("v1", "u1 from v1"),
        ("u1 from v1", "u2 = sin(u1)"),
        ("v2 = 0.01 · v0", "u3 = u0 · u2"),
        ("u2 = sin(u1)", "u3 = u0 · u2"),
        ("u1 from v1", "u4 = u1 − u3"),
        ("u3 = u0 · u2", "u4 = u1 − u3"),
        ("u4 = u1 − u3", "u1 from v1", "next"),
        ("u4 = u1 − u3", "return v3"),
    }


def test_a_column_comes_from_the_step_that_stacked_it():
    boxes, edges = drawn(sg.jit(sg.value_and_grad(decayed)).program(0.5, 1.0).diagram())
    assert sum(label.startswith("× 99") for label in boxes) == 2
    ((_, cosine),) = [edge for edge in edges if edge[0].endswith("cos(u5)")]
    assert re.fullmatch(r"u\d in v\d+, v\d+ … v\d+", cosine)


def test_a_loop_of_any_length_and_with_branches():
    mean = sg.jit(sg.batch_mean(lambda x: sg.exp(x) if x > 1 else x))
    boxes, edges = drawn(mean.program([float(x) for x in range(20)]).diagram())
    assert list(boxes) == ["", "× n, any order", "way 1 of 2", "way 2 of 2"]
    assert boxes["× n, any order"] == ["u0 from -0.0", "u1 in v1"]
    assert {edge[1] for edge in edges if edge[0] == "u2 = 1.0 &lt; u1"} == {"check u2", "check not u2"}
    assert len({edge[0] for edge in edges if edge[1] == "v3 = v2 / v0"}) == 3


def test_a_loop_within_a_loop():
    def spread(rows):
        return sg.vmap(lambda row: sg.batch_mean(lambda x: sg.exp(x * row[0]))(row))(rows)

    source = sg.jit(spread).program([[0.1 * k for k in range(5)]] * 4).diagram().source
    labels = re.findall(r'^(\t+)id=\S+ label="(.*?)[\\"]', source, re.MULTILINE)
    assert labels == [("\t\t", "× 4, any order"), ("\t\t\t", "× 5, any order")]


def test_many_inputs_are_one_node_and_a_long_step_is_cut():
    boxes, _ = drawn(sg.jit(lambda x: sg.dot(x, x)).program([1.0] * 100).diagram())
    assert boxes[""][0] == "v0…v99"
    assert all(len(text) <= 44 for text in boxes[""])


def test_a_large_program_is_refused_before_it_is_drawn():
    program = sg.jit(decayed).program(0.5, 1.0)
    program = type(program)(2, program.steps[:1] * 201, (2,))
    with pytest.raises(ValueError, match=r"diagram: the program has .* steps, more than 200"):
        program.diagram()
    with pytest.raises(ValueError, match="diagram: size is 'huge'"):
        program.diagram(size="huge")


@pytest.mark.skipif(find_renderer() is None, reason="no renderer: pip install graphviz-pure")
def test_the_picture_is_rendered_with_its_boxes_and_titles():
    svg = sg.jit(decayed).program(0.5, 1.0).diagram(palette="dark").svg()
    assert "× 100" in svg
    assert "To the next turn" in svg
