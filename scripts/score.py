"""Compare past forecasts with the ratings that the films got, and update the track record."""

import logging
from datetime import date

from movierating.registry.reading import RegistryReader
from movierating.s3 import open_bucket
from movierating.settings import PipelineSettings, pipeline_settings
from scripts.ledger.scoring import due_ratings, forecasts_to_score, score_films
from scripts.ledger.sources import open_ledger, production_source
from scripts.ledger.track_record import write_track_record
from scripts.runtime.cli import run, step_parser
from scripts.runtime.clock import past_or_today, today
from scripts.store.film_store import film_store

logger = logging.getLogger(__name__)


def score(run_date: date, settings: PipelineSettings) -> int:
    """Score every film that has reached a scoring mark, and write the track record.

    A film is scored at three marks: when it has enough votes, and 30 and 90 days after its release.
    A second run adds no scores. A late run gives the same scores, because it uses the rating that
    the film had at the mark. Only films from the source of the model in production are scored and
    counted; scores of other films remain in the ledger.

    Returns:
        The number of new scores.

    Raises:
        LedgerError: A record cannot be read.
        StoreCorruptError: A file of the film store is damaged.
        S3UnavailableError: S3 cannot be used with these settings.
    """
    bucket, min_votes = open_bucket(settings), settings.forecast_min_votes
    source = production_source(RegistryReader(bucket))
    ledger = open_ledger(bucket, source)
    scores = ledger.scores()
    scored = frozenset((each.film_id, each.mark) for each in scores)
    # Without a model, there are no forecasts to score.
    store = film_store(settings, source) if source else None
    ratings = due_ratings(store, ledger.first_day, run_date, min_votes, scored) if store else []
    new = score_films(ratings, forecasts_to_score(ratings, ledger))
    ledger.append_scores(run_date, new)
    # Write it even without new scores: its date and the drift alerts in it may have changed.
    write_track_record(ledger, scores + new, run_date, min_votes)
    logger.info("%s new scores, %s in total", len(new), len(scores) + len(new))
    return len(new)


def main(argv: list[str] | None = None) -> int:
    """Run the step `score` from the command line; return the exit status."""
    arguments = step_parser(__doc__).parse_args(argv)
    return run(lambda: score(past_or_today(arguments.date or today()), pipeline_settings()))


if __name__ == "__main__":
    raise SystemExit(main())
