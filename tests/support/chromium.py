"""Fixtures for tests in a real browser: Debian's Chromium."""

import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright

from sandbox.chromium import ARGUMENTS

# Long enough for a busy machine; no test measures speed by this limit.
TIMEOUT_MILLISECONDS = 60_000


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Start one Chromium for all tests in a worker process."""
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("needs the program `chromium`, which is in Debian's package of that name")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        expect.set_options(timeout=TIMEOUT_MILLISECONDS)
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """Open an empty tab, 1440 pixels wide. An error in its scripts or console fails the test."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    context.set_default_timeout(TIMEOUT_MILLISECONDS)
    page = context.new_page()
    errors: list[str] = []

    def keep_error(message: ConsoleMessage) -> None:
        url = message.location.get("url", "")
        # Streamlit first looks for its server below the page's own path, and gets a 404.
        if message.type == "error" and "/_stcore/" not in url:
            errors.append(f"{message.text} ({url})")

    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", keep_error)
    yield page
    context.close()
    assert not errors, "\n".join(errors)
