"""The page of a sweep in a browser, the one that is kept as an example: at the width of a desk and of a phone."""

from pathlib import Path

import pytest
from support import browser

PAGE = Path(__file__).parents[2] / "results/sweeps/example/sweep.html"


@pytest.fixture(scope="module")
def driver(tmp_path_factory):
    with browser.opened(tmp_path_factory.mktemp("profile")) as driver:
        yield driver


@pytest.mark.parametrize(("width", "shown"), [(1440, "wide"), (390, "narrow")])
def test_it_fits_and_shows_the_pictures_of_its_width(driver, width, shown):
    browser.resize(driver, width)
    driver.get(PAGE.as_uri())
    assert driver.execute_script("return document.documentElement.scrollWidth") <= width
    seen = (
        "return [...document.images].filter(i => i.offsetWidth && i.complete && i.naturalWidth).map(i => i.className)"
    )
    assert driver.execute_script(seen) == [shown] * 3
    assert driver.get_log("browser") == []
