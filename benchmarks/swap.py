"""Measure how long it takes until the API serves a newly promoted model version.

The benchmark has two parts:

1. A bad model version is in production, and an API is running. The pipeline's deployment step puts
   a better version into production. The benchmark measures the time until the API serves it.
2. Two model versions are put into production in turn, many times. Meanwhile, clients send forecast
   requests without a pause. Each answer names a model version. The benchmark checks that the rating
   and the interval in the answer come from this version.
"""

import argparse
import os
import random
import subprocess
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any, Final

import requests

from app.film_facts import FilmFacts
from app.forecasting import forecast, read_plot
from app.known_films import CompletedFilm
from benchmarks.figures import report
from benchmarks.load import meanwhile
from benchmarks.production import Version, move, publish
from benchmarks.questions import askable, form
from benchmarks.real_run import RUN_DATE, RealRun, add_options, real_run
from benchmarks.services import api_environment, deployed, our_api
from movierating.registry.registry import Registry
from movierating.s3 import open_bucket
from movierating.settings import Settings
from sandbox.s3.process import S3Server, running_s3
from sandbox.state import ROOT

FILMS: Final = 20
SHIFT: Final = 0.5  # rating points; large enough to tell the two versions apart
PATIENCE_SECONDS: Final = 60.0  # the longest wait for a version to be in service

PARSER: Final = argparse.ArgumentParser(prog="make bench-swap", description=__doc__)
PARSER.add_argument("--swaps", type=int, default=100, help="default: %(default)s")
PARSER.add_argument("--poll", type=float, default=1, help="seconds (default: %(default)s)")
PARSER.add_argument("--clients", type=int, default=4, help="default: %(default)s")
add_options(PARSER)


@dataclass(frozen=True)
class Question:
    """A forecast request, and the correct answer from each model version.

    Attributes:
        body: The JSON body of the request.
        expected: The correct rating and interval, by the name of the model version.
    """

    body: Mapping[str, Any]
    expected: Mapping[str, tuple[float, Mapping[str, float]]]

    @classmethod
    def of(cls, body: Mapping[str, Any], versions: Sequence[Version]) -> "Question":
        """Compute the correct answers to a request directly from the model files, without the API.

        Args:
            body: The JSON body of the request.
            versions: The model versions that may answer the request.
        """
        facts = FilmFacts.model_validate(body)
        reading = read_plot(facts.overview, facts.overview)
        film = CompletedFilm(facts)
        answers = [forecast(each.bundle, film, reading, explained=False) for each in versions]
        return cls(
            body, {each.version: (each.rating, each.interval.model_dump()) for each in answers}
        )

    def verdict(self, status: int, answer: Mapping[str, Any]) -> str:
        """Check an answer from the API.

        Args:
            status: The HTTP status of the answer.
            answer: The JSON body of the answer.

        Returns:
            `failed` for an error status. `mixed` if the rating or the interval does not come from
            the model version that the answer names. Otherwise `good`.
        """
        if status != requests.codes.ok:
            return "failed"
        received = (answer["rating"], answer["interval"])
        return "good" if self.expected.get(answer["version"]) == received else "mixed"


@dataclass
class Clients:
    """Clients that send forecast requests without a pause, each over its own connection.

    Attributes:
        url: The address of the API.
        questions: The requests that the clients may send. They choose at random.
        verdicts: The number of answers by the result of the check: `good`, `failed` or `mixed`.
    """

    url: str
    questions: Sequence[Question]
    verdicts: Counter[str] = field(default_factory=Counter)
    _ended: threading.Event = field(default_factory=threading.Event)

    def ask(self, seed: int) -> None:
        """Act as one client: send requests one after another, until `end` is called."""
        chance, seen = random.Random(seed), Counter[str]()  # noqa: S311 - repeatable
        with requests.Session() as session:
            while not self._ended.is_set():
                seen[self._one(session, chance.choice(self.questions))] += 1
        # Added once per client, because frequent updates by several threads could be lost.
        self.verdicts += seen

    def end(self) -> None:
        """Stop all clients after their current request."""
        self._ended.set()

    def _one(self, session: requests.Session, question: Question) -> str:
        try:
            answer = session.post(
                f"{self.url}/predict", params={"explain": False}, json=question.body, timeout=30
            )
            return question.verdict(answer.status_code, answer.json())
        except requests.RequestException:
            return "failed"


def main(argv: list[str] | None = None) -> int:
    """Run the benchmark with the command-line options, and print the measured values."""
    arguments = PARSER.parse_args(argv)
    run = real_run(arguments)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with running_s3(folder / "s3") as s3:
            trained = Version.of(run.bundle_folder)
            # With an older run date, because production never moves to an older one.
            worse = trained.shifted(folder / "worse", SHIFT, RUN_DATE - timedelta(days=1))
            seconds = train_to_serving(run, trained, worse, s3, folder)
            figures = swaps(arguments, run, (trained, worse), s3, folder)
    report(train_to_serving_seconds=seconds, **figures)
    return 0


def train_to_serving(
    run: RealRun, trained: Version, worse: Version, s3: S3Server, folder: Path
) -> float:
    """Deploy a new model version, and measure the seconds until a running API serves it.

    Args:
        run: The pipeline run that trained the new version.
        trained: The new version.
        worse: The version that is in production before.
        s3: The local S3 server.
        folder: A folder for the API's code and cache.
    """
    settings = s3.settings(s3.new_bucket(), data_dir=str(run.folder))
    registry = Registry(open_bucket(settings))
    move(registry, publish(registry, worse))
    with our_api(deployed(folder / "deploy"), settings) as service:
        started = time.monotonic()
        deploy(settings)
        wait_for(service.url, trained.manifest.version)
        return round(time.monotonic() - started, 1)


def deploy(settings: Settings) -> None:
    """Run the pipeline's deployment step in a separate process, as an Airflow task does."""
    command = [f"{ROOT}/.venv/pipeline/bin/python", "-m", "scripts.deploy", "--date", str(RUN_DATE)]
    environment = api_environment(settings) | {
        "DATA_DIR": settings.data_dir,
        "WANDB_MODE": "offline",  # a benchmark must not send its run to W&B
    }
    subprocess.run(command, cwd=ROOT, env=os.environ | environment, check=True)


def swaps(
    arguments: argparse.Namespace,
    run: RealRun,
    versions: Sequence[Version],
    s3: S3Server,
    folder: Path,
) -> dict[str, Any]:
    """Put two model versions into production in turn, and check every answer from the API.

    Meanwhile, clients send forecast requests to the API without a pause.

    Args:
        arguments: The command-line options.
        run: A pipeline run on real films. The requests are made from its films.
        versions: The two model versions.
        s3: The local S3 server.
        folder: A folder for the API's code and cache.

    Returns:
        The number of changes and answers, the number of failed and of mixed answers, and the
        seconds until the API serves the other version.
    """
    settings = s3.settings(s3.new_bucket(), model_poll_seconds=arguments.poll)
    registry = Registry(open_bucket(settings))
    pointers = [publish(registry, each) for each in versions]
    move(registry, pointers[0])
    questions = [Question.of(form(film), versions) for film in askable(run.films(), FILMS)]
    with our_api(deployed(folder / "swap"), settings) as service:
        clients = Clients(service.url, questions)
        asking = [partial(clients.ask, seed) for seed in range(arguments.clients)]
        seconds = []
        with meanwhile(asking, clients.end):
            for at in range(arguments.swaps):
                pointer = pointers[(at + 1) % len(pointers)]
                started = time.monotonic()
                move(registry, pointer)
                wait_for(service.url, pointer.version)
                seconds.append(time.monotonic() - started)
    return {
        "swaps": len(seconds),
        "answers": sum(clients.verdicts.values()),
        "failed": clients.verdicts["failed"],
        "mixed": clients.verdicts["mixed"],
        "live_seconds_max": round(max(seconds), 2),
        "live_seconds_mean": round(sum(seconds) / len(seconds), 2),
        "poll_seconds": arguments.poll,
    }


def wait_for(url: str, version: str) -> None:
    """Wait until the API at the address `url` serves the given model version.

    Raises:
        TimeoutError: The API does not serve the version in time.
    """
    deadline = time.monotonic() + PATIENCE_SECONDS
    with requests.Session() as session:
        while session.get(f"{url}/readyz", timeout=30).json().get("version") != version:
            if time.monotonic() > deadline:
                raise TimeoutError(f"version {version} is not in service in time")
            time.sleep(0.02)  # short, because the wait itself is measured


if __name__ == "__main__":
    raise SystemExit(main())
