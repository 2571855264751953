"""Build rows of the film store from films in TMDB's JSON format."""

from datetime import UTC, date, datetime, time
from typing import Any, Final

import pyarrow as pa

from movierating.films.tmdb import PARTS
from scripts.store.schema import FIELD_TYPES, NEVER_NULL, film_record
from scripts.tmdb.validation import ValidationReport, validate_records

# The smallest valid answer by TMDB for a film: unknown fields are `null` where TMDB permits it.
EMPTY_FILM: Final[dict[str, Any]] = {
    **{name: None if name not in NEVER_NULL else kinds[0]() for name, kinds in FIELD_TYPES.items()},
    **{part: {name: [] for name in lists} for part, lists in PARTS.items()},
}


def columns(*films: dict[str, Any], day: date) -> pa.Table:
    """Convert films from TMDB's JSON format to rows of the film store.

    Args:
        films: The JSON fields of each film.
        day: The rows say that the films were fetched from TMDB at noon on this day.
    """
    noon = datetime.combine(day, time(12), UTC)
    return validate_records(
        [film_record(EMPTY_FILM | film, noon, None) for film in films], day, ValidationReport()
    )
