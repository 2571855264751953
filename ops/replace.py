"""Replace the API's replicas one by one, so that no request is refused: `python3 -m ops.replace`.

A new replica is started beside the old ones and takes their place once it is ready. Build the image
before: `docker-compose -f docker-compose-fastapi.yaml build api`.
"""

import sys
from typing import Final

from ops.arguments import parser_of, project_of, told
from ops.project import EngineError, Project, run, wait

_START_SECONDS: Final = 180
_DRAIN_SECONDS: Final = "30"
_IS_READY: Final = (
    "from urllib.request import urlopen; urlopen('http://127.0.0.1:8000/readyz', timeout=3)"
)

parser = parser_of(
    "ops.replace", (__doc__ or "").partition(":")[0], "serving", "docker-compose-fastapi.yaml"
)
parser.add_argument(
    "--replicas", type=int, help="how many there shall be (default: as many as now)"
)


def replace(project: Project, replicas: int | None = None) -> list[str]:
    """Put a new replica in the place of each; returns the new ones' ids.

    Raises:
        EngineError: A new replica was not ready in time. It is gone again, the old ones serve on.
    """
    old = project.containers("api")
    wanted = replicas or len(old)
    fresh: list[str] = []
    while len(fresh) < wanted:
        fresh.append(_begun(project))
        if old:
            _ended(old.pop(0))
    for each in old:
        _ended(each)
    return fresh


def is_ready(container: str) -> bool:
    """Whether a replica serves a verified model."""
    try:
        run("docker", "exec", container, "python", "-c", _IS_READY)
    except EngineError:
        return False
    return True


def _begun(project: Project) -> str:
    before = set(project.containers("api"))
    count = f"api={len(before) + 1}"
    project.compose("up", "-d", "--no-deps", "--no-recreate", "--no-build", "--scale", count, "api")
    (new,) = set(project.containers("api")) - before
    try:
        wait("the new replica is ready", lambda: is_ready(new), _START_SECONDS)
    except EngineError:
        _ended(new)
        raise
    return new


def _ended(container: str) -> None:
    run("docker", "stop", "--time", _DRAIN_SECONDS, container)
    run("docker", "rm", "--volumes", container)


def main(argv: list[str] | None = None) -> int:
    """Replace, and say what serves."""
    options = parser.parse_args(argv)

    def work() -> str:
        return f"{len(replace(project_of(options), options.replicas))} new replicas serve"

    return told(work)


if __name__ == "__main__":
    sys.exit(main())
