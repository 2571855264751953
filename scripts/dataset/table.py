"""The cleaned file: its columns, and the conversion of films to rows and back."""

import csv
import json
from collections.abc import Hashable, Mapping
from datetime import date
from typing import Any, Final

import pandas as pd

from movierating.films.codes import Codes
from movierating.films.film import Entity, Film, Named, Plot, name_of
from scripts.dataset.fame import FAME_COLUMNS, RECORDED_ON, fame_columns, require_early_fame
from scripts.runtime.storage import DataFileError, DataPath, atomic_write

# The twelve columns of the old system; its users read them by name.
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
# Lists; each is one JSON text in the file. A person, company or keyword is a pair of TMDB's id and
# the name, or only the name if the id is unknown.
_TEXT_LISTS: Final = ("genres", "countries")
_NAMED_LISTS: Final = ("directors", "writers", "cast", "companies", "keywords")
_LISTS: Final = (*_TEXT_LISTS, *_NAMED_LISTS)
NEW_COLUMNS: Final = (
    "release_date",
    "original_language",
    "franchise",
    "franchise_id",
    "overview",
    "overview_subjectivity",
    "overview_ko",
    *_LISTS,
    *FAME_COLUMNS,  # no model uses them yet
)
# Read as text; otherwise pandas would turn a title such as "1984" into a number.
_TEXTS: Final = dict.fromkeys(
    (
        "title",
        "release_date",
        "original_language",
        "franchise",
        "overview",
        "overview_ko",
        *_LISTS,
        RECORDED_ON,
    ),
    "str",
)


def row_of(
    film: Film,
    codes: Codes,
    overview_ko: str | None = None,
    fame: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Convert a film to a row of the cleaned file, with only the columns known before release.

    Args:
        film: The film.
        codes: The code tables for genre and language.
        overview_ko: The Korean plot. It is not a fact in `Film`; training uses it to learn
            how Korean plots differ from English ones.
        fame: The newest entry of the film's fame before its release (see `store.fame`).
    """
    plot, opened = film.plot, film.release_date
    return {
        "title": film.title,
        "budget": film.budget_usd,
        "runtime": film.runtime_minutes,
        "release_year": opened.year if opened else None,
        "genre_encoded": codes.genres.code(film.main_genre),
        "lang_encoded": codes.languages.code(film.original_language),
        "overview_len": plot.length if plot else None,
        "overview_sentiment": plot.polarity if plot else None,
        "release_date": opened.isoformat() if opened else None,
        "original_language": film.original_language,
        "franchise": name_of(film.franchise) if film.franchise else None,
        "franchise_id": film.franchise.id if isinstance(film.franchise, Entity) else None,
        "overview": plot.text if plot else None,
        "overview_subjectivity": plot.subjectivity if plot else None,
        "overview_ko": overview_ko,
        **fame_columns(fame),
    } | {
        name: json.dumps([_packed(each) for each in getattr(film, name)], ensure_ascii=False)
        for name in _LISTS
    }


def film_of(row: Mapping[Hashable, Any]) -> Film:
    """Convert a row of the cleaned file to a film."""
    return Film(
        title=_known(row["title"]),
        original_language=_known(row["original_language"]),
        runtime_minutes=_known(row["runtime"]),
        release_date=date.fromisoformat(row["release_date"]),
        budget_usd=_known(row["budget"]),
        franchise=_franchise(row),
        plot=_plot_of(row),
        genres=tuple(json.loads(row["genres"])),
        countries=tuple(json.loads(row["countries"])),
        **{name: tuple(map(_unpacked, json.loads(row[name]))) for name in _NAMED_LISTS},
    )


def _packed(named: Named) -> Any:
    return [named.id, named.name] if isinstance(named, Entity) else named


def _unpacked(packed: Any) -> Named:
    return packed if isinstance(packed, str) else Entity(*packed)


def _franchise(row: Mapping[Hashable, Any]) -> Named | None:
    name, number = _known(row["franchise"]), _known(row["franchise_id"])
    return name if number is None or name is None else Entity(int(number), name)


def _plot_of(row: Mapping[Hashable, Any]) -> Plot | None:
    length = _known(row["overview_len"])
    if length is None:
        return None
    subjectivity, text = _known(row["overview_subjectivity"]), _known(row["overview"])
    return Plot(int(length), row["overview_sentiment"], subjectivity, text)


def read_cleaned(path: DataPath) -> pd.DataFrame:
    """Read the cleaned file, one row per film, oldest first; no number is rounded.

    Raises:
        DataFileError: The file is damaged, or another version of this code wrote it, and a column
            is missing.
        LateFameError: The fame of a film is not from before its release.
    """
    with path.open("rb") as stream:
        # Only an empty cell means unknown, since there are films called "None" and "N/A".
        try:
            frame = pd.read_csv(
                stream, encoding="utf-8-sig", keep_default_na=False, na_values=[""], dtype=_TEXTS
            )
        except ValueError:  # also pandas' own errors about the format
            raise DataFileError(f"{path} is damaged; run preprocess for its date again") from None
    columns = (*OLD_COLUMNS, *NEW_COLUMNS)
    if missing := [name for name in columns if name not in frame.columns]:
        raise DataFileError(
            f"{path} has no column '{missing[0]}', because another version of this code wrote it; "
            "run preprocess for its date again"
        )
    require_early_fame(frame)
    # Films of the same day are sorted by id, so that results do not depend on the file's order.
    return frame.sort_values(["release_date", "id"], ignore_index=True)


def write_cleaned(path: DataPath, outcomes: pd.DataFrame, facts: list[dict[str, Any]]) -> None:
    """Write the cleaned file, sorted by id.

    Args:
        path: The file to write; it is replaced in one atomic step.
        outcomes: One row per film: its id, and the columns that are known only after its release,
            such as the rating.
        facts: The other columns, as returned by `row_of`, for the same films in the same order.
    """
    cleaned = pd.concat([outcomes, pd.DataFrame(facts)], axis=1)[[*OLD_COLUMNS, *NEW_COLUMNS]]
    with atomic_write(path) as partial:
        # Text is quoted, because a bare carriage return in a title would otherwise end its row.
        cleaned.sort_values("id").to_csv(
            partial, index=False, encoding="utf-8-sig", quoting=csv.QUOTE_NONNUMERIC
        )


def films_of(frame: pd.DataFrame) -> list[Film]:
    """Convert all rows of a cleaned frame to films, in the same order."""
    return [film_of(row) for row in frame.to_dict("records")]


def _known(value: Any) -> Any:
    return None if pd.isna(value) else value
