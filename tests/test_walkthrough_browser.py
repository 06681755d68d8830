"""The walkthrough in a real browser: every control, every step, on a wide and a narrow screen and on paper."""

import re
import time

import pytest

import scalargrad as sg
from scalargrad.interpreters.names import digits

from . import browser
from .graphs import lecture
from .test_walkthrough import NASTY, data_of, mixed, pytestmark  # noqa: F401 (skips without a renderer)

# Both passes of the lecture's example at x = 1, as the slides have them.
STEPS = """
x = 1
u = x² = 1
v = sin u = 0.8415
w = 3u = 3
s = v + w = 3.8415
J = cos s = −0.7649
∂J/∂J = 1
∂J/∂s += ∂J/∂J · ∂J/∂s = 1 · 0.6441 = 0.6441
∂J/∂v += ∂J/∂s · ∂s/∂v = 0.6441 · 1 = 0.6441
∂J/∂w += ∂J/∂s · ∂s/∂w = 0.6441 · 1 = 0.6441
∂J/∂u += ∂J/∂w · ∂w/∂u = 0.6441 · 3 = 1.9324
∂J/∂u += ∂J/∂v · ∂v/∂u = 0.6441 · 0.5403 = 0.3480 (was 1.9324, now 2.2804)
∂J/∂x += ∂J/∂u · ∂u/∂x = 2.2804 · 2 = 4.5608
Done: ∂J/∂x = 4.5608
""".strip().split("\n")
SWEEP = """
Δx = 1
Δu += ∂u/∂x · Δx = 2 · 1 = 2
Δv += ∂v/∂u · Δu = 0.5403 · 2 = 1.0806
Δw += ∂w/∂u · Δu = 3 · 2 = 6
Δs += ∂s/∂v · Δv = 1 · 1.0806 = 1.0806
Δs += ∂s/∂w · Δw = 1 · 6 = 6 (was 1.0806, now 7.0806)
ΔJ += ∂J/∂s · Δs = 0.6441 · 7.0806 = 4.5608
Done: ΔJ = 4.5608 for Δx = 1, so ∂J/∂x = 4.5608
""".strip().split("\n")


@pytest.fixture(scope="module")
def driver(tmp_path_factory):
    driver = browser.start(tmp_path_factory.mktemp("profile"))
    yield driver
    driver.quit()


class Screen:
    """A page in the browser, and what a reader sees of it."""

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
        script = """return [...document.getElementById(arguments[0]).querySelectorAll('text')]
            .filter(t => getComputedStyle(t).visibility === 'visible').map(t => t.textContent.trim())"""
        return self.run(script, self.run("return data.prefix") + "_" + thing)

    def marked(self, name):
        """The ids of the parts of the picture with that mark, without the prefix."""
        return self.run(f"return [...document.querySelectorAll('svg .{name}')].map(g => g.id.split('_')[1])")


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
    nodes = sorted(sg.graph.topological_order(J), key=lambda n: n.serial)
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
    assert screen.marked("later") == ["n3", "e3", "n4", "e4", "e5", "n5", "e6"]
    assert (screen.marked("target"), screen.marked("lit")) == (["n2"], ["e2"])
    assert all(screen.seen(f"e{i}") == [] for i in range(1, 7))


def test_a_contribution_lights_its_edge_and_marks_both_ends(screen):
    screen.open(sg.walkthrough(lecture()), "#step=12")
    assert screen.find("phase").text == "backward pass"
    assert (screen.marked("lit"), screen.marked("source"), screen.marked("target")) == (["e2"], ["n2"], ["n1"])
    assert screen.column(3) == ["", "2.2804", "0.6441", "0.6441", "0.6441", "1"]
    assert screen.seen("n1") == ["u = x²", "1", "∂J/∂u = 2.2804"]
    assert screen.seen("e2") == ["∂v/∂u = cos u", "= 0.5403"]
    assert screen.seen("e1") == []
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
    time.sleep(1.7)
    assert screen.step == (13, 14)
    time.sleep(1.4)
    assert (screen.step, screen.find("play").text) == ((14, 14), "Play")  # stops at the end
    screen.press(" ")
    assert (screen.step, screen.find("play").text) == ((1, 14), "Pause")  # and starts anew from there
    screen.press(" ")
    time.sleep(1.7)
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
    page = sg.walkthrough(J)
    screen.open(page)
    texts = screen.run(
        "return steps.map((step, i) => { go(i); return document.getElementById('sentence').textContent; })"
    )
    lines = [str(line) for line in sg.derivation(J).backward]
    shown = texts[51:-1]
    assert len(shown) == len(lines)
    for text, line in zip(shown, lines, strict=True):
        assert text.split(" · ")[0] == line.split(" · ")[0]
        assert text.split(" = ")[1].split(" (was")[0] == line.split("   (was")[0].split(" = ")[-2]
        assert text.split(" = ")[2].split(" (was")[0] == line.split("   (was")[0].split(" = ")[-1]
    J.backward()
    assert screen.column(3) == [digits(n.grad) for n in sg.graph.topological_order(J)]
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
    assert screen.seen("n0") == [shown, "1"]
    assert screen.run("return [document.scripts.length, document.images.length]") == [2, 0]
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
                "return document.getElementById(data.prefix + '_' + arguments[0]).getBoundingClientRect()", mark
            )
            assert box["left"] >= 0
            assert box["right"] <= 400
    size = screen.run("return document.querySelector('svg .edge text').getBoundingClientRect().height")
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
    for _ in range(8):
        screen.driver.switch_to.active_element.send_keys(Keys.TAB)
        reached.append(screen.run("return document.activeElement.id || document.activeElement.tagName"))
        assert screen.run("return getComputedStyle(document.activeElement).outlineStyle") == "solid"
    assert reached == ["first", "back", "play", "next", "last", "slider", "sweep", "SUMMARY"]
    screen.resize(400, 800)
    screen.open(sg.walkthrough(lecture()))
    screen.press(Keys.TAB)
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
    picture = screen.driver.find_element("tag name", "svg")
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
for (const text of document.querySelectorAll('svg text:not(.hidden)')) {
  const shape = text.parentElement.matches('.node') && text.parentElement.querySelector('path, polygon');
  const ground = shape ? getComputedStyle(shape).fill : 'rgb(255, 255, 255)';
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
