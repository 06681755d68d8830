"""The landing page's playground in a real browser, with Python and Graphviz from npm's files and without a network."""

import functools
import http.server
import json
import shutil
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
    """The landing page's section by itself, with the files that the built site has beside it."""
    sys.path.insert(0, str(DOCS))
    try:
        from site_playground import write_playground
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
        server.asked = []
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


def answered(driver, holds, seconds=120):
    for _ in range(10 * seconds):
        if holds():
            return
        time.sleep(0.1)
    raise AssertionError(f"no answer within {seconds} s: {part(driver, 'status').text}")


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


def test_versions_are_pinned():
    package = json.loads((DOCS / "playground" / "package.json").read_text(encoding="utf-8"))
    assert all(version[0].isdigit() for version in package["dependencies"].values())
