"""Publish the film catalogue, in which callers find films by their titles."""

import logging
from datetime import date, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from movierating.catalogue.publication import Catalogues
from movierating.errors import ExplainedError
from movierating.films.source import describe
from movierating.registry.reading import RegistryReader
from movierating.s3 import open_bucket
from movierating.settings import PipelineSettings, pipeline_settings
from scripts.catalogue.build import FORECAST_DAYS, Recorded, write_catalogue
from scripts.ledger.sources import open_ledger, production_source
from scripts.ledger.track_record import newest_per_film
from scripts.runtime.cli import run, step_parser
from scripts.runtime.clock import now, today
from scripts.store.film_store import film_store
from scripts.tmdb.source import film_source

logger = logging.getLogger(__name__)


class NothingToPublishError(ExplainedError, RuntimeError):
    """The working folder has no films from the source of the model in production."""

    def __init__(self, source: str) -> None:
        """Write a message that names the source, and says what to do."""
        super().__init__(
            f"DATA_DIR has none of {describe(source)}, so no film catalogue is published; run "
            "collect with the settings of these films first"
        )


def publish(run_date: date, settings: PipelineSettings) -> int:
    """Publish a catalogue of the films from the source of the model in production.

    Before the first model, these are the films that TMDB_BASE_URL serves.

    A second run with the same films and forecasts changes nothing.

    Returns:
        The number of films in the current catalogue.

    Raises:
        NothingToPublishError: The film store has no such films.
        PublicationError: The films are invented, and those of the current catalogue are real.
        StoreCorruptError: A file of the film store is damaged.
        S3UnavailableError: S3 cannot be used with these settings.
    """
    bucket = open_bucket(settings)
    source = production_source(RegistryReader(bucket)) or film_source(settings)
    store = film_store(settings, source)
    if store.is_empty():
        raise NothingToPublishError(source)
    ledger, min_votes = open_ledger(bucket, source), settings.forecast_min_votes
    forecasts = ledger.read(run_date - timedelta(FORECAST_DAYS), run_date)
    scores = newest_per_film(each for each in ledger.scores() if each.votes >= min_votes)
    recorded = Recorded(forecasts, scores, ledger.errors)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "films.sqlite"
        count = write_catalogue(path, store, recorded, run_date, min_votes)
        pointer = Catalogues(bucket).publish(path, now())
        logger.info("%s films in the catalogue, %.1f MB", count, path.stat().st_size / 1e6)
    return pointer.films


def main(argv: list[str] | None = None) -> int:
    """Run the step `publish` from the command line; return the exit status."""
    arguments = step_parser(__doc__).parse_args(argv)
    return run(lambda: publish(arguments.date or today(), pipeline_settings()))


if __name__ == "__main__":
    raise SystemExit(main())
