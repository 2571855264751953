"""Run both machines of a deployment as containers here, and measure them.

The two machines are instance A (training) and instance B (serving). The benchmark measures the
sizes of the container images and the memory of each service. It also runs each recovery drill
(`ops.drills`). The benchmark needs a Docker engine. It builds container images that are missing.
"""

import argparse
import re
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from benchmarks.figures import report
from ops import drills
from ops.memory import Peaks, limit_mb, measured
from ops.project import ROOT, Project, inspect
from ops.trial import Trial, new_trial
from sandbox.state import free_ports

PARSER: Final = argparse.ArgumentParser(prog="make bench-containers", description=__doc__)
PARSER.add_argument(
    "--films", type=int, default=400, help="films to collect (default: %(default)s)"
)


@contextmanager
def trial(films: int, folder: Path) -> Iterator[Trial]:
    """Start the whole system in containers on this machine: a container trial.

    When the `with` block ends, the containers are stopped and their data is deleted.

    Args:
        films: The number of films to collect.
        folder: The folder for the file with the trial's settings.
    """
    airflow, page, http, https = free_ports(4)
    running = new_trial(
        "movierating-bench",
        folder / "trial.env",
        AIRFLOW_PORT=airflow,
        UI_PORT=page,
        COLLECT_MAX_FILMS=films,
        PUBLIC_HTTP_PORT=http,
        PUBLIC_HTTPS_PORT=https,
        PROXY_USERS_FILE=str(folder / "users"),
    )
    try:
        running.write_proxy_user()
        running.start()
        yield running
    finally:
        running.project.compose("down", "--volumes")


def beside_limits(project: Project, peaks: Peaks) -> dict[str, str]:
    """Return each running service's peak memory and memory limit in MB, such as `310 of 768`."""
    # A service that has ended, such as a migration, has no container to ask for its limit.
    running = {name: project.containers(name) for name in sorted(peaks)}
    return {
        name: f"{peaks[name]:.0f} of {limit_mb(containers[0]):.0f}"
        for name, containers in running.items()
        if containers
    }


def layers_mb(target: str) -> int:
    """Return how many MB the container image for a build target is larger than its base image.

    The build targets are those in the Dockerfile: `api`, `ui` or `pipeline`.
    """
    # The base image is left out, because all images share it.
    (base,) = re.findall(r"(?m)^FROM (\S+) AS base$", (ROOT / "Dockerfile").read_text())
    whole, below = (int(inspect(image, "{{.Size}}")) for image in (f"movie-rating-{target}", base))
    return round((whole - below) / 1e6)


def main() -> None:
    """Run the pipeline in containers, then every recovery drill; print the measured values."""
    options = PARSER.parse_args()
    with tempfile.TemporaryDirectory() as name, trial(options.films, Path(name)) as running:
        began = time.monotonic()
        with measured(running.project) as peaks:
            version = running.run_pipeline()["version"]
            in_service = running.await_version(version)
            running.forecast()
        run_seconds = time.monotonic() - began
        report(
            films=options.films,
            image_megabytes={target: layers_mb(target) for target in ("api", "ui", "pipeline")},
            megabytes=beside_limits(running.project, peaks),
            run_seconds=round(run_seconds),
            seconds_until_it_answers=round(in_service, 1),
            drills={name: drill(running) for name, drill in drills.DRILLS.items()},
        )


if __name__ == "__main__":
    main()
