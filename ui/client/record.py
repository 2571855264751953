"""Read released films with their last forecast and how it came out.

They are in the API's responses to `GET /forecasts?opened=...` and `GET /track-record/films`.
"""

from dataclasses import dataclass
from datetime import date
from typing import Any

from ui.client.api import finite
from ui.client.films import title_in, titles_of


@dataclass(frozen=True)
class FilmRecord:
    """A film with its last forecast before the release, and what the audience has said.

    Attributes:
        titles: The film's different titles by language.
        rating: The forecast rating.
        low, high: The lower and the upper end of the forecast's 80 % interval.
        actual: TMDB's rating so far; None without votes.
        votes: The number of votes so far.
        votes_needed: Votes still needed before the forecast is compared with the rating.
        error: Forecast minus rating when the two were last compared; None before.
    """

    film_id: int
    titles: dict[str, str]
    release_date: date
    rating: float
    low: float
    high: float
    actual: float | None
    votes: int
    votes_needed: int
    error: float | None

    @classmethod
    def parse(cls, film: Any, forecast: Any) -> "FilmRecord":
        """Convert one film in the API's response.

        Args:
            film: The film.
            forecast: The part of it that has the forecast's rating and interval.
        """
        outcome, score, interval = film["outcome"], film.get("score"), forecast["interval"]
        actual = outcome["rating"]
        return cls(
            film_id=int(film["id"]),
            titles=titles_of(film),
            release_date=date.fromisoformat(film["release_date"]),
            rating=finite(forecast["rating"]),
            low=finite(interval["low"]),
            high=finite(interval["high"]),
            actual=None if actual is None else finite(actual),
            votes=int(outcome["votes"]),
            votes_needed=int(outcome["votes_needed"]),
            error=None if score is None else finite(score["error"]),
        )

    def title(self, language: str) -> str:
        """Return the film's title in a language; without one, another title, or the film's id."""
        return title_in(self.titles, language, self.film_id)


@dataclass(frozen=True)
class OpenedFilms:
    """The films that opened in some days, both included."""

    first: date
    last: date
    films: tuple[FilmRecord, ...]

    @classmethod
    def parse(cls, body: Any) -> "OpenedFilms":
        """Convert the API's response to `GET /forecasts?opened=...`; leave out films to come."""
        return cls(
            date.fromisoformat(body["opened"]["first"]),
            date.fromisoformat(body["opened"]["last"]),
            tuple(FilmRecord.parse(film, film) for film in body["films"] if film["outcome"]),
        )


@dataclass(frozen=True)
class RecordedFilms:
    """Films in the record.

    Attributes:
        min_votes: How many votes a film needs before its forecast is compared with its rating.
        total: The number of films on all pages that match.
    """

    min_votes: int
    total: int
    films: tuple[FilmRecord, ...]

    @classmethod
    def parse(cls, body: Any) -> "RecordedFilms":
        """Convert the API's response to `GET /track-record/films`."""
        return cls(
            int(body["min_votes"]),
            int(body["total"]),
            tuple(FilmRecord.parse(film, film["forecast"]) for film in body["films"]),
        )
