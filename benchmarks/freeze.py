"""Measure how long small requests wait while large batches are under way.

In turns, the API is otherwise idle, and answers large batches of films over some connections. In
both cases, one client sends small requests, one after another: `/livez`, `/readyz` and the old
`GET /predict`. The benchmark reports the response time that 99 % of them did not exceed, side by
side. A batch has as many films and characters as the API accepts; every tenth one has more, and is
refused.
"""

import argparse
import statistics
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any, Final

import requests

from app.film_facts import MAX_BATCH_CHARACTERS, MAX_BATCH_FILMS
from benchmarks.figures import report
from benchmarks.load import meanwhile
from benchmarks.production import Version, in_production
from benchmarks.questions import all_facts, askable, five_numbers
from benchmarks.real_run import RealRun, add_options, real_run
from benchmarks.services import Running, cores, deployed, our_api
from movierating.settings import Settings

LONGEST_PLOT: Final = 10_000  # characters
REFUSED_EVERY: Final = 10
ANSWER_SECONDS: Final = 120

PARSER: Final = argparse.ArgumentParser(prog="make bench-freeze", description=__doc__)
PARSER.add_argument(
    "--batches", type=int, default=4, help="batches under way at once (default: %(default)s)"
)
PARSER.add_argument(
    "--seconds", type=float, default=5, help="length of a round (default: %(default)s)"
)
PARSER.add_argument("--rounds", type=int, default=3, help="default: %(default)s")
add_options(PARSER)


@dataclass
class Batches:
    """Clients that send large batches without a pause.

    Attributes:
        url: The address of the API.
        bodies: The batches: one that is accepted, and one that is refused.
        statuses: The number of answers by their HTTP status.
    """

    url: str
    bodies: tuple[Mapping[str, Any], Mapping[str, Any]]
    statuses: Counter[int] = field(default_factory=Counter)
    _ended: threading.Event = field(default_factory=threading.Event)

    def send(self) -> None:
        """Act as one client, until `end` is called."""
        with requests.Session() as session:
            for number in count(1):
                if self._ended.is_set():
                    return
                body = self.bodies[number % REFUSED_EVERY == 1]
                answer = session.post(
                    f"{self.url}/v1/predict/batch", json=body, timeout=ANSWER_SECONDS
                )
                self.statuses[answer.status_code] += 1

    def end(self) -> None:
        """Stop all clients after their current batch."""
        self._ended.set()


def main(argv: list[str] | None = None) -> int:
    """Run the benchmark with the command-line options, and print the measured values."""
    arguments = PARSER.parse_args(argv)
    run = real_run(arguments)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with in_production(run.bundle_folder, folder) as settings:
            figures = waits(run, settings, folder, arguments)
    report(**figures)
    return 0


def waits(
    run: RealRun, settings: Settings, folder: Path, arguments: argparse.Namespace
) -> dict[str, Any]:
    """Measure the response times of small requests, alone and beside large batches.

    Args:
        run: A pipeline run on real films. The requests are made from its films.
        settings: Settings with the S3 bucket that contains the model in production.
        folder: A folder for the API's code and cache.
        arguments: The command-line options.
    """
    films, codes = askable(run.films(), MAX_BATCH_FILMS), Version.of(run.bundle_folder).bundle.codes
    small: dict[str, Any] = {"livez": {}, "readyz": {}, "predict": five_numbers(films[0], codes)}
    bodies = (
        batch(films, MAX_BATCH_CHARACTERS // len(films)),
        batch(films, LONGEST_PLOT),
    )
    alone: dict[str, list[float]] = {name: [] for name in small}
    beside: dict[str, list[float]] = {name: [] for name in small}
    statuses = Counter[int]()
    with our_api(deployed(folder / "b"), settings, cores()[0]) as service:
        for _ in range(arguments.rounds):
            response_times(service, small, arguments.seconds, alone)
            clients = Batches(service.url, bodies)
            with meanwhile([clients.send] * arguments.batches, clients.end):
                response_times(service, small, arguments.seconds, beside)
            statuses += clients.statuses
        megabytes = service.pss_mb()
    return {
        **{f"{name}_alone_ms": percentiles(each) for name, each in alone.items()},
        **{f"{name}_beside_batches_ms": percentiles(each) for name, each in beside.items()},
        "batches": {str(status): number for status, number in statuses.items()},
        "api_pss_mb": megabytes,
    }


def batch(films: Sequence[Any], characters: int) -> dict[str, Any]:
    """Return a batch of films with every fact, in which each plot has this many characters."""
    return {
        "films": [
            all_facts(film) | {"overview": repeated(film.plot.text, characters)} for film in films
        ]
    }


def repeated(text: str, characters: int) -> str:
    """Repeat a text until it has a certain length."""
    return (f"{text} " * (characters // len(text) + 1))[:characters].strip().ljust(characters, ".")


def response_times(
    service: Running, small: Mapping[str, Any], seconds: float, times: dict[str, list[float]]
) -> None:
    """Send one small request after the other for some seconds; collect the response times in ms."""
    until = time.monotonic() + seconds
    with requests.Session() as session:
        while time.monotonic() < until:
            for name, query in small.items():
                started = time.perf_counter()
                answer = session.get(f"{service.url}/{name}", params=query, timeout=ANSWER_SECONDS)
                times[name].append(1_000 * (time.perf_counter() - started))
                answer.raise_for_status()


def percentiles(times: Sequence[float]) -> dict[str, float]:
    """Return the number of response times, their median, their 99th percentile and the longest."""
    return {
        "n": len(times),
        "p50": round(statistics.median(times), 1),
        "p99": round(statistics.quantiles(times, n=100)[-1], 1),
        "worst": round(max(times), 1),
    }


if __name__ == "__main__":
    raise SystemExit(main())
