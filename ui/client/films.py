"""Read films from the API's film catalogue (`GET /films` and `GET /films/{id}`)."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from ui.client.api import Facts, finite

_POSTERS = "https://image.tmdb.org/"
_ID_DIGITS = 12
_FILM_PAGES = "https://www.themoviedb.org/movie/"


@dataclass(frozen=True)
class FoundFilm:
    """A film in a list of search results.

    Attributes:
        titles: The film's different titles by language (`en`, `ko`, or `original`), without those
            that are unknown.
        is_upcoming: Whether the film is not released yet.
        rating: TMDB's rating so far; None without votes.
        poster: The URL of the poster; None if the UI must not show one.
    """

    film_id: int
    titles: dict[str, str]
    release_date: date
    is_upcoming: bool
    rating: float | None
    votes: int
    poster: str | None

    @classmethod
    def parse(cls, body: Any) -> "FoundFilm":
        """Convert one film in the API's response."""
        rating, poster = body["rating"], str(body["poster"] or "")
        return cls(
            film_id=int(body["id"]),
            titles=titles_of(body),
            release_date=date.fromisoformat(body["release_date"]),
            is_upcoming=body["status"] == "upcoming",
            rating=None if rating is None else finite(rating),
            votes=int(body["votes"]),
            # Any server but TMDB's would learn the visitor's network address from the request.
            poster=poster if poster.startswith(_POSTERS) else None,
        )

    def title(self, language: str) -> str:
        """Return the film's title in a language; without one, another title, or the film's id."""
        return title_in(self.titles, language, self.film_id)


@dataclass(frozen=True)
class DailyForecast:
    """The last forecast of a film that was recorded on one day."""

    day: date
    rating: float
    low: float
    high: float

    @classmethod
    def parse(cls, body: Any) -> "DailyForecast":
        """Convert one recorded forecast in the API's response."""
        interval = body["interval"]
        return cls(
            day=date.fromisoformat(body["day"]),
            rating=finite(body["rating"]),
            low=finite(interval["low"]),
            high=finite(interval["high"]),
        )


@dataclass(frozen=True)
class FilmDetails:
    """What the catalogue knows about one film.

    Attributes:
        facts: The facts that a forecast uses, with people, companies and so on as names.
        entities: TMDB's objects with ids, by field and name; namesakes have different ids.
        forecasts: The recorded forecasts, the oldest first.
        votes_needed: Votes still needed before the forecasts are compared with the rating.
        is_training_film: Whether the model in service has learned from the film; None if unknown.
        url: The film's page at TMDB; None for an invented film.
    """

    film: FoundFilm
    facts: Facts
    entities: dict[tuple[str, str], Facts]
    forecasts: tuple[DailyForecast, ...]
    votes_needed: int
    is_training_film: bool | None
    url: str | None

    @classmethod
    def parse(cls, body: Any) -> "FilmDetails":
        """Convert the API's response to `GET /films/{id}`."""
        url = str(body["tmdb_url"] or "")
        return cls(
            film=FoundFilm.parse(body),
            facts={name: _names(value) for name, value in body["facts"].items()},
            entities={
                (name, str(each["name"])): each
                for name, value in body["facts"].items()
                for each in (value if isinstance(value, list) else [value])
                if isinstance(each, dict)
            },
            forecasts=tuple(map(DailyForecast.parse, body["forecasts"])),
            votes_needed=int(body["votes_needed"]),
            is_training_film=None
            if body["is_training_film"] is None
            else bool(body["is_training_film"]),
            url=url if url.startswith(_FILM_PAGES) else None,
        )


def _names(value: Any) -> Any:
    """Replace the objects of people, companies and others by their names, as the form has them."""
    if isinstance(value, list):
        return [_names(each) for each in value]
    return value["name"] if isinstance(value, dict) else value


def titles_of(body: Any) -> dict[str, str]:
    """Return the known titles of a film in the API's response, by language."""
    titles = {"en": "title", "ko": "korean_title", "original": "original_title"}
    return {language: str(body[name]) for language, name in titles.items() if body.get(name)}


def title_in(titles: dict[str, str], language: str, film_id: int) -> str:
    """Return a film's title in a language; without one, another title, or the film's id."""
    order = (language, "original" if language == "ko" else "en", "en", "original", "ko")
    return next((titles[each] for each in order if each in titles), str(film_id))


def film_id_of(text: str | None) -> int | None:
    """Read TMDB's id of a film from an address; return None if it is no such id."""
    is_id = bool(text and text.isascii() and text.isdigit() and len(text) <= _ID_DIGITS)
    return (int(text or 0) or None) if is_id else None


def parse_films(body: Any) -> list[FoundFilm]:
    """Convert the API's response to `GET /films`."""
    return [FoundFilm.parse(film) for film in body["films"]]
