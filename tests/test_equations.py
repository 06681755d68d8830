"""The equations of a graph: the lecture's example line by line, names, shapes of text and Markdown."""

import copy
import csv
import io
import math
import random
import re
import sys

import pytest

import scalargrad as sg
from scalargrad.diagrams.naming import Names
from scalargrad.engine.linearization import merged, topological_order
from scalargrad.rows import TABLE

from .graphs import lecture


def values(count):
    return [sg.Value(0.5 * i - 1.0, label=f"z{i + 1}") for i in range(count)]


def forward(J):
    return [str(step) for step in sg.derivation(J).forward]


def backward(J):
    return [str(line) for line in sg.derivation(J).backward]


def test_the_lecture_example_as_text():
    assert str(sg.derivation(lecture())).splitlines() == [
        "Forward",
        "  x         = 1",
        "  u = x²    = 1",
        "  v = sin u = 0.8415",
        "  w = 3u    = 3",
        "  s = v + w = 3.8415",
        "  J = cos s = −0.7649",
        "Backward",
        "  ∂J/∂J = 1",
        "  ∂J/∂s += ∂J/∂J · (−sin s) = 1 · 0.6441 = 0.6441",
        "  ∂J/∂v += ∂J/∂s · 1 = 0.6441 · 1 = 0.6441",
        "  ∂J/∂w += ∂J/∂s · 1 = 0.6441 · 1 = 0.6441",
        "  ∂J/∂u += ∂J/∂w · 3 = 0.6441 · 3 = 1.9324",
        "  ∂J/∂u += ∂J/∂v · cos u = 0.6441 · 0.5403 = 0.3480   (was 1.9324, now 2.2804)",
        "  ∂J/∂x += ∂J/∂u · 2x = 2.2804 · 2 = 4.5608",
    ]


def test_the_lecture_example_as_data():
    derived = sg.derivation(lecture())
    s, u = math.sin(1.0) + 3.0, 2.0
    by_s = -math.sin(s)
    by_u = by_s * 3.0 + by_s * math.cos(1.0)
    assert derived.goal.data == math.cos(s)
    assert derived.gradient == {"x": by_u * u}
    assert derived.adjoints == {"x": by_u * u, "u": by_u, "v": by_s, "w": by_s, "s": by_s, "J": 1.0}
    assert [step.name.text for step in derived.forward] == ["x", "u", "v", "w", "s", "J"]
    assert derived.forward[0].formula is None
    assert [line.is_first for line in derived.backward] == [True, True, True, True, False, True]


def test_unnamed_nodes_are_numbered_in_order_and_the_goal_has_a_name_of_its_own():
    x = sg.Value(2.0, label="x")
    assert forward(sg.exp(sg.sin(x) * 3.0)) == [
        "x = 2",
        "v₁ = sin x = 0.9093",
        "v₂ = 3v₁ = 2.7279",
        "J = exp v₂ = 15.3006",
    ]


def test_a_number_that_a_label_has_taken_is_left_out():
    x = sg.Value(2.0, label="v1")
    assert [step.name.text for step in sg.derivation(sg.sin(x) + 1.0).forward] == ["v₁", "v₂", "J"]


def test_duplicate_labels_are_told_apart():
    x, y, z = sg.Value(1.0, label="x"), sg.Value(2.0, label="x"), sg.Value(3.0, label="J")
    derived = sg.derivation(x * y + z)
    assert [step.name.text for step in derived.forward] == ["x", "x₍₂₎", "J", "v₁", "J₍₂₎"]
    assert derived.gradient == {"x": 2.0, "x₍₂₎": 1.0, "J": 1.0}
    assert derived.forward[1].name.latex == "{x}_{(2)}"


def test_names_that_are_shown_alike_are_told_apart():
    x, y = sg.Value(1.0, label="x1"), sg.Value(2.0, label="x_1")
    assert sg.derivation(x * y).gradient == {"x₁": 2.0, "x₁₍₂₎": 1.0}


def test_a_leaf_as_goal():
    named, unnamed = sg.derivation(sg.Value(2.0, label="x")), sg.derivation(sg.Value(2.0))
    assert str(named) == "Forward\n  x = 2\nBackward\n  ∂x/∂x = 1"
    assert (named.gradient, unnamed.gradient) == ({"x": 1.0}, {"J": 1.0})


def test_operands_used_twice_have_a_factor_and_a_line_each():
    x = sg.Value(3.0, label="x")
    assert forward(x * x)[-1] == "J = x·x = 9"
    assert forward(sg.prod([x, x, x]))[-1] == "J = x·x·x = 27"
    assert forward(sg.dot([x, x], [x, 2.0]))[-1] == "J = x·x + 2x = 15"
    assert sg.derivation(x * x).forward[-1].formula.latex == r"x \cdot x"
    assert backward(x * x) == [
        "∂J/∂x += ∂J/∂J · x = 1 · 3 = 3",
        "∂J/∂x += ∂J/∂J · x = 1 · 3 = 3   (was 3, now 6)",
    ]


def test_a_sum_that_has_come_back_to_zero_is_not_the_first():
    x = sg.Value(3.0, label="x")
    assert [line.is_first for line in sg.derivation((x - x) + x).backward] == [True, True, False, False]


def test_softmax_outputs_name_each_other():
    z = values(2)
    p, q = sg.softmax(z)
    sg.label({"p": p, "q": q})
    J = p * q
    assert forward(J)[2:4] == ["p = softmax(z₁, z₂)₁ = 0.3775", "q = softmax(z₁, z₂)₂ = 0.6225"]
    assert [line.formula.text for line in sg.derivation(J).backward] == [
        "q",
        "p",
        "−q·p",
        "q·(1 − q)",
        "p·(1 − p)",
        "−p·q",
    ]


@pytest.mark.parametrize("copied", [merged, copy.deepcopy], ids=["merged", "deepcopy"])
def test_softmax_outputs_name_each_other_in_copies(copied):
    p, q = sg.softmax(values(2))
    sg.label({"p": p, "q": q})
    assert "−q·p" in {line.formula.text for line in sg.derivation(copied(p * q)).backward}


def test_an_output_that_nothing_uses_is_named_by_its_formula():
    p, _ = sg.softmax(values(2))
    assert [line.formula.text for line in sg.derivation(p).backward] == ["J·(1 − J)", "−J·softmax(z₁, z₂)₂"]


def test_an_output_that_nothing_uses_is_named_after_its_siblings():
    ys = sg.softmax(values(3))
    for j, y in enumerate(ys, 1):
        y.label = f"y{j}"
    assert [line.formula.text for line in sg.derivation(ys[1]).backward] == ["−y₂·y₁", "y₂·(1 − y₂)", "−y₂·y₃"]
    ys[1].label = "y₂⁽²⁾"
    assert sg.derivation(ys[1]).backward[0].formula.latex == r"-y_{2}^{(2)} \cdot y_{1}^{(2)}"
    ys[1].label = "y₂₂"  # whose 2 is it?
    assert sg.derivation(ys[1]).backward[0].formula.text == "−y₂₂·softmax(z₁, z₂, z₃)₁"


def test_softmax_of_one_input_reads_apart_from_its_index():
    (p,) = sg.softmax(values(1))
    assert sg.derivation(p).forward[1].formula.text == "(softmax z₁)₁"
    assert sg.derivation(p).forward[1].formula.latex == r"\left(\operatorname{softmax} z_{1}\right)_{1}"


def test_log_softmax():
    p, _ = sg.log_softmax(values(2))
    assert sg.derivation(p).forward[-1].formula.text == "log_softmax(z₁, z₂)₁"
    assert [line.formula.text for line in sg.derivation(p).backward] == ["1 − exp J", "−exp(log_softmax(z₁, z₂)₂)"]


def test_rows_of_many_terms_are_shortened():
    z = values(50)
    assert forward(sg.sum(z))[-1].startswith("J = z₁ + z₂ + … + z₅₀ = ")
    assert forward(sg.dot(z, z))[-1].startswith("J = z₁·z₁ + z₂·z₂ + … + z₅₀·z₅₀ = ")
    assert forward(sg.max(z))[-1].startswith("J = max(z₁, z₂, …, z₅₀) = ")
    assert max(map(len, forward(sg.prod(z)) + backward(sg.prod(z)))) < 120


def test_options_that_were_not_given_are_not_shown():
    z = sg.Value(0.5, label="z")
    assert forward(sg.relu(z))[-1] == "J = relu z = 0.5"
    assert forward(sg.relu(z, at_zero=0.5))[-1] == "J = relu(z, 0.5) = 0.5"
    assert forward(sg.leaky_relu(z, 0.1))[-1] == "J = leaky_relu(z, 0.1) = 0.5"
    assert [line.formula.text for line in sg.derivation(sg.relu(z)).backward] == ["[z ≥ 0]"]


def test_opaque_rows_are_named(rows_restored):
    opaque = sg.primitive(
        "bessel", lambda x: math.sin(x) / x, lambda x: math.cos(x) / x - math.sin(x) / x**2, opaque=True
    )
    x = sg.Value(1.0, label="x")
    assert forward(opaque(x))[-1] == "J = bessel x = 0.8415"
    assert sg.derivation(opaque(x)).backward[0].formula.text == "bessel′ x"


def test_a_foreign_forward_with_partials_of_the_table_has_their_formulas(rows_restored):
    root = sg.primitive("foreign_root", math.sqrt, lambda m, out, x: m.div(0.5, out), opaque="forward")
    assert sg.derivation(root(sg.Value(4.0, label="x"))).backward[0].formula.text == "0.5/J"


def test_an_opaque_row_of_two_arguments(rows_restored):
    row = sg.primitive("blend", lambda x, y: x * y, (lambda x, y: y, lambda x, y: x), opaque=True)
    x, y = sg.Value(2.0, label="x"), sg.Value(3.0, label="y")
    assert [line.formula.text for line in sg.derivation(row(x, y)).backward] == ["∂₁blend(x, y)", "∂₂blend(x, y)"]


def test_a_row_that_a_user_adds_has_its_equations(rows_restored):
    row = sg.primitive("cubed", lambda m, x: x * x * x, lambda m, out, x: 3.0 * x * x)
    J = row(sg.Value(2.0, label="x"))
    assert forward(J)[-1] == "J = cubed x = 8"
    assert backward(J) == ["∂J/∂x += ∂J/∂J · 3x² = 1 · 12 = 12"]


def test_structural_zeros_contribute_zero_even_to_an_infinite_adjoint():
    x = sg.Value(0.0, label="x")
    J = sg.sqrt(sg.floor(x)) + x
    derived = sg.derivation(J)
    lines = [line for line in derived.backward if line.child.primitive is TABLE["floor"]]
    assert [(line.adjoint, line.amount) for line in lines] == [(math.inf, 0.0)]
    assert derived.gradient == {"x": 1.0}


def test_derivation_leaves_grad_alone():
    J = lecture()
    sg.derivation(J)
    assert {node.grad for node in topological_order(J)} == {0.0}


def test_sum_begins_with_no_row_of_its_own():
    x, y = sg.Value(1.0, label="x"), sg.Value(2.0, label="y")
    assert forward(sum([x, y])) == ["x = 1", "y = 2", "J = x + y = 3"]
    assert sg.derivation(sum([x, y])).gradient == {"x": 1.0, "y": 1.0}
    kept = 0 + x
    kept.label = "k"
    assert forward(kept * y)[2] == "k = x = 1"  # what has a name is drawn
    assert forward(sum([x]))[-1] == "J = x = 1"


def test_a_leaf_that_was_changed_says_so():
    a, b, c = sg.Value(2.0, label="a"), sg.Value(3.0, label="b"), sg.Value(1.0, label="c")
    J = sg.sin(a * b) * sg.exp(c)
    assert "changed" not in str(sg.derivation(J))
    c.data = 5.0
    assert [step.note for step in sg.derivation(J).forward] == [
        "",
        "",
        "changed since the forward pass",
        "",
        "",
        "",
        "",
    ]
    c.data = 1.0
    a.data = 5.0  # from a·b = 6 nobody can tell which of the two it was
    derived = sg.derivation(J)
    assert "  v₁ = a·b    = 6   (a or b changed since the forward pass)\n" in str(derived)
    assert derived.markdown().count("changed since the forward pass") == 1
    x = sg.Value(1.0, label="x")
    y = sg.softmax([x, 2.0])[1]
    x.data = math.nan
    assert sg.derivation(y).forward[0].note == "changed since the forward pass"


def test_a_bracket_is_explained():
    z = sg.Value(0.5, label="z")
    assert str(sg.derivation(sg.relu(z))).endswith("\n  where [z ≥ 0] is 1 if z ≥ 0, else 0")
    assert sg.derivation(sg.relu(z)).markdown().endswith("A bracket is 1 if the condition in it holds, else 0.\n")
    assert "where" not in str(sg.derivation(sg.sin(z)))
    assert "bracket" not in sg.derivation(sg.sin(z)).markdown()


def test_digits_are_as_many_as_were_asked_for():
    J = lecture()
    assert str(sg.derivation(J, digits=2).forward[2]) == "v = sin u = 0.84"
    assert "0.64 · 0.54 = 0.35   (was 1.93, now 2.28)" in str(sg.derivation(J, digits=2))
    for bad in (-1, 18, 2.0, None):
        with pytest.raises(ValueError, match=r"digits is .*; give a number of decimals from 0 to 17"):
            sg.derivation(J, digits=bad)


def test_a_console_without_the_signs_gets_ascii(monkeypatch):
    class Console(io.StringIO):
        encoding = "cp1252"

    derived = sg.derivation(lecture())
    monkeypatch.setattr(sys, "stdout", Console())
    print(derived)
    lines = sys.stdout.getvalue().splitlines()
    assert lines[2] == "  u = x^2    = 1"
    assert lines[9] == "  dJ/ds += dJ/dJ * (-sin s) = 1 * 0.6441 = 0.6441"
    assert derived.text().isascii() is False


def test_names_in_greek_with_indices_and_from_right_to_left():
    names = {"theta_1": 1.0, "x_1^(2)": 2.0, "w_{12}": 3.0, "δ": 4.0, "מחיר": 5.0}
    derived = sg.derivation(sg.prod([sg.Value(x, label=name) for name, x in names.items()]))
    assert str(derived.forward[-1]) == "J = θ₁·x₁⁽²⁾·w₁₂·δ·\u2068מחיר\u2069 = 120"
    assert derived.forward[-1].formula.latex == (
        r"\theta_{1} \cdot x_{1}^{(2)} \cdot w_{12} \cdot \delta \cdot \mathrm{מחיר}"
    )


# Tables


def test_tables_of_the_lecture_example():
    forward, backward = sg.derivation(lecture()).table("csv").split("\n\n")
    rows = list(csv.reader(forward.splitlines()))
    assert rows[:3] == [["quantity", "formula", "value"], ["x", "", "1"], ["u", "x²", "1"]]
    assert rows[-1] == ["J", "cos s", "-0.7649"]
    rows = list(csv.reader(backward.splitlines()))
    assert rows[0] == ["derivative", "chain rule", "numbers", "contribution", "sum"]
    assert rows[1:3] == [["∂J/∂J", "", "", "", "1"], ["∂J/∂s", "∂J/∂J · (−sin s)", "1 · 0.6441", "0.6441", "0.6441"]]
    assert rows[-2] == ["∂J/∂u", "∂J/∂v · cos u", "0.6441 · 0.5403", "0.3480", "2.2804"]


def test_a_sheet_has_blanks_and_the_solution_none():
    derived = sg.derivation(lecture())
    sheet, solution = derived.table(blank=["numbers"]).splitlines(), derived.table().splitlines()
    assert len(sheet) == len(solution)
    assert sheet[2:4] == ["| x |  | 1 |", "| u | x² |  |"]  # the inputs are given
    assert sheet[-1] == "| ∂J/∂x | ∂J/∂u · 2x |  |  |  |"
    assert solution[-1] == "| ∂J/∂x | ∂J/∂u · 2x | 2.2804 · 2 | 4.5608 | 4.5608 |"
    of_u = derived.table(blank="u").splitlines()
    assert of_u[3] == "| u | x² |  |"
    assert of_u[4] == solution[4]
    assert [line for line in of_u if line.startswith("| ∂J/∂u")] == [
        "| ∂J/∂u | ∂J/∂w · 3 |  |  |  |",
        "| ∂J/∂u | ∂J/∂v · cos u |  |  |  |",
    ]


def test_a_latex_table_is_balanced():
    text = sg.derivation(lecture()).table("latex", blank=["formula"])
    assert text.count(r"\begin{tabular}") == text.count(r"\end{tabular}") == 2
    assert text.count("$") % 2 == 0
    assert all(line.count("&") in (2, 4) for line in text.splitlines() if line.endswith(r"\\[6pt]"))


def test_tables_refuse_what_they_do_not_have():
    derived = sg.derivation(lecture())
    with pytest.raises(ValueError, match="table: kind is 'html'; give one of 'markdown', 'csv', 'latex'"):
        derived.table("html")
    with pytest.raises(ValueError, match="table: blank has 'z'; give columns or quantities of J, chain rule,"):
        derived.table(blank=["z"])


@pytest.mark.parametrize("label", ["=1+2", "@x", "a|b", 'a"b', "a,b"])
def test_tables_of_hostile_labels(label):
    derived = sg.derivation(sg.Value(2.0, label=label) * 3.0)
    assert list(csv.reader(derived.table("csv").splitlines()))[1][0].lstrip("'") == label
    assert not derived.table("csv").splitlines()[1].startswith(("=", "@"))
    assert derived.table().splitlines()[2].replace(r"\|", "").count("|") == 4


def random_graph(seed):
    rng = random.Random(seed)
    nodes = [sg.Value(rng.uniform(0.2, 1.5), label=f"x{i}") for i in range(3)]
    for _ in range(25):
        a, b = rng.choice(nodes), rng.choice(nodes)
        one = [sg.sin, sg.tanh, sg.sigmoid, sg.relu, sg.floor, sg.stop_gradient]
        two = [lambda x, y: x * y, lambda x, y: x + y, sg.hypot, sg.maximum, lambda x, y: sg.softmax([x, y])[0]]
        nodes.append(rng.choice(one)(a) if rng.random() < 0.4 else rng.choice(two)(a, b))
    return sg.sum(nodes)


@pytest.mark.parametrize("seed", range(25))
def test_contributions_add_up_to_the_gradients_of_backward(seed):
    J = random_graph(seed)
    derived = sg.derivation(J)
    J.backward()
    order = topological_order(J)
    names = Names(order, J)
    assert {names[node].text: node.grad for node in order} == derived.adjoints
    sums = {id(J): 1.0}
    for line in derived.backward:
        sums[id(line.parent)] = sums.get(id(line.parent), 0.0) + line.amount
        assert line.now == sums[id(line.parent)]
    assert {id(node): sums.get(id(node), 0.0) for node in order} == {id(node): node.grad for node in order}


@pytest.mark.parametrize("seed", range(5))
def test_the_backward_pass_is_in_reverse_topological_order(seed):
    finished = set()
    for line in sg.derivation(random_graph(seed)).backward:
        finished.add(id(line.child))
        assert id(line.parent) not in finished


def assert_valid(markdown):
    blocks = re.findall(r"\$\$(.*?)\$\$", markdown, re.DOTALL)
    assert len(blocks) >= 2
    assert re.sub(r"\$\$.*?\$\$", "", markdown, flags=re.DOTALL).split() == ["**Forward**", "**Backward**"]
    for block in blocks:
        assert block.startswith("\\begin{aligned}\n")
        assert block.endswith("\n\\end{aligned}")
        assert "\n\n" not in block
        plain = block.replace(r"\{", "").replace(r"\}", "")
        assert plain.count("{") == plain.count("}")
        assert len(re.findall(r"\\left[^a-z]|\\left\\[a-z]", block)) == len(
            re.findall(r"\\right[^a-z]|\\right\\", block)
        )
        lines = block.split("\n")[1:-1]
        assert len(lines) <= 8
        assert all(line.replace(r"\&", "").count("&") == 1 for line in lines)
        assert all(line.endswith(r" \\[6pt]") for line in lines[:-1])


def test_markdown_of_the_lecture_example():
    markdown = sg.derivation(lecture()).markdown()
    assert_valid(markdown)
    assert r"u &= x^{2} = 1 \\[6pt]" in markdown
    second = r"\frac{\partial J}{\partial u} &\mathrel{+}= \frac{\partial J}{\partial v} \cdot \cos u"
    assert second + r" = 0.6441 \cdot 0.5403 = 0.3480 \quad \left(1.9324 + 0.3480 = 2.2804\right) \\[6pt]" in markdown
    last = (
        r"\frac{\partial J}{\partial x} &\mathrel{+}= \frac{\partial J}{\partial u} \cdot 2 x = 2.2804 \cdot 2 = 4.5608"
    )
    assert last in markdown
    assert r"\cdot \left(-\sin s\right) = 1 \cdot 0.6441" in markdown
    assert sg.derivation(lecture())._repr_markdown_() == markdown


@pytest.mark.parametrize("label", ["$$", "a\n\nb", "</script>", "a_b^c", "\\end{aligned}", "{", "`x`", "x" * 100_000])
def test_markdown_of_hostile_labels(label):
    x = sg.Value(2.0, label=label)
    markdown = sg.derivation(x**2 * x).markdown()
    assert_valid(markdown)
    assert not {"<", ">"} & set(markdown)
    assert len(markdown) < 3000


@pytest.mark.parametrize("data", [1e300, 1e-300, math.inf, math.nan, -1e7])
def test_markdown_of_unusual_numbers(data):
    markdown = sg.derivation(sg.Value(data, label="x") * 1.0).markdown()
    assert_valid(markdown)
    assert not re.search(r"\de[+-]?\d", markdown)
    assert "∞" not in markdown


def test_label_names_by_key_and_skips_the_rest():
    x, y, z = sg.Value(1.0), sg.Value(2.0, label="kept"), sg.Value(3.0)
    sg.label({"x": x, "also_x": x, "_y": y, "n": 3, 4: z, "list": [z]})
    assert (x.label, y.label, z.label) == ("x", "kept", "")


def test_label_takes_locals():
    alpha = sg.Value(1.0)
    sg.label(locals())
    assert alpha.label == "alpha"


@pytest.mark.parametrize("bad", [None, 3, [("x", 1)], "x"])
def test_label_refuses_what_is_no_mapping(bad):
    with pytest.raises(TypeError, match=r"label: needs a mapping of names to Values, such as locals\(\), got"):
        sg.label(bad)


@pytest.mark.parametrize("bad", [None, 3.0, "x", [1.0]])
def test_derivation_refuses_what_is_no_value(bad):
    with pytest.raises(TypeError, match="derivation: needs a Value, got"):
        sg.derivation(bad)


def test_a_deep_graph_has_its_equations():
    x = sg.Value(1.0, label="x")
    for _ in range(3000):
        x = x + 1.0
    assert len(sg.derivation(x).forward) == 3001
