"""The columns of the cleaned file about a film's fame before its release, and their check."""

from collections.abc import Mapping
from typing import Any, Final

import pandas as pd

from scripts.runtime.storage import DataFileError

RECORDED_ON: Final = "fame_recorded_on"
_NUMBERS: Final = ("popularity", "votes", "languages", "countries")
FAME_COLUMNS: Final = (RECORDED_ON, *(f"fame_{name}" for name in _NUMBERS))


class LateFameError(DataFileError):
    """A film's fame is not from before its release."""


def fame_columns(entry: Mapping[str, Any] | None) -> dict[str, Any]:
    """Convert an entry of `store.fame` to the columns of the cleaned file; None is unknown."""
    if entry is None:
        return dict.fromkeys(FAME_COLUMNS)
    numbers = {f"fame_{name}": entry[name] for name in _NUMBERS}
    return {RECORDED_ON: entry["date"].isoformat()} | numbers


def require_early_fame(films: pd.DataFrame) -> None:
    """Check that the fame of each film was recorded before the film's release.

    Later values tell how the film was received, which nobody knows when a forecast is made.

    Args:
        films: Rows of the cleaned file.

    Raises:
        LateFameError: A film has a value from its release or later, or without a day.
    """
    has_fame = films[list(FAME_COLUMNS)].notna().any(axis=1)
    for row in films[has_fame].to_dict("records"):
        day, opened = row[RECORDED_ON], row["release_date"]
        if pd.isna(day) or not day < opened:
            title = "" if pd.isna(row["title"]) else f" ({row['title']})"
            when = "no day" if pd.isna(day) else f"the day {day}"
            raise LateFameError(
                f"film {row['id']}{title} has fame with {when}, and was released on "
                f"{opened}; training uses only fame from before the release, so run preprocess "
                "for its date again"
            )
