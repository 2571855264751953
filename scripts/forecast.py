"""Forecast the upcoming films and store the forecasts in the forecast ledger."""

import logging
from datetime import date

from movierating.errors import ExplainedError
from movierating.films.source import describe
from movierating.ledger.ledger import UPCOMING_KEY
from movierating.registry.reading import RegistryReader
from movierating.s3 import open_bucket
from movierating.settings import PipelineSettings, pipeline_settings
from scripts.ledger.forecaster import NothingToForecastError, in_production
from scripts.ledger.sources import open_ledger
from scripts.ledger.upcoming import select_films, upcoming
from scripts.runtime.cli import run, step_parser
from scripts.runtime.clock import now, today
from scripts.store.film_store import film_store

logger = logging.getLogger(__name__)


class NoFilmsError(NothingToForecastError):
    """The working folder has no films from the source of the model in production."""

    def __init__(self, version: str, source: str) -> None:
        """Write a message that names the version and the source, and says what to do."""
        super().__init__(
            f"{version} in production was trained on {describe(source)}, and DATA_DIR has none of "
            "these, so nothing is forecast; run collect with the settings of these films first"
        )


class BackdatedError(ExplainedError, ValueError):
    """The run date is not today, so a forecast would carry a wrong date."""


def forecast(run_date: date, settings: PipelineSettings) -> int:
    """Forecast upcoming films and recent films with few votes; append the forecasts to the ledger.

    The films come from the same source as the training films of the model in production, even if
    TMDB_BASE_URL serves the films of another source now.

    A second run on the same day with the same model and the same facts adds no forecasts.

    Returns:
        The number of films that were forecast.

    Raises:
        BackdatedError: The run date is not today.
        NoModelError: No version is in production.
        NoFilmsError: The film store has no films from the source of the model in production.
        StoreCorruptError: A file of the film store is damaged.
        S3UnavailableError: S3 cannot be used with these settings.
    """
    # With a past date, one could forecast films whose ratings are known; that would prove nothing.
    if run_date != today():
        raise BackdatedError(f"a forecast is dated {today()}, the day it is made; leave out --date")
    bucket = open_bucket(settings)
    forecaster = in_production(RegistryReader(bucket))
    store = film_store(settings, forecaster.source)
    if store.is_empty():
        raise NoFilmsError(forecaster.version, forecaster.source)
    films, means = select_films(store, run_date, settings.forecast_min_votes)
    ledger = open_ledger(bucket, forecaster.source)
    # Append first, then write the view. If a run dies in between, the next run writes the view.
    made = forecaster.forecast(films, means, now(), run_date)
    ledger.append(made, forecaster.errors)
    release_dates = {each.film_id: each.release_date for each in films}
    ledger.write_view(UPCOMING_KEY, upcoming(ledger, run_date, release_dates))
    logger.info("%s films forecast with version %s", len(films), forecaster.version)
    return len(films)


def main(argv: list[str] | None = None) -> int:
    """Run the step `forecast` from the command line; return the exit status."""
    arguments = step_parser(__doc__).parse_args(argv)
    return run(lambda: forecast(arguments.date or today(), pipeline_settings()))


if __name__ == "__main__":
    raise SystemExit(main())
