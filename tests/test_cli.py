"""The command, in this process and as a process of its own."""

import io
import json
import math
import os
import subprocess
import sys

import pytest

from scalargrad import __version__
from scalargrad.command import cli, console
from scalargrad.diagrams import renderer

LECTURE = "cos(sin(x**2) + 3*x**2)"
SLOPE = -math.sin(math.sin(2.25) + 6.75) * (math.cos(2.25) + 3.0) * 3.0  # at x = 1.5
needs_renderer = pytest.mark.skipif(renderer.find_renderer() is None, reason="no renderer: pip install graphviz-pure")


@pytest.fixture
def run(capsys):
    def run(*arguments):
        code = cli.main(arguments)
        out, err = capsys.readouterr()
        return code, out, err

    return run


def process(*arguments, **environment):
    return subprocess.run(
        [sys.executable, "-m", "scalargrad", *arguments],
        capture_output=True,
        env={**os.environ, "PYTHONIOENCODING": "utf-8", **environment},
        timeout=60,
        check=False,
    )


def refused(run, *arguments):
    """The message of a refusal; below it only the place in the formula."""
    code, _, err = run(*arguments)
    assert code == 2
    assert err.startswith("scalargrad: ")
    assert "Traceback" not in err
    message, *place = err[len("scalargrad: ") : -1].split("\n")
    assert len(place) in (0, 2)
    assert not place or set(place[1].strip()) == {"^"}
    return message


def test_the_lecture_example(run):
    code, out, err = run(LECTURE, "x=1.5")
    assert (code, err) == (0, "")
    assert out.splitlines() == [
        "Forward",
        "  x            = 1.5",
        "  v₁ = x²      = 2.25",
        "  v₂ = sin v₁  = 0.7781",
        "  v₃ = 3v₁     = 6.75",
        "  v₄ = v₂ + v₃ = 7.5281",
        "  J = cos v₄   = 0.3202",
        "Backward",
        "  ∂J/∂J = 1",
        "  ∂J/∂v₄ += ∂J/∂J · (−sin v₄) = 1 · (−0.9474) = −0.9474",
        "  ∂J/∂v₂ += ∂J/∂v₄ · 1 = −0.9474 · 1 = −0.9474",
        "  ∂J/∂v₃ += ∂J/∂v₄ · 1 = −0.9474 · 1 = −0.9474",
        "  ∂J/∂v₁ += ∂J/∂v₃ · 3 = −0.9474 · 3 = −2.8421",
        "  ∂J/∂v₁ += ∂J/∂v₂ · cos v₁ = −0.9474 · (−0.6282) = 0.5951   (was −2.8421, now −2.2470)",
        "  ∂J/∂x += ∂J/∂v₁ · 2x = −2.2470 · 3 = −6.7409",
        "Value",
        f"  J = {math.cos(math.sin(2.25) + 6.75)!r}",
        "Gradient",
        *out.splitlines()[-1:],
    ]
    name, _, number = out.splitlines()[-1].partition(" = ")
    assert (name, float(number)) == ("  ∂J/∂x", pytest.approx(SLOPE, rel=1e-14))


def test_as_a_process_in_utf8():
    done = process(LECTURE, "x=1.5")
    assert (done.returncode, done.stderr) == (0, b"")
    assert "∂J/∂x += ∂J/∂v₁ · 2x".encode() in done.stdout


def test_named_parts_and_several_inputs(run):
    code, out, _ = run("t = x**2; u = sin(t) + y*t; cos(u)", "x=1.5", "y=3")
    assert code == 0
    assert "  t = x² " in out
    assert "  ∂J/∂u += " in out
    assert [line.partition(" = ")[0] for line in out.splitlines()[-2:]] == ["  ∂J/∂x", "  ∂J/∂y"]


@pytest.mark.parametrize(
    ("formula", "result"),
    [("-x**2", "-4.0"), ("-x", "-2.0"), ("--x**2", "4.0"), ("-(x)", "-2.0"), ("-1*x", "-2.0"), ("-.5*x", "-1.0")],
)
def test_formulas_that_begin_with_a_minus(run, formula, result):
    code, out, _ = run(formula, "x=2")
    assert code == 0
    assert f"\n  J = {result}\n" in out


@pytest.mark.parametrize("text", ["x=-2", "x = -2", " x=-2", "x=-2.0", "x=-2e0"])
def test_numbers_are_read_with_or_without_spaces(run, text):
    assert "\n  J = 4.0\n" in run("x*x", text)[1]


@pytest.mark.parametrize(
    ("text", "x"),
    [("x=pi/2", math.pi / 2), ("x=1,5", 1.5), ("x=-1/3", -1 / 3), ("x=2^3", 8.0), ("x=√2", 2**0.5), ("x=0,125", 0.125)],
)
def test_numbers_are_read_as_people_write_them(run, text, x):
    assert f"\n  x = {x!r}\n" in run("x", text)[1]


@pytest.mark.parametrize("words", [("x=1, y=2",), ("x=1 y=2",), ("x=1;y=2",), ("x=1,0", "y=2"), ("x=1,0, y=2,0",)])
def test_inputs_may_share_a_word(run, words):
    assert "\n  J = 2.0\n" in run("x y", *words)[1]


def test_after_two_dashes_all_is_formula_and_inputs(run):
    assert "\n  J = -4.0\n" in run("--", "-x^2", "x=2")[1]
    assert "\n  J = -4.0\n" in run("--check", "--", "-x^2", "x=2")[1]
    assert "\n  J = -2.0\n" in run("--", "--x - 2x", "x=2")[1]


def test_a_named_result_has_its_name(run):
    out = run("f(x) = x²", "x=3")[1]
    assert "\n  f = 9.0\n" in out
    assert out.splitlines()[-1] == "  ∂f/∂x = 6.0"


class Terminal(io.StringIO):
    encoding = "utf-8"

    def isatty(self):
        return True


def shown_on(monkeypatch, width, *arguments, **environment):
    out, err = Terminal(), Terminal()
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setattr(sys, "stderr", err)
    for name in ("NO_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {"COLUMNS": str(width), "LINES": "30", **environment}.items():
        monkeypatch.setenv(name, value)
    cli.main(arguments)
    return out.getvalue(), err.getvalue()


def test_a_terminal_has_colours_and_a_width(monkeypatch):
    out, _ = shown_on(monkeypatch, 50, LECTURE, "x=1.5")
    assert "\033[1mForward\033[0m\n" in out
    plain = out.replace("\033[1m", "").replace("\033[0m", "")
    assert max(map(len, plain.splitlines())) <= 50
    assert "        = 0.5951 (was −2.8421, now −2.2470)\n" in plain
    _, err = shown_on(monkeypatch, 50, "x +")
    assert err.startswith("\033[1m\033[31mscalargrad:\033[0m the formula ends")
    assert err.endswith("\n\033[31m     ^\033[0m\n")


@pytest.mark.parametrize("environment", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_no_colours_where_none_are_wanted(monkeypatch, environment):
    assert "\033" not in "".join(shown_on(monkeypatch, 80, LECTURE, "x=1.5", **environment))


def test_options_may_stand_anywhere(run):
    results = {run(*words)[1] for words in [("x*y", "x=1", "--json", "y=2"), ("--json", "x*y", "x=1", "y=2")]}
    assert len(results) == 1
    assert json.loads(results.pop())["value"] == 2.0


def test_without_variables(run):
    code, out, _ = run("pi")
    assert (code, out.splitlines()[-3:]) == (0, ["Value", f"  J = {math.pi!r}", "Gradient"])


def test_a_variable_by_itself(run):
    assert run("x", "x=2")[1].splitlines()[-4:] == ["Value", "  x = 2.0", "Gradient", "  ∂x/∂x = 1.0"]


def test_an_input_that_only_the_other_branch_uses(run):
    assert run("where(x > 0, x, y)", "x=1", "y=2")[1].splitlines()[-2:] == ["  ∂x/∂x = 1.0", "  ∂x/∂y = 0.0"]


def test_inputs_take_the_place_of_constants(run):
    assert "\n  J = 6.0\n" in run("pi*e", "pi=2", "e=3")[1]


def test_inputs_that_are_shown_alike_are_told_apart(run):
    code, out, _ = run("x1*x_1", "x1=2", "x_1=3", "--check")
    assert code == 0
    assert "  ∂J/∂x₁ = 3.0\n  ∂J/∂x₁₍₂₎ = 2.0\n" in out
    assert "\n  x₁₍₂₎: " in out


def test_names_are_read_as_python_reads_them(run):
    assert run("µ*2", "µ=3")[0] == 0
    assert run("ﬁ", "fi=3")[0] == 0


def test_tables(run):
    code, out, err = run("t = x²; t y", "x=3", "y=2", "--table", "markdown", "--blank", "value, sum")
    assert (code, err) == (0, "")
    assert out.startswith("| quantity | formula | value |\n")
    assert "| t | x² |  |\n" in out
    assert run("x y", "x=3", "y=1/3", "--table", "csv", "--digits", "2")[1].splitlines()[2] == "y,,0.33"
    assert "\\begin{" in run("x y", "x=3", "y=2", "--table", "latex")[1]
    assert "give --table" in refused(run, "x", "x=1", "--blank", "sum")
    assert "invalid choice: 'html'" in refused(run, "x", "x=1", "--table", "html")
    assert "bogus" in refused(run, "x", "x=1", "--table", "csv", "--blank", "bogus")
    assert "digits is 18" in refused(run, "x", "x=1", "--digits", "18")


def test_json(run):
    code, out, err = run("t = x**2; t*y", "x=3", "y=2", "--json")
    assert (code, err) == (0, "")
    assert json.loads(out) == {
        "value": 18.0,
        "gradient": {"x": 12.0, "y": 9.0},
        "nodes": [
            {"name": "x", "formula": None, "value": 3.0, "gradient": 12.0, "parents": [], "partials": []},
            {"name": "y", "formula": None, "value": 2.0, "gradient": 9.0, "parents": [], "partials": []},
            {"name": "t", "formula": "x²", "value": 9.0, "gradient": 2.0, "parents": ["x"], "partials": [6.0]},
            {
                "name": "J",
                "formula": "t·y",
                "value": 18.0,
                "gradient": 1.0,
                "parents": ["t", "y"],
                "partials": [2.0, 9.0],
            },
        ],
    }


@pytest.mark.parametrize(("number", "text"), [("nan", "nan"), ("inf", "inf"), ("-inf", "-inf"), ("1e999", "inf")])
def test_json_has_no_nan_and_no_infinity(run, number, text):
    def strict(constant):
        raise AssertionError(constant)

    data = json.loads(run("2*x", f"x={number}", "--json")[1], parse_constant=strict)
    assert data["value"] == text
    assert data["nodes"][0]["value"] == text
    assert data["gradient"] == {"x": 2.0}


def test_json_is_exact_on_an_ascii_console():
    done = process("日*本", "日=2", "本=3", "--json", PYTHONIOENCODING="ascii")
    assert done.returncode == 0
    assert json.loads(done.stdout.decode("ascii"))["gradient"] == {"日": 3.0, "本": 2.0}


def test_check(run):
    code, out, _ = run(LECTURE, "x=1.5", "--check")
    assert code == 0
    title, line = out.splitlines()[-2:]
    assert title == "Check against central differences"
    name, _, rest = line.partition(": ")
    number, _, relative = rest.partition(", relative difference ")
    assert (name, float(number)) == ("  x", pytest.approx(SLOPE, rel=1e-9))
    assert 0 <= float(relative) < 1e-8


def test_check_leaves_json_alone(run):
    code, out, err = run("x*x", "x=3", "--json", "--check")
    assert code == 0
    assert json.loads(out)["gradient"] == {"x": 6.0}
    assert err.startswith("Check against central differences\n  x: ")


def test_check_sees_a_kink(run):
    relative = run("abs(x) + x", "x=0", "--check")[1].rpartition(" ")[2]
    assert float(relative) < 1e-8
    assert float(run("relu(x)", "x=0", "--check")[1].rpartition(" ")[2]) == pytest.approx(0.5)


def test_check_at_the_edge_of_a_domain(run):
    code, out, _ = run("sqrt(x)", "x=1e-9", "--check")
    assert code == 0
    assert float(out.rpartition(" ")[2]) < 1e-8
    code, out, _ = run("sqrt(x)", "x=0", "--check")
    assert code == 0
    assert "  x: not possible here: f has values on one side only, and their slope doesn't settle" in out


@pytest.mark.parametrize("number", ["nan", "inf", "1e308", "-1.7e308", "5e-324"])
def test_check_at_extreme_numbers(run, number):
    code, out, _ = run("x + 1", f"x={number}", "--check")
    assert code == 0
    assert "Check against central differences\n  x: " in out


@pytest.mark.parametrize("view", ["influence", "derivative", "operations"])
def test_diagrams_as_text(run, view, tmp_path):
    code, out, err = run(LECTURE, "x=1.5", f"--{view}", str(tmp_path / "a.dot"))
    assert (code, err) == (0, "")
    assert out.startswith("Forward")
    source = (tmp_path / "a.dot").read_text()
    assert source.startswith("digraph {")
    # x² is one node, as in the lecture
    assert source.count("x²") == (1 if view == "derivative" else 0)
    assert source.count("not computed") == 0


def test_sizes_palettes_and_digits_of_diagrams(run, tmp_path):
    file = tmp_path / "a.dot"
    words = ("x²", "x=1/3", "--derivative", str(file))
    assert run(*words)[0] == 0
    plain = file.read_text()
    assert run(*words, "--size", "slide", "--palette", "dark", "--digits", "2")[0] == 0
    slide = file.read_text()
    assert "#0F172A" in slide
    assert "#0F172A" not in plain
    assert "0.3333" in plain
    assert "0.33<" in slide
    assert "invalid choice: 'huge'" in refused(run, *words, "--size", "huge")


@needs_renderer
def test_a_page_to_hand_out(run, tmp_path):
    for words, predicts in [((), "false"), (("--predict",), "true")]:
        assert run("x²", "x=3", "--walkthrough", str(tmp_path / "w.html"), *words)[0] == 0
        assert f'"predict":{predicts}' in (tmp_path / "w.html").read_text(encoding="utf-8")


def test_a_file_name_moves_no_cursor(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    out = run("x", "x=1", "--influence", "\x1b[31m.dot")[1]
    assert out.endswith("Wrote the influence diagram to \\x1b[31m.dot\n")


def test_json_is_plain_on_a_terminal(monkeypatch):
    out, _ = shown_on(monkeypatch, 20, "x·y", "x=1", "y=2", "--json")
    assert "\033" not in out
    assert json.loads(out)["value"] == 2.0


@needs_renderer
def test_all_diagrams_at_once(run, tmp_path):
    files = [tmp_path / name for name in ("i.svg", "d.png", "o.gv")]
    words = zip(("--influence", "--derivative", "--operations"), map(str, files), strict=True)
    code, out, _ = run(LECTURE, "x=1.5", *(word for pair in words for word in pair))
    assert code == 0
    views = ("influence", "derivative", "operations")
    assert out.splitlines()[-3:] == [f"Wrote the {v} diagram to {f}" for v, f in zip(views, files, strict=True)]
    assert [path.read_bytes()[:5] for path in files] == [b"<?xml", b"\x89PNG\r", b"digra"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "the following arguments are required: expression"),
        (["x", "--bogus", "x=1"], "unrecognized arguments: --bogus"),
        (["--x", "x=1"], "unrecognized arguments: --x"),
        (["x", "x=1", "--deriv", "a.dot"], "unrecognized arguments: --deriv"),
        (["x", "x=1", "--derivative"], "argument --derivative: expected one argument"),
        (["x", "x=1", "--json=3"], "argument --json: ignored explicit argument"),
        (["x"], "no value for x; give it as x=1.5"),
        (["x*y", "x=1"], "no value for y"),
        (["x", "x=1", "y=2"], "y is given, but the formula has x"),
        (["1", "y=2"], "y is given, but the formula has no variables"),
        (["x", "x=1", "x=2"], "x is given twice"),
        (["x", "x"], "'x' is not an input; write NAME=NUMBER"),
        (
            ["x", "+", "1", "x=1"],
            "'+' is not an input; write NAME=NUMBER, such as x=1.5, and put the formula in quotes",
        ),
        (["x", "=1"], "is not an input"),
        (["x", "x.a=1"], "is not an input"),
        (["x", "x="], "x= is not followed by a number"),
        (["x", "x=abc"], "x=abc is not a number; write one such as x=1.5 or x=pi/2"),
        (["x", "x=y=2"], "x=y=2 is not a number"),
        (["x", "x=1=2"], "x=1=2 is not a number: '=' names a part"),
        (["x", "x=1/0"], "div: y = 0.0"),
        (["x", "x=1;2"], "x=1;2 is not a number"),
        (["x", "x=0x10"], "is not a number: this may be a product"),
        (["x", "x=1,500"], "x=1,500 may be a decimal number or thousands; did you mean x=1.500 or 1500?"),
        (["x +", "x=1"], "the formula ends where"),
        (["", "x=1"], "the formula is empty"),
        (["coss(x)", "x=1"], "there is no function coss; did you mean cos(x)?"),
        (["1/2x", "x=1"], "did you mean (1 / 2)*x or 1 / (2*x)?"),
        (["xy", "x=1", "y=2"], "x is given, but the formula has xy; did you mean x*y?"),
        (["--", "--json"], "no value for json"),
        (["__import__('os')"], "a formula has no text in quotes"),
        (["log(x - 1)", "x=1"], "log: x = 0.0 is outside (0, inf), in 'log(x - 1)'"),
        (["9**9**9**9"], "the result is too large for a float"),
        (["x", "x=1", "--derivative", "/"], "must end in .svg"),
        (["x", "x=1", "--derivative", ""], "'' must end in .svg"),
        (["x", "x=1", "--influence", "a.txt"], "'a.txt' must end in .svg"),
        (["\ud800"], "cannot stand in a formula"),
        (["x\n\n+", "x=1"], "the formula ends where"),
        (["x" * 20_000], "20000 characters; at most 10000"),
        (["(" * 5000], "nested deeper than"),
        (["x\x1b[31m", "x=1"], "cannot stand in a formula"),
        (["x", "x=\x1b[31m"], "is not a number"),
        (["x", "x=1", "--derivative", "\x1b[31m"], "must end in .svg"),
        (["x", "x=1", "--\x1b[31m"], "--\\x1b[31m"),
    ],
    ids=range(43),
)
def test_what_is_wrong_is_told_with_a_reason(run, arguments, message):
    assert message in refused(run, *arguments)


def test_a_file_that_cannot_be_written(run, tmp_path):
    path = tmp_path / "missing" / "a.dot"
    assert refused(run, "x", "x=1", "--derivative", str(path)) == f"{path} can't be written: No such file or directory"
    (tmp_path / "folder.dot").mkdir()
    message = refused(run, "x", "x=1", "--derivative", str(tmp_path / "folder.dot"))
    assert "folder.dot can't be written: " in message
    assert os.listdir(tmp_path) == ["folder.dot"]


def test_a_name_with_a_null_byte_cannot_be_written(run):
    assert "null" in refused(run, "x", "x=1", "--derivative", "a\0.dot")


def test_without_a_renderer(run, tmp_path, monkeypatch):
    monkeypatch.setattr(renderer.shutil, "which", lambda *args, **options: None)
    monkeypatch.delenv(renderer.VARIABLE, raising=False)
    message = refused(run, "x", "x=1", "--derivative", str(tmp_path / "a.svg"))
    assert "no renderer found for a svg picture. Install one with `pip install graphviz-pure`" in message
    assert os.listdir(tmp_path) == []


def test_a_graph_too_large_for_a_picture(run, tmp_path):
    formula = ";".join(f"t{i} = sin({f't{i - 1}' if i else 'x'})" for i in range(201)) + "; t200"
    assert "202 nodes, more than 200" in refused(run, formula, "x=1", "--derivative", str(tmp_path / "a.dot"))


@pytest.mark.parametrize(("option", "start"), [("--help", "usage: scalargrad"), ("-h", "usage: scalargrad")])
def test_help(capsys, option, start):
    with pytest.raises(SystemExit) as caught:
        cli.main([option])
    assert caught.value.code == 0
    out = capsys.readouterr().out
    assert out.startswith(start)
    for word in ["--influence", "--derivative", "--operations", "--json", "--check", "NAME=NUMBER"]:
        assert word in out


def test_help_lists_the_functions_by_family(capsys):
    with pytest.raises(SystemExit):
        cli.main(["--help"])
    out = capsys.readouterr().out
    assert "  angles: sin cos tan" in out
    assert "  activations: sigmoid relu" in out


def test_version_as_a_process():
    assert process("--version").stdout.decode().strip() == f"scalargrad {__version__}"


def test_errors_as_a_process():
    done = process("x +", "x=1")
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr.decode().splitlines()[1:] == ["  x +", "     ^"]


def test_an_ascii_console():
    done = process("sqrt(x1)*pi*sigmoid(y)**-2 + cbrt(y)", "x1=4", "y=1", "--check", PYTHONIOENCODING="ascii")
    assert (done.returncode, done.stderr) == (0, b"")
    text = done.stdout.decode("ascii")
    assert "?" not in text
    assert "dJ/dx1 += " in text
    assert "sqrt x1" in text
    assert "^-2" in text
    refused = process("x*∂", PYTHONIOENCODING="ascii")
    assert (refused.returncode, refused.stderr.count(b"\n")) == (2, 3)
    refused.stderr.decode("ascii")
    assert b"x^2" in process("--help", PYTHONIOENCODING="ascii").stdout


def test_every_sign_of_the_notation_has_an_ascii_form():
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    signs = "∂·−√∛π∞σ…′⌊⌋⌈⌉₀₁₂₃₄₅₆₇₈₉₍₎⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁽⁾≥≤≠"
    assert "?" not in console.printed(signs, stream)
    assert console.printed("x₁¹² ≥ −1·10⁻²⁰", stream) == "x1^12 >= -1*10^-20"


def test_a_reader_that_has_enough():
    arguments = [sys.executable, "-m", "scalargrad", "+".join(["x"] * 200), "x=1"]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as started:
        started.stdout.close()
        error = started.stderr.read()
        assert (started.wait(60), error) == (0, b"")


def test_arguments_of_the_process_are_the_default(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["scalargrad", "x*x", "x=3"])
    assert cli.main() == 0
    assert "\n  J = 9.0\n" in capsys.readouterr().out


def test_a_hostile_file_name_beginning_with_a_minus(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run("x", "x=1", "--derivative", "-a.dot")[0] == 0
    assert os.listdir(tmp_path) == ["-a.dot"]
