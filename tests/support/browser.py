"""A real browser without a window and without a network, for tests of pages."""

import shutil
from contextlib import contextmanager

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service

BROWSERS, DRIVER = ("chromium", "chromium-browser", "google-chrome"), "chromedriver"
QUIET = ("no-first-run", "disable-background-networking", "disable-component-update", "disable-sync", "disable-quic")


@contextmanager
def opened(profile):
    """A driver with a fresh profile in the folder `profile`; skips the test where there is no browser to drive."""
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    driver_path = shutil.which(DRIVER)
    if browser is None or driver_path is None:
        pytest.skip(f"no {' or '.join(BROWSERS)} with {DRIVER} here (Debian: apt install chromium chromium-driver)")
    options = Options()
    options.binary_location = browser
    unreachable = "host-resolver-rules=MAP * ~NOTFOUND"
    for word in ("headless", "no-sandbox", "disable-gpu", f"user-data-dir={profile}", unreachable, *QUIET):
        options.add_argument(f"--{word}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options, Service(driver_path))
    try:
        yield driver
    finally:
        driver.quit()


def resize(driver, width, height=900, *, dark=False):
    """A window of that many CSS pixels; narrow ones are phones."""
    size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme]})
