"""Build forecast requests to the API from real films, for the benchmarks."""

from collections.abc import Iterable
from typing import Any, Final

import pandas as pd

from movierating.films.codes import Codes
from movierating.films.film import Film, Named
from movierating.films.tmdb import to_json
from scripts.dataset.table import films_of

PLOT_CHARACTERS: Final = 400


def askable(frame: pd.DataFrame, count: int) -> list[Film]:
    """Select the newest films that have a genre, a language, a running time and a long plot.

    Args:
        frame: The cleaned films, a data frame with one row per film, the oldest first.
        count: The largest number of films to select.
    """
    complete = (
        (frame["overview"].str.len() >= PLOT_CHARACTERS)
        & (frame["genre_encoded"] >= 0)
        & frame["runtime"].notna()
        & frame["original_language"].str.fullmatch("[a-z]{2}")
    )
    return films_of(frame[complete].tail(count))


def five_numbers(film: Film, codes: Codes) -> dict[str, Any]:
    """Return the query parameters with which the old API, `GET /predict`, forecasts a film.

    Instead of facts, the old API needs five numbers.

    Args:
        film: The film.
        codes: The numbers that stand for genres and languages in the old API.
    """
    assert film.plot  # noqa: S101 - `askable` selects only films with a plot
    return {
        "runtime": film.runtime_minutes,
        "genre_encoded": codes.genres.code(film.main_genre),
        "lang_encoded": codes.languages.code(film.original_language),
        "sentiment": film.plot.polarity,
        "overview_len": film.plot.length,
    }


def form(film: Film) -> dict[str, Any]:
    """Return the body of a request `POST /predict` with the four main fields of the UI's form.

    Every plot is cut to the same length, so that all requests have about the same size.
    """
    assert film.plot  # noqa: S101 - `askable` selects only films with a plot
    return {
        "overview": (film.plot.text or "")[:PLOT_CHARACTERS],
        "genres": film.genres,
        "language": film.original_language,
        "runtime": film.runtime_minutes,
    }


def all_facts(film: Film) -> dict[str, Any]:
    """Return the body of a request `POST /predict` with every field.

    If a fact about the film is unknown, the field gets an invented value.
    """
    nobody = ["Nobody Yet"]
    return form(film) | {
        "title": film.title or "Untitled",
        "release_date": film.release_date.isoformat() if film.release_date else "2023-01-01",
        "budget": film.budget_usd or 5_000_000,
        "directors": _listed(film.directors) or nobody,
        "writers": _listed(film.writers) or nobody,
        "cast": _listed(film.cast) or nobody,
        "companies": _listed(film.companies) or nobody,
        "countries": ["US"],
        "collection": to_json(film.franchise or "None Yet"),
        "keywords": _listed(film.keywords) or ["love"],
    }


def _listed(named: Iterable[Named]) -> list[Any]:
    return list(map(to_json, named))
