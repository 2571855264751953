"""Recorded forecasts as the API shows them: search, order, and what the audience said later."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from operator import itemgetter
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, Field

from app.distributions import chances_of, quantiles_of
from app.schemas import Chance, Quantile, RatingInterval, Reason
from app.spans import Span
from movierating.catalogue.films import CatalogueError, FilmCatalogue
from movierating.catalogue.record import FilmRecord, released_between
from movierating.catalogue.titles import film_id, title_key
from movierating.films.text import name_key
from movierating.ledger.records import Forecast, Upcoming, UpcomingFilm
from movierating.model.distribution import NormalisedErrors
from movierating.registry.manifest import COVERAGE

POSTER_PIXELS: Final = 185  # width

Sorting = Literal[
    "release_date",
    "-release_date",
    "rating",
    "-rating",
    "title",
    "-title",
    "change",
    "-change",
    "width",
    "-width",
]


class Outcome(BaseModel):
    """What the audience has said about a film since its release."""

    as_of: Annotated[date, Field(description="The date of the votes.")]
    rating: Annotated[float | None, Field(description="TMDB's rating so far; null without votes.")]
    votes: Annotated[int, Field(description="Number of votes so far.")]
    votes_needed: Annotated[
        int,
        Field(
            description="Votes still needed before the forecast is compared with the rating; 0 if "
            "there are enough."
        ),
    ]
    inside: Annotated[
        bool | None,
        Field(description="Whether the rating so far is inside the forecast's interval."),
    ]

    @classmethod
    def of(cls, record: FilmRecord, forecast: Forecast, catalogue: FilmCatalogue) -> "Outcome":
        """Compare the rating so far with the forecast."""
        film = record.film
        return cls(
            as_of=catalogue.about.as_of,
            rating=film.rating,
            votes=film.votes,
            votes_needed=max(0, catalogue.about.votes_to_score - film.votes),
            inside=None if film.rating is None else forecast.low <= film.rating <= forecast.high,
        )


class DatedForecast(BaseModel):
    """The newest forecast of an upcoming film, or the last one before the release of a film."""

    id: Annotated[int, Field(description="TMDB's id of the film.")]
    title: Annotated[str | None, Field(description="English title; null if TMDB has none.")]
    original_title: Annotated[str | None, Field(description="Title in the original language.")]
    korean_title: Annotated[str | None, Field(description="Korean title; null if unknown.")]
    release_date: Annotated[
        date,
        Field(
            description="The release date: of an upcoming film, as it was known when the forecast "
            "was made."
        ),
    ]
    rating: Annotated[float, Field(description="Expected TMDB rating, 0 to 10.")]
    interval: RatingInterval
    quantiles: Annotated[
        list[Quantile] | None,
        Field(
            description="Predicted distribution of the rating, the lowest level first; null if the "
            "forecast was recorded before 2026-12, without the whole distribution."
        ),
    ]
    at_least: Annotated[
        list[Chance] | None,
        Field(
            description="Probability of a rating of 6, 7 and 8 or more, and of the ratings in the "
            "query parameter `at_least`. A forecast with `quantiles: null` has only the first "
            "three; it is null if the forecast was made by version 1.0.0."
        ),
    ]
    change: Annotated[
        float | None,
        Field(
            description="Change since the forecast made a week earlier, in rating points; null if "
            "there was none, and for released films."
        ),
    ]
    reasons: Annotated[
        list[Reason],
        Field(description="Contribution of each group of facts, the largest first."),
    ]
    genre: Annotated[str | None, Field(description="Main genre, in English.")]
    language: Annotated[str | None, Field(description="Original language, ISO 639-1.")]
    made_at: Annotated[datetime, Field(description="When the forecast was recorded.")]
    version: Annotated[str, Field(description="The model version that made the forecast.")]
    poster: Annotated[
        str | None,
        Field(description="URL of the poster at TMDB; null if there is none."),
    ]
    outcome: Annotated[
        Outcome | None,
        Field(description="The rating so far; null for a film that is not released yet."),
    ]

    @classmethod
    def of(
        cls,
        listed: "ListedFilm",
        poster_base_url: str | None,
        errors: Mapping[str, NormalisedErrors],
        at_least: Sequence[float],
    ) -> "DatedForecast":
        """Show a film of a list.

        Args:
            listed: The film.
            poster_base_url: The address under which TMDB has posters; None without posters.
            errors: The errors of the model versions, as far as they are known.
            at_least: The ratings whose probability the caller asks for.
        """
        forecast, change = listed.film.forecast, listed.film.change
        distribution = forecast.whole_distribution(errors.get(forecast.version))
        return cls(
            id=forecast.film_id,
            title=forecast.title,
            original_title=forecast.original_title,
            korean_title=forecast.korean_title,
            release_date=forecast.release_date,
            rating=round(forecast.rating, 2),
            interval=interval_of(forecast.low, forecast.high),
            quantiles=quantiles_of(distribution),
            at_least=chances_of(distribution, at_least) or _recorded_chances(forecast),
            change=None if change is None else round(change, 2),
            reasons=[
                Reason(group=group, points=points) for group, points in forecast.reasons.items()
            ],
            genre=forecast.genre,
            language=forecast.language,
            made_at=forecast.made_at,
            version=forecast.version,
            poster=poster(forecast.poster_path, poster_base_url),
            outcome=listed.outcome,
        )


@dataclass(frozen=True)
class ListedFilm:
    """A film in a list of forecasts; released films have an outcome."""

    film: UpcomingFilm
    outcome: Outcome | None = None


def interval_of(low: float, high: float) -> RatingInterval:
    """Return the 80 % interval of a recorded forecast, rounded."""
    return RatingInterval(low=round(low, 2), high=round(high, 2), coverage=COVERAGE)


def poster(path: str | None, base_url: str | None) -> str | None:
    """Return the URL of a poster; None if there is none, or if the films are invented."""
    return f"{base_url}{path}" if base_url and path else None


def upcoming_films(view: Upcoming | None) -> list[ListedFilm]:
    """List the upcoming films, in the order of their release."""
    return [ListedFilm(film) for film in view.films] if view else []


def films_of_span(
    view: Upcoming | None, catalogue: FilmCatalogue | None, span: Span, today: date
) -> list[ListedFilm]:
    """List the films with a release in a span of days, in the order of their release.

    Args:
        view: The upcoming films; None before the first forecasts.
        catalogue: The catalogue with the released films; None leaves these out.
        span: The days.
        today: Films with a later release are upcoming.
    """
    released = list(_released(catalogue, span, today)) if catalogue else []
    known = {each.film.forecast.film_id for each in released}
    # A film that is released today is in the list of upcoming films until the pipeline's next run.
    coming = [
        each
        for each in upcoming_films(view)
        if each.film.forecast.release_date in span and each.film.forecast.film_id not in known
    ]
    return released + coming


def errors_of(
    films: Sequence[ListedFilm], view: Upcoming | None, catalogue: FilmCatalogue | None
) -> dict[str, NormalisedErrors]:
    """Return the errors of the model versions that forecast some films, as far as they are known.

    Args:
        films: The films.
        view: Has the errors of the versions that forecast the upcoming films.
        catalogue: Has those of earlier versions, too. If it cannot be read, it counts as absent.
    """
    versions = {each.film.forecast.version for each in films}
    stated = view.errors if view else {}
    errors = {each: stated[each].normalised() for each in versions & stated.keys()}
    try:
        return errors | (catalogue.errors(versions - stated.keys()) if catalogue else {})
    except CatalogueError:
        return errors


def matching(films: Sequence[ListedFilm], text: str) -> Sequence[ListedFilm]:
    """Return the films with this id, or with a title that contains the text; all if it is empty.

    Case, accents, spaces and punctuation are ignored. Titles are English, Korean and original.
    """
    if not text.strip():
        return films
    key, number = title_key(text), film_id(text)
    return [
        each
        for each in films
        if each.film.forecast.film_id == number
        or (key and any(key in title_key(title) for title in _titles(each.film.forecast)))
    ]


def sort_films(films: Sequence[ListedFilm], sort: Sorting) -> list[ListedFilm]:
    """Sort films by one field of their forecast; a leading `-` sorts descending.

    Films without a value come last, whether the order is ascending or descending. Films with equal
    values keep their order, which is by release date.
    """
    valued = [(_sort_value(each.film, sort.removeprefix("-")), each) for each in films]
    known = [pair for pair in valued if pair[0] is not None]
    known.sort(key=itemgetter(0), reverse=sort.startswith("-"))
    return [film for _, film in known] + [film for value, film in valued if value is None]


def _released(catalogue: FilmCatalogue, span: Span, today: date) -> Iterator[ListedFilm]:
    for record in released_between(catalogue, span.first, span.last, today):
        stored = Forecast.model_validate_json(record.forecast)
        film = record.film
        newer = {
            "title": film.title,
            "original_title": film.original_title,
            "korean_title": film.korean_title,
            "release_date": film.release_date,
            "poster_path": film.poster_path,
        }
        forecast = stored.model_copy(update=newer)
        outcome = Outcome.of(record, forecast, catalogue)
        yield ListedFilm(UpcomingFilm(forecast=forecast, week_ago=None), outcome)


def _sort_value(film: UpcomingFilm, name: str) -> Any:
    forecast = film.forecast
    if name == "change":
        return film.change
    if name == "width":
        return forecast.high - forecast.low
    if name == "title":
        return name_key(forecast.title) if forecast.title else None
    return getattr(forecast, name)


def _titles(forecast: Forecast) -> Iterator[str]:
    yield from filter(None, (forecast.title, forecast.original_title, forecast.korean_title))


def _recorded_chances(forecast: Forecast) -> list[Chance] | None:
    stated = forecast.distribution
    if stated is None:
        return None
    return [
        Chance(rating=rating, probability=round(chance, 3))
        for rating, chance in stated.at_least.items()
    ]
