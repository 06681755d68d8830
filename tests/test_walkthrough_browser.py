"""The walkthrough in a real browser: every control, every step, on a wide and a narrow screen and on paper."""

import json
import math
import random
import re
import time
from importlib.resources import files

import pytest

import scalargrad as sg
from scalargrad import nn
from scalargrad.diagrams.computation import program
from scalargrad.engine.graph import topological_order
from scalargrad.interpreters.names import digits
from scalargrad.rows import TABLE, Affine, Dot

from . import browser
from .graphs import lecture
from .test_walkthrough import NASTY, data_of, mixed, network, pytestmark  # noqa: F401 (skips without a renderer)

# Both passes of the lecture's example at x = 1, as the slides have them.
STEPS = """
x = 1
u = x² = 1
v = sin u = 0.8415
w = 3u = 3
s = v + w = 3.8415
J = cos s = −0.7649
∂J/∂J = 1
∂J/∂s += ∂J/∂J · (−sin s) = 1 · 0.6441 = 0.6441
∂J/∂v += ∂J/∂s · 1 = 0.6441 · 1 = 0.6441
∂J/∂w += ∂J/∂s · 1 = 0.6441 · 1 = 0.6441
∂J/∂u += ∂J/∂w · 3 = 0.6441 · 3 = 1.9324
∂J/∂u += ∂J/∂v · cos u = 0.6441 · 0.5403 = 0.3480 (was 1.9324, now 2.2804)
∂J/∂x += ∂J/∂u · 2x = 2.2804 · 2 = 4.5608
Done: ∂J/∂x = 4.5608
""".strip().split("\n")
SWEEP = """
Δx = 1
Δu += 2x · Δx = 2 · 1 = 2
Δv += cos u · Δu = 0.5403 · 2 = 1.0806
Δw += 3 · Δu = 3 · 2 = 6
Δs += 1 · Δv = 1 · 1.0806 = 1.0806
Δs += 1 · Δw = 1 · 6 = 6 (was 1.0806, now 7.0806)
ΔJ += (−sin s) · Δs = 0.6441 · 7.0806 = 4.5608
Done: ΔJ = 4.5608 for Δx = 1, so ∂J/∂x = 4.5608
""".strip().split("\n")


@pytest.fixture(scope="module")
def driver(tmp_path_factory):
    driver = browser.start(tmp_path_factory.mktemp("profile"))
    yield driver
    driver.quit()


class Screen:
    """A page in the browser, as a reader sees it."""

    def __init__(self, driver, folder):
        self.driver, self.folder = driver, folder
        self.resize(1200, 1000)

    def open(self, page, where=""):
        page.save(self.folder / "page.html")
        self.driver.get("about:blank")
        self.driver.get((self.folder / "page.html").as_uri() + where)

    def resize(self, width, height):
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)

    def run(self, script, *arguments):
        return self.driver.execute_script(script, *arguments)

    def find(self, id):
        return self.driver.find_element("id", id)

    def click(self, id):
        self.find(id).click()

    def press(self, *keys, on="body"):
        self.driver.find_element("css selector", on).send_keys(*keys)

    @property
    def sentence(self):
        return self.find("sentence").text

    @property
    def step(self):
        return tuple(map(int, re.findall(r"\d+", self.find("count").text)))

    @property
    def hash(self):
        return self.run("return location.hash")

    def column(self, place):
        return self.run(
            "return [...document.querySelectorAll('#rows tr')].map(r => r.cells[arguments[0]].innerText)", place
        )

    def seen(self, thing):
        """The texts of a part of the picture that are visible."""
        script = """return [...byId(picture.svg.getAttribute('class') + arguments[0]).querySelectorAll('text')]
            .filter(t => getComputedStyle(t).visibility === 'visible').map(t => t.textContent.trim())"""
        return self.run(script, thing)

    def marked(self, name):
        """The ids of the parts of the picture with that mark, without the prefix."""
        script = f"return [...picture.svg.querySelectorAll('.{name}:not(.label)')].map(g => g.id.slice(2))"
        return sorted(self.run(script))


@pytest.fixture
def screen(driver, tmp_path):
    yield Screen(driver, tmp_path)
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "", "features": []})
    assert [entry for entry in driver.get_log("browser") if entry["level"] != "INFO"] == []


def test_every_step_of_the_lectures_example(screen):
    screen.open(sg.walkthrough(lecture()))
    assert screen.find("title").text == screen.driver.title == "J = cos(sin(x²) + 3x²)"
    for number, sentence in enumerate(STEPS, 1):
        assert screen.step == (number, 14)
        assert screen.sentence == sentence
        assert screen.hash in (f"#step={number}", "")
        screen.click("next")
    assert screen.step == (14, 14)


def test_numbers_are_the_engines(screen):
    J = lecture(1.7)
    screen.open(sg.walkthrough(J), "#step=14")
    J.backward()
    nodes = sorted(topological_order(J), key=lambda n: n.serial)
    assert screen.column(0) == ["x", "u", "v", "w", "s", "J"]
    assert screen.column(2) == [digits(n.data) for n in nodes]
    assert screen.column(3) == [digits(n.grad) for n in nodes]
    for i, node in enumerate(nodes):
        assert screen.seen(f"n{i}")[1:] == [digits(node.data), f"∂J/∂{node.label} = {digits(node.grad)}"]


def test_picture_and_table_fill_in(screen):
    screen.open(sg.walkthrough(lecture()), "#step=3")
    assert screen.column(2) == ["1", "1", "0.8415", "", "", ""]
    assert screen.column(3) == [""] * 6
    assert [screen.seen(f"n{i}") for i in range(4)] == [
        ["x", "1"],
        ["u = x²", "1"],
        ["v = sin u", "0.8415"],
        [],
    ]
    assert screen.marked("later") == ["e2", "e3", "e4", "e5", "n3", "n4", "n5"]
    assert (screen.marked("target"), screen.marked("lit")) == (["n2"], ["e1"])
    assert all(screen.seen(f"e{i}label") == [] for i in range(6))


def test_a_contribution_lights_its_edge_and_marks_both_ends(screen):
    screen.open(sg.walkthrough(lecture()), "#step=12")
    assert screen.find("phase").text == "backward pass"
    assert (screen.marked("lit"), screen.marked("source"), screen.marked("target")) == (["e1"], ["n2"], ["n1"])
    assert screen.column(3) == ["", "2.2804", "0.6441", "0.6441", "0.6441", "1"]
    assert screen.seen("n1") == ["u = x²", "1", "∂J/∂u = 2.2804"]
    assert screen.seen("e1label") == ["∂v/∂u = cos u", "= 0.5403"]
    assert screen.seen("e0label") == []
    rows = screen.run(
        "return [...document.querySelectorAll('#rows .source, #rows .target')].map(r => r.cells[0].innerText)"
    )
    assert rows == ["u", "v"]
    screen.click("back")
    assert screen.seen("n1") == ["u = x²", "1", "∂J/∂u = 1.9324"]


def test_buttons(screen):
    screen.open(sg.walkthrough(lecture()))
    for button, expected in [("last", 14), ("next", 14), ("back", 13), ("first", 1), ("back", 1), ("next", 2)]:
        screen.click(button)
        assert screen.step == (expected, 14)


def test_keys(screen):
    from selenium.webdriver.common.keys import Keys

    screen.open(sg.walkthrough(lecture()))
    for key, expected in [(Keys.END, 14), (Keys.ARROW_LEFT, 13), (Keys.HOME, 1), (Keys.ARROW_RIGHT, 2)]:
        screen.press(key)
        assert screen.step == (expected, 14)
    screen.press(Keys.ARROW_RIGHT, on="#next")  # wherever the focus is
    assert screen.step == (3, 14)
    screen.press(Keys.CONTROL, Keys.END)  # the browser's own keys stay its own
    assert screen.step == (3, 14)


def test_slider(screen):
    from selenium.webdriver.common.keys import Keys

    screen.open(sg.walkthrough(lecture()))
    screen.press(Keys.ARROW_RIGHT, Keys.ARROW_RIGHT, on="#slider")
    assert screen.step == (3, 14)  # once a key, not twice
    screen.press(Keys.END, on="#slider")
    assert screen.step == (14, 14)
    assert screen.find("slider").get_attribute("aria-valuetext") == "14 of 14: Done: ∂J/∂x = 4.5608"


def test_play_and_pause(screen):
    screen.open(sg.walkthrough(lecture()), "#step=12")
    screen.run("arguments[0].click()", screen.find("play"))
    assert screen.find("play").text == "Pause"
    time.sleep(1.9)
    assert screen.step == (13, 14)
    time.sleep(1.6)
    assert (screen.step, screen.find("play").text) == ((14, 14), "Play")  # stops at the end
    screen.press(" ")
    assert (screen.step, screen.find("play").text) == ((1, 14), "Pause")  # and starts anew from there
    screen.press(" ")
    time.sleep(1.9)
    assert (screen.step, screen.find("play").text) == ((1, 14), "Play")


def test_step_is_in_the_address(screen):
    screen.open(sg.walkthrough(lecture()), "#step=9")
    assert (screen.step, screen.sentence) == ((9, 14), STEPS[8])
    screen.run("location.hash = 'step=10&perturb=1'")
    screen.run("return new Promise(done => setTimeout(done, 50))")
    assert (screen.step, screen.sentence) == ((10, 14), SWEEP[3])
    for odd, expected in [("step=99", 14), ("step=-1", 1), ("step=x", 1), ("perturb=9", 1), ("step=%00", 1), ("", 1)]:
        screen.open(sg.walkthrough(lecture()), f"#{odd}")
        assert screen.step == (expected, 14)
        assert not screen.find("sweep").is_selected()


def test_perturbation_goes_forward(screen):
    screen.open(sg.walkthrough(lecture()), "#step=7")
    screen.click("sweep")
    assert screen.hash == "#step=7&perturb=1"
    for number, sentence in enumerate(SWEEP, 7):
        assert (screen.step, screen.sentence) == ((number, 14), sentence)
        screen.click("next")
    assert screen.column(3) == ["1", "2", "1.0806", "6", "7.0806", "4.5608"]
    assert screen.seen("n4") == ["s = v + w", "3.8415", "Δs = 7.0806"]
    screen.click("sweep")
    assert screen.sentence == STEPS[-1]


def test_each_input_can_be_perturbed(screen):
    from selenium.webdriver.support.ui import Select

    x, y = sg.Value(0.7, label="x"), sg.Value(-1.3, label="y")
    screen.open(sg.walkthrough(sg.exp(x * y) + y), "#step=99")
    assert not screen.find("input").is_enabled()
    screen.click("sweep")
    for name, tangents in [("y", (0.0, 1.0)), ("x", (1.0, 0.0))]:
        Select(screen.find("input")).select_by_visible_text(name)
        screen.click("last")
        slope = digits(sg.jvp(lambda x, y: sg.exp(x * y) + y, (0.7, -1.3), tangents)[1])
        assert screen.sentence == f"Done: ΔJ = {slope} for Δ{name} = 1, so ∂J/∂{name} = {slope}"
        assert screen.column(3)[-1] == slope


def test_every_step_of_a_large_graph(screen):
    J = mixed(50)
    page = sg.walkthrough(J, by_layer=False)
    screen.open(page)
    steps = "return steps.map((step, i) => { go(i); return document.getElementById('sentence').textContent; })"
    shown = {text for text in screen.run(steps) if "+=" in text}
    # An argument that is used twice has one contribution there, and two in the text.
    lines = [str(c) for c in sg.derivation(J).backward if c.child.parents.count(c.parent) == 1]
    assert len(shown) == len(data_of(page)["edges"])
    assert {line.replace("   (was", " (was") for line in lines} <= shown
    J.backward()
    assert screen.column(3) == [digits(n.grad) for n in topological_order(J)]
    assert data_of(page)["title"] == screen.driver.title


def test_all_steps_are_listed_and_lead_there(screen):
    screen.open(sg.walkthrough(lecture()))
    items = screen.driver.find_elements("css selector", "#steps button")
    assert [item.text for item in items] == STEPS
    items[8].click()
    assert screen.step == (9, 14)
    assert screen.run("return document.querySelector('[aria-current=step]').innerText") == STEPS[8]


@pytest.mark.parametrize("label", [NASTY, "'\"><b>", "<!--<script>", "a\u202eb", "a\\Nb\\c"])
def test_labels_stay_text(screen, label):
    screen.open(sg.walkthrough(sg.sin(sg.Value(1.0, label=label))), "#step=1")
    shown = screen.run("return nodes[0].name")
    assert screen.sentence == f"{shown} = 1"
    assert screen.column(0) == [shown, "J"]
    assert screen.seen("n0") == [shown if len(shown) <= 34 else shown[:33] + "…", "1"]
    assert screen.run("return [document.scripts.length, document.images.length]") == [3, 0]
    assert "\u202e" not in screen.run("return document.documentElement.innerHTML")


def test_nothing_is_fetched(screen):
    screen.open(sg.walkthrough(lecture()))
    assert screen.run("return performance.getEntriesByType('resource').map(e => e.name)") == []


def test_two_frames_in_a_notebook(screen):
    frame = sg.walkthrough(lecture())._repr_html_()
    (screen.folder / "notebook.html").write_text(f"<!DOCTYPE html><meta charset=utf-8>{frame}{frame}", encoding="utf-8")
    screen.driver.get((screen.folder / "notebook.html").as_uri())
    frames = screen.driver.find_elements("tag name", "iframe")
    screen.driver.switch_to.frame(frames[1])
    screen.click("last")
    assert screen.sentence == STEPS[-1]
    screen.driver.find_elements("css selector", "#steps button")[1].click()
    assert screen.sentence == STEPS[1]
    screen.driver.switch_to.default_content()
    screen.driver.switch_to.frame(frames[0])
    assert screen.sentence == STEPS[0]
    screen.driver.switch_to.default_content()
    assert screen.driver.current_url.endswith("notebook.html")


def test_a_narrow_screen_has_it_all(screen):
    screen.resize(400, 800)
    screen.open(sg.walkthrough(lecture()))
    for step in range(14):
        assert screen.run("return document.documentElement.scrollWidth") <= 400
        marks = [*screen.marked("target"), *screen.marked("source")]
        screen.run("document.getElementById('picture').style.scrollBehavior = 'auto'; go(arguments[0])", step)
        for mark in marks if step == 11 else screen.marked("target"):
            box = screen.run(
                "return byId(picture.svg.getAttribute('class') + arguments[0]).getBoundingClientRect()", mark
            )
            assert box["left"] >= 0
            assert box["right"] <= 400
    size = screen.run("return picture.svg.querySelector('.label text').getBoundingClientRect().height")
    assert size >= 11


def test_on_paper(screen):
    screen.open(sg.walkthrough(lecture()))
    assert len(screen.driver.print_page()) > 10_000
    assert screen.step == (1, 14)
    screen.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    screen.run("dispatchEvent(new Event('beforeprint'))")
    assert screen.column(3)[0] == "4.5608"
    assert screen.find("steps").text.split("\n") == STEPS
    assert not screen.find("play").is_displayed()
    assert screen.run("return document.querySelector('svg').getBoundingClientRect().right <= innerWidth")
    screen.run("dispatchEvent(new Event('afterprint'))")
    assert screen.column(3)[0] == ""


def test_keyboard_reaches_everything_in_order(screen):
    from selenium.webdriver.common.keys import Keys

    screen.open(sg.walkthrough(lecture()))
    reached = []
    for _ in range(12):
        screen.driver.switch_to.active_element.send_keys(Keys.TAB)
        reached.append(screen.run("return document.activeElement.id || document.activeElement.tagName"))
        assert screen.run("return getComputedStyle(document.activeElement).outlineStyle") == "solid"
    tools, steps = ["predict", "fit", "dark"], ["play", "next", "last", "slider"]
    assert reached == [*tools, *steps, "SUMMARY", "field0", "INPUT", "sweep", "BUTTON"]
    screen.resize(400, 800)
    screen.open(sg.walkthrough(mixed(30)))
    for _ in range(4):
        screen.driver.switch_to.active_element.send_keys(Keys.TAB)
    assert screen.run("return document.activeElement.id") == "picture"  # it scrolls, so a key can scroll it


def test_what_a_screen_reader_is_told(screen):
    screen.open(sg.walkthrough(lecture()))
    status = screen.find("sentence")
    assert (status.aria_role, status.get_attribute("aria-live")) == ("status", "polite")
    names = {id: screen.find(id).accessible_name for id in ("first", "play", "slider", "sweep", "input")}
    assert names["first"] == "First"
    assert names["slider"] == "Step"
    assert names["sweep"].startswith("Perturbation forward instead")
    assert names["input"].startswith("of")
    assert screen.find("sweep").aria_role == "switch"
    picture = screen.driver.find_element("css selector", "svg.LR")
    assert picture.accessible_name == "Graph of 6 nodes and 6 edges; its numbers are in the table"
    headers = screen.run("return [...document.querySelectorAll('th')].map(h => h.scope)")
    assert headers == ["col"] * 4 + ["row"] * 6
    assert screen.run("return document.documentElement.lang") == "en"


CONTRASTS = """
const channels = (color) => color.match(/[\\d.]+/g).map(Number);
const light = (color) => channels(color).slice(0, 3).map(c => c / 255)
  .map(c => c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
  .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
const behind = (element) => {
  for (let e = element; e; e = e.parentElement) {
    const color = getComputedStyle(e).backgroundColor, parts = channels(color);
    if (parts.length < 4 || parts[3] > 0) return color;
  }
  return 'rgb(255, 255, 255)';
};
const ratio = (a, b) => (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
const TEXTS = 'h1, p, span, button:enabled, th, td, label, caption, summary, small, figcaption';
const found = [];
for (const e of document.querySelectorAll(TEXTS))
  if (e.innerText.trim()) found.push([ratio(light(getComputedStyle(e).color), light(behind(e))), e.innerText]);
for (const text of document.querySelectorAll('svg:not([hidden]) g:not(.hidden) > text:not(.hidden)')) {
  const ground = getComputedStyle(text.parentElement.querySelector('path, polygon, rect')).fill;
  found.push([ratio(light(getComputedStyle(text).fill), light(ground)), text.textContent]);
}
return found;
"""


@pytest.mark.parametrize("where", ["#step=4", "#step=12", "#step=10&perturb=1"])
def test_contrast_is_enough(screen, where):
    screen.open(sg.walkthrough(lecture()), where)
    found = screen.run(CONTRASTS)
    assert len(found) > 40
    assert [entry for entry in found if entry[0] < 4.5] == []


def test_no_motion_where_none_is_wanted(screen):
    duration = "return getComputedStyle(document.querySelector('svg .node path')).transitionDuration"
    scrolling = "return getComputedStyle(document.getElementById('picture')).scrollBehavior"
    screen.open(sg.walkthrough(lecture()))
    assert screen.run(duration) != "0s"
    feature = [{"name": "prefers-reduced-motion", "value": "reduce"}]
    screen.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": feature})
    assert (screen.run(duration), screen.run(scrolling)) == ("0s", "auto")


def typed(screen, id, text):
    field = screen.find(id)
    field.clear()
    field.send_keys(text, "\n")


def test_inputs_move_and_all_is_computed_anew(screen):
    screen.open(sg.walkthrough(lecture()), "#step=14")
    for text, x in [("1.7", 1.7), ("−0,3", -0.3), ("1/3", 1 / 3), ("0", 0.0)]:
        typed(screen, "field0", text)
        J = lecture(x)
        J.backward()
        order = topological_order(J)
        assert screen.step == (14, 14)  # where the reader was
        assert screen.column(2) == [digits(node.data) for node in order]
        assert screen.column(3) == [digits(node.grad) for node in order]
        assert screen.seen("n1")[1:] == [digits(order[1].data), f"∂J/∂u = {digits(order[1].grad)}"]
        assert screen.sentence == f"Done: ∂J/∂x = {digits(order[0].grad)}"
    screen.click("reset")
    assert screen.column(2)[0] == "1"
    assert not screen.find("reset").is_displayed()


def test_a_slider_moves_an_input_and_is_told_in_the_address(screen):
    from selenium.webdriver.common.keys import Keys

    screen.open(sg.walkthrough(lecture()), "#step=14")
    slider = screen.driver.find_element("css selector", ".mover input[type=range]")
    slider.send_keys(Keys.ARROW_RIGHT)
    x = float(screen.run("return inputs[0]"))
    assert x > 1.0
    assert screen.find("field0").get_attribute("value") == str(x)
    assert screen.hash == f"#step=14&inputs={x}"
    J = lecture(x)
    J.backward()
    assert screen.column(3)[-1] == "1"
    assert screen.column(3)[1] == digits(topological_order(J)[1].grad)
    screen.open(sg.walkthrough(lecture()), "#step=3&inputs=2")
    assert screen.column(2)[:2] == ["2", "4"]


def test_a_number_that_is_none_is_refused_and_a_domain_that_is_left_is_told(screen):
    x = sg.Value(1.0, label="x")
    screen.open(sg.walkthrough(sg.log(x) * 2), "#step=9")
    typed(screen, "field0", "two")
    assert screen.run("return byId('field0').checkValidity()") is False
    assert screen.column(2)[0] == "1"
    typed(screen, "field0", "-1")
    assert screen.find("trouble").text == "v₁ = ln x is not defined at x = −1."
    typed(screen, "field0", "0")
    assert screen.find("trouble").text == "v₁ = ln x is infinite at x = 0."
    typed(screen, "field0", "3")
    assert screen.find("trouble").text == ""


def test_inputs_are_read_in_one_step(screen):
    screen.open(sg.walkthrough(mixed(12)))
    assert screen.sentence == ", ".join(
        f"{name} = {number}" for name, number in zip(screen.column(0), screen.column(2), strict=True) if number
    )
    assert screen.column(2)[:3].count("") == 0


NUMBERS = [0.0, -0.0, 1.0, 0.3, 0.03125, 0.09375, 2.5, 1e6, 999999.99999, 1000050.0, 1000150.0, 1e-3, 9.9999e-4]
NUMBERS += [1e-5, 1.2e9, 123456789.0, -7.0, 1e300, 5e-324, float("inf"), float("-inf"), float("nan"), 0.1 + 0.2]


def test_numbers_are_written_as_python_writes_them(screen):
    screen.open(sg.walkthrough(lecture()))
    rng = random.Random(3)
    numbers = NUMBERS + [rng.uniform(-1, 1) * 10 ** rng.randint(-9, 12) for _ in range(2000)]
    numbers += [k / 32 for k in range(-300, 300)] + [float(rng.randint(10**6, 10**9)) for _ in range(500)]
    texts = screen.run("return arguments[0].map((text) => digits(readNumber(text)))", [sg_json(x) for x in numbers])
    assert texts == [digits(x) for x in numbers]


def sg_json(x):
    return x if math.isfinite(x) else str(x)


# ---- the program of a page against Python ----


def random_graph(rng, rows):
    """A function of floats or Values, over the rows given, and a point."""
    count = rng.randint(1, 4)
    point = [rng.choice([1, 1, 1, 5]) * rng.uniform(-1, 1) for _ in range(count)]
    plan = []
    for _ in range(rng.randint(2, 14)):
        row = rng.choice(rows)
        places = [rng.random() for _ in range(4)]
        plan.append((row, places))

    def f(xs):
        made = list(xs)
        for row, places in plan:
            out = applied(row, [made[int(place * len(made))] for place in places])
            made += out if isinstance(out, list) else [out]
        return sg.sum(made)

    return f, point


def fitted(row, args):
    """The arguments moved into the row's domain, by operations of the table."""
    return [moved(row, row.domain_of(i), arg) for i, arg in enumerate(args)]


def moved(row, domain, x):
    if domain.low >= 0 or domain.without_zero:
        x = sg.exp(sg.tanh(x)) + max(domain.low, 0)
    elif math.isfinite(domain.low):
        x = sg.tanh(x) * 0.9
    return sg.tanh(x) * 3 if row.name in ("exp", "expm1", "sinh", "cosh", "pow", "prod") else x


def applied(row, args):
    if isinstance(row, Dot):
        return row(args[:2], args[2:])
    if isinstance(row, Affine):
        return row(args[:2], args[2:], 0.25)
    if row.variadic:
        return row(fitted(row, args[:3]))
    args = fitted(row, args[: len(row.parameters) - len(row.defaults)])
    return row(sg.exp(args[0]), args[1]) if row.name == "pow" else row(*args)


CLOSE = """
const [cases, key] = arguments;
const apart = (x, y) => (Object.is(x, y) || x === y ? 0 : Math.abs(x - y) / Math.max(Math.abs(y), 1e-290));
return cases.map(([text, inputs, values, partials]) => {
  const [v, p] = new Function(`return ${text}`)()(inputs, helpers);
  const both = (x, y) => (x === null || y === null ? (x === y ? 0 : NaN) : apart(x, readNumber(y)));
  const far = [...v.map((x, i) => both(x, values[i])), ...p.map((x, i) => both(x, partials[i]))];
  return [v.length === values.length && p.length === partials.length, far.every((e) => e <= 1e-12), Math.max(...far)];
});
"""


def against_python(screen, cases):
    """Assert that JavaScript computes each case, a program with its inputs, values and partials, as Python does."""
    screen.open(sg.walkthrough(lecture()))
    # The page itself allows no `Function`: the programs are tried on a page without a policy.
    text = (screen.folder / "page.html").read_text(encoding="utf-8")
    (screen.folder / "free.html").write_text(re.sub("<meta http-equiv[^>]*>", "", text), encoding="utf-8")
    screen.driver.get((screen.folder / "free.html").as_uri())
    found = screen.run(CLOSE, cases)
    worst = max(range(len(cases)), key=lambda i: (not found[i][1], found[i][2] or 0))
    assert all(same_length and close for same_length, close, _ in found), (found[worst], cases[worst])


def case(J):
    order = topological_order(J)
    leaves = [node for node in order if node.primitive is None]
    partials = [None if p is None else sg_json(p) for node in order for p in node.partials_or_none]
    values = [sg_json(node.data) for node in order]
    return [program(order, leaves), [node.data + 0.0 for node in leaves], values, partials]


@pytest.mark.parametrize("seed", range(4))
def test_the_program_equals_python_over_random_graphs(screen, seed):
    rng = random.Random(seed)
    rows = [TABLE[name] for name in sg.primitives.__all__]
    cases, used = [], set()
    while len(cases) < 120:
        f, point = random_graph(rng, [*rng.sample(rows, 6), *rows])
        leaves = [sg.Value(x) for x in point]
        try:
            J = f(leaves)
        except (ValueError, ArithmeticError):
            continue
        cases.append(case(J))
        used |= {node.primitive.name for node in topological_order(J) if node.primitive}
    against_python(screen, cases)
    assert len(used) > 50


SPECIAL = {"gamma": (-4.7, 30), "lgamma": (2.5, 200), "digamma": (2, 60), "erfinv": (-0.999, 0.999), "erfcx": (-3, 30)}
SPECIAL |= {"erfcinv": (1e-9, 1.99), "polygamma": None, "expit": (-40, 40), "ndtr": (-6, 6), "sinc": (-9, 9)}


def test_the_program_equals_python_for_special_functions(screen):
    rng = random.Random(5)
    cases = []
    for name, ends in SPECIAL.items():
        for _ in range(60 if ends else 0):
            x = sg.Value(rng.uniform(*ends) if rng.random() < 0.8 else rng.choice(ends))
            cases.append(case(getattr(sg.special, name)(x)))
    against_python(screen, cases)


def test_the_program_has_a_users_primitive(screen, rows_restored):
    cube = sg.primitive("cube_of_users", lambda m, x: x * x * x, lambda m, out, x: 3.0 * m.pow(x, 2.0))
    against_python(screen, [case(sg.sin(cube(sg.Value(x)))) for x in (-1.5, 0.0, 0.3)])


def test_a_function_that_a_browser_lacks_has_no_sliders(screen):
    pytest.importorskip("scipy", reason="no SciPy: pip install scipy")
    screen.open(sg.walkthrough(sg.special.jv(1.0, sg.Value(0.5, label="x"))), "#step=9&inputs=3")
    assert screen.column(2)[0] == "0.5"
    assert not screen.find("moving").is_displayed()


# ---- predict, then reveal ----


def asked(screen, text):
    typed(screen, "answer", text)
    return screen.find("verdict").text


def test_a_number_is_predicted_before_it_is_shown(screen):
    screen.open(sg.walkthrough(lecture()), "#step=1")
    screen.click("predict")
    screen.click("next")
    assert screen.sentence == "u = x² = ?"
    assert screen.column(2)[:3] == ["1", "?", ""]
    assert screen.seen("n1") == ["u = x²", "?"]
    items = screen.driver.find_elements("css selector", "#steps button")
    assert [item.text for item in items if item.is_displayed()] == ["x = 1", "u = x² = ?"]  # steps to come are hidden
    assert asked(screen, "1") == "Right."
    assert screen.sentence == "u = x² = 1"
    assert screen.column(2)[:3] == ["1", "1", ""]
    screen.click("next")
    assert screen.sentence == "v = sin u = ?"
    assert asked(screen, "0.0175") == "That is for degrees; here angles are in radians."
    assert asked(screen, "-0.84") == "The sign is wrong."
    assert asked(screen, "1") == "That is u itself; what does sin u do to it?"
    assert asked(screen, "0.83") == "Close: carry one digit more."
    assert asked(screen, "half") == "Write a number, such as 0.35, −2 or 1/3."
    assert asked(screen, "0.3") == "Not yet. Put in u = 1."
    assert asked(screen, "0,8415") == "Right."
    screen.click("next")
    screen.click("reveal")
    assert screen.sentence == "w = 3u = 3"
    screen.click("predict")
    assert screen.sentence == "w = 3u = 3"


def test_a_page_to_hand_out_asks_from_the_start(screen):
    screen.open(sg.walkthrough(lecture(), predict=True))
    assert screen.sentence == "x = 1"
    assert len([item for item in screen.driver.find_elements("css selector", "#steps li") if item.is_displayed()]) == 1
    screen.press("\ue014")  # the arrow to the right
    assert screen.sentence == "u = x² = ?"


def test_wrong_derivatives_are_explained(screen):
    screen.open(sg.walkthrough(lecture()), "#step=11")
    screen.click("predict")
    assert screen.sentence == "∂J/∂u += ∂J/∂w · 3 = ?"
    assert screen.column(3)[1] == "?"
    assert asked(screen, "0.644") == "That is ∂J/∂w, what arrives; multiply it by the local derivative ∂w/∂u."
    assert asked(screen, "3") == "That is the local derivative ∂w/∂u; multiply it by ∂J/∂w = 0.6441."
    assert asked(screen, "3.644") == "The two factors are multiplied, not added."
    assert asked(screen, "0.2147") == "That divides by the local derivative; multiply by it."
    assert asked(screen, "1.932") == "Right."
    screen.click("next")
    assert screen.sentence == "∂J/∂u += ∂J/∂v · cos u = ?"
    assert screen.seen("e1label") == ["∂v/∂u = cos u", "= ?"]
    assert "∂v/∂u is" not in screen.find("why").text
    forgotten = "That is this contribution alone: += adds it to 1.9324, = would forget the path through w."
    assert asked(screen, "0.348") == forgotten
    assert asked(screen, "1.932") == "That is what was there before; the path through v is missing."
    assert asked(screen, "1.584") == "The sign of this contribution is wrong."
    assert asked(screen, "2.28") == "Right."
    assert screen.sentence == STEPS[11]


def test_every_mistake_has_its_own_number(screen):
    """A right answer is never called wrong, and a wrong one never right."""
    screen.open(sg.walkthrough(mixed(30), by_layer=False))
    found = screen.run("""
        const wrong = [];
        for (const { atoms: [atom] } of steps) {
          if (atom.answer === undefined) continue;
          const text = atom.answer.toPrecision(8);
          if (!verdictOn(text, atom, numbers).right) wrong.push(text);
          for (const [number, reason] of mistakesOf(atom, numbers))
            if (Math.abs(number - atom.answer) > 0.05 * Math.abs(atom.answer) + 1e-6 && Number.isFinite(number))
              if (verdictOn(number.toPrecision(8), atom, numbers).right) wrong.push([number, reason]);
        }
        return wrong;
    """)
    assert found == []


# ---- words, sums and stages ----


def test_each_step_says_why(screen):
    screen.open(sg.walkthrough(lecture()))
    why = screen.run("return steps.map((step, i) => { go(i); return document.getElementById('why').textContent; })")
    assert why[4] == "v and w are known, so s can be computed."
    assert why[8] == "v feeds s alone, so its derivative has one term. A sum hands on what arrives at it."
    both = "u feeds v and w, so its derivative is the sum of two terms; this is the"
    assert why[10] == f"{both} first. The local derivative ∂w/∂u is 3."
    assert why[11] == f"{both} second. The local derivative ∂v/∂u is cos u = 0.5403."
    assert all(why)


def test_a_bracket_and_a_changed_input_are_explained(screen):
    x = sg.Value(2.0, label="x")
    J = sg.relu(x) * 3
    x.data = 5.0
    screen.open(sg.walkthrough(J))
    assert screen.find("why").text.endswith("x: changed since the forward pass.")
    screen.open(sg.walkthrough(J), "#step=6")
    assert screen.find("why").text.endswith("Here [x ≥ 0] is 1 if x ≥ 0, else 0.")


def test_a_node_shows_its_derivative_as_a_sum(screen):
    screen.open(sg.walkthrough(lecture()), "#step=14")
    screen.driver.find_elements("css selector", "#rows button")[1].click()
    lines = ["u = x² = 1", "u feeds v and w:", "∂J/∂u = ∂J/∂v · cos u + ∂J/∂w · 3"]
    assert screen.find("about-text").text.split("\n") == [*lines, "= 0.6441 · 0.5403 + 0.6441 · 3 = 2.2804"]
    screen.run("picture.boxes[5].dispatchEvent(new MouseEvent('click', { bubbles: true }))")
    assert screen.find("about-text").text.split("\n") == ["J = cos s = −0.7649", "∂J/∂J = 1"]
    screen.click("about-close")
    assert not screen.find("about").is_displayed()


def test_a_network_goes_layer_by_layer(screen):
    J = network()
    screen.open(sg.walkthrough(J))
    texts = screen.run("return texts")
    assert texts[0] == "x₁ = 0.5000, x₂ = −1, 17 parameters, in the table".replace("0.5000", digits(0.5))
    assert len(texts) < 22
    assert texts[1].count("z₁⁽¹⁾ = ") == texts[1].count("z₂⁽¹⁾ = ") == 1
    screen.click("last")
    J.backward()
    assert screen.column(3) == [digits(node.grad) for node in topological_order(J)]
    assert screen.run("return movers.length") == 2  # parameters have no sliders
    screen.click("stages")
    assert screen.run("return steps.length") > 50
    screen.click("last")
    assert screen.column(3) == [digits(node.grad) for node in topological_order(J)]


def test_a_wide_layer_is_lit_as_one(screen):
    model = nn.MLP(2, [12, 1])
    J = model([sg.Value(0.5, label="x1"), sg.Value(-1.0, label="x2")]) ** 2
    screen.open(sg.walkthrough(J), "#step=2")
    assert screen.marked("target") == ["f0"]
    assert screen.sentence.startswith("z⁽¹⁾: 12 values, such as z₁⁽¹⁾ = ")
    screen.click("last")
    screen.click("back")
    assert screen.marked("source") == ["f0"]
    J.backward()
    assert screen.column(3) == [digits(node.grad) for node in topological_order(J)]


def test_a_contribution_travels_backward_along_its_edge(screen):
    screen.open(sg.walkthrough(lecture()), "#step=11")
    screen.click("next")
    text, places = screen.run("""return new Promise((done) => {
        const seen = [];
        const look = () => {
          const pill = picture.svg.querySelector('.pill');
          if (!pill && seen.length) return done([text, seen]);
          if (pill) { text = pill.textContent; seen.push(pill.getBoundingClientRect().x); }
          requestAnimationFrame(look);
        };
        let text;
        look();
    })""")
    assert text == "0.3480"
    assert places == sorted(places, reverse=True)
    assert places[0] > places[-1]


def test_a_layers_contributions_travel_together(screen):
    screen.open(sg.walkthrough(network()))
    travelling = """const seen = []; for (let i = 1; i < steps.length; i++) { go(i); seen.push(travellers.length); }
        const drawn = ({ edge }) => edge && picture.lines[edge.place];
        return [seen, steps.slice(1).map(({ atoms }) => atoms.filter(drawn).length)]"""
    seen, expected = screen.run(travelling)
    assert seen == [min(count, 16) for count in expected]
    assert max(seen) > 4


# ---- keys, sizes, colours ----


def test_presenters_keys_and_view(screen):
    from selenium.webdriver.common.keys import Keys

    screen.open(sg.walkthrough(lecture()))
    for key, expected in [(Keys.PAGE_DOWN, 2), (Keys.PAGE_DOWN, 3), (Keys.PAGE_UP, 2)]:
        screen.press(key)
        assert screen.step == (expected, 14)
    ground = "return getComputedStyle(document.body).backgroundColor"
    screen.press("d")
    assert screen.run(ground) == "rgb(15, 23, 42)"
    screen.press("d")
    assert screen.run(ground) == "rgb(255, 255, 255)"
    screen.press("p")
    assert screen.sentence.endswith("?")
    screen.open(sg.walkthrough(mixed(60), by_layer=False))
    inside = "return frame.scrollHeight <= frame.clientHeight + 1 && frame.scrollWidth <= frame.clientWidth + 1"
    assert not screen.run(inside)
    screen.press("f")
    assert screen.run(inside)


def test_dark_is_what_the_system_prefers(screen):
    feature = [{"name": "prefers-color-scheme", "value": "dark"}]
    screen.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": feature})
    for where in ("#step=4", "#step=12", "#step=10&perturb=1"):
        screen.open(sg.walkthrough(lecture()), where)
        assert screen.find("dark").get_attribute("aria-pressed") == "true"
        assert [entry for entry in screen.run(CONTRASTS) if entry[0] < 4.5] == []


@pytest.mark.parametrize("width", [1280, 390])
def test_targets_are_large_enough(screen, width):
    screen.resize(width, 800)
    screen.open(sg.walkthrough(network()), "#step=3")
    screen.click("predict")
    small = screen.run("""return [...document.querySelectorAll('button, input, select, summary')]
        .map((e) => [e.id || e.textContent, e.getBoundingClientRect()])
        .filter(([, box]) => box.width && (box.width < 24 || box.height < 24)).map(([name]) => name)""")
    assert small == []
    assert screen.run("return document.documentElement.scrollWidth") <= width


def test_the_whole_picture_is_seen_in_a_notebooks_frame_and_on_a_phone(screen):
    for width, height in [(900, 680), (390, 844), (1280, 720)]:
        screen.resize(width, height)
        screen.open(sg.walkthrough(lecture()), "#step=14")
        goal = screen.run("return picture.boxes[5].getBoundingClientRect()")
        box = screen.run("return frame.getBoundingClientRect()")
        assert goal["right"] <= box["right"]
        assert goal["bottom"] <= box["bottom"]
        letters = screen.run("return picture.boxTexts[5].equation.getBoundingClientRect().height")
        assert letters >= 11


def test_texts_fit_their_boxes(screen):
    screen.open(sg.walkthrough(lecture()), "#step=14&inputs=-123.4567")
    outside = screen.run("""return pictures.flatMap(({ boxes }) => boxes).filter((box) => {
        const shape = box.querySelector('path').getBBox();
        return [...box.querySelectorAll('text')].some((text) => {
          const { x, width } = text.getBBox();
          return x < shape.x || x + width > shape.x + shape.width;
        });
    }).map((box) => box.textContent)""")
    assert outside == []


def wait_for(holds):
    for _ in range(100):
        if holds():
            return
        time.sleep(0.05)
    raise AssertionError("it did not happen within 5 s")


def test_a_frame_tells_and_takes_inputs(screen):
    (screen.folder / "around.html").write_text(
        "<!DOCTYPE html><meta charset=utf-8><script>var heard = []; "
        "addEventListener('message', (event) => heard.push(event.data))</script>"
        + sg.walkthrough(lecture())._repr_html_(),
        encoding="utf-8",
    )
    screen.driver.get((screen.folder / "around.html").as_uri())
    frame = screen.driver.find_element("tag name", "iframe")
    for inputs in ([2.0], [2.0, 3.0], ["x"], None):
        message = {"scalargrad": "set", "inputs": inputs}
        screen.run("arguments[0].contentWindow.postMessage(arguments[1], '*')", frame, message)
    screen.driver.switch_to.frame(frame)
    wait_for(lambda: screen.column(2)[0] == "2")
    typed(screen, "field0", "0.5")
    screen.driver.switch_to.default_content()
    wait_for(lambda: screen.run("return heard.at(-1)") == {"scalargrad": "inputs", "inputs": [0.5]})


HOST = """
<!DOCTYPE html><meta charset=utf-8><div id=el></div>
<script type=module>
WIDGET
const state = STATE, listeners = {};
window.saved = 0;
window.model = {
  get: (name) => state[name],
  set: (name, value) => { state[name] = value; },
  save_changes: () => { saved += 1; },
  on: (event, listener) => { listeners[event] = listener; },
  off: (event) => { delete listeners[event]; },
};
window.move = (inputs) => { state.inputs = inputs; listeners["change:inputs"](); };
window.leave = render({ model, el: document.getElementById("el") });
</script>
"""


def test_the_widgets_frame_follows_python_and_tells_it(screen):
    page = sg.walkthrough(lecture())
    state = {"page": page.html, "title": page.title, "height": 680, "names": ["x"], "inputs": {"x": 2.0}}
    widget = (files("scalargrad.diagrams") / "template" / "widget.js").read_text(encoding="utf-8")
    host = HOST.replace("WIDGET", widget.replace("export default", "const exported ="))
    host = host.replace("STATE", json.dumps(state).replace("<", "\\u003c"))
    (screen.folder / "host.html").write_text(host, encoding="utf-8")
    screen.driver.get((screen.folder / "host.html").as_uri())
    frame = screen.driver.find_element("tag name", "iframe")
    screen.driver.switch_to.frame(frame)
    wait_for(lambda: screen.column(2)[0] == "2")
    typed(screen, "field0", "0.5")
    screen.driver.switch_to.default_content()
    wait_for(lambda: screen.run("return [model.get('inputs').x, saved]") == [0.5, 1])
    screen.run("move({ x: 3 })")
    screen.driver.switch_to.frame(frame)
    wait_for(lambda: screen.column(2)[0] == "3")
    screen.driver.switch_to.default_content()
    screen.run("leave()")
