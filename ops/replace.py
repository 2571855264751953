"""Replace the API's replicas one by one, so that no request fails: `python3 -m ops.replace`.

A replica is one container that runs the API. Each new replica starts while the old ones still run.
When the new replica is ready, one old replica is stopped. Build the container image first:
`docker-compose -f docker-compose-fastapi.yaml build api`.
"""

import sys
from typing import Final

from ops.arguments import parser_of, project_of, run_and_report
from ops.project import EngineError, Project, run, wait

_START_SECONDS: Final = 180
# Time for a stopping replica to finish its requests; as stop_grace_period in the Compose file.
_DRAIN_SECONDS: Final = "30"
_IS_READY: Final = (
    "from urllib.request import ProxyHandler, build_opener; "
    "build_opener(ProxyHandler({})).open('http://127.0.0.1:8000/readyz', timeout=3)"
)

parser = parser_of(
    "ops.replace", (__doc__ or "").partition(":")[0], "serving", "docker-compose-fastapi.yaml"
)
parser.add_argument("--replicas", type=int, help="new number of replicas (default: as now)")


def replace(project: Project, replicas: int | None = None) -> list[str]:
    """Replace every replica of the API; return the container ids of the new replicas.

    Args:
        project: The Compose project with the service `api`.
        replicas: The new number of replicas; None keeps the present number.

    Raises:
        EngineError: A new replica was not ready in time. This replica is removed, and the old
            replicas that are left keep serving.
    """
    old = project.containers("api")
    wanted = replicas or len(old)
    fresh: list[str] = []
    # Each new replica starts before an old one stops, so the old capacity is kept meanwhile.
    while len(fresh) < wanted:
        fresh.append(_start_replica(project))
        if old:
            _stop_replica(old.pop(0))
    for each in old:
        _stop_replica(each)
    return fresh


def is_ready(container: str) -> bool:
    """Return whether the API in a container is ready: it has loaded and verified a model."""
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
    """Run the command line: replace the API's replicas, and print their number."""
    options = parser.parse_args(argv)

    def work() -> str:
        return f"{len(replace(project_of(options), options.replicas))} new replicas serve"

    return run_and_report(work)


if __name__ == "__main__":
    sys.exit(main())
