"""Take the pictures of the docs from a running system: `make pictures`."""

import shutil
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from movierating.settings import get_settings
from sandbox.airflow import DAG
from sandbox.programs import AIRFLOW_USER
from sandbox.state import HOST, Secrets

FOLDER = Path(__file__).parent / "images"
PLOT = (
    "A gifted young cook returns to her village by the sea and wins back the trust "
    "of a family that had given up hope."
)


def page(tab: Page, url: str) -> None:
    """A forecast on the page, in English."""
    tab.set_viewport_size({"width": 1000, "height": 1150})
    tab.goto(f"{url}/?lang=en")
    tab.get_by_label("Running time").fill("112")
    tab.get_by_role("combobox", name="Main genre").click()
    tab.get_by_role("option", name="Drama").click()
    tab.get_by_label("Plot").fill(PLOT)
    tab.get_by_role("button", name="Forecast").click()
    tab.get_by_text("Model version").wait_for()


def swagger(tab: Page, url: str) -> None:
    """The API's documented routes."""
    tab.set_viewport_size({"width": 1000, "height": 900})
    tab.goto(f"{url}/docs")
    tab.get_by_text("/predict").first.wait_for()


def airflow(tab: Page, url: str) -> None:
    """The graph of the pipeline's latest run."""
    tab.set_viewport_size({"width": 1280, "height": 420})
    tab.goto(f"{url}/auth/login")
    tab.get_by_label("Username").fill(AIRFLOW_USER)
    tab.get_by_label("Password").fill(Secrets.kept().airflow_password)
    tab.get_by_role("button", name="Sign in").click()
    tab.wait_for_url(f"{url}/")
    tab.evaluate("mode => localStorage.setItem('chakra-ui-color-mode', mode)", "light")
    tab.goto(f"{url}/dags/{DAG}")
    tab.get_by_role("button", name="Show Graph").click()
    tab.get_by_role("button", name="Collapse Details Panel").click()
    tab.wait_for_timeout(3000)  # the graph lays itself out


def main() -> int:
    """Take all pictures."""
    settings = get_settings()
    ports = {page: settings.ui_port, swagger: settings.api_port, airflow: settings.airflow_port}
    FOLDER.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        for show, port in ports.items():
            tab = browser.new_page()
            show(tab, f"http://{HOST}:{port}")
            tab.screenshot(path=FOLDER / f"{show.__name__}.png")
        browser.close()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
