"""Check TMDB's key, the bucket and the working folder before a run starts."""

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
    """Check that TMDB answers one request, and that the bucket and the working folder are writable.

    Raises:
        ExplainedError: A check failed; the message names the setting to change.
    """
    check_writable(data_folder(settings))
    with Tmdb(settings, attempts=2) as tmdb:  # few attempts, because a person is waiting
        tmdb.get("/genre/movie/list")
    open_bucket(settings).put(_PROBE_KEY, b"")
    logger.info("TMDB, the bucket and the working folder are usable")


def main(argv: list[str] | None = None) -> int:
    """Run the checks from the command line; return the exit status."""
    del argv
    return run(lambda: preflight(pipeline_settings()))


if __name__ == "__main__":
    raise SystemExit(main())
