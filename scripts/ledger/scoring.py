"""Score forecasts: compare them with the ratings that the films got.

Each film is scored at three marks: when it first has enough votes, 30 days after its release, and
90 days after its release. The score uses the rating that TMDB had on that day; the film store keeps
it in the vote history. So a late run of this step gives the same score as a run on that day.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

import pyarrow.compute as pc

from movierating.ledger.ledger import ForecastLedger
from movierating.ledger.records import (
    MARK_AGES,
    Forecast,
    Score,
    ScoringMark,
    last_before_release,
)
from scripts.dataset.eligibility import is_eligible
from scripts.store.film_store import FilmStore

WATCHED_DAYS: Final = 730  # since the release; a film that has few votes until then gets no score
# Forecasts are made at most 180 days before the release, so no older ones are read.
_OLDEST_FORECAST: Final = timedelta(days=200)

ScoredMarks = frozenset[tuple[int, ScoringMark]]  # film id and scoring mark


@dataclass(frozen=True)
class RatingAtMark:
    """The rating of a film when it reached a scoring mark, such as 30 days after its release.

    Attributes:
        film_id: TMDB's id.
        release_date: The film's first release, by the dates that TMDB gives now.
        mark: Which scoring mark: 30 days, 90 days, or enough votes.
        day: The day on which the film reached the mark.
        rating: The rating on that day.
        votes: The number of votes on that day.
    """

    film_id: int
    release_date: date
    mark: ScoringMark
    day: date
    rating: float
    votes: int


def due_ratings(
    store: FilmStore, first_day: date | None, day: date, min_votes: int, scored: ScoredMarks
) -> list[RatingAtMark]:
    """Find the ratings to score: films that have reached a scoring mark, but have no score for it.

    A film that turned out to be one that the model is not for, such as a short, gets no score.

    Args:
        store: The film store.
        first_day: The day of the ledger's oldest forecast. A film released on or before it has no
            forecast to score. None if the ledger has no forecasts.
        day: The day of the run. Later releases and votes are ignored.
        min_votes: The number of votes at which a film reaches the mark `votes`.
        scored: Film id and mark of each score that the ledger already has.
    """
    if first_day is None:
        return []
    first = max(first_day, day - timedelta(WATCHED_DAYS))
    released = pc.field("release_date")
    found: list[RatingAtMark] = []
    for films in store.as_of(day):
        rows = films.filter((released > first) & (released <= day) & is_eligible())
        for row in rows.select(["id", "release_date", "votes"]).to_pylist():
            found += ratings_at_marks(row, day, min_votes)
    return [each for each in found if (each.film_id, each.mark) not in scored]


def ratings_at_marks(row: Mapping[str, Any], day: date, min_votes: int) -> Iterator[RatingAtMark]:
    """Yield the rating of one film at each scoring mark that it has reached.

    If the film had no votes yet when it reached a mark, there is no rating to yield.

    Args:
        row: The film's `id`, `release_date` and `votes` (vote history, oldest entry first).
        day: The day of the run. Later votes are ignored.
        min_votes: The number of votes at which the film reaches the mark `votes`.
    """
    released: date = row["release_date"]
    # Votes from before the release are ordinary: TMDB does not know the date of every screening.
    # They are left out, because a forecast is compared with what came after it.
    votes = [each for each in row["votes"] if released <= each["date"] <= day and _is_rated(each)]
    enough = next((each for each in votes if each["vote_count"] >= min_votes), None)
    if enough is not None:
        yield _rating_at_mark(row, "votes", enough["date"], enough)
    for mark, age in MARK_AGES.items():
        known = [each for each in votes if each["date"] <= released + age]
        if known and released + age <= day:
            yield _rating_at_mark(row, mark, released + age, known[-1])


def forecasts_to_score(
    ratings: Sequence[RatingAtMark], ledger: ForecastLedger
) -> dict[int, Forecast]:
    """Read from the ledger the last forecast before the release of each rated film, by film id."""
    release_dates = {each.film_id: each.release_date for each in ratings}
    if not release_dates:
        return {}
    first, last = min(release_dates.values()) - _OLDEST_FORECAST, max(release_dates.values())
    return last_before_release(ledger.read(first, last), release_dates)


def score_films(ratings: Iterable[RatingAtMark], forecasts: Mapping[int, Forecast]) -> list[Score]:
    """Compare each rating with the forecast for its film; leave out films without a forecast.

    Args:
        ratings: The ratings at scoring marks.
        forecasts: The last forecast before the release, by film id.
    """
    return [_score(each, forecasts[each.film_id]) for each in ratings if each.film_id in forecasts]


def _score(at_mark: RatingAtMark, forecast: Forecast) -> Score:
    stated = forecast.distribution
    return Score(
        film_id=forecast.film_id,
        title=forecast.title,
        release_date=at_mark.release_date,
        mark=at_mark.mark,
        day=at_mark.day,
        forecast_day=forecast.day,
        version=forecast.version,
        rating=forecast.rating,
        low=forecast.low,
        high=forecast.high,
        baselines=forecast.baselines,
        genre=forecast.genre,
        language=forecast.language,
        actual=at_mark.rating,
        votes=at_mark.votes,
        error=round(forecast.rating - at_mark.rating, 4),
        inside=forecast.low <= at_mark.rating <= forecast.high,
        source=forecast.source,
        at_least=stated.at_least if stated else None,
        crps=stated.crps(at_mark.rating) if stated else None,
    )


def _is_rated(votes: Mapping[str, Any]) -> bool:
    return bool(votes["vote_count"]) and votes["vote_average"] is not None


def _rating_at_mark(
    row: Mapping[str, Any], mark: ScoringMark, day: date, votes: Mapping[str, Any]
) -> RatingAtMark:
    return RatingAtMark(
        film_id=row["id"],
        release_date=row["release_date"],
        mark=mark,
        day=day,
        rating=float(votes["vote_average"]),
        votes=int(votes["vote_count"]),
    )
