"""Select the films to forecast, and summarise their newest forecasts for the API."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, timedelta
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from movierating.ledger.ledger import ForecastLedger
from movierating.ledger.records import Upcoming, UpcomingFilm, last_before_release
from scripts.dataset.baselines import NaiveMeans
from scripts.dataset.eligibility import is_eligible
from scripts.ledger.forecaster import FilmToForecast
from scripts.parameters import MIN_VOTES_TO_MEASURE
from scripts.store.film_store import FilmStore
from scripts.store.parsing import korean_titles, main_genre, parse_film, to_frame
from scripts.store.releases import first_release

DAYS_AHEAD: Final = 180  # films are forecast from this many days before their release
RECENT_DAYS: Final = 90  # since the release; until then many films have few votes
WEEK: Final = timedelta(days=7)
# If no run took place a week ago, an older forecast is used: at most this much older.
_LONGEST_GAP: Final = timedelta(days=7)


def select_films(
    store: FilmStore, day: date, min_votes: int
) -> tuple[list[FilmToForecast], NaiveMeans | None]:
    """Select the films to forecast on a day, and compute the naive baselines of that day.

    Args:
        store: The film store.
        day: The day. Only records and votes that were known on it are used.
        min_votes: A released film with this many votes is no longer forecast.

    Returns:
        The films, ordered by id, and the mean ratings that serve as naive forecasts. The means are
        None if no released film has enough votes.
    """
    to_forecast: list[FilmToForecast] = []
    rated: list[pa.Table] = []
    for films in store.as_of(day):
        to_forecast += _films_to_forecast(films.filter(is_to_forecast(day, min_votes)))
        rated.append(
            films.filter(_is_rated(day)).select(["vote_average", "release_date", "genres"])
        )
    return sorted(to_forecast, key=lambda each: each.film_id), _naive_means(rated, day)


def is_to_forecast(day: date, min_votes: int) -> pc.Expression:
    """Build the filter for films to forecast: soon to be released, or recent and with few votes.

    A recent film is forecast because TMDB may still move its release to a later date. This forecast
    is scored only in that case, because then it was made before the release.

    Args:
        day: The day of the forecasts.
        min_votes: A released film with this many votes is no longer forecast.
    """
    opens, votes = pc.field("release_date"), pc.field("vote_count")
    is_upcoming = (opens > day) & (opens <= day + timedelta(DAYS_AHEAD))
    is_recent = (opens <= day) & (opens > day - timedelta(RECENT_DAYS))
    has_few_votes = votes.is_null() | (votes < min_votes)
    is_canceled = pc.coalesce(pc.field("status") == "Canceled", pa.scalar(False))
    # A film without genre and plot has too few facts. The API refuses such a film, too.
    is_described = (pc.field("genres") != "[]") | (pc.field("overview") != "")
    return (is_upcoming | (is_recent & has_few_votes)) & is_eligible() & is_described & ~is_canceled


def upcoming(ledger: ForecastLedger, day: date, release_dates: Mapping[int, date]) -> Upcoming:
    """List the upcoming films, each with the forecast made on a day and the one a week before.

    Args:
        ledger: The forecast ledger.
        day: The day on which the forecasts were made.
        release_dates: The films' first releases by the dates that TMDB gives now, by film id.
            Films without an entry and films released by this day are left out.
    """
    newest = last_before_release(ledger.read(day, day), release_dates)
    week_ago = last_before_release(
        ledger.read(day - WEEK - _LONGEST_GAP, day - WEEK), release_dates
    )
    ordered = sorted(newest.values(), key=lambda each: (each.release_date, each.film_id))
    films = (
        UpcomingFilm(forecast=each, week_ago=before.rating if before else None)
        for each, before in ((each, week_ago.get(each.film_id)) for each in ordered)
    )
    errors = {each: ledger.errors(each) for each in {film.version for film in ordered}}
    return Upcoming(
        as_of=day,
        source=ledger.source,
        films=tuple(films),
        errors={version: each for version, each in sorted(errors.items()) if each},
    )


def _films_to_forecast(films: pa.Table) -> Iterator[FilmToForecast]:
    others = films.select(["poster_path", "original_title", "release_dates"]).to_pylist()
    rows, titles = to_frame(films).to_dict("records"), korean_titles(films)
    for row, other, korean_title in zip(rows, others, titles, strict=True):
        film = parse_film(row)
        release = first_release(film.release_date, other["release_dates"])
        assert release is not None  # noqa: S101 - the filter requires a release date
        yield FilmToForecast(
            film_id=int(row["id"]),
            film=film,
            release_date=release.day,
            release_type=release.type.name.lower() if release.type else None,
            release_country=release.country or None,
            poster_path=other["poster_path"] or None,
            original_title=other["original_title"] or None,
            korean_title=korean_title,
        )


def _is_rated(day: date) -> pc.Expression:
    has_votes = pc.field("vote_count") >= MIN_VOTES_TO_MEASURE
    return has_votes & (pc.field("release_date") < day) & is_eligible()


def _naive_means(rated: Iterable[pa.Table], day: date) -> NaiveMeans | None:
    films = pa.concat_tables(rated) if rated else None
    if films is None or films.num_rows == 0:
        return None
    return NaiveMeans.of(
        films["vote_average"].to_numpy(),
        films["release_date"].to_numpy().astype("datetime64[D]"),
        [main_genre(genres) for genres in films["genres"].to_pylist()],
        day,
    )
