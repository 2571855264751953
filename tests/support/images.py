"""Provide the Docker images from which tests start containers."""

from pathlib import Path
from typing import Any, Final

import yaml

from ops.trial import FILES
from tests.support.engine import (
    build_images,
    provide_caddy,
    skip_without_engine,
    skip_without_image,
)

ROOT: Final = Path(__file__).parents[2]
SERVICES: Final[dict[str, dict[str, Any]]] = {
    name: service
    for file in FILES[:2]
    for name, service in yaml.safe_load((ROOT / file).read_text())["services"].items()
}


def provide_images() -> None:
    """Build the project's images and fetch the others; skip the test if that is impossible."""
    skip_without_engine()
    skip_without_image(SERVICES["postgres"]["image"])
    provide_caddy(SERVICES["proxy"]["image"])
    build_images()
