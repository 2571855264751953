"""Select the films that a model can be trained on, and extend the code tables for them."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date

import pandas as pd
from pandera.errors import SchemaErrors
from pandera.pandas import Check, Column, DataFrameSchema

from movierating.films.codes import Codes
from movierating.films.film import Film
from scripts.dataset.eligibility import Rows


def keep_usable(
    raw: pd.DataFrame, ineligible: Mapping[str, Rows], run_date: date
) -> tuple[pd.DataFrame, dict[str, int]]:
    """Drop the films that a model can neither be trained nor evaluated on.

    Args:
        raw: The films, one row each, as returned by `store.parsing.to_frame`. The index is the
            row's position.
        ineligible: By reason, the rows of films that the model is not for, as returned by
            `eligibility.ineligible_rows`.
        run_date: Films released after this date are dropped.

    Returns:
        The rows that are kept, and the number of dropped films by reason. A film with several
        reasons is counted under each of them.
    """
    reasons = Counter({reason: len(rows) for reason, rows in ineligible.items()})
    dropped = set[int]().union(*(rows.tolist() for rows in ineligible.values()))
    try:
        _schema(run_date).validate(raw, lazy=True)
    except SchemaErrors as errors:
        failed = errors.failure_cases.dropna(subset="index")
        reasons += Counter(failed.drop_duplicates(["index", "check"])["check"])
        dropped |= set(failed["index"])
    return raw.drop(index=list(dropped)), dict(+reasons)


def extended_codes(films: Sequence[Film], known: Codes) -> Codes:
    """Give each new genre and language of `films` a code, and return the extended code tables.

    A code is the integer that the cleaned file contains for a genre or a language. Existing codes
    never change, because users of that file may have stored them. Main genres are added before
    other genres.
    """
    return Codes(
        known.genres.extended(film.main_genre for film in films).extended(
            genre for film in films for genre in film.genres
        ),
        known.languages.extended(film.original_language for film in films),
    )


def _schema(run_date: date) -> DataFrameSchema:
    """Build the check that a film is released and rated, and that its genres can be read.

    If a check fails, its error text becomes the reason in the report of dropped films.
    """
    return DataFrameSchema(
        {
            "release_date": Column(
                object,
                [
                    Check(lambda day: day != "", error="no release date"),
                    Check(lambda day: day <= run_date.isoformat(), error="not released yet"),
                ],
            ),
            "vote_count": Column(float, Check.gt(0, error="not rated yet")),
            "genres": Column(
                object,
                Check(_names_genres, element_wise=True, error="broken genres"),
            ),
        }
    )


def _names_genres(text: str) -> bool:
    try:
        return all(isinstance(genre["name"], str) for genre in json.loads(text))
    except (ValueError, TypeError, KeyError):
        return False
