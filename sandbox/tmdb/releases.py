"""The releases of films. A film can have several, in different countries and of different types.

TMDB returns them for `/movie/{id}/release_dates`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Self

import numpy as np
import numpy.typing as npt

from sandbox.tmdb.hashing import stable_hash

# TMDB's types of releases.
PREMIERE, LIMITED, THEATRICAL, DIGITAL, PHYSICAL, TV = range(1, 7)
IN_CINEMAS = (LIMITED, THEATRICAL)

# By country, the age ratings that its authority gives.
CERTIFICATIONS: dict[str, tuple[str, ...]] = {
    "BR": ("L", "10", "12", "14", "16", "18"),
    "CN": ("",),
    "DE": ("0", "6", "12", "16", "18"),
    "ES": ("A", "7", "12", "16", "18"),
    "FR": ("TP", "12", "16"),
    "GB": ("U", "PG", "12A", "15", "18"),
    "IN": ("U", "UA", "A"),
    "IT": ("T", "6+", "14+", "18+"),
    "JP": ("G", "PG12", "R15+"),
    "KR": ("ALL", "12", "15", "19"),
    "US": ("G", "PG", "PG-13", "R", "NR"),
}
ABROAD_SHARE = 0.25  # of films in each other country
LIMITED_SHARE = 0.15  # of the releases abroad; the others are theatrical
# Most films open abroad within weeks. This share of the releases abroad is this many days later.
LATE_SHARE, LATE_DAYS = 0.15, (100, 700)
# By type, the share of films with a later release of this type in their country, and the first and
# last day for it, counted from the film's release. A second theatrical release is years later.
LATER: tuple[tuple[int, float, int, int], ...] = (
    (DIGITAL, 0.7, 45, 150),
    (PHYSICAL, 0.3, 90, 240),
    (TV, 0.05, 200, 700),
    (THEATRICAL, 0.1, 1000, 7500),
)


@dataclass(frozen=True, slots=True)
class Release:
    """One release of a film.

    Attributes:
        country: The country's ISO 3166-1 code.
        kind: TMDB's number for the type of release, from 1 (premiere) to 6 (TV).
        day: The release date.
        certification: The age rating in this country, "" if unknown.
        note: A remark about the release, "" if there is none.
    """

    country: str
    kind: int
    day: date
    certification: str = ""
    note: str = ""


@dataclass(frozen=True)
class Releases:
    """The releases of all films.

    Each array has one entry per release. The releases are ordered by film.

    Attributes:
        film: The film's position (its index in the arrays of `Columns`).
        country: The country's ISO 3166-1 code.
        kind: TMDB's number for the type of release, from 1 (premiere) to 6 (TV).
        day: The release date; never NaT.
    """

    film: npt.NDArray[np.int64]
    country: npt.NDArray[np.str_]
    kind: npt.NDArray[np.int64]
    day: npt.NDArray[np.datetime64]

    @classmethod
    def of(
        cls,
        film: npt.ArrayLike,
        country: npt.ArrayLike,
        kind: npt.ArrayLike,
        day: npt.NDArray[np.datetime64],
    ) -> Self:
        """Create the object from unsorted releases; releases without a date are left out.

        Args:
            film: For each release, the film's position (its index in the arrays of `Columns`).
            country: For each release, the country's ISO 3166-1 code.
            kind: For each release, TMDB's number for the type, from 1 (premiere) to 6 (TV).
            day: For each release, its date; NaT if it has none.
        """
        films, countries, kinds = (np.asarray(values) for values in (film, country, kind))
        order = np.lexsort((day.astype(np.int64), countries, films))
        order = order[~np.isnat(day[order])]
        return cls(films[order], countries[order], kinds[order], day[order])

    def of_film(self, position: int, film_id: int) -> tuple[Release, ...]:
        """Return the releases of one film, each with an invented age rating.

        Args:
            position: The film's position (its index in the arrays of `Columns`).
            film_id: The film's id. The age ratings depend on it.
        """
        first, last = np.searchsorted(self.film, (position, position + 1)).tolist()
        return tuple(
            Release(
                country=str(self.country[at]),
                kind=int(self.kind[at]),
                day=self.day[at].item(),
                certification=certification(film_id, str(self.country[at])),
            )
            for at in range(first, last)
        )


def certification(film_id: int, country: str) -> str:
    """Invent a film's age rating in a country; the same film always gets the same one.

    The result is "" for a country whose age ratings are not in `CERTIFICATIONS`.
    """
    known = CERTIFICATIONS.get(country, ("",))
    return known[stable_hash(film_id, country) % len(known)]


def draw_releases(
    rng: np.random.Generator, countries: Sequence[str], released: npt.NDArray[np.datetime64]
) -> Releases:
    """Draw random releases for each film. A film is first released in its own country.

    Args:
        rng: The random generator.
        countries: Each film's own country.
        released: Each film's first release date. A film without one (NaT) gets no releases.
    """
    home = np.array(countries, np.str_)
    films = np.arange(len(home))
    drawn = [(films, home, np.full(len(home), THEATRICAL), released)]
    for country in CERTIFICATIONS:
        at = films[(rng.random(len(home)) < ABROAD_SHARE) & (home != country)]
        kinds = np.where(rng.random(len(at)) < LIMITED_SHARE, LIMITED, THEATRICAL)
        soon, late = rng.exponential(25, len(at)), rng.uniform(*LATE_DAYS, len(at))
        delays = np.where(rng.random(len(at)) < LATE_SHARE, late, soon)
        days = delays.astype("timedelta64[D]")
        drawn.append((at, np.full(len(at), country), kinds, released[at] + days))
    for kind, share, first, last in LATER:
        at = films[rng.random(len(home)) < share]
        days = rng.integers(first, last, len(at)).astype("timedelta64[D]")
        drawn.append((at, home[at], np.full(len(at), kind), released[at] + days))
    film, country_codes, kinds, days_released = map(np.concatenate, zip(*drawn, strict=True))
    return Releases.of(film, country_codes, kinds, days_released)
