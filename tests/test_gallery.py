"""The pictures of the documentation: each is drawn by the lines above it.

`python -m tests.test_gallery` draws them anew.
"""

import doctest
import re
import shlex
import sys
from pathlib import Path

import pytest

import scalargrad as sg
from scalargrad.command.cli import main
from scalargrad.diagrams.renderer import find_renderer

DOCS = Path(__file__).parent.parent / "docs"
BLOCK = re.compile(r"```python\n(.*?)```\n\n(?:!\[[^\]]*\]\((gallery/[\w-]+\.svg)\))?", re.DOTALL)
COMMAND = re.compile(r"\(`(scalargrad [^`]*? --\w+ (docs/\S+\.svg))`\)")
needs_renderer = pytest.mark.skipif(find_renderer() is None, reason="no renderer: pip install graphviz-pure")


def drawn():
    """The pictures of the gallery by the names of their files."""
    found, names = {}, {}
    for block, file in BLOCK.findall((DOCS / "gallery.md").read_text(encoding="utf-8")):
        for example in doctest.DocTestParser().get_examples(block):
            exec(compile(example.source, "gallery.md", "single"), names)  # noqa: S102 (our own page)
        if file:
            found[file] = names["picture"]
    return found


def commands():
    """The commands that stand below pictures, with the files that they write."""
    pages = [DOCS.parent / "README.md", *sorted(DOCS.rglob("*.md"))]
    return [match for page in pages for match in COMMAND.findall(page.read_text(encoding="utf-8"))]


def texts(svg):
    """The texts and titles of an SVG; their places and order, and the title of a nameless graph, are the renderer's."""
    return sorted(re.findall(r"<(?:text|title)[^>]*>(?!%3)(.*?)</", svg))


@pytest.fixture(scope="module")
def gallery():
    return drawn()


def test_every_picture_is_on_the_page_and_none_is_left_over(gallery):
    assert len(gallery) >= 20
    assert sorted(path.name for path in (DOCS / "gallery").iterdir()) == sorted(Path(file).name for file in gallery)
    page = (DOCS / "gallery.md").read_text(encoding="utf-8")
    assert len(re.findall(r"!\[", page)) == len(gallery)


@needs_renderer
@pytest.mark.parametrize("file", [file for _, file in BLOCK.findall((DOCS / "gallery.md").read_text("utf-8")) if file])
def test_a_picture_is_what_the_lines_above_it_draw(file, gallery):
    assert texts((DOCS / file).read_text(encoding="utf-8")) == texts(gallery[file].svg())


@needs_renderer
@pytest.mark.parametrize(("command", "file"), commands(), ids=lambda text: Path(text).name)
def test_a_picture_is_what_the_command_below_it_writes(command, file, tmp_path):
    made = tmp_path / "made.svg"
    assert main([*shlex.split(command)[1:-1], str(made)]) == 0
    assert texts((DOCS.parent / file).read_text(encoding="utf-8")) == texts(made.read_text(encoding="utf-8"))


def test_all_pictures_of_diagrams_in_the_docs_are_drawn_by_a_test(gallery):
    tested = {*gallery, *(Path(file).relative_to("docs").as_posix() for _, file in commands())}
    drawings = [
        path for path in DOCS.rglob("*.svg") if "_build" not in path.parts and "graphviz" in path.read_text("utf-8")
    ]
    names = {path.relative_to(DOCS).as_posix() for path in drawings}
    assert len(names) > 20
    assert names <= {*tested, "modules.svg"}  # which `docs/modules.py` draws, tested with the docs


def test_a_slide_of_a_lecture_has_its_picture_in_the_gallery():
    headings = re.findall(r"^#+ (.*)$", (DOCS / "gallery.md").read_text(encoding="utf-8"), re.MULTILINE)
    anchors = {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
    rows = 0
    for page in sorted((DOCS / "lectures").glob("*.md")):
        text = page.read_text(encoding="utf-8").partition("## Pictures")[2]
        for head, name in re.findall(r"`(sg|nn|plots)\.(\w+)", text):
            assert hasattr(sg if head == "sg" else getattr(sg, head), name), (page.name, name)
        for anchor in re.findall(r"\(\.\./gallery\.md#([^)]*)\)", text):
            assert anchor in anchors, (page.name, anchor)
            rows += 1
    assert rows >= 30


def test_beside_torchviz():
    torch = pytest.importorskip("torch", reason="no torch: pip install torch")
    torchviz = pytest.importorskip("torchviz", reason="no torchviz: pip install torchviz")
    x = torch.tensor(1.5, requires_grad=True)
    theirs = torchviz.make_dot(torch.cos(torch.sin(x**2) + 3 * x**2), params={"x": x}).source
    v = sg.Value(1.5, label="x")
    J = sg.cos(sg.sin(v**2) + 3 * v**2)
    J.backward()
    ours = sg.derivative_diagram(J).source
    for text in (f"{J.data:.4f}", f"{v.grad:.4f}".replace("-", "−"), "cos v₁", "2x"):
        assert text in ours
        assert text not in theirs


def test_beside_micrograd():
    """Micrograd's picture has a record of label, data and grad for each value, and a circle for each operation."""
    engine = pytest.importorskip("micrograd.engine", reason="no micrograd: pip install micrograd")

    def formula(x):
        return (x**2 + 3 * x).relu() * x

    theirs, ours = engine.Value(1.5), sg.Value(1.5, label="x")
    with_theirs, with_ours = formula(theirs), ((ours**2 + 3 * ours).relu()) * ours
    with_theirs.backward()
    with_ours.backward()
    source = sg.operations_diagram(with_ours).source
    seen, reached = set(), [with_theirs]
    for node in reached:
        if node not in seen:
            seen.add(node)
            reached += node._prev
    for node in seen:
        if node._prev:  # a constant has no gradient here
            assert f"{node.data:.4f}".rstrip("0").rstrip(".") in source
            assert f"grad {node.grad:.4f}".rstrip("0").rstrip(".") in source


if __name__ == "__main__":
    for file, picture in drawn().items():
        picture.save(DOCS / file)
    for command, file in commands():
        assert main([*shlex.split(command)[1:-1], str(DOCS.parent / file)]) == 0
    sys.stderr.write("drawn anew\n")
