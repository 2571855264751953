"""The rule that says which films the model is for: feature films that are neither adult nor video.

Training, forecasts, baselines, drift checks and scores all use this rule. TMDB also has adult
films, videos (such as recorded concerts and bonus material), shorts, and series sold as one film.
"""

from collections.abc import Mapping
from functools import reduce
from operator import and_
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from scripts.parameters import FEATURE_FILM_MINUTES

Rows = npt.NDArray[np.int64]

_COLUMNS: Final = ("adult", "video", "runtime")


def _is_known_false(flag: str) -> pc.Expression:
    # TMDB sends both flags for every film. If one is unknown, the record is damaged, and the film
    # could be an adult film; so it is left out.
    return pc.coalesce(~pc.field(flag), pa.scalar(False))


def _is_feature_film() -> pc.Expression:
    shortest, longest = FEATURE_FILM_MINUTES
    minutes = pc.field("runtime")
    fits = (minutes >= shortest) & (minutes <= longest)
    return minutes.is_null() | (minutes == 0) | fits  # TMDB writes 0 for unknown


# By the reason for leaving a film out: the filter for the films that the reason does not concern.
_RULES: Final[Mapping[str, pc.Expression]] = {
    "adult film": _is_known_false("adult"),
    "video": _is_known_false("video"),
    "no feature film": _is_feature_film(),
}


def is_eligible() -> pc.Expression:
    """Build the filter, over the columns of the film store, for the films that the model is for."""
    return reduce(and_, _RULES.values())


def ineligible_rows(films: pa.Table) -> dict[str, Rows]:
    """Find the films that the model is not for.

    Args:
        films: A table with the columns of `schema.SCHEMA`, one row per film.

    Returns:
        By reason, the positions of these films in the table. A film with several reasons is listed
        under each of them.
    """
    numbered = films.select(_COLUMNS).append_column("row", pa.array(np.arange(len(films))))
    return {
        reason: numbered.filter(~rule)["row"].to_numpy().astype(np.int64)
        for reason, rule in _RULES.items()
    }
