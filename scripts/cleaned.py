"""The cleaned file: its columns, how a film becomes a row, and a row a film again."""

import json
from collections.abc import Hashable, Mapping
from datetime import date
from typing import Any, Final

import pandas as pd

from movierating.encoders import Codes
from movierating.film import Film, Plot
from scripts.files import DataPath

# The twelve columns of the old system, which its users read by name.
OLD_COLUMNS: Final = (
    "id",
    "title",
    "budget",
    "revenue",
    "runtime",
    "vote_count",
    "vote_average",
    "release_year",
    "genre_encoded",
    "lang_encoded",
    "overview_len",
    "overview_sentiment",
)
NEW_COLUMNS: Final = ("release_date", "genres", "original_language", "overview_subjectivity")


def row_of(film: Film, codes: Codes) -> dict[str, Any]:
    """The columns of the cleaned file that describe a film before release."""
    plot, opened = film.plot, film.release_date
    return {
        "budget": film.budget_usd,
        "runtime": film.runtime_minutes,
        "release_year": opened.year if opened else None,
        "genre_encoded": codes.genres.code(film.main_genre),
        "lang_encoded": codes.languages.code(film.original_language),
        "overview_len": plot.length if plot else None,
        "overview_sentiment": plot.polarity if plot else None,
        "release_date": opened.isoformat() if opened else None,
        "genres": json.dumps(film.genres, ensure_ascii=False),
        "original_language": film.original_language,
        "overview_subjectivity": plot.subjectivity if plot else None,
    }


def film_of(row: Mapping[Hashable, Any]) -> Film:
    """The film that a row of the cleaned file describes."""
    length = _known(row["overview_len"])
    return Film(
        genres=tuple(json.loads(row["genres"])),
        original_language=_known(row["original_language"]),
        runtime_minutes=_known(row["runtime"]),
        release_date=date.fromisoformat(row["release_date"]),
        budget_usd=_known(row["budget"]),
        plot=Plot(int(length), row["overview_sentiment"], _known(row["overview_subjectivity"]))
        if length is not None
        else None,
    )


def read_cleaned(path: DataPath) -> pd.DataFrame:
    """The cleaned file, one row a film, oldest first; numbers come back bit for bit."""
    with path.open("rb") as stream:
        frame = pd.read_csv(stream, encoding="utf-8-sig")
    return frame.sort_values(["release_date", "id"], ignore_index=True)


def films_of(frame: pd.DataFrame) -> list[Film]:
    """The films of a cleaned frame, in its order."""
    return [film_of(row) for row in frame.to_dict("records")]


def _known(value: Any) -> Any:
    return None if pd.isna(value) else value
