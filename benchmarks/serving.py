"""Measure requests per second: our API, the project's old service, and a minimal FastAPI endpoint.

All three services run on the same processor core, with one worker process each. The load generator
wrk runs on another core. In each round, it sends requests to one service after the other, over
eight connections. It sends 200 different requests in turn.

The main result is a ratio: a service's requests per second, divided by those of the minimal
endpoint in the same round. A ratio is more reliable, because the speed of a machine varies over
time. Afterwards, the benchmark measures how long our API takes to start, with and without S3.
"""

import argparse
import pickle
import socket
import statistics
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

import requests

from benchmarks.figures import report
from benchmarks.load import Measured, gets, load, posts, script
from benchmarks.production import Version, in_production
from benchmarks.questions import all_facts, askable, five_numbers, form
from benchmarks.real_run import RealRun, add_options, real_run
from benchmarks.services import Running, cores, deployed, our_api, uvicorn
from movierating.settings import Settings
from sandbox.state import HOST, ROOT, free_ports
from scripts.dataset.legacy import five_columns, old_model

REQUESTS: Final = 200  # different requests of each kind, sent in turn
OLD_FILMS: Final = 93  # the size of the old model's training set
WARM_UP_SECONDS: Final = 2.0

PARSER: Final = argparse.ArgumentParser(prog="make bench-serving", description=__doc__)
PARSER.add_argument("--rounds", type=int, default=5, help="default: %(default)s")
PARSER.add_argument(
    "--seconds", type=float, default=3, help="length of a round (default: %(default)s)"
)
PARSER.add_argument(
    "--starts", type=int, default=3, help="starts of each kind (default: %(default)s)"
)
add_options(PARSER)


@dataclass(frozen=True)
class Target:
    """A service whose speed is measured, and the requests for it.

    Attributes:
        service: The running service.
        wanted: The path of the wrk script with the requests.
    """

    service: Running
    wanted: Path


@dataclass(frozen=True)
class Round:
    """The speed of one service, measured in one round.

    Attributes:
        seen: The requests per second and the response times that wrk measured.
        cpu_us: Microseconds of processor time per request. Other programs on the machine affect
            this value less than the requests per second.
    """

    seen: Measured
    cpu_us: float

    @classmethod
    def of(cls, target: Target, seconds: float, core: int) -> Self:
        """Send requests to a target for some seconds, and measure its speed.

        Args:
            target: The service and its requests.
            seconds: How long requests are sent.
            core: The number of the processor core for the load generator wrk.
        """
        before = target.service.cpu_seconds()
        seen = load(target.service.url, target.wanted, seconds, core)
        spent = target.service.cpu_seconds() - before
        return cls(seen, 1e6 * spent / seen.requests)


def main(argv: list[str] | None = None) -> int:
    """Run the benchmark with the command-line options, and print the measured values."""
    arguments = PARSER.parse_args(argv)
    run = real_run(arguments)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with in_production(run.bundle_folder, folder) as settings:
            figures = speeds(run, settings, folder, arguments.rounds, arguments.seconds)
            figures |= starts(settings, folder, arguments.starts)
    report(**figures)
    return 0


def speeds(
    run: RealRun, settings: Settings, folder: Path, rounds: int, seconds: float
) -> dict[str, Any]:
    """Measure the speed of all services under load, and the memory of two of them afterwards.

    Args:
        run: A pipeline run on real films. The requests are made from its films.
        settings: Settings with the S3 bucket that contains the model in production.
        folder: A temporary folder for wrk scripts and for a copy of the API's code.
        rounds: The number of rounds.
        seconds: How long each service gets requests in each round.

    Returns:
        Measured values by name, such as `post_full_per_second`. A name starts with `old` (the old
        service), `bare` (the minimal endpoint), or a kind of request to our API.
    """
    core, other = cores()
    films, codes = askable(run.films(), REQUESTS), Version.of(run.bundle_folder).bundle.codes
    here = {"PYTHONPATH": str(ROOT), "OLD_MODEL": str(old_pickle(run, folder))}
    wanted = {
        "get": gets("/predict", (five_numbers(film, codes) for film in films)),
        "post": posts("/predict?explain=false", map(form, films)),
        "post_full": posts("/predict", map(form, films)),
        "post_all_facts": posts("/predict?explain=false", map(all_facts, films)),
        "post_all_facts_full": posts("/predict", map(all_facts, films)),
    }
    scripts = {name: folder / f"{name}.lua" for name in wanted}
    for name, path in scripts.items():
        path.write_text(script(wanted[name]))
    with (
        # In `dev`, because the API's environment lacks pandas and XGBoost, which the old one needs.
        uvicorn(
            "dev", "benchmarks.old_way:app", "--no-access-log",
            folder=folder, environment=here, ready="/openapi.json", core=core,
        ) as old,
        uvicorn(
            "api", "benchmarks.bare:app", "--no-access-log",
            folder=folder, environment=here, ready="/openapi.json", core=core,
        ) as bare,
        our_api(deployed(folder / "b"), settings, core) as ours,
    ):  # fmt: skip
        # The first request to a service can take seconds: the old service imports XGBoost, and our
        # API loads its sentiment lexicon. wrk must not measure that.
        first = five_numbers(films[0], codes)
        requests.get(f"{old.url}/predict", first, timeout=60).raise_for_status()
        requests.post(f"{ours.url}/predict", json=form(films[0]), timeout=60).raise_for_status()
        targets = {"old": Target(old, scripts["get"]), "bare": Target(bare, scripts["get"])}
        targets |= {name: Target(ours, path) for name, path in scripts.items()}
        seen = side_by_side(targets, rounds, seconds, other)
        megabytes = {
            "api_pss_mb": ours.pss_mb(),
            "old_pss_mb": old.pss_mb(),
        }
    return summary(seen) | megabytes


def side_by_side(
    targets: Mapping[str, Target], rounds: int, seconds: float, core: int
) -> dict[str, list[Round]]:
    """Measure the speed of several services in turn, once per round.

    Before the first round, each service gets some requests that are not measured.

    Args:
        targets: The services and their requests, by name.
        rounds: The number of rounds.
        seconds: How long each service gets requests in each round.
        core: The number of the processor core for the load generator wrk.

    Returns:
        The measured speeds by the service's name, one for each round.
    """
    for target in targets.values():
        load(target.service.url, target.wanted, WARM_UP_SECONDS, core)
    done: dict[str, list[Round]] = {name: [] for name in targets}
    # In turns, so that a slow period of the machine affects all targets.
    for at in range(rounds):
        for name, target in targets.items():
            done[name].append(Round.of(target, seconds, core))
        rates = ", ".join(f"{name} {each[-1].seen.per_second:.0f}" for name, each in done.items())
        print(f"round {at + 1}, requests per second: {rates}", flush=True)
    return done


def summary(done: Mapping[str, Sequence[Round]]) -> dict[str, Any]:
    """Compute the median of each measured value over all rounds, and the ratios of the speeds.

    A ratio is the requests per second of a service, divided by those of the minimal endpoint in the
    same round.

    Args:
        done: The measured speeds by the service's name, one for each round. `bare` is the minimal
            endpoint.
    """
    ratios = {
        "old_get" if name == "old" else name: [
            mine.seen.per_second / bare.seen.per_second
            for mine, bare in zip(rounds, done["bare"], strict=True)
        ]
        for name, rounds in done.items()
        if name != "bare"
    }
    figures: dict[str, Any] = {}
    for name, each in ratios.items():
        figures[f"{name}_ratio"] = round(statistics.median(each), 4)
        figures[f"{name}_ratio_from_to"] = [round(min(each), 4), round(max(each), 4)]
    for name, rounds in done.items():
        seen = [each.seen for each in rounds]
        figures[f"{name}_per_second"] = round(statistics.median(each.per_second for each in seen))
        figures[f"{name}_p50_ms"] = round(statistics.median(each.p50_ms for each in seen), 2)
        figures[f"{name}_p99_ms"] = round(statistics.median(each.p99_ms for each in seen), 2)
        figures[f"{name}_cpu_us"] = round(statistics.median(each.cpu_us for each in rounds))
    return figures


def starts(settings: Settings, folder: Path, count: int) -> dict[str, Any]:
    """Measure the seconds from the API's start until it is ready to forecast, in three situations.

    1. The API has no cached model, so it loads the model from S3.
    2. The API has a cached model, and S3 refuses connections.
    3. The API has a cached model, and S3 accepts connections but never answers.

    Args:
        settings: Settings with the S3 bucket that contains the model in production.
        folder: The parent folder for copies of the API's code.
        count: How many times the API is started in each situation.

    Returns:
        The median of the seconds in each situation, by name.
    """
    gone = f"http://{HOST}:{free_ports(1)[0]}"
    with mute_server() as mute:
        return {
            "cold_start_seconds": median_start(settings, lambda at: folder / f"cold-{at}", count),
            "cold_start_s3_gone_seconds": median_start(
                elsewhere(settings, gone), lambda _: folder / "cold-0", count
            ),
            "cold_start_s3_mute_seconds": median_start(
                elsewhere(settings, mute), lambda _: folder / "cold-0", count
            ),
        }


def median_start(settings: Settings, where: Callable[[int], Path], count: int) -> float:
    """Start the API several times, and return the median of the seconds until it was ready.

    Args:
        settings: Settings with the S3 bucket that contains the model in production.
        where: Returns the folder with the API's code, given the number of the start. If the API
            has run from this folder before, it has a cached model there.
        count: How many times the API is started.
    """
    seconds = []
    for at in range(count):
        folder = where(at)
        with our_api(folder if folder.exists() else deployed(folder), settings) as service:
            seconds.append(service.start_seconds)
    return round(statistics.median(seconds), 2)


def elsewhere(settings: Settings, url: str) -> Settings:
    """Return a copy of the settings in which S3 has the address `url`."""
    return settings.model_copy(update={"aws_endpoint_url_s3": url})


@contextmanager
def mute_server() -> Iterator[str]:
    """Run a server that accepts connections but never answers; yield the server's address."""
    with socket.create_server((HOST, 0)) as server:
        yield f"http://{HOST}:{server.getsockname()[1]}"


def old_pickle(run: RealRun, folder: Path) -> Path:
    """Train the project's old model, and write it to a pickle file in `folder`.

    The old model had 93 popular films for training, so here it gets as many.

    Args:
        run: A pipeline run on real films. The training films are selected from its films.
        folder: The folder for the pickle file.

    Returns:
        The path of the pickle file.
    """
    newest = run.films().tail(2_000)
    popular = newest.nlargest(OLD_FILMS, "vote_count")
    path = folder / "old_model.pkl"
    path.write_bytes(pickle.dumps(old_model().fit(five_columns(popular), popular["vote_average"])))
    return path


if __name__ == "__main__":
    raise SystemExit(main())
