"""Requests for benchmarks, made from real films."""

from typing import Any, Final

import pandas as pd

from movierating.films.codes import Codes
from movierating.films.film import Film
from scripts.dataset.table import films_of

PLOT_CHARACTERS: Final = 400


def askable(frame: pd.DataFrame, count: int) -> list[Film]:
    """The newest films of a cleaned frame that have a genre, a running time and a long plot."""
    complete = (
        (frame["overview"].str.len() >= PLOT_CHARACTERS)
        & (frame["genre_encoded"] >= 0)
        & frame["runtime"].notna()
        & frame["original_language"].str.fullmatch("[a-z]{2}")
    )
    return films_of(frame[complete].tail(count))


def five_numbers(film: Film, codes: Codes) -> dict[str, Any]:
    """The query of `GET /predict`."""
    assert film.plot  # noqa: S101 - `askable` selects only films with a plot
    return {
        "runtime": film.runtime_minutes,
        "genre_encoded": codes.genres.code(film.main_genre),
        "lang_encoded": codes.languages.code(film.original_language),
        "sentiment": film.plot.polarity,
        "overview_len": film.plot.length,
    }


def form(film: Film) -> dict[str, Any]:
    """The body of `POST /predict` with the main fields of the form; the plot is shortened."""
    assert film.plot  # noqa: S101 - `askable` selects only films with a plot
    return {
        "overview": (film.plot.text or "")[:PLOT_CHARACTERS],
        "genres": film.genres,
        "language": film.original_language,
        "runtime": film.runtime_minutes,
    }


def all_facts(film: Film) -> dict[str, Any]:
    """The same body with every fact; unknown ones get an invented value."""
    nobody = ["Nobody Yet"]
    return form(film) | {
        "title": film.title or "Untitled",
        "release_date": film.release_date.isoformat() if film.release_date else "2023-01-01",
        "budget": film.budget_usd or 5_000_000,
        "directors": film.directors or nobody,
        "writers": film.writers or nobody,
        "cast": film.cast or nobody,
        "companies": film.companies or nobody,
        "countries": ["US"],
        "collection": film.franchise or "None Yet",
        "keywords": film.keywords or ["love"],
    }
