"""Measure the peak memory of a Docker Compose project's containers, while a `with` block runs."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from ops.project import Project, inspect, run

_PERIOD_SECONDS: Final = 0.5
# The folders in which control groups (cgroups) of version 1 and 2 report the memory in use.
_V1: Final = Path("/sys/fs/cgroup/memory")
_V2: Final = Path("/sys/fs/cgroup")


class Peaks(dict[str, float]):
    """The peak memory of each service in MB, by the service's name, without the page cache."""


@contextmanager
def measured(project: Project) -> Iterator[Peaks]:
    """Measure the memory of all containers of a project until the `with` block ends.

    The containers are measured twice per second. Yields the peak memory of each service, which is
    updated while the block runs. Containers that start during the block are measured too.
    """
    peaks, over = Peaks(), threading.Event()

    def measure() -> None:
        while not over.wait(_PERIOD_SECONDS):
            for name, used in _used(project):
                peaks[name] = max(peaks.get(name, 0), used)

    thread = threading.Thread(target=measure, daemon=True)
    thread.start()
    try:
        yield peaks
    finally:
        over.set()
        thread.join()


def limit_mb(container: str) -> float:
    """Return a container's memory limit in MB, which the Docker engine enforces."""
    return int(inspect(container, "{{.HostConfig.Memory}}")) / 2**20


def _used(project: Project) -> Iterator[tuple[str, float]]:
    form = '{{.ID}} {{.Label "com.docker.compose.service"}}'
    label = f"--filter=label=com.docker.compose.project={project.name}"
    for line in run("docker", "ps", "--no-trunc", "--format", form, label).splitlines():
        container, service = line.split()
        try:
            yield service, _unreclaimable(container) / 2**20
        except FileNotFoundError:  # the container has stopped
            continue


def _unreclaimable(container: str) -> int:
    folder = next(filter(Path.is_dir, _folders(container)), Path("there is none"))
    facts = dict(line.split() for line in (folder / "memory.stat").read_text().splitlines())
    # Page cache is left out: the kernel frees it before it kills a container for lack of memory.
    names = ("total_rss", "total_shmem") if "total_rss" in facts else ("anon", "shmem")
    return sum(int(facts[name]) for name in names)


def _folders(container: str) -> Iterator[Path]:
    # Which of them exists depends on the control groups' version and on the engine's driver.
    yield _V1 / "docker" / container
    yield _V2 / "docker" / container
    yield _V2 / "system.slice" / f"docker-{container}.scope"
