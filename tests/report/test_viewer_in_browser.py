"""The viewer in a real browser, without a network: it steps, plays and chooses, and its numbers are the trace's."""

from types import SimpleNamespace

import numpy as np
import pytest
from selenium.common.exceptions import WebDriverException
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select, WebDriverWait
from support.browser import opened, resize
from support.packed import bound
from support.untrained import sources

from ntm_repro.evaluation.stages import stages
from ntm_repro.evaluation.traces import trace
from ntm_repro.report import recordings, viewer
from ntm_repro.report.packing import unpack

pytestmark = pytest.mark.slow

SCENES = (("copy", "ntm", 5), ("copy", "ntm_ff", 40), ("dynamic_ngrams", "ntm", 30), ("priority_sort", "ntm", (4, 3)))
PATIENCE = 80  # seconds, for a busy machine


@pytest.fixture(scope="module")
def shown(tmp_path_factory):
    """What is on the page: recordings by their id, and the traces and stages that they are of."""
    evidence = sources(tmp_path_factory.mktemp("evidence"), *{scene[:2]: None for scene in SCENES}, heads=2)
    made = {}
    for task, model, condition in SCENES:
        trained = evidence.trained(task, model)
        recording = recordings.record(trained, condition)
        traced = trace(trained.task, trained.kernel, condition, 1)
        made[recording["id"]] = SimpleNamespace(
            recording=recording, traced=traced, stages=stages(trained.kernel.model, traced.heads)
        )
    return made


@pytest.fixture(scope="module")
def driver(tmp_path_factory):
    with opened(tmp_path_factory.mktemp("profile")) as found:
        yield found


@pytest.fixture(scope="module")
def address(shown, tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "viewer.html"
    text = viewer.page("A run", ["of one's own"], [one.recording for one in shown.values()])
    path.write_text(text, encoding="utf-8")
    return path.as_uri()


class Page:
    """The page as its reader has it: what is written there, and keys and clicks."""

    def __init__(self, driver):
        self.driver = driver

    def open(self, address, identifier, step=0):
        # A change of the part after # alone would not load the page anew.
        self.driver.get("about:blank")
        self.driver.get(f"{address}#{identifier}@{step}")
        self.wait_for(lambda: self.step == step)
        return self

    def find(self, selector):
        return self.driver.find_element(By.CSS_SELECTOR, f".memory-viewer {selector}")

    def text(self, selector):
        return self.find(selector).text

    def wait_for(self, condition):
        WebDriverWait(self.driver, PATIENCE, 0.05).until(lambda _: condition())

    def ask(self, expression):
        return self.driver.execute_script(
            f"const root = document.querySelector('.memory-viewer'), viewer = root.viewer; return {expression}"
        )

    @property
    def step(self):
        step = self.ask("root.dataset.step")
        return None if step is None else int(step)

    def press(self, *keys):
        ActionChains(self.driver).send_keys(*keys).perform()

    def press_with_shift(self, key):
        ActionChains(self.driver).key_down(Keys.SHIFT).send_keys(key).key_up(Keys.SHIFT).perform()

    def pixel(self, selector, across, down):
        """The colour at a place in [0, 1]² of a canvas."""
        # From a copy: the browser warns of those who read again and again from a canvas made for drawing.
        script = f"""(() => {{ const canvas = root.querySelector("{selector}");
            const [x, y] = [{across} * canvas.width, {down} * canvas.height].map(Math.floor);
            const copy = document.createElement("canvas").getContext("2d", {{ willReadFrequently: true }});
            copy.drawImage(canvas, -x, -y);
            return Array.from(copy.getImageData(0, 0, 1, 1).data) }})()"""
        return self.ask(script)


@pytest.fixture
def page(driver):
    resize(driver, 1440)
    made = Page(driver)
    yield made
    assert driver.get_log("browser") == []


def fixed(number):
    return f"{number:.2f}".replace("-", "−")


def gist(one, step, head):
    """What the page should say of a head's step, from the trace."""
    heads, weighting_N = one.traced.heads, one.stages.weighting_UKN[step + 1, head]
    shift_S = heads.shift_TKS[step, head]
    by = {0: "−1", 1: "0", 2: "+1"}[int(shift_S.argmax())]
    return (
        f"location {weighting_N.argmax()} ({fixed(weighting_N.max())}), "
        f"strength {fixed(heads.strength_TK1[step, head, 0])}, gate {fixed(heads.gate_TK1[step, head, 0])}, "
        f"shift {by} ({fixed(shift_S.max())}), sharpness {fixed(heads.sharpness_TK1[step, head, 0])}"
    )


def test_it_opens_without_a_network_and_asks_for_nothing(page, address):
    with pytest.raises(WebDriverException, match="ERR_NAME_NOT_RESOLVED"):
        page.driver.get("http://127.0.0.1/")
    page.driver.get_log("browser")
    page.open(address, "copy-ntm-5")
    assert page.driver.execute_script("return performance.getEntriesByType('resource').length") == 0
    assert page.driver.title == "A run"


@pytest.mark.parametrize("scene", range(len(SCENES)))
def test_it_unpacks_what_was_packed(page, address, shown, scene):
    identifier, one = list(shown.items())[scene]
    page.open(address, identifier)
    for name, packed in one.recording["arrays"].items():
        found = np.array(page.ask(f"Array.from(viewer.arrays['{name}'].values)")).reshape(packed["shape"])
        np.testing.assert_allclose(found, unpack(packed), rtol=1e-6, err_msg=name)
    memory_UNM = np.array(page.ask("Array.from(viewer.arrays.memory.values)")).reshape(one.stages.memory_UNM.shape)
    error_UNM = np.abs(memory_UNM - one.stages.memory_UNM)
    assert (error_UNM <= bound(one.stages.memory_UNM, one.recording["arrays"]["memory"])).all()


@pytest.mark.parametrize("step", [0, 3, 7, 11])
def test_its_numbers_are_the_traces(page, address, shown, step):
    one = shown["copy-ntm-5"]
    page.open(address, "copy-ntm-5", step)
    assert page.text(".moment").startswith(f"Step {step} of 0–11: {one.recording['phases'][step]}")
    outputs = " ".join(fixed(p) for p in one.traced.output_TO[step, :8])
    assert page.text(".output") == f"bits {outputs}"
    cards = page.driver.find_elements(By.CSS_SELECTOR, ".head")
    order = (2, 3, 0, 1)  # those that write come first
    assert [card.find_element(By.CSS_SELECTOR, ".gist").text for card in cards] == [
        gist(one, step, head) for head in order
    ]
    for card, head in zip(cards, order, strict=True):
        previous_N, sharpened_N = one.stages.weighting_UKN[step : step + 2, head]
        rows = (previous_N, *(stage[step, head] for stage in one.stages[:3]), sharpened_N)
        peaks = [found.text for found in card.find_elements(By.CSS_SELECTOR, ".largest")]
        assert peaks == [f"peak at {row_N.argmax()} ({fixed(row_N.max())})" for row_N in rows]
    Select(page.find(".read-head")).select_by_visible_text("2")
    assert page.text(".live .read") == f"Read head 2: {gist(one, step, 1)}"


def test_it_counts_the_wrong_bits(page, address, shown):
    one = shown["copy-ntm-5"]
    wrong_T = unpack(one.recording["arrays"]["wrong"]).sum(1)
    step = int(wrong_T.argmax())
    assert wrong_T[step] > 1
    assert page.open(address, "copy-ntm-5", step).text(".moment").endswith(f"{wrong_T[step]:.0f} bits wrong")


def test_buttons_and_keys_step(page, address):
    page.open(address, "copy-ntm_ff-40", 20)
    for selector, step in ((".forth", 21), (".back", 20), (".last", 81), (".first", 0)):
        page.find(selector).click()
        assert page.step == step
    page.find("[data-panel=read] canvas").click()  # its middle
    assert page.step in (40, 41)
    page.press(Keys.HOME, Keys.ARROW_RIGHT, Keys.ARROW_RIGHT, Keys.ARROW_LEFT)
    assert page.step == 1
    page.press_with_shift(Keys.ARROW_RIGHT)
    assert page.step == 11
    page.press_with_shift(Keys.ARROW_LEFT)
    page.press(Keys.ARROW_LEFT, Keys.ARROW_LEFT)
    assert page.step == 0
    page.press(Keys.END)
    assert page.step == 81
    assert page.ask("root.querySelector('.time').value") == "81"


def test_a_menu_keeps_its_keys(page, address):
    page.open(address, "copy-ntm_ff-40", 20)
    page.driver.execute_script("arguments[0].focus()", page.find(".speed"))
    page.press(Keys.ARROW_RIGHT, Keys.END)
    assert page.step == 20


def test_it_plays_to_the_end_and_can_be_stopped(page, address):
    page.open(address, "copy-ntm-5")
    Select(page.find(".speed")).select_by_visible_text("30")
    page.find(".panels").click()
    page.press(Keys.HOME, Keys.SPACE)
    assert page.text(".play") == "Pause"
    page.wait_for(lambda: page.step == 11)
    assert page.text(".play") == "Play"
    Select(page.find(".speed")).select_by_visible_text("1")
    page.find(".play").click()  # from the beginning again
    page.wait_for(lambda: 1 <= page.step < 11)
    page.find(".play").click()
    stopped = page.step
    page.driver.execute_async_script("setTimeout(arguments[0], 1500)")
    assert page.step == stopped


def test_dragging_scrubs(page, address):
    page.open(address, "copy-ntm_ff-40")
    canvas = page.find("[data-panel=write] canvas")
    width = canvas.size["width"]
    drag = ActionChains(page.driver).move_to_element(canvas).click_and_hold()
    drag.move_by_offset(width // 4, 0).release().perform()
    assert abs(page.step - 0.75 * 82) <= 1
    boxes = (f"root.querySelector('{name}').getBoundingClientRect()" for name in (".playhead", ".panel canvas"))
    playhead, panel = map(page.ask, boxes)
    assert abs(playhead["left"] - (panel["left"] + panel["width"] * page.step / 82)) < 1


def test_choosing_from_the_menus(page, address, shown):
    page.open(address, "copy-ntm-5", 3)
    Select(page.find(".scene")).select_by_visible_text("Copy: 40 vectors (longer than in training)")
    page.wait_for(lambda: page.ask("viewer.recording.id") == "copy-ntm_ff-40")  # there is no other of it
    disabled = [option.text for option in Select(page.find(".controller")).options if not option.is_enabled()]
    assert disabled == ["NTM, LSTM controller (not recorded)"]
    Select(page.find(".scene")).select_by_visible_text("Dynamic N-grams: 30 bits")
    page.wait_for(lambda: page.ask("viewer.recording.id") == "dynamic_ngrams-ntm-30")
    assert page.step == 0
    assert "optimal" in page.text("[data-panel=output] .names")
    page.driver.execute_script("location.hash = 'priority_sort-ntm-4-3@6'")
    page.wait_for(lambda: page.step == 6)
    assert page.ask("viewer.recording.id") == "priority_sort-ntm-4-3"


def test_the_keyboard_alone_reaches_everything(page, address):
    page.open(address, "priority_sort-ntm-4-3")
    reached = []
    for _ in range(30):
        page.press(Keys.TAB)
        reached.append(page.driver.execute_script("return document.activeElement.className"))
    needed = [
        "scene",
        "controller",
        "write-head",
        "read-head",
        "all-rows",
        "panels",
        "stretched",
        "play",
        "speed",
        "time",
    ]
    assert [name for name in reached if name in needed][: len(needed)] == needed


def hex_colour(text):
    return np.array([int(text[i : i + 2], 16) for i in (1, 3, 5)])


def test_cells_have_the_colours_of_their_numbers(page, address, shown):
    """Roots of the numbers along purple, near white, green."""
    one = shown["copy-ntm-5"]
    step = 6
    page.open(address, "copy-ntm-5", step)
    page.find(".all-rows").click()
    low, middle, high = (hex_colour(text) for text in ("#762a83", "#f5f5f5", "#1b7837"))
    locations, width = one.stages.memory_UNM.shape[1:]
    for location, component in np.ndindex(locations, width):
        number = one.stages.memory_UNM[step + 1, location, component]
        share = min(1, np.sqrt(abs(number) / one.recording["limit"]))
        expected = middle + share * ((high if number > 0 else low) - middle)
        *found, _ = page.pixel(".cells", (component + 0.4) / width, (location + 0.4) / locations)
        if location not in changed(one, step):  # those have a frame, which may cover what is small
            assert np.abs(found - expected).max() <= 4


def changed(one, step):
    before, after = one.stages.memory_UNM[step : step + 2]
    return set(np.flatnonzero((np.abs(after - before) > one.recording["limit"] / 25).any(1)).tolist())


def test_the_theme_is_the_systems_or_the_pages(page, address):
    page.open(address, "copy-ntm-5", 6)

    def background():
        return page.pixel("[data-panel=target] canvas", 0.01, 0.5)[:3]

    assert background() == [255, 255, 255]
    resize(page.driver, 1440, dark=True)
    page.wait_for(lambda: max(background()) < 40)
    page.driver.execute_script("document.documentElement.dataset.theme = 'light'")
    page.wait_for(lambda: background() == [255, 255, 255])
    resize(page.driver, 1440)
    page.driver.execute_script("document.documentElement.dataset.theme = 'dark'")
    page.wait_for(lambda: max(background()) < 40)


@pytest.mark.parametrize("width", [1440, 390, 320])
@pytest.mark.parametrize("scene", range(len(SCENES)))
def test_it_fits_the_width(page, address, shown, scene, width):
    resize(page.driver, width, dark=scene % 2 == 1)
    page.open(address, list(shown)[scene], 3)
    assert page.driver.execute_script("return document.documentElement.scrollWidth") <= width
    for name in ("all-rows", "stretched"):
        page.driver.execute_script("arguments[0].click()", page.find(f".{name}"))
    assert page.driver.execute_script("return document.documentElement.scrollWidth") <= width
    for canvas in page.driver.find_elements(By.CSS_SELECTOR, ".memory-viewer canvas"):
        assert canvas.size["width"] <= width
