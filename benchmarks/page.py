"""Measure the speed and the memory of the UI in a real browser, while `make up` runs.

1. Open the page with the form in a new window with an empty cache. Measure the time until the
   form's button can be clicked. The browser needs two processor cores for this. So the benchmark
   also reports how busy other programs kept the processor.
2. Forecast a film repeatedly, each time with another running time. Measure the time from the click
   until the new rating is on the page. The plot is in English, so no time is spent on translation.
3. Forecast a file of 1,000 films. Measure the time from the click until all results are shown.
4. Use the pages for one film, for comparing films and for the model. Then measure the UI's memory.
"""

import argparse
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import median, quantiles
from typing import Final

import psutil
from playwright.sync_api import Browser, FilePayload, Page, sync_playwright

from benchmarks.figures import report
from movierating.settings import all_settings
from sandbox.chromium import ARGUMENTS

PARSER: Final = argparse.ArgumentParser(prog="make bench-page", description=__doc__)
PARSER.add_argument("--url", help="address of the UI (default: UI_PORT of this machine)")
PARSER.add_argument("--clicks", type=int, default=60, help="default: %(default)s")
PARSER.add_argument("--visits", type=int, default=10, help="default: %(default)s")
PARSER.add_argument("--films", type=int, default=1_000, help="default: %(default)s")

# The wait before a measurement, because a new window first loads Chromium's own scripts.
_SETTLED_MILLISECONDS: Final = 1_500
_SUBMIT: Final = "Forecast the rating"
_RUNTIMES: Final = ("70", "170")
# Resolves to the milliseconds from the next click until a new forecast is in the document.
_WATCH: Final = """
() => new Promise(resolve => {
    const shown = () => document.querySelector(".forecast")?.innerText;
    const before = shown();
    document.addEventListener("click", () => {
        const clicked = performance.now();
        new MutationObserver((_, observer) => {
            if (shown() !== undefined && shown() !== before) {
                observer.disconnect();
                resolve(performance.now() - clicked);
            }
        }).observe(document.body, {childList: true, subtree: true, characterData: true});
    }, {once: true, capture: true});
})
"""


def main(argv: list[str] | None = None) -> int:
    """Run the benchmark with the command-line options, and print the measured values."""
    arguments = PARSER.parse_args(argv)
    url = arguments.url or f"http://127.0.0.1:{all_settings().ui_port}"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=ARGUMENTS
        )
        with busy_elsewhere(url) as others:
            visits = [usable_seconds(browser, url) for _ in range(arguments.visits)]
        clicks = answer_milliseconds(browser, url, arguments.clicks)
        comparison = comparison_seconds(browser, url, arguments.films)
        use_everything(browser, url)
        browser.close()
    report(
        usable_seconds={
            "median": round(median(visits), 2),
            "worst": round(max(visits), 2),
            "cores_of_other_programs": round(others[0], 2),
        },
        click_to_answer_ms={
            "median": round(median(clicks)),
            "p95": round(quantiles(clicks, n=20)[-1]),
            "n": len(clicks),
        },
        comparison={"films": arguments.films, "seconds": round(comparison, 1)},
        page_pss_mb=round(pss_megabytes(url)),
    )
    return 0


def usable_seconds(browser: Browser, url: str) -> float:
    """Open the page with the form, without a cache, and measure how long the browser needs.

    Returns:
        The seconds until the form's button can be clicked.
    """
    context = browser.new_context()
    tab = context.new_page()
    tab.wait_for_timeout(_SETTLED_MILLISECONDS)
    started = time.perf_counter()
    tab.goto(f"{url}/?lang=en", wait_until="commit")
    # A trial click waits until the button can be clicked, and then does not click it.
    tab.get_by_role("button", name=_SUBMIT).click(trial=True)
    seconds = time.perf_counter() - started
    context.close()
    return seconds


def answer_milliseconds(browser: Browser, url: str, count: int) -> list[float]:
    """Request a forecast `count` times in one browser tab.

    Returns:
        For each request, the milliseconds from the click until the new forecast is on the page.
    """
    tab = _filled_in(browser, url)
    times = []
    for at in range(count):
        tab.get_by_label("Running time (min)", exact=True).fill(_RUNTIMES[at % 2])
        tab.evaluate(f"() => {{ window.answered = ({_WATCH})(); }}")
        tab.get_by_role("button", name=_SUBMIT).click()
        times.append(float(tab.evaluate("window.answered")))
        tab.wait_for_timeout(400)  # until the charts below the rating are drawn too
    tab.context.close()
    return times


def comparison_seconds(browser: Browser, url: str, count: int) -> float:
    """Upload a file of films, each with a plot of its own, and forecast all of them.

    Returns:
        The seconds from the click until all results are on the page.
    """
    tab = browser.new_context().new_page()
    tab.goto(f"{url}/compare?lang=en")
    rows = [
        f"Film {at},Keeper {at} of the lighthouse finds a letter that was hidden for {at} years."
        f",Drama|Mystery,Korean,{80 + at % 60} min,2027-{at % 12 + 1:02}-01"
        for at in range(count)
    ]
    text = "\n".join(["title,synopsis,genre,language,runtime,release date", *rows])
    file: FilePayload = {"name": "films.csv", "mimeType": "text/csv", "buffer": text.encode()}
    tab.locator("input[type=file]").set_input_files(file)
    tab.get_by_text(f"{count:,} films read").wait_for()
    started = time.perf_counter()
    tab.get_by_role("button", name="Forecast all").click()
    tab.get_by_role("button", name="Download the results as CSV").wait_for(timeout=600_000)
    seconds = time.perf_counter() - started
    tab.context.close()
    return seconds


def use_everything(browser: Browser, url: str) -> None:
    """Use three pages of the UI and download a PDF, so that the UI loads all the code for them."""
    tab = _filled_in(browser, url)
    tab.get_by_role("button", name=_SUBMIT).click()
    with tab.expect_download():
        tab.get_by_role("button", name="Download PDF").click()
    tab.get_by_role("button", name="Add to the comparison").click()
    tab.get_by_role("link", name="See the comparison").click()
    tab.get_by_role("button", name="Forecast all").click()
    tab.get_by_role("button", name="Download the results as CSV").wait_for()
    tab.goto(f"{url}/model?lang=en")
    tab.get_by_role("heading", name="The run's report").wait_for()
    tab.context.close()


@contextmanager
def busy_elsewhere(url: str) -> Iterator[list[float]]:
    """Measure how many processor cores other programs use while the `with` block runs.

    Yields a list, which is empty at first. When the block ends, the number of cores, such as 0.3,
    is added to the list.
    """
    used: list[float] = []
    started, before = time.perf_counter(), _processor_seconds(url)
    yield used
    used.append((_processor_seconds(url) - before) / (time.perf_counter() - started))


def _processor_seconds(url: str) -> float:
    """Return the processor seconds used by all programs except this one, the browser and the UI."""
    # The UI is left out too, because its work is part of what is measured.
    everything = psutil.cpu_times()
    ours = [psutil.Process(), *psutil.Process().children(recursive=True), _server(url)]
    return float(everything.user + everything.system) - sum(map(_worked, ours))


def _worked(process: psutil.Process) -> float:
    """Return the processor seconds used by a process and by those of its children that have ended.

    The result is 0 if the process itself has ended.
    """
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return float(times.user + times.system + times.children_user + times.children_system)


def pss_megabytes(url: str) -> float:
    """Return the memory of the UI's process in MB, as proportional set size (PSS)."""
    return float(_server(url).memory_full_info().pss) / 1e6


def _server(url: str) -> psutil.Process:
    """Find the UI's process: the one that listens on the port in `url`."""
    port = int(url.rsplit(":", 1)[1].strip("/"))
    pid = next(
        connection.pid
        for connection in psutil.net_connections("tcp")
        if connection.status == psutil.CONN_LISTEN and connection.laddr[1:] == (port,)
    )
    return psutil.Process(pid)


def _filled_in(browser: Browser, url: str) -> Page:
    """Open the page with the form in a new window, and choose a sample film to fill in the form."""
    tab = browser.new_context().new_page()
    tab.goto(f"{url}/?lang=en")
    tab.get_by_text("The Keeper's Letter").click()
    tab.get_by_text("Mystery").first.wait_for()
    return tab


if __name__ == "__main__":
    raise SystemExit(main())
