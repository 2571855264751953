"""Replace the API's replicas one by one, without refused requests: `python3 -m ops.replace`.

Each new replica starts beside the old ones; when it is ready, an old one stops. Build the image
first: `docker-compose -f docker-compose-fastapi.yaml build api`.
"""

import sys
from typing import Final

from ops.arguments import parser_of, project_of, run_and_report
from ops.project import EngineError, Project, run, wait

_START_SECONDS: Final = 180
_DRAIN_SECONDS: Final = "30"  # for running requests, as stop_grace_period in the compose file
_IS_READY: Final = (
    "from urllib.request import urlopen; urlopen('http://127.0.0.1:8000/readyz', timeout=3)"
)

parser = parser_of(
    "ops.replace", (__doc__ or "").partition(":")[0], "serving", "docker-compose-fastapi.yaml"
)
parser.add_argument("--replicas", type=int, help="new number of replicas (default: as now)")


def replace(project: Project, replicas: int | None = None) -> list[str]:
    """Replace every replica, and return the ids of the new ones.

    Raises:
        EngineError: A new replica was not ready in time. It is removed; the old ones keep serving.
    """
    old = project.containers("api")
    wanted = replicas or len(old)
    fresh: list[str] = []
    # Start before stop: at every moment there are at least as many replicas as before.
    while len(fresh) < wanted:
        fresh.append(_start_replica(project))
        if old:
            _stop_replica(old.pop(0))
    for each in old:
        _stop_replica(each)
    return fresh


def is_ready(container: str) -> bool:
    """Whether a replica has a verified model to serve."""
    try:
        run("docker", "exec", container, "python", "-c", _IS_READY)
    except EngineError:
        return False
    return True


def _start_replica(project: Project) -> str:
    before = set(project.containers("api"))
    count = f"api={len(before) + 1}"
    project.compose("up", "-d", "--no-deps", "--no-recreate", "--no-build", "--scale", count, "api")
    (new,) = set(project.containers("api")) - before
    try:
        wait("the new replica is ready", lambda: is_ready(new), _START_SECONDS)
    except EngineError:
        _stop_replica(new)
        raise
    return new


def _stop_replica(container: str) -> None:
    run("docker", "stop", "--time", _DRAIN_SECONDS, container)
    run("docker", "rm", "--volumes", container)


def main(argv: list[str] | None = None) -> int:
    """Replace the replicas from the command line."""
    options = parser.parse_args(argv)

    def work() -> str:
        return f"{len(replace(project_of(options), options.replicas))} new replicas serve"

    return run_and_report(work)


if __name__ == "__main__":
    sys.exit(main())
