"""Check what a run needs before it starts: TMDB's key, the bucket, the working folder."""

import logging
from typing import Final

from movierating.s3 import open_bucket
from movierating.settings import PipelineSettings, pipeline_settings
from scripts.runtime.cli import run
from scripts.runtime.storage import check_writable, data_folder
from scripts.tmdb.client import Tmdb

logger = logging.getLogger(__name__)

_PROBE_KEY: Final = "models/.preflight"


def preflight(settings: PipelineSettings) -> None:
    """Try each thing once, for real.

    Raises:
        ExplainedError: The first thing that a run would stumble over.
    """
    check_writable(data_folder(settings))
    with Tmdb(settings, attempts=2) as tmdb:  # somebody is waiting for the answer
        tmdb.get("/genre/movie/list")
    open_bucket(settings).put(_PROBE_KEY, b"")
    logger.info("TMDB, the bucket and the working folder are there")


def main(argv: list[str] | None = None) -> int:
    """Check from the command line."""
    del argv
    return run(lambda: preflight(pipeline_settings()))


if __name__ == "__main__":
    raise SystemExit(main())
