"""Check that a Docker engine is available, and provide the images that tests need."""

import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import pytest

from ops.project import EngineError, run

CADDY: Final = Path(sys.executable).with_name("caddy")
TARGETS: Final = ("api", "ui", "sandbox", "pipeline")
# A Dockerfile for machines that cannot fetch Caddy's image: it copies the Caddy program for tests
# onto this project's base image.
_CADDY_IMAGE: Final = """
FROM python:3.11-slim-bookworm
RUN apt-get update && apt-get install --yes --no-install-recommends busybox \\
    && ln -s /bin/busybox /usr/bin/wget && rm -rf /var/lib/apt/lists/*
COPY caddy /usr/bin/caddy
ENV XDG_CONFIG_HOME=/config XDG_DATA_HOME=/data
CMD ["caddy", "run", "--config", "/etc/caddy/Caddyfile", "--adapter", "caddyfile"]
"""


def skip_without_engine() -> None:
    """Skip the test if no Docker engine responds."""
    try:
        subprocess.run(["docker", "version"], capture_output=True, timeout=30, check=True)
    except (OSError, subprocess.SubprocessError):
        pytest.skip("needs a Docker engine, and none answers to `docker version`")


def skip_without_image(name: str) -> None:
    """Skip the test if a Docker image is not on this machine and cannot be fetched."""
    if not _is_here(name):
        try:
            run("docker", "pull", "--quiet", name)
        except EngineError:
            pytest.skip(f"needs the image {name}, and it cannot be fetched")


def build_images() -> None:
    """Build all Docker images of this project; unchanged layers come from the engine's cache."""
    for target in TARGETS:
        name = f"movie-rating-{target}"
        run("docker", "build", "--network", "host", "--target", target, "--tag", name, ".")


def provide_caddy(image: str) -> None:
    """Fetch the Docker image of the proxy Caddy, or build one from the Caddy program for tests."""
    if _is_here(image):
        return
    try:
        run("docker", "pull", "--quiet", image)
    except EngineError:
        with TemporaryDirectory() as folder:
            (Path(folder) / "Dockerfile").write_text(_CADDY_IMAGE)
            shutil.copy(CADDY, folder)
            run("docker", "build", "--network", "host", "--tag", image, folder)


def _is_here(image: str) -> bool:
    try:
        run("docker", "image", "inspect", image)
    except EngineError:
        return False
    return True
