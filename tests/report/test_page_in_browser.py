"""The whole page, of the recorded evidence, in a real browser without a network."""

from pathlib import Path

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait
from support.browser import opened, resize

from ntm_repro.cli import report
from ntm_repro.paper import FIGURES

pytestmark = pytest.mark.slow

EVIDENCE = Path(__file__).parents[2] / "results/paper"
LARGEST = 10_000_000  # bytes


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    out = tmp_path_factory.mktemp("report") / "index.html"
    assert report.command([f"evidence={EVIDENCE}", f"out={out}"]) == 0
    return out


@pytest.fixture(scope="module")
def driver(path, tmp_path_factory):
    with opened(tmp_path_factory.mktemp("profile")) as found:
        resize(found, 1440)
        found.get(path.as_uri())
        yield found


def test_it_is_small_enough_to_send(path):
    assert path.stat().st_size <= LARGEST


@pytest.mark.parametrize(("width", "dark"), [(1440, False), (390, True)])
def test_every_figure_is_seen_and_nothing_sticks_out(driver, width, dark):
    resize(driver, width, dark=dark)
    assert driver.execute_script("return document.documentElement.scrollWidth") <= width
    for name in FIGURES:
        picture = driver.find_element(By.CSS_SELECTOR, f"#{name} img")
        driver.execute_script("arguments[0].scrollIntoView({behavior: 'instant'})", picture)
        WebDriverWait(driver, 20).until(lambda _, seen=picture: seen.get_property("complete"))
        assert picture.get_property("naturalWidth") > 0
        assert picture.is_displayed()
        assert picture.size["width"] >= 0.6 * min(width, 1000)


@pytest.mark.parametrize("width", [1440, 390])
def test_every_number_at_a_glance_is_seen_without_scrolling(driver, width):
    resize(driver, width)
    cells = driver.find_elements(By.CSS_SELECTOR, "#glance td")
    assert len(cells) == 15
    for cell in cells:
        assert cell.is_displayed()
        assert 0 <= cell.rect["x"] < cell.rect["x"] + cell.rect["width"] <= width
    named = driver.execute_script("return getComputedStyle(arguments[0], '::before').content", cells[2])
    assert ("LSTM" in named) == (width == 390)  # beside the number where there is no head above it


def test_the_viewer_plays_what_was_trained(driver):
    choices = driver.find_elements(By.CSS_SELECTOR, ".memory-viewer select option")
    words = " ".join(option.text for option in choices).lower()
    for task in ("copy", "repeat copy", "associative recall", "dynamic n-grams", "priority sort"):
        assert task in words


def test_the_theme_is_changed_and_kept(driver):
    def surface():
        return driver.execute_script("return getComputedStyle(document.body).backgroundColor")

    resize(driver, 1440)
    light = surface()
    button = driver.find_element(By.ID, "theme")
    driver.execute_script("arguments[0].click()", button)
    dark = surface()
    assert dark != light
    driver.refresh()
    assert surface() == dark
    driver.execute_script("document.getElementById('theme').click()")
    assert surface() == light


def test_every_link_leads_somewhere_on_the_page(driver):
    for link in driver.find_elements(By.CSS_SELECTOR, "a[href^='#']"):
        assert driver.find_elements(By.CSS_SELECTOR, link.get_dom_attribute("href"))


def test_the_console_is_silent(driver):
    assert driver.get_log("browser") == []
