"""Convert rows of the film store to `Film` objects, which only have facts known before release."""

import json
from collections.abc import Hashable, Mapping
from datetime import date
from typing import Any, Final

import pandas as pd
import pyarrow as pa

from movierating.films import tmdb
from movierating.films.film import Film
from movierating.films.text import is_latin, measure_plot, normalise
from movierating.films.tokens import MAX_CAST

_NUMBERS: Final = ("budget", "revenue", "runtime", "vote_count", "vote_average")
_TEXTS: Final = (
    "title",
    "original_language",
    "overview",
    "genres",
    "production_companies",
    "production_countries",
    "belongs_to_collection",
    "credits",
    "keywords",
)


def to_frame(films: pa.Table) -> pd.DataFrame:
    """Convert films to a pandas frame with the columns that `parse_film` and the data set need.

    Args:
        films: A table with the columns of `schema.SCHEMA`, one row per film.

    Returns:
        One row per film. Numbers are NaN where unknown, but an unknown `vote_count` is 0. All other
        columns are text, empty where unknown.
    """
    columns = ["id", "release_date", *_NUMBERS, *_TEXTS]
    frame: pd.DataFrame = films.select(columns).to_pandas(date_as_object=True)
    frame[list(_NUMBERS)] = frame[list(_NUMBERS)].astype(float)
    frame["vote_count"] = frame["vote_count"].fillna(0)
    frame["release_date"] = frame["release_date"].map(lambda day: day.isoformat() if day else "")
    texts = frame[list(_TEXTS)]
    frame[list(_TEXTS)] = texts.astype(object).where(texts.notna(), "")
    return frame


def parse_film(row: Mapping[Hashable, Any]) -> Film:
    """Convert a row of `to_frame` to a film; an empty value becomes an unknown fact.

    A plot in a non-Latin script also becomes unknown, because the service translates such a plot
    before it uses it.
    """
    overview, people = normalise(row["overview"]), parsed(row["credits"])
    return Film(
        title=normalise(row["title"]) or None,
        genres=tmdb.names(_objects(row["genres"])),
        original_language=row["original_language"] or None,
        countries=tmdb.country_codes(parsed(row["production_countries"])),
        runtime_minutes=_positive(row["runtime"]),
        release_date=date.fromisoformat(row["release_date"]),
        budget_usd=_positive(row["budget"]),
        directors=tmdb.directors(people),
        writers=tmdb.writers(people),
        cast=tmdb.cast(people)[:MAX_CAST],
        companies=tmdb.entities(_objects(row["production_companies"])),
        franchise=next(iter(tmdb.entities(_objects(row["belongs_to_collection"]))), None),
        keywords=tmdb.entities(_objects(row["keywords"], "keywords")),
        plot=measure_plot(overview) if is_latin(overview) else None,
    )


def korean_plots(films: pa.Table) -> list[str | None]:
    """Get the Korean plot of each film in the table's order; None where TMDB has none."""
    return _korean(films, "overview")


def korean_titles(films: pa.Table) -> list[str | None]:
    """Get the Korean title of each film in the table's order; None where TMDB has none."""
    return _korean(films, "title")


def _korean(films: pa.Table, field: str) -> list[str | None]:
    # One film at a time, because the translations of all films together would fill the memory.
    return [_korean_text(text.as_py() or "", field) for text in films["translations"]]


def _korean_text(translations: str, field: str) -> str | None:
    # A search in the text takes less time than parsing it.
    return tmdb.korean(parsed(translations), field) if '"ko"' in translations else None


def main_genre(genres: str) -> str | None:
    """Get the first genre from a film's `genres` (JSON text); None if the film has no genre."""
    return next(iter(tmdb.names(_objects(genres))), None)


def _positive(value: float) -> float | None:
    return float(value) if value > 0 else None


def parsed(text: str) -> Any:
    """Parse the JSON text of a nested column; None if it is empty."""
    return json.loads(text) if text else None


def _objects(text: str, part: str | None = None) -> tmdb.Objects:
    return tmdb.objects(parsed(text), part)
