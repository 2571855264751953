"""Measure the memory of the API and the UI, which share the serving machine (instance B).

Both are under load during the measurement. The results are proportional set sizes (PSS): memory
that n processes share counts 1/n for each of them. The serving machine has 1 GiB of memory. To
check that the kernel kills no process there, run this benchmark in a memory cgroup of that size.
"""

import argparse
import tempfile
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import connect

from benchmarks.figures import report
from benchmarks.load import load, meanwhile, posts, script
from benchmarks.production import in_production
from benchmarks.questions import all_facts, askable
from benchmarks.real_run import add_options, real_run
from benchmarks.services import Running, cores, deployed, our_api, page

FILMS: Final = 200
ANSWER_SECONDS: Final = 60

PARSER: Final = argparse.ArgumentParser(prog="make bench-instance_b", description=__doc__)
PARSER.add_argument(
    "--seconds", type=float, default=30, help="duration of the load (default: %(default)s)"
)
PARSER.add_argument(
    "--visitors", type=int, default=4, help="visitors at once (default: %(default)s)"
)
add_options(PARSER)


@dataclass
class Visitors:
    """Simulated visitors, who open the UI's first page again and again.

    Attributes:
        url: The address of the UI.
        visits: How many times a visitor has received the complete page.
    """

    url: str
    visits: int = 0
    _counting: threading.Lock = field(default_factory=threading.Lock)
    _ended: threading.Event = field(default_factory=threading.Event)

    def visit(self) -> None:
        """Open the page repeatedly, as one visitor, until `end` is called."""
        while not self._ended.is_set():
            draw(self.url)
            with self._counting:
                self.visits += 1

    def end(self) -> None:
        """Stop all visitors after their current visit."""
        self._ended.set()


def draw(url: str) -> None:
    """Open the UI's first page over a WebSocket, as a browser does, and wait until it is complete.

    It is complete when Streamlit reports that the page's script has finished.
    """
    address = f"{url.replace('http', 'ws', 1)}/_stcore/stream"
    with connect(address, max_size=None) as browser:
        wanted = BackMsg(rerun_script=ClientState(query_string=""))
        browser.send(wanted.SerializeToString())
        kind = None
        while kind != "script_finished":
            message = browser.recv(timeout=ANSWER_SECONDS)
            assert isinstance(message, bytes)  # noqa: S101 - for the type checker
            kind = ForwardMsg.FromString(message).WhichOneof("type")


def main(argv: list[str] | None = None) -> int:
    """Run the benchmark with the command-line options, and print the measured values."""
    arguments = PARSER.parse_args(argv)
    run = real_run(arguments)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        wanted = folder / "posts.lua"
        wanted.write_text(script(posts("/predict", map(all_facts, askable(run.films(), FILMS)))))
        with in_production(run.bundle_folder, folder) as settings:
            here = deployed(folder / "b")
            with our_api(here, settings) as api, page(here, api.url) as ui:
                figures = under_load(api, ui, wanted, arguments.seconds, arguments.visitors)
    report(**figures)
    return 0


def under_load(
    api: Running, ui: Running, wanted: Path, seconds: float, visitors: int
) -> dict[str, Any]:
    """Send requests to the API and the UI for some time, then measure the memory of both.

    Args:
        api: The running API.
        ui: The running UI.
        wanted: The path of the wrk script with the requests for the API.
        seconds: How long requests are sent.
        visitors: The number of simulated visitors of the UI.
    """
    _, core = cores()
    public = Visitors(ui.url)
    with meanwhile([public.visit] * visitors, public.end):
        seen = load(api.url, wanted, seconds, core)
        # Measured while the visitors are still active, so that their sessions are in memory.
        megabytes = {"api_pss_mb": api.pss_mb(), "page_pss_mb": ui.pss_mb()}
    return megabytes | {
        "both_pss_mb": round(sum(megabytes.values()), 1),
        "forecasts": seen.requests,
        "visits": public.visits,
    }


if __name__ == "__main__":
    raise SystemExit(main())
