"""A real browser, where there is one."""

import shutil

import pytest

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


@pytest.fixture(scope="module")
def chromium():
    """Chromium, without a window."""
    api = pytest.importorskip("playwright.sync_api", reason="playwright is in the extra [dev]")
    if not CHROMIUM:
        pytest.skip("no Chromium: `apt-get install chromium`")
    with api.sync_playwright() as running:
        browser = running.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()
