"""The landing page's playground in a real browser, with Python and Graphviz from npm's files and without a network."""

import functools
import http.server
import importlib.util
import json
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from scalargrad.diagrams import renderer

from . import browser

DOCS = Path(__file__).parent.parent / "docs"
pytestmark = [
    pytest.mark.skipif(not (DOCS / "playground").exists(), reason="no docs: they are not in the wheel"),
    pytest.mark.skipif(renderer.find_renderer() is None, reason="no renderer: pip install graphviz-pure"),
]
TYPES = {".js": "text/javascript", ".mjs": "text/javascript", ".wasm": "application/wasm", ".html": "text/html"}


class Handler(http.server.SimpleHTTPRequestHandler):
    extensions_map = TYPES

    def log_message(self, format, *args):
        self.server.asked.append(self.path)


def site(folder, with_python):
    """The landing page's section by itself, with the files that the built site has next to it."""
    sys.path.insert(0, str(DOCS))
    try:
        from site_files import write_playground
    finally:
        sys.path.remove(str(DOCS))
    shutil.copytree(DOCS / "_static" / "playground", folder / "_static" / "playground")
    has_python = write_playground(folder / "_static" / "playground")
    if with_python and not has_python:
        pytest.skip("no files of Python: npm install --prefix docs/playground")
    if not with_python:
        (folder / "_static" / "playground" / "pyodide.mjs").unlink(missing_ok=True)
    section = (DOCS / "playground" / "playground.html").read_text(encoding="utf-8")
    look = '<link rel=stylesheet href="_static/playground/playground.css"><link rel=icon href="data:,">'
    viewport = '<meta name=viewport content="width=device-width">'
    (folder / "index.html").write_text(
        f"<!DOCTYPE html><meta charset=utf-8>{viewport}{look}{section}", encoding="utf-8"
    )
    return folder


@pytest.fixture(scope="module")
def driver(tmp_path_factory):
    driver = browser.start(tmp_path_factory.mktemp("profile"))
    driver.set_script_timeout(60)
    yield driver
    driver.quit()


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    yield from serving(site(tmp_path_factory.mktemp("site"), with_python=True))


def serving(folder):
    handler = functools.partial(Handler, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.asked, server.folder = [], folder
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def opened(driver, server, width=1000):
    metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    driver.get(f"http://127.0.0.1:{server.server_address[1]}/index.html")


def part(driver, name):
    return driver.find_element("id", f"playground-{name}")


def answered(driver, holds, seconds=120, status=None):
    for _ in range(10 * seconds):
        if holds():
            return
        time.sleep(0.1)
    raise AssertionError(f"no answer within {seconds} s: {part(driver, 'status').text if status is None else status}")


def ask(driver, formula, values):
    for name, text in (("formula", formula), ("values", values)):
        field = part(driver, name)
        field.clear()
        field.send_keys(text)
    part(driver, "run").click()


def shown(driver):
    """The title, the steps and the table of the page that is shown."""
    driver.switch_to.frame(part(driver, "page"))
    try:
        script = "return [data.title, texts, [...document.querySelectorAll('#rows tr')].map((row) => row.innerText)]"
        return driver.execute_script(script)
    finally:
        driver.switch_to.default_content()


def test_a_formula_is_differentiated_in_the_browser(driver, server):
    opened(driver, server)
    # Before Python is asked for, the example works and nothing large is fetched.
    assert shown(driver)[0] == "J = cos(sin(x²) + 3x²)"
    assert not any("pyodide" in path or path.endswith((".zip", "viz.js")) for path in server.asked)
    ask(driver, "σ(w x + b)", "w=1/2, x=2")
    answered(driver, lambda: part(driver, "page").get_attribute("srcdoc"))
    answered(driver, lambda: shown(driver)[0] == "J = σ(w·x + b)")
    assert part(driver, "values").get_attribute("value") == "w=1/2, x=2, b=1"  # what was missing is 1
    _, texts, rows = shown(driver)
    assert texts[-1] == "Done: ∂J/∂w = 0.2100, ∂J/∂x = 0.0525, ∂J/∂b = 0.1050"
    assert len(rows) == 6
    assert all(part(driver, name).is_displayed() for name in ("save", "svg"))
    assert part(driver, "text").find_element("tag name", "pre").get_attribute("textContent").startswith("Forward\n  w ")
    svg = driver.execute_script("return fetch(arguments[0].href).then((answer) => answer.text())", part(driver, "svg"))
    assert "<svg" in svg
    assert "∂J/∂w" in svg


def test_what_is_wrong_is_told_with_its_place(driver, server):
    opened(driver, server)
    for formula, first in [
        ("1/2x", "a product without a sign"),
        ("coss(x)", "there is no function coss"),
        ("", "the formula is"),
    ]:
        ask(driver, formula, "x=3")
        answered(driver, lambda first=first: part(driver, "error").text.startswith(first))
    ask(driver, "1/2x", "x=3")
    answered(driver, lambda: part(driver, "error").text.startswith("a product"))
    assert part(driver, "error").get_attribute("textContent").split("\n")[1:] == ["  1/2x", "     ^"]
    ask(driver, "x²", "x=3, y=2")  # a value that the formula lacks is left out
    answered(driver, lambda: not part(driver, "error").is_displayed() and shown(driver)[0] == "J = x²")
    assert part(driver, "values").get_attribute("value") == "x=3"


def test_an_example_is_one_click_on_a_phone(driver, server):
    opened(driver, server, 390)
    driver.find_elements("css selector", "#playground-examples button")[2].click()
    answered(driver, lambda: part(driver, "page").get_attribute("srcdoc"))
    answered(driver, lambda: "√" in shown(driver)[0])
    assert driver.execute_script("return document.documentElement.scrollWidth") <= 390
    small = driver.execute_script("""return [...document.querySelectorAll('button, input')]
        .filter((e) => e.getBoundingClientRect().height < 24).length""")
    assert small == 0


def test_without_its_files_it_says_so_and_the_example_stays(driver, tmp_path):
    for server in serving(site(tmp_path, with_python=False)):
        opened(driver, server)
        ask(driver, "x²", "x=3")
        answered(driver, lambda: "missing from this site" in part(driver, "status").text)
        assert shown(driver)[0] == "J = cos(sin(x²) + 3x²)"
        driver.get_log("browser")


CELLS = """
<!DOCTYPE html><meta charset=utf-8><link rel=icon href="data:,">
<script type=module src="_static/playground/cells.js"></script>
<main>CELLS</main>
"""
CELL = '<div class="cell"><div class="cell_input"><div class="highlight"><pre>{}</pre></div></div>{}</div>'
CODE = [
    "import scalargrad as sg\nx = sg.Value(2.0, label='x')\nprint('made', x.data)",
    "J = sg.sin(x) * x\nJ.backward()\nsg.derivative_diagram(J)",
    "%matplotlib inline\nx.grad",
    "sg.walkthrough(J)",
    "sg.log(x - 3)",
    "import numpy",
]


def test_cells_of_a_notebook_run_in_its_page(driver, server, tmp_path_factory):
    old = '<div class="cell_output">old</div>'
    cells = "".join(CELL.format(code, old if i == 2 else "") for i, code in enumerate(CODE))
    (Path(server.folder) / "cells.html").write_text(CELLS.replace("CELLS", cells), encoding="utf-8")
    driver.get(f"http://127.0.0.1:{server.server_address[1]}/cells.html")
    buttons = driver.find_elements("css selector", ".run_bar button")
    assert len(buttons) == len(CODE)

    def outputs():
        script = """return [...document.querySelectorAll('.cell')]
            .map((cell) => cell.querySelector('.cell_output')?.innerHTML ?? '')"""
        return driver.execute_script(script)

    buttons[3].click()  # runs the cells above it first
    answered(driver, lambda: "iframe" in outputs()[3], status="")
    first, second, third, *_ = outputs()
    assert "made 2.0" in first
    assert "<svg" in second
    assert "old" not in third
    assert ">0.07" in third
    code = driver.find_elements("css selector", ".cell_input pre")[2]
    driver.execute_script("arguments[0].textContent = '1 + 1'; arguments[0].dispatchEvent(new Event('input'))", code)
    buttons[2].click()
    answered(driver, lambda: ">2</pre>" in outputs()[2], status="")
    buttons[4].click()
    answered(driver, lambda: "is outside (0, inf)" in outputs()[4], status="")
    driver.execute_script("arguments[0].textContent = '1'", driver.find_elements("css selector", ".cell_input pre")[4])
    buttons[5].click()
    answered(driver, lambda: "numpy could not be fetched" in outputs()[5], status="")
    driver.get_log("browser")


AXE = """
const done = arguments[0];
axe.run({ resultTypes: ["violations"] }).then(({ violations }) =>
  done(violations.map(({ id, nodes }) => [id, nodes.length, nodes[0].html.slice(0, 200)])));
"""
PAGES = [
    "index",
    "start",
    "404",
    "howto/walkthrough",
    "primitives",
    "notebooks/01_chain_rule_and_influence",
    "reference/scalargrad",
]


@pytest.mark.slow
def test_pages_are_accessible(driver, tmp_path):
    for package in ("sphinx", "myst_nb", "furo", "sphinx_copybutton"):
        pytest.importorskip(package, reason="pip install --group docs builds the site")
    axe = DOCS / "playground" / "node_modules" / "axe-core" / "axe.min.js"
    if not axe.exists():
        pytest.skip("no axe: npm install --prefix docs/playground")
    build = [sys.executable, "-m", "sphinx", "-q", "-b", "html", str(DOCS), str(tmp_path)]
    subprocess.run(build, check=True, capture_output=True)
    found = {}
    for server in serving(tmp_path):
        for page in PAGES:
            for width in (1280, 390):
                opened(driver, server, width)
                driver.get(f"http://127.0.0.1:{server.server_address[1]}/{page}.html")
                driver.execute_script(axe.read_text(encoding="utf-8"))
                found[page, width] = driver.execute_async_script(AXE)
                assert driver.execute_script("return document.documentElement.scrollWidth") <= width
    assert {place: problems for place, problems in found.items() if problems} == {}
    driver.get_log("browser")


def test_formulas_are_set_without_a_network(driver, tmp_path):
    sys.path.insert(0, str(DOCS))
    try:
        from site_files import MATHJAX, write_mathjax
    finally:
        sys.path.remove(str(DOCS))
    if not MATHJAX.exists():
        pytest.skip("no MathJax: npm install --prefix docs/playground")
    write_mathjax(tmp_path / "mathjax")
    page = r"<!DOCTYPE html><link rel=icon href='data:,'><p>\(\frac{\partial J}{\partial x}\)</p>"
    script = '<script defer src="mathjax/tex-mml-chtml.js"></script>'
    (tmp_path / "index.html").write_text(page + script, encoding="utf-8")
    for server in serving(tmp_path):
        opened(driver, server)
        answered(
            driver, lambda: driver.execute_script("return document.querySelectorAll('mjx-mfrac').length"), status=""
        )
        fonts = "return document.fonts.ready.then(() => [...document.fonts].filter((f) => f.status === 'error').length)"
        assert driver.execute_script(fonts) == 0
        assert not any("404" in entry["message"] for entry in driver.get_log("browser"))


def test_figures_of_a_cell_are_pictures(monkeypatch):
    pytest.importorskip("matplotlib", reason="no matplotlib: pip install matplotlib")
    from matplotlib import pyplot as plt

    monkeypatch.setenv("MPLBACKEND", "Agg")
    try:
        spec = importlib.util.spec_from_file_location("answer", DOCS / "_static" / "playground" / "answer.py")
        answer = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(answer)
    finally:
        renderer.render_with(None)
    plt.switch_backend("Agg")
    outputs = json.loads(answer.run("import matplotlib.pyplot as plt\nplt.plot([1, 2])\nprint('drawn')"))["outputs"]
    assert [output["kind"] for output in outputs] == ["text", "html"]
    assert "data:image/png;base64,iVBOR" in outputs[1]["data"]
    assert plt.get_fignums() == []


def test_versions_are_pinned():
    package = json.loads((DOCS / "playground" / "package.json").read_text(encoding="utf-8"))
    assert all(version[0].isdigit() for version in package["dependencies"].values())
