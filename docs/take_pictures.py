"""Take the screenshots for the documents while `make up` runs: `make pictures`.

Each public function except `main` opens one page in the browser. The screenshot of this page gets
the function's name.
"""

import shutil
from pathlib import Path
from urllib.parse import quote

from playwright.sync_api import FilePayload, Page, sync_playwright

from movierating.settings import all_settings
from sandbox.airflow import DAG, AirflowClient
from sandbox.chromium import ARGUMENTS
from sandbox.programs import AIRFLOW_USER
from sandbox.state import HOST, Secrets

FOLDER = Path(__file__).parent / "images"
MAX_HEIGHT = 1900  # pixels; the rest of a longer page is cut off


def page(tab: Page, url: str) -> None:
    """Open the page for one film in English, and make a forecast."""
    tab.set_viewport_size({"width": 1000, "height": 900})
    tab.goto(f"{url}/?lang=en")
    _forecast(tab, "The Keeper's Letter", "Forecast the rating")


def page_ko(tab: Page, url: str) -> None:
    """Open the page for one film in Korean at the width of a phone, and make a forecast."""
    tab.set_viewport_size({"width": 390, "height": 900})
    tab.goto(f"{url}/?lang=ko")
    _forecast(tab, "등대의 편지", "평점 예측하기")


def compare(tab: Page, url: str) -> None:
    """Open the page that compares films, and forecast three films from a CSV file."""
    tab.set_viewport_size({"width": 1000, "height": 1150})
    tab.goto(f"{url}/compare?lang=en")
    films = "title,genre,language,running time\nTwo Spoons,Comedy,Korean,98\n"
    films += "Shaft Nine,Horror,Korean,91\nThe Keeper's Letter,Drama;Mystery,English,112\n"
    file: FilePayload = {"name": "films.csv", "mimeType": "text/csv", "buffer": films.encode()}
    tab.locator("input[type=file]").set_input_files(file)
    tab.get_by_role("button", name="Forecast all").click()
    tab.get_by_test_id("stVegaLiteChart").wait_for()
    _settle(tab)


def model(tab: Page, url: str) -> None:
    """Open the page about the model in service, in English."""
    tab.set_viewport_size({"width": 1000, "height": 900})
    tab.goto(f"{url}/model?lang=en")
    tab.get_by_role("heading", name="The run's report").wait_for()
    _settle(tab)


def _forecast(tab: Page, sample: str, submit: str) -> None:
    tab.get_by_text(sample).first.click()
    tab.get_by_text("112").or_(tab.locator("input[value='112']")).first.wait_for()
    tab.get_by_role("button", name=submit).click()
    tab.locator(".rating").wait_for()
    _settle(tab)


def _settle(tab: Page) -> None:
    """Wait until charts are drawn, then make the window as high as the page for the screenshot."""
    tab.wait_for_timeout(3000)
    height = tab.evaluate("document.querySelector('[data-testid=stMain]').scrollHeight")
    width = tab.viewport_size["width"] if tab.viewport_size else 0
    tab.set_viewport_size({"width": width, "height": min(height, MAX_HEIGHT)})
    tab.wait_for_timeout(1000)


def swagger(tab: Page, url: str) -> None:
    """Open the API's documentation in Swagger UI."""
    tab.set_viewport_size({"width": 1000, "height": 900})
    tab.goto(f"{url}/docs")
    tab.get_by_text("/predict").first.wait_for()


def airflow(tab: Page, url: str) -> None:
    """Sign in to Airflow, and open the graph of the pipeline's latest run."""
    tab.set_viewport_size({"width": 1280, "height": 560})
    password = Secrets.kept().airflow_password
    *_, latest = AirflowClient(url, AIRFLOW_USER, password).run_ids()
    tab.goto(f"{url}/auth/login")
    tab.get_by_label("Username").fill(AIRFLOW_USER)
    tab.get_by_label("Password").fill(password)
    tab.get_by_role("button", name="Sign in").click()
    tab.wait_for_url(f"{url}/")
    tab.evaluate("mode => localStorage.setItem('chakra-ui-color-mode', mode)", "light")
    tab.goto(f"{url}/dags/{DAG}/runs/{quote(latest)}")
    tab.get_by_role("button", name="Show Graph").click()
    tab.get_by_role("button", name="Collapse Details Panel").click()
    tab.mouse.move(0, 0)  # so that no tooltip opens under the mouse pointer
    tab.wait_for_timeout(3000)  # until the graph has its final layout


def main() -> int:
    """Take all pictures and write them to `docs/images/`."""
    settings = all_settings()
    ports = dict.fromkeys((page, page_ko, compare, model), settings.ui_port)
    ports |= {swagger: settings.api_port, airflow: settings.airflow_port}
    FOLDER.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=ARGUMENTS
        )
        for open_page, port in ports.items():
            tab = browser.new_page()
            open_page(tab, f"http://{HOST}:{port}")
            tab.screenshot(path=FOLDER / f"{open_page.__name__}.png")
        browser.close()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
