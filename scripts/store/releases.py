"""Find the day of the first release of the film store's films."""

import json
from datetime import date

import pyarrow as pa

from movierating.films import releases
from movierating.films.releases import Release


def first_release(release_date: date | None, release_dates: str | None) -> Release | None:
    """Find a film's first release. On the same day, a premiere comes before other types.

    Args:
        release_date: The field `release_date` of TMDB's answer; None if unknown.
        release_dates: The part `release_dates` of TMDB's answer, as JSON text.

    Returns:
        The release; None if TMDB has no date for the film.
    """
    # A search in the text takes less time than parsing it.
    has_dates = '"release_date"' in (release_dates or "")
    part = json.loads(release_dates or "") if has_dates else None
    return releases.first_release(release_date, part)


def with_first_releases(films: pa.Table) -> pa.Table:
    """Replace each film's `release_date` by the day of its first release.

    Args:
        films: A table with the columns of `schema.SCHEMA`, one row per film.
    """
    dates, parts = films["release_date"].to_pylist(), films["release_dates"].to_pylist()
    first = (first_release(*each) for each in zip(dates, parts, strict=True))
    column = films.schema.get_field_index("release_date")
    days = pa.array([each.day if each else None for each in first], pa.date32())
    return films.set_column(column, films.schema.field(column), days)
