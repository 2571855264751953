"""Swap models under load, and measure how long it takes from training to the first forecast.

First, the real `deploy` replaces a worse version, while a service polls at its default rate. Then
production switches back and forth between two versions under constant load. Every answer must come
completely from the version that it names.
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

from app.forecasting import forecast, read_plot
from app.schemas import FilmFacts
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
PATIENCE_SECONDS: Final = 60.0

PARSER: Final = argparse.ArgumentParser(prog="make bench-swap", description=__doc__)
PARSER.add_argument("--swaps", type=int, default=100, help="default: %(default)s")
PARSER.add_argument("--poll", type=float, default=1, help="seconds (default: %(default)s)")
PARSER.add_argument("--clients", type=int, default=4, help="default: %(default)s")
add_options(PARSER)


@dataclass(frozen=True)
class Question:
    """A request, and the rating and interval that each version must answer."""

    body: Mapping[str, Any]
    expected: Mapping[str, tuple[float, Mapping[str, float]]]

    @classmethod
    def of(cls, body: Mapping[str, Any], versions: Sequence[Version]) -> "Question":
        """A question with the answers computed directly from the bundles."""
        facts = FilmFacts.model_validate(body)
        reading = read_plot(facts.overview, facts.overview)
        answers = [forecast(each.bundle, facts, reading, explained=False) for each in versions]
        return cls(
            body, {each.version: (each.rating, each.interval.model_dump()) for each in answers}
        )

    def verdict(self, status: int, answer: Mapping[str, Any]) -> str:
        """`good`, `failed`, or `mixed` if the answer is not from the version it names."""
        if status != requests.codes.ok:
            return "failed"
        received = (answer["rating"], answer["interval"])
        return "good" if self.expected.get(answer["version"]) == received else "mixed"


@dataclass
class Clients:
    """Clients that send requests without a pause, each over its own connection.

    Attributes:
        verdicts: Number of answers by verdict.
    """

    url: str
    questions: Sequence[Question]
    verdicts: Counter[str] = field(default_factory=Counter)
    _ended: threading.Event = field(default_factory=threading.Event)

    def ask(self, seed: int) -> None:
        """Send forecast requests one after another, as one client, until `end` is called."""
        chance, seen = random.Random(seed), Counter[str]()  # noqa: S311 - repeatable
        with requests.Session() as session:
            while not self._ended.is_set():
                seen[self._one(session, chance.choice(self.questions))] += 1
        self.verdicts += seen

    def end(self) -> None:
        """Make all clients finish."""
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
    """Run the benchmark."""
    arguments = PARSER.parse_args(argv)
    run = real_run(arguments)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with running_s3(folder / "s3") as s3:
            trained = Version.of(run.bundle_folder)
            worse = trained.shifted(folder / "worse", SHIFT, RUN_DATE - timedelta(days=1))
            seconds = train_to_serving(run, trained, worse, s3, folder)
            figures = swaps(arguments, run, (trained, worse), s3, folder)
    report(train_to_serving_seconds=seconds, **figures)
    return 0


def train_to_serving(
    run: RealRun, trained: Version, worse: Version, s3: S3Server, folder: Path
) -> float:
    """Seconds from the end of training until a service with default polling has the version."""
    settings = s3.settings(s3.new_bucket(), data_dir=str(run.folder))
    registry = Registry(open_bucket(settings))
    move(registry, publish(registry, worse))
    with our_api(deployed(folder / "deploy"), settings) as service:
        started = time.monotonic()
        deploy(settings)
        wait_for(service.url, trained.manifest.version)
        return round(time.monotonic() - started, 1)


def deploy(settings: Settings) -> None:
    """Run the deployment step in a process of its own, as Airflow does."""
    command = [f"{ROOT}/.venv/pipeline/bin/python", "-m", "scripts.deploy", "--date", str(RUN_DATE)]
    environment = api_environment(settings) | {
        "DATA_DIR": settings.data_dir,
        "WANDB_MODE": "offline",
    }
    subprocess.run(command, cwd=ROOT, env=os.environ | environment, check=True)


def swaps(
    arguments: argparse.Namespace,
    run: RealRun,
    versions: Sequence[Version],
    s3: S3Server,
    folder: Path,
) -> dict[str, Any]:
    """Switch between two versions under load; measure each switch and check every answer."""
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
    """Wait until a service is ready with a version.

    Raises:
        TimeoutError: The version is not in service in time.
    """
    deadline = time.monotonic() + PATIENCE_SECONDS
    with requests.Session() as session:
        while session.get(f"{url}/readyz", timeout=30).json().get("version") != version:
            if time.monotonic() > deadline:
                raise TimeoutError(f"version {version} is not in service in time")
            time.sleep(0.02)


if __name__ == "__main__":
    raise SystemExit(main())
