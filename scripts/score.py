"""Score the forecasts of films that have opened, and make the track record anew."""

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

import pyarrow.compute as pc

from movierating.ledger.ledger import ForecastLedger
from movierating.ledger.records import Forecast, Mark, Score, counting
from movierating.s3 import open_bucket
from movierating.settings import PipelineSettings, pipeline_settings
from scripts.ledger.track_record import show
from scripts.runtime.cli import run, step_parser
from scripts.runtime.clock import past_or_today, today
from scripts.store.film_store import FilmStore, film_store

logger = logging.getLogger(__name__)

MARKS: Final[Mapping[Mark, timedelta]] = {"30 days": timedelta(30), "90 days": timedelta(90)}
WATCHED_DAYS: Final = 730  # since the release; who has few votes then is not scored by them
_OLDEST_FORECAST: Final = timedelta(days=200)  # before the release: none is made earlier

Done = frozenset[tuple[int, Mark]]


@dataclass(frozen=True)
class Outcome:
    """What an audience had said of a film by a day that a mark names."""

    film_id: int
    opened: date
    mark: Mark
    day: date
    rating: float
    votes: int


def score(run_date: date, settings: PipelineSettings) -> int:
    """Score what has come due until a day, and show the track record.

    A rating is what the film store knew on the day the forecast came due, so it does not matter
    when this runs, and running it again adds nothing.

    Returns:
        How many scores are new.

    Raises:
        LedgerError: A record is not readable.
        StoreCorruptError: A file of the film store is damaged.
        S3UnavailableError: S3 cannot be used as it is set up.
    """
    ledger = ForecastLedger(open_bucket(settings))
    scores = ledger.scores()
    done = frozenset((each.film_id, each.mark) for each in scores)
    outcomes = due(film_store(settings), ledger.first_day, run_date, settings, done)
    new = score_films(outcomes, forecasts_of(outcomes, ledger))
    ledger.score(run_date, new)
    show(ledger, scores + new, run_date, settings.forecast_min_votes)
    logger.info("%s new scores, %s in all", len(new), len(scores) + len(new))
    return len(new)


def due(
    store: FilmStore, first_day: date | None, day: date, settings: PipelineSettings, done: Done
) -> list[Outcome]:
    """What came due until a day and is not done yet; nothing before the ledger's first day."""
    if first_day is None:
        return []
    first = max(first_day, day - timedelta(WATCHED_DAYS))
    opened = pc.field("release_date")
    found: list[Outcome] = []
    for films in store.films():
        rows = films.filter((opened > first) & (opened <= day))
        for row in rows.select(["id", "release_date", "votes"]).to_pylist():
            found += outcomes(row, day, settings.forecast_min_votes)
    return [each for each in found if (each.film_id, each.mark) not in done]


def outcomes(row: Mapping[str, Any], day: date, min_votes: int) -> Iterator[Outcome]:
    """What a film of the store came to at its marks until a day.

    Args:
        row: Its id, release date and votes, by date.
        day: Later votes count as unknown.
        min_votes: How many make it due, whatever its age.
    """
    opened: date = row["release_date"]
    votes = [each for each in row["votes"] if opened <= each["date"] <= day and _is_rated(each)]
    enough = (each for each in votes if each["vote_count"] >= min_votes)
    if (first := next(enough, None)) is not None:
        yield _outcome(row, "votes", first["date"], first)
    for mark, age in MARKS.items():
        known = [each for each in votes if each["date"] <= opened + age]
        if known and opened + age <= day:
            yield _outcome(row, mark, opened + age, known[-1])


def forecasts_of(outcomes: Sequence[Outcome], ledger: ForecastLedger) -> dict[int, Forecast]:
    """The forecasts that count of the films that came due."""
    opened = {each.film_id: each.opened for each in outcomes}
    if not opened:
        return {}
    first, last = min(opened.values()) - _OLDEST_FORECAST, max(opened.values())
    return counting(ledger.said(first, last), opened)


def score_films(outcomes: Iterable[Outcome], forecasts: Mapping[int, Forecast]) -> list[Score]:
    """Hold forecasts against outcomes; films that were never forecast are left out."""
    return [_score(each, forecasts[each.film_id]) for each in outcomes if each.film_id in forecasts]


def _score(outcome: Outcome, said: Forecast) -> Score:
    return Score(
        film_id=said.film_id,
        title=said.title,
        release_date=outcome.opened,
        mark=outcome.mark,
        day=outcome.day,
        forecast_day=said.day,
        version=said.version,
        rating=said.rating,
        low=said.low,
        high=said.high,
        baselines=said.baselines,
        genre=said.genre,
        language=said.language,
        actual=outcome.rating,
        votes=outcome.votes,
        error=round(said.rating - outcome.rating, 4),
        inside=said.low <= outcome.rating <= said.high,
    )


def _is_rated(vote: Mapping[str, Any]) -> bool:
    return bool(vote["vote_count"]) and vote["vote_average"] is not None


def _outcome(row: Mapping[str, Any], mark: Mark, day: date, vote: Mapping[str, Any]) -> Outcome:
    return Outcome(
        film_id=row["id"],
        opened=row["release_date"],
        mark=mark,
        day=day,
        rating=float(vote["vote_average"]),
        votes=int(vote["vote_count"]),
    )


def main(argv: list[str] | None = None) -> int:
    """Score from the command line."""
    arguments = step_parser(__doc__).parse_args(argv)
    return run(lambda: score(past_or_today(arguments.date or today()), pipeline_settings()))


if __name__ == "__main__":
    raise SystemExit(main())
